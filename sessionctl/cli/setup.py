"""What the shared options come to: a `Setup` of storage, keys, format and time, with what the profile adds."""

from __future__ import annotations

import os
from itertools import compress
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from sessionctl.cli.output import say, shown
from sessionctl.errors import MissingExtraError, SecretError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.config.settings import Settings
    from sessionctl.identify import Setup, Target
    from sessionctl.signing.keys import KeyRing
    from sessionctl.storage.base import SessionStorage

T = TypeVar("T")

Keys = Literal["must", "may", "store"]
"""How a command needs the keys of a profile: not without them; as far as they can be had; for a store of another
framework alone, whose records may be encrypted.
"""


def keys_for(target: Target) -> Keys:
    """Of a cookie they must be there; a session named by --id or --ref may lie in another framework's store."""
    return "must" if target.source else "store"


def setup_of(
    params: dict[str, Any], *, writes: bool = False, text_alone: bool = False, keys: Keys = "must"
) -> Setup:
    """Take the shared options out of a command's parameters and make a `Setup` of them.

    A command that `writes` makes the default secret where there is none yet; others create nothing. One
    that looks at the `text_alone` needs neither the default secret nor the default storage. Raises
    `SecretError` for a secret that was given and cannot be had; for a profile's and the default only where `keys` must
    be there.
    """
    from sessionctl.duration import parse_time
    from sessionctl.formats.base import MAX_SIZE
    from sessionctl.identify import Setup
    from sessionctl.signing.keys import KeyRing

    settings = settings_of(params)
    params.pop("profile", None)
    ring, keys_source = _given_keys(params.pop("secrets", ()), params.pop("secret_file", ()))
    asked = params.pop("format_name", None)
    name = asked or settings.get("format")
    options = given_options = _format_options(
        params.pop("format_options", ()) or _one_of("SESSIONCTL_FORMAT_OPTION")
    )
    max_age, now = params.pop("max_age", None) or settings.get("max_age"), params.pop("now", None)
    size = params.pop("max_size", None)
    storage, given, source = _storage(params.pop("storage", None), settings, text_alone=text_alone)
    if keys == "store" and not given and storage is not None:
        _tell_default(settings, storage.url)
    missing: list[str] = []
    if keys != "store" or (storage is not None and storage.read_only):
        if asked in (None, settings.get("format")):  # those of another format would be none of its own
            options = (_had(settings.options, missing, keys) or {}) | options
        if not ring:
            ring, keys_source = _profile_keys(settings, missing, keys)
    cookie_name = params.pop("cookie_name", None) or settings.get("cookie_name")
    try:
        _check(name, options, cookie_name)
    except UsageError as error:
        raise _blamed(error, settings, asked, given_options) from None
    moment = None if now is None else parse_time(now)
    needs_default = name in (None, "native") and not (ring or missing or text_alone or keys == "store")
    default = _default_keys(missing, keys, make=writes) if needs_default else KeyRing()
    setup = Setup(
        storage=storage,
        storage_given=given,
        storage_source=source,
        keys=ring,
        keys_source=keys_source,
        keys_missing="; ".join(dict.fromkeys(missing)),
        default_keys=default,
        format=name,
        options=options,
        cookie_name=cookie_name,
        max_age=_max_age(max_age),
        max_size=MAX_SIZE if size is None else size,
        now=moment,
    )
    if storage is not None:
        _hand_on(setup, storage)
    return setup


def _hand_on(setup: Setup, storage: Any) -> None:
    """Let the storage judge by the moment, and another framework's by the keys and the age that count."""
    if setup.now is not None and hasattr(storage, "clock"):
        storage.clock = lambda: setup.now
    if storage.read_only:  # its records may be encrypted or signed
        storage.keys, storage.keys_missing, storage.max_age = setup.keys, setup.keys_missing, setup.max_age


def _default_keys(missing: list[str], keys: Keys, *, make: bool) -> KeyRing:
    """The default secret's ring, empty where it cannot be had and need not be."""
    from sessionctl.config import default_keys
    from sessionctl.signing.keys import KeyRing

    return _had(lambda: default_keys(make=make), missing, keys) or KeyRing()


def _check(format_name: str | None, options: dict[str, str], cookie_name: str | None) -> None:
    """Refuse a format or an option that is not there, and a cookie's name that no browser sends, before any work."""
    if format_name is not None:
        from sessionctl.formats.registry import get

        get(format_name, **{key.replace("-", "_"): value for key, value in options.items()})
    if cookie_name is not None:
        from sessionctl.cookie import check_sent_name

        check_sent_name(cookie_name)


def _blamed(error: UsageError, settings: Settings, asked: str | None, given: dict[str, str]) -> UsageError:
    """A wrong format or option, with its place in the file where that is where it comes from."""
    from sessionctl.errors import UnknownFormatError
    from sessionctl.formats.registry import get

    if isinstance(error, UnknownFormatError):
        return error if asked else settings.blamed("format", error)
    name = asked or settings.get("format")
    if name is None or name != settings.get("format"):
        return error
    for option, value in (_had(settings.options, [], "may") or {}).items():
        if option not in given:
            try:
                get(name, **{option: value})
            except UsageError as mistake:
                return settings.blamed("options", mistake, option)
    return error


def _max_age(given: str | float | None) -> float | None:
    """Seconds, of a number in a profile or a text; None sets no limit."""
    from sessionctl.duration import parse_duration
    from sessionctl.formats.base import DEFAULT_MAX_AGE

    if given is None:
        return DEFAULT_MAX_AGE
    if isinstance(given, (int, float)):
        return float(given)
    return None if given.lower() == "none" else parse_duration(given)


def settings_of(params: dict[str, Any]) -> Settings:
    """The profile that holds for a command, read once; what does not count in it is told."""
    context = click.get_current_context(silent=True)
    place = context.meta if context is not None else {}
    found: Settings | None = place.get("sessionctl.settings")
    if found is None:
        from sessionctl.config.settings import load_settings

        found = place["sessionctl.settings"] = load_settings(params.get("profile"))
        if found.withheld and not found.asked and context is not None and not context.params.get("quiet"):
            say(f"warning: {found.warning()}")
    return found


def given_secrets(
    texts: tuple[str, ...], files: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The secrets and the files of secrets of the options, else of the environment, and what they came by."""
    names = ("--secret", "--secret-file")
    if not texts and not files:
        names = ("SESSIONCTL_SECRET", "SESSIONCTL_SECRET_FILE")
        texts, files = _one_of(names[0]), _one_of(names[1])
    return texts, files, " and ".join(compress(names, (texts, files))) or "none"


def _given_keys(texts: tuple[str, ...], files: tuple[str, ...]) -> tuple[Any, str]:
    """The keys of the options, else of the environment, those of files last, and what they came by."""
    from sessionctl.signing.keys import KeyRing

    texts, files, source = given_secrets(texts, files)
    return KeyRing([*KeyRing.parse(texts), *(key for path in files for key in _keys_of_file(path))]), source


def _is_quiet() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.params.get("quiet"))


def _keys_of_file(path: str) -> KeyRing:
    """The keys of a file of secrets, with a word on a line that looks like a comment: a secret may begin so."""
    from sessionctl.signing.keys import read_secret_file

    ring = read_secret_file(path)
    quiet = _is_quiet()
    for index, secret in enumerate(ring):
        if secret.text is not None and secret.text.startswith("#") and " " in secret.text:
            say(
                f"warning: key {index} of {path} begins with # like a comment; it is taken as a secret, as there "
                "are no comments in such a file",
                quiet=quiet,
            )
    return ring


def _profile_keys(settings: Settings, missing: list[str], keys: Keys) -> tuple[Any, str]:
    from sessionctl.signing.keys import KeyRing

    settings.refuse_withheld("secrets")
    ring = _had(settings.keys, missing, keys) if settings.get("secrets") else None
    return (ring, settings.name) if ring else (KeyRing(), "none")


def _had(take: Callable[[], T], missing: list[str], keys: Keys) -> T | None:
    """What a profile says, where it can be had; else `missing` tells why not."""
    try:
        return take()
    except SecretError as error:
        if keys == "must":
            raise
        missing.append(str(error))
        return None


def tell_missing_keys(setup: Setup, *, quiet: bool) -> None:
    """Say that a command goes on without the keys of the profile, and why they are not there."""
    if setup.keys_missing:
        say(f"warning: {setup.keys_missing}", quiet=quiet)


def _storage(url: str | None, settings: Settings, *, text_alone: bool) -> tuple[Any, bool, str]:
    if text_alone and not url:
        return None, False, "none"
    from sessionctl.storage.registry import open_storage

    if url:
        return open_storage(url), True, _said("storage", "-s", "SESSIONCTL_STORAGE")
    settings.refuse_withheld("storage")
    if (place := settings.storage_url()) is not None:
        try:
            return open_storage(place), True, settings.name
        except MissingExtraError:
            raise
        except UsageError as error:
            raise settings.blamed("storage", error) from None
    from sessionctl.config import default_storage_url
    from sessionctl.errors import ConfigError

    try:
        return open_storage(default_storage_url()), False, "the default"
    except ConfigError:
        return None, False, "none"


def _tell_default(settings: Settings, url: str) -> None:
    """Say that a project's sessions are not in the default storage, where its profile names a format and no storage."""
    name = settings.get("format")
    if name in (None, "native", "remix") or "storage" in settings.withheld:
        return
    from sessionctl.formats.registry import get
    from sessionctl.stores.rows import READERS

    form = get(name)
    how = "-s URL?layout=NAME, or storage in the profile, names their place"
    if name in READERS:
        how += f"; where they are rows of a database, this reads one: {READERS[name]}"
    elif form.holds_session and not form.may_hold_id:
        how = "they are in its cookies"
    say(
        f"warning: {settings.name} names no storage, so this is sessionctl's own, {url}: the application's sessions "
        f"are not in it; {how}",
        quiet=_is_quiet(),
    )


def storage_of(params: dict[str, Any]) -> SessionStorage | None:
    """The storage that a command's parameters, the environment and the profile choose, and nothing else of them."""
    storage: SessionStorage | None = _storage(params.get("storage"), settings_of(params), text_alone=False)[0]
    return storage


def _said(param: str, option: str, variable: str) -> str:
    """Whether an option was given on the command line or by its environment variable."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(param) if context is not None else None
    return variable if source is click.core.ParameterSource.ENVIRONMENT else option


def _one_of(variable: str) -> tuple[str, ...]:
    """The one value of an environment variable, whole: it is not split at blanks."""
    value = os.environ.get(variable)
    return (value,) if value else ()


def _format_options(texts: tuple[str, ...]) -> dict[str, str]:
    options = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"-O takes K=V, not {shown(text)}")
        options[key] = _content_of(value[1:]) if value.startswith("@") else value
    return options


def _content_of(path: str) -> str:
    from sessionctl.signing.keys import Secret

    secret = Secret.parse(f"@{path}")
    return secret.text if secret.text is not None else f"hex:{secret.bytes.hex()}"


def url_of(params: dict[str, Any]) -> str | None:
    """Take --url out of a command's parameters, else what the profile says."""
    given: str | None = params.pop("url", None)
    return given if given is not None else settings_of(params).get("url")
