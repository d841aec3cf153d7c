"""pymemcache's client with the meta commands of Memcached 1.6 that it lacks, and its errors as ours.

Meta commands: https://github.com/memcached/memcached/blob/1.6.18/doc/protocol.txt
"""

from __future__ import annotations

import os
import select
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from pymemcache import exceptions
from pymemcache.client.base import Client, PooledClient

from sessionctl.errors import StorageError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BREAK = 2
"""The bytes of the line break after a value."""


class Meta(NamedTuple):
    """What `mg` tells about an item. Seconds; `life` is None where nothing ends the item."""

    value: bytes | None = None
    size: int = 0
    version: bytes | None = None
    life: int | None = None
    idle: int | None = None


class MetaClient(Client):  # type: ignore[misc] # pymemcache has no types
    """One connection."""

    def drop_if_stale(self) -> None:
        """Close the connection if the server has, so that the next command opens another.

        An idle connection has nothing to be read; if it has, that is its end, or what must not be there.
        """
        if self.sock is not None:
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            if poll.poll(0):
                self.close()

    def meta_get(self, keys: list[str], flags: str) -> list[Meta | None]:
        """`mg` of each key in one round trip; None where there is no item.

        `flags` are letters of the protocol: `v` value, `s` size, `c` version, `t` life, `l` idle time.
        """
        words = " ".join(flags)
        commands = "".join(f"mg {key} {words}\r\n" for key in keys).encode("ascii")
        with self._exchange(commands) as answers:
            return [self._meta(answers) for _ in keys]

    def _meta(self, answers: Any) -> Meta | None:
        words = self._line(answers).split()
        if words[:1] == [b"EN"]:
            return None
        if words[:1] == [b"HD"]:
            return _meta(words[1:], None)
        if words[:1] != [b"VA"]:
            raise exceptions.MemcacheUnknownError
        size = int(words[1])
        value = answers.read(size + _BREAK)
        if len(value) < size + _BREAK:
            raise exceptions.MemcacheUnexpectedCloseError
        return _meta(words[2:], value[:size])

    def dump_keys(self) -> Iterator[str]:
        """Every key of the server, by its LRU crawler. The connection serves nothing else meanwhile."""
        with self._exchange(b"lru_crawler metadump all\r\n") as answers:
            while (line := self._line(answers)) != b"END":
                name, _, key = line.partition(b" ")[0].partition(b"=")
                if name != b"key":
                    raise exceptions.MemcacheServerError(line[:4])
                yield unquote(key.decode("ascii"), errors="surrogateescape")

    @contextmanager
    def _exchange(self, commands: bytes) -> Iterator[Any]:
        """Send commands; what comes back as a file. Whatever goes wrong, the connection is closed."""
        if self.sock is None:
            self._connect()
        try:
            self.sock.sendall(commands)
            with self.sock.makefile("rb") as answers:
                yield answers
        except BaseException:
            self.close()
            raise

    def _line(self, answers: Any) -> bytes:
        line: bytes = answers.readline()
        if not line.endswith(b"\n"):
            raise exceptions.MemcacheUnexpectedCloseError
        self._raise_errors(line, b"meta")
        return line.rstrip(b"\r\n")  # the crawler ends its lines with a bare LF


class MetaPool(PooledClient):  # type: ignore[misc] # pymemcache has no types
    """The connections to one server."""

    client_class = MetaClient

    @contextmanager
    def connection(self) -> Iterator[MetaClient]:
        """A connection that lives; one that fails is closed, never used again."""
        with self.client_pool.get_and_release(destroy_on_fail=True) as client:
            client.drop_if_stale()
            yield client


def _meta(words: list[bytes], value: bytes | None) -> Meta:
    told = {word[:1]: word[1:] for word in words}
    life = int(told.get(b"t", b"-1"))
    idle = told.get(b"l")
    return Meta(
        value,
        int(told.get(b"s", b"0")),
        told.get(b"c"),
        None if life < 0 else life,
        None if idle is None else int(idle),
    )


_UNREACHABLE = "it cannot be reached; is it running, and do host and port lead to it?"
_SLOW = "it did not answer in time; is it stopped, overloaded or behind a firewall?"
_FOREIGN = "its answer is not Memcached's protocol; does the port belong to another server?"
_OLD = "it does not know the command; Memcached 1.6 or newer is needed"

_MEANINGS: dict[type[Exception], tuple[type[StorageError], str]] = {
    TimeoutError: (StorageUnavailableError, _SLOW),
    OSError: (StorageUnavailableError, _UNREACHABLE),
    exceptions.MemcacheUnexpectedCloseError: (
        StorageUnavailableError,
        "it closed the connection; was it restarted?",
    ),
    exceptions.MemcacheUnknownCommandError: (StorageError, _OLD),
    exceptions.MemcacheClientError: (
        StorageError,
        "it refused the command; does it ask for SASL authentication?",
    ),
    exceptions.MemcacheIllegalInputError: (StorageError, "the key or the value is not legal there"),
    exceptions.MemcacheServerError: (StorageError, "it failed inside"),
    exceptions.MemcacheUnknownError: (StorageError, _FOREIGN),
    exceptions.MemcacheError: (StorageError, "the Memcached client failed"),
    ValueError: (StorageError, _FOREIGN),
    KeyError: (StorageError, _FOREIGN),
}

_SERVER_ERRORS = (
    ("out of memory", StorageError, "it is out of memory (-m), and may evict none (-M); nothing was written"),
    ("BUSY", StorageUnavailableError, "it is being listed by another; try again in a while"),
)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what pymemcache, a socket or OpenSSL raises inside into `StorageError`s without keys or values."""
    try:
        yield
    except tuple(_MEANINGS) as error:
        kind, text = _meaning(error)
        raise kind(f"{url}: {text}{_reason(error)}") from None


def _meaning(error: Exception) -> tuple[type[StorageError], str]:
    if isinstance(error, exceptions.MemcacheServerError):
        for word, kind, text in _SERVER_ERRORS:
            if word in _words(error):
                return kind, text
    return next(_MEANINGS[kind] for kind in type(error).__mro__ if kind in _MEANINGS)


def is_too_large(error: Exception) -> bool:
    """Whether the server said that an item is over its limit."""
    return isinstance(error, exceptions.MemcacheServerError) and "too large" in _words(error)


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("ascii", "replace") if isinstance(first, bytes) else str(first)


def _reason(error: Exception) -> str:
    if not isinstance(error, OSError) or isinstance(error, TimeoutError):
        return ""
    reason = getattr(error, "verify_message", "") or (os.strerror(error.errno) if error.errno else "")
    return f" ({reason})" if reason else ""
