"""Sessions in Memcached 1.6, on one server or several.

    memcached://host[:port][,host[:port]...]

A record is an item under `remix:session:<SHA-256 of the ID in hex>`, as Remix writes it
(@remix-run/session-storage-memcache 0.1.1). A save is `cas`, so that a request costs two round trips, and
one more for each conflict. Of several servers each keeps its share, by pymemcache's rendezvous hash. One that
is down is an error and not replaced by another: what was ended there meanwhile would come back with it.

Asyncio runs these calls in threads: it must find a session on the same server as the rest, and no library
for asyncio that is kept up shares pymemcache's hash.
"""

from __future__ import annotations

import hashlib
import math
import os
import ssl
from contextlib import closing, contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sessionctl import records
from sessionctl.errors import MalformedError, MissingExtraError, RecordTooLargeError, UsageError
from sessionctl.storage.address import Address, parse_address
from sessionctl.storage.base import MAX_ATTEMPTS, Entry, Outcome, Stored
from sessionctl.storage.remote import RemoteStorage

try:
    from pymemcache.client.rendezvous import RendezvousHash
    from pymemcache.exceptions import MemcacheServerError, MemcacheUnexpectedCloseError
except ModuleNotFoundError:
    raise MissingExtraError("a Memcached storage", "memcached") from None

from sessionctl.storage.memcached_client import Meta, MetaClient, MetaPool, is_too_large, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEFAULT_PORT = 11211
MAX_KEY = 250
"""Bytes that a key may have (protocol.txt)."""

MAX_RELATIVE = 30 * 86400
"""Seconds up to which a time of expiry counts from now; a larger number is a Unix time (protocol.txt)."""

SCAN_BATCH = 200
"""How many keys a scan asks about at once."""

_EXPIRED = -1
"""A time of expiry that has passed already."""

_HASH_LENGTH = 64

T = TypeVar("T")


class MemcachedStorage(RemoteStorage):
    """Sessions in Memcached servers.

    `tls_ca`, `tls_cert` and `tls_key` are PEM files: the authority to trust (the system's, unless given), and
    this client's own certificate; `tls` alone is enough for a public one. The other options are
    `RemoteStorage`'s. Lives are whole seconds here.
    """

    scheme = "memcached"

    def __init__(
        self,
        address: Address,
        *,
        tls: bool = False,
        tls_ca: str | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        prefix: str = "remix:session:",
        **options: Any,
    ) -> None:
        super().__init__(prefix=prefix, **options)
        if address.path.strip("/") or address.username or address.password:
            raise UsageError("memcached: takes servers alone: memcached://host:11211,other:11211")
        if not all("!" <= char <= "~" for char in prefix) or len(prefix) > MAX_KEY - _HASH_LENGTH:
            raise UsageError(
                f"a prefix of memcached: has at most {MAX_KEY - _HASH_LENGTH} ASCII characters, no spaces"
            )
        self.url = f"memcached:{address.public.rstrip('/')}"
        self._servers = {f"{host}:{port}": (host, port) for host, port in address.servers}
        self._ring = RendezvousHash(list(self._servers))
        self._tls = _context(tls_ca, tls_cert, tls_key) if tls or tls_ca or tls_cert or tls_key else None
        self._pools: dict[str, MetaPool] = {}
        self._pid = 0

    @classmethod
    def from_url(cls, location: str, **options: Any) -> MemcachedStorage:
        """`memcached://host[:port][,host[:port]...]`"""
        return cls(parse_address(location, DEFAULT_PORT), **options)

    # -- keys ---------------------------------------------------------------------------------------

    def key_of(self, session_id: str) -> str:
        return self.prefix + hashlib.sha256(session_id.encode()).hexdigest()

    def ref_of(self, key: str) -> str:
        return key[len(self.prefix) :][:12]

    # -- primitives ---------------------------------------------------------------------------------

    def load(self, key: str) -> Stored | None:
        if self.ttl is None and self.lifetime is None:
            return self.peek(key)  # a save has to keep the life that is left
        text, version = self._read(key, lambda client: client.gets(key))
        return None if text is None else Stored(text, version=version)

    def peek(self, key: str) -> Stored | None:
        meta = self._read(key, lambda client: client.meta_get([key], "vct"))[0]
        if meta is None or meta.value is None:
            return None
        expires_at = self._expires_at(meta)
        return Stored(meta.value, self._modified_at(meta.value, expires_at), expires_at, meta.version)

    def store(self, key: str, expected: Stored | None, text: bytes, expires_in: float | None) -> Outcome:
        if expected is None:
            return self._add(key, text, self._expiry(expires_in))
        if expected.version is None:
            current = self.load(key)
            if current is None or current.text != expected.text:
                return Outcome(False, current)
            expected = current
        expiry = self._expiry(expires_in) if expires_in is not None else self._same_expiry(expected)
        done = self._write(key, text, lambda client: client.cas(key, text, expected.version, expiry, False))
        if done:
            return Outcome(True, Stored(text))
        return Outcome(False, None if done is None else self.load(key))

    def _add(self, key: str, text: bytes, expiry: int) -> Outcome:
        while True:
            if self._write(key, text, lambda client: client.add(key, text, expiry, False)):
                return Outcome(True, Stored(text))
            current = self.load(key)
            if current is not None:
                return Outcome(False, current)

    def touch(self, key: str, expires_in: float) -> bool:
        with self._connection(key) as client:
            return bool(client.touch(key, self._expiry(expires_in), False))

    def delete(self, key: str, expected: Stored | None = None) -> Outcome:
        if expected is None:
            with self._connection(key) as client:
                return Outcome(bool(client.delete(key, False)))
        return self._delete_if_same(key, expected)

    def _delete_if_same(self, key: str, expected: Stored) -> Outcome:
        """Delete by a `cas` whose item has expired when it arrives: there is no other conditional delete."""
        current: Stored | None = expected
        for _ in range(MAX_ATTEMPTS):
            if current is not None and current.version is not None:
                with self._connection(key) as client:
                    done = client.cas(key, b"", current.version, _EXPIRED, False)
                if done is not False:
                    return Outcome(bool(done))
            current = self.load(key)
            if current is None or current.text != expected.text:
                break
        return Outcome(False, current)

    # -- all of them --------------------------------------------------------------------------------

    def scan(self) -> Iterator[Entry]:
        """Every session. An item that is being changed at that moment may be left out by the server."""
        for server in self._servers:
            yield from self._scan_server(server)

    def _scan_server(self, server: str) -> Iterator[Entry]:
        with closing(self._pool(server)._create_client()) as dumper:  # noqa: SLF001 - a connection of its own
            with translated(self.url):
                keys = (key for key in dumper.dump_keys() if self._is_key(key))
            while True:
                with translated(self.url):
                    batch = list(islice(keys, SCAN_BATCH))
                    with self._pool(server).connection() as client:
                        found = (
                            client.meta_get(batch, "st" if self.lifetime is None else "vst") if batch else []
                        )
                if not batch:
                    return
                yield from self._entries(batch, found)

    def _is_key(self, key: str) -> bool:
        return key.startswith(self.prefix) and len(key) == len(self.prefix) + _HASH_LENGTH

    def _entries(self, keys: list[str], found: list[Meta | None]) -> Iterator[Entry]:
        for key, meta in zip(keys, found, strict=True):
            if meta is not None:
                expires_at = self._expires_at(meta)
                modified_at = self._modified_at(meta.value, expires_at)
                yield Entry(key, self.ref_of(key), meta.size, modified_at, expires_at)

    def facts(self, key: str | None = None) -> dict[str, Any]:
        """`server`, `node`, `maxmemory`, `evicted` (items) and `max_item`, both sizes in bytes.

        With a key also `idle_seconds` of the record; without one, of the first server.
        """
        node = next(iter(self._servers)) if key is None else self._node(key)
        with translated(self.url), self._pool(node).connection() as client:
            stats, settings = client.stats(), client.stats("settings")
            meta = None if key is None else client.meta_get([key], "l")[0]
        return {
            "server": f"memcached {stats[b'version'].decode()}",
            "node": node,
            "maxmemory": int(stats[b"limit_maxbytes"]),
            "evicted": int(stats[b"evictions"]),
            "max_item": int(settings[b"item_size_max"]),
            **({} if meta is None or meta.idle is None else {"idle_seconds": meta.idle}),
        }

    # -- times --------------------------------------------------------------------------------------

    def _expiry(self, expires_in: float | None) -> int:
        """What the protocol wants: 0 for never, seconds from now, or past 30 days a Unix time."""
        if expires_in is None:
            return 0
        seconds = max(1, math.ceil(expires_in))
        return seconds if seconds <= MAX_RELATIVE else math.ceil(self.clock()) + seconds

    def _same_expiry(self, stored: Stored) -> int:
        """The life that is left, never more: up to a second is lost, since the server counts in seconds."""
        if stored.expires_at is None:
            return 0
        return self._expiry(math.floor(stored.expires_at - self.clock()))

    def _expires_at(self, meta: Meta) -> float | None:
        return None if meta.life is None else self.clock() + meta.life

    # -- connections --------------------------------------------------------------------------------

    def _node(self, key: str) -> str:
        if len(self._servers) == 1:
            return next(iter(self._servers))
        node: str = self._ring.get_node(key)
        return node

    def _pool(self, node: str) -> MetaPool:
        if self._pid != os.getpid():  # a fork has copied the sockets of its parent
            self._pools, self._pid = {}, os.getpid()
        pool = self._pools.get(node)
        if pool is None:
            pool = self._pools.setdefault(
                node,
                MetaPool(
                    self._servers[node],
                    connect_timeout=self.connect_timeout,
                    timeout=self.timeout,
                    no_delay=True,
                    tls_context=self._tls,
                ),
            )
        return pool

    @contextmanager
    def _connection(self, key: str) -> Iterator[MetaClient]:
        with translated(self.url), self._pool(self._node(key)).connection() as client:
            yield client

    def _read(self, key: str, ask: Callable[[MetaClient], T]) -> T:
        """Ask, once more where the connection broke: a read does no harm twice."""
        pool = self._pool(self._node(key))
        with translated(self.url):
            with suppress(ConnectionError, MemcacheUnexpectedCloseError), pool.connection() as client:
                return ask(client)
            with pool.connection() as client:
                return ask(client)

    def _write(self, key: str, text: bytes, do: Callable[[MetaClient], T]) -> T:
        with self._connection(key) as client:
            try:
                return do(client)
            except MemcacheServerError as error:
                if is_too_large(error):
                    raise RecordTooLargeError(self.location_of(key), len(text), _largest(text)) from None
                raise

    def close(self) -> None:
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()


def _largest(text: bytes) -> tuple[tuple[str, int], ...]:
    try:
        record = records.parse(text)
    except MalformedError:
        return ()
    return records.largest(record.values, record.flash)


def _context(ca: str | None, cert: str | None, key: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
        if cert:
            context.load_cert_chain(cert, key)
    except OSError as error:
        raise UsageError(f"tls_ca, tls_cert or tls_key cannot be read: {error.strerror or error}") from None
    return context
