"""pymemcache's client with the meta commands of Memcached 1.6 that it lacks, and its errors as ours.

Meta commands: https://github.com/memcached/memcached/blob/1.6.18/doc/protocol.txt
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar
from urllib.parse import unquote

from pymemcache import exceptions
from pymemcache.client.base import Client, PooledClient

from sessionctl.errors import StorageError, StorageUnavailableError
from sessionctl.storage.remote import reason_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class ItemTooLargeError(StorageError):
    """The server takes no item of that size."""


class Meta(NamedTuple):
    """What `mg` tells about an item. Seconds; `life` is None where nothing ends the item."""

    value: bytes | None = None
    size: int = 0
    version: bytes | None = None
    life: int | None = None
    idle: int | None = None


class _Answers:
    """What a server sends, by lines and by sizes."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""

    def line(self) -> bytes:
        """The next line, without its end. Raises for those that are errors."""
        while (end := self._buffer.find(b"\n")) < 0:
            self._more()
        line, self._buffer = self._buffer[:end].rstrip(b"\r"), self._buffer[end + 1 :]
        if b"ERROR" in line[:12]:
            _raise(line)
        return line

    def value(self, size: int) -> bytes:
        """So many bytes, which a line break follows."""
        while len(self._buffer) < size + 2:
            self._more()
        value, self._buffer = self._buffer[:size], self._buffer[size + 2 :]
        return value

    def _more(self) -> None:
        data = self._sock.recv(1 << 16)
        if not data:
            raise exceptions.MemcacheUnexpectedCloseError
        self._buffer += data


def _raise(line: bytes) -> NoReturn:
    kind, _, rest = line.partition(b" ")
    if kind == b"ERROR":
        raise exceptions.MemcacheUnknownCommandError
    if kind == b"CLIENT_ERROR":
        raise exceptions.MemcacheClientError(rest)
    if b"too large" in rest:
        raise ItemTooLargeError
    raise exceptions.MemcacheServerError(rest)


class MetaClient(Client):  # type: ignore[misc] # pymemcache has no types
    """One connection. What goes wrong in one of these methods leaves it closed."""

    _watched: tuple[Any, select.poll] | None = None

    def drop_if_stale(self) -> None:
        """Close the connection if the server has, so that the next command opens another.

        An idle connection has nothing to be read; if it has, that is its end, or what must not be there.
        """
        if self.sock is None:
            return
        if self._watched is None or self._watched[0] is not self.sock:
            self._watched = (self.sock, select.poll())
            self._watched[1].register(self.sock, select.POLLIN)
        if self._watched[1].poll(0):
            self.close()

    def look_up(self, keys: list[str], flags: str) -> list[Meta | None]:
        """`mg` of each key in one round trip; None where there is no item.

        `flags` are letters of the protocol: `v` value, `s` size, `c` version, `t` life, `l` idle time.
        """
        answers = self._send("".join([f"mg {key} {flags}\r\n" for key in keys]).encode("ascii"))
        return [_meta(answers) for _ in keys]

    def write(self, verb: str, key: str, value: bytes, expiry: int, version: bytes | None = None) -> bytes:
        """`add`, or `cas` of a version: `STORED`, `NOT_STORED`, `EXISTS` or `NOT_FOUND`.

        Not `ms`, which throws out what was there when the new value is too large.
        """
        extra = b"" if version is None else b" " + version
        head = f"{verb} {key} 0 {expiry} {len(value)}".encode("ascii")
        return self._send(b"%b%b\r\n%b\r\n" % (head, extra, value)).line()

    def extend(self, key: str, expiry: int) -> bool:
        """`touch`; false where there is no item."""
        return self._send(f"touch {key} {expiry}\r\n".encode("ascii")).line() == b"TOUCHED"

    def remove(self, key: str, version: bytes | None = None) -> bytes:
        """`md`, with a version only if it still is that: `HD` done, `NF` no item, `EX` another version."""
        condition = "" if version is None else f" C{version.decode('ascii')}"
        return self._send(f"md {key}{condition}\r\n".encode("ascii")).line()

    def dump_keys(self) -> Iterator[str]:
        """Every key of the server. The connection serves nothing else meanwhile.

        By its hash table: a walk over the LRU lists misses what is used at that moment.
        """
        answers = self._send(b"lru_crawler metadump hash\r\n")
        while (line := answers.line()) != b"END":
            name, _, key = line.partition(b" ")[0].partition(b"=")
            if name != b"key":
                raise exceptions.MemcacheServerError(line[:4])
            yield unquote(key.decode("ascii"), errors="surrogateescape")

    def _send(self, commands: bytes) -> _Answers:
        if self.sock is None:
            self._connect()
        self.sock.sendall(commands)
        return _Answers(self.sock)


class MetaPool(PooledClient):  # type: ignore[misc] # pymemcache has no types
    """The connections to one server."""

    client_class = MetaClient

    def run(self, use: Callable[[MetaClient], T]) -> T:
        """Use a connection that lives; one that fails is closed, never used again."""
        client = self.client_pool.get()
        try:
            client.drop_if_stale()
            answer = use(client)
        except BaseException:
            self.client_pool.destroy(client)
            raise
        self.client_pool.release(client)
        return answer


def _meta(answers: _Answers) -> Meta | None:
    words = answers.line().split()
    kind = words[0] if words else b""
    if kind == b"EN":
        return None
    if kind == b"HD":
        return _told(words[1:], None)
    if kind != b"VA":
        raise exceptions.MemcacheUnknownError
    return _told(words[2:], answers.value(int(words[1])))


def _told(words: list[bytes], value: bytes | None) -> Meta:
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


class translated:  # noqa: N801 - reads as a function
    """Turn what pymemcache, a socket or OpenSSL raises inside into `StorageError`s without keys or values."""

    __slots__ = ("_url",)

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and isinstance(error, tuple(_MEANINGS)):
            kind, text = _meaning(error)
            raise kind(f"{self._url}: {text}{reason_of(error)}") from None


def _meaning(error: BaseException) -> tuple[type[StorageError], str]:
    if isinstance(error, exceptions.MemcacheServerError):
        for word, kind, text in _SERVER_ERRORS:
            if word in _words(error):
                return kind, text
    return next(_MEANINGS[kind] for kind in type(error).__mro__ if kind in _MEANINGS)


def _words(error: BaseException) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("ascii", "replace") if isinstance(first, bytes) else str(first)
