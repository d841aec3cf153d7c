"""Storages by the scheme of their URL. What is built in stands here; the rest comes from entry points."""

from __future__ import annotations

import os
from functools import lru_cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sessionctl import plugins
from sessionctl.duration import seconds_of
from sessionctl.errors import UnknownStorageError, UsageError
from sessionctl.wording import did_you_mean

if TYPE_CHECKING:
    from sessionctl.storage.base import SessionStorage

ENTRY_POINTS = "sessionctl.storages"

_BUILT_IN = {
    "memory": "memory:MemoryStorage",
    "cookie": "cookie:CookieStorage",
    "fs": "file:FileStorage",
    "redis": "redis:RedisStorage",
    "rediss": "redis:RedisTLSStorage",
    "unix": "redis:RedisSocketStorage",
    "redis+cluster": "redis_cluster:RedisClusterStorage",
    "redis+sentinel": "redis_sentinel:RedisSentinelStorage",
    "memcached": "memcached:MemcachedStorage",
}

LAYOUTS = "sessionctl.stores.storage"
"""What opens a store of another framework, where the URL names its layout (`?layout=php`)."""

_CHOICES = {"unknown_ids": ("new", "reuse"), "on_corrupt": ("error", "new")}
_DURATIONS = frozenset({"ttl", "lifetime", "timeout", "connect_timeout", "lock_timeout"})
_FLAGS = frozenset({"durable", "tls"})
_NOT_FOR_URLS = frozenset({"self", "location", "directory", "clock", "client"})
_YES, _NO = frozenset({"", "1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def schemes() -> list[str]:
    """The schemes of all storages: those built in, then those of other packages."""
    return [*_BUILT_IN, *_others()]


def open_storage(url: str | os.PathLike[str], **options: Any) -> SessionStorage:
    """The storage of a URL: `memory:`, `cookie:`, `fs:DIR`, `redis://host/0`, ...; a path is a directory of files.

    Every option may also stand in the URL's query: `fs:sessions?ttl=30d&unknown_ids=reuse`; one that is
    given here wins. Durations are seconds, text (`30d`) or a `timedelta`. `layout=NAME` opens another framework's
    store, read only. Raises `UnknownStorageError` and `UsageError`.
    """
    scheme, location, query = _parts(url)
    given = dict(parse_qsl(query, keep_blank_values=True))
    for name in given.keys() & _NOT_FOR_URLS:
        raise UsageError(f"{scheme}: has no option {name!r}")
    given |= options
    factory = _factory(scheme.lower())
    if "layout" in given:
        factory = partial(import_module(LAYOUTS).from_url, scheme.lower(), factory=factory)
    try:
        storage: SessionStorage = factory(
            location, **{key: _option(key, value) for key, value in given.items()}
        )
    except TypeError as error:
        unknown = _unknown_option(error)
        if unknown is None:
            raise
        raise UsageError(
            f"{scheme}: has no option {unknown!r}{did_you_mean(unknown, _options(scheme))}"
        ) from None
    storage.url = storage.url or f"{scheme.lower()}:{location}"
    storage.options = {name: value for name, value in given.items() if isinstance(value, str)}
    return storage


def _parts(url: str | os.PathLike[str]) -> tuple[str, str, str]:
    """Scheme, place and query."""
    if isinstance(url, os.PathLike):
        return "fs", os.fsdecode(url), ""
    if not isinstance(url, str):
        raise UsageError(f"the URL of a storage is text, not {type(url).__name__}")
    scheme, colon, rest = url.partition(":")
    if not colon:
        raise UnknownStorageError(f"a storage is given as SCHEME:PLACE, one of {_known()}; for files: fs:DIR")
    location, _, query = rest.partition("?")
    return scheme, location, query


def _option(name: str, value: Any) -> Any:
    if name in _DURATIONS and value is not None:
        return seconds_of(name, value)
    if not isinstance(value, str):
        return value
    if name in _FLAGS:
        if value.lower() not in _YES | _NO:
            raise UsageError(f"{name} is true or false")
        return value.lower() in _YES
    if name in _CHOICES and value not in _CHOICES[name]:
        raise UsageError(f"{name} is one of {', '.join(_CHOICES[name])}")
    return value


def _unknown_option(error: TypeError) -> str | None:
    _, found, rest = str(error).partition("unexpected keyword argument ")
    return rest.strip("'") if found else None


def _factory(scheme: str) -> Any:
    if scheme in _BUILT_IN:
        module, _, attribute = _BUILT_IN[scheme].partition(":")
        return getattr(import_module(f"sessionctl.storage.{module}"), attribute).from_url
    if scheme in _others():
        return _others()[scheme].from_url
    near = did_you_mean(f"{scheme}:", [f"{name}:" for name in schemes()])
    raise UnknownStorageError(f"there is no storage {scheme!r}{near or f'; there are {_known()}'}")


def _options(scheme: str) -> list[str]:
    """The options that a storage takes, its classes' own and what they inherit."""
    import inspect

    storage = getattr(_factory(scheme.lower()), "__self__", None)
    if not isinstance(storage, type):
        return []
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = {
        name
        for kind in storage.__mro__[:-1]
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind in named
    }
    return sorted({"layout", *found} - _NOT_FOR_URLS)


def _known() -> str:
    return ", ".join(f"{scheme}:" for scheme in schemes())


@lru_cache(maxsize=1)
def _others() -> dict[str, Any]:
    if not plugins.may_have(ENTRY_POINTS):
        return {}
    from importlib.metadata import entry_points

    return {point.name: point.load() for point in entry_points(group=ENTRY_POINTS)}
