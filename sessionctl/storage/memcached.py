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
import shlex
from contextlib import closing
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from sessionctl import records
from sessionctl.errors import MalformedError, MissingExtraError, RecordTooLargeError, UsageError
from sessionctl.storage.address import Address, parse_address, server_text
from sessionctl.storage.remote import RemoteStorage
from sessionctl.storage.steps import MAX_ATTEMPTS
from sessionctl.storage.stored import Entry, Outcome, Stored
from sessionctl.storage.tls import tls_context

try:
    from pymemcache.client.rendezvous import RendezvousHash
    from pymemcache.exceptions import MemcacheUnexpectedCloseError
except ModuleNotFoundError:
    raise MissingExtraError("a Memcached storage", "memcached") from None

from sessionctl.storage.memcached_client import (
    ItemTooLargeError,
    Meta,
    MetaClient,
    MetaPool,
    translated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


DEFAULT_PORT = 11211
MAX_KEY = 250
"""Bytes that a key may have (protocol.txt)."""

MAX_TIME = 2**31 - 1
"""The last Unix time that the server reads; what is past it would have ended already."""

MAX_RELATIVE = 30 * 86400
"""Seconds up to which a time of expiry counts from now; a larger number is a Unix time (protocol.txt)."""

SCAN_BATCH = 200
"""How many keys a scan asks about at once."""

_HASH_LENGTH = 64

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


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
        self._only = next(iter(self._servers)) if len(self._servers) == 1 else None
        self._tls = tls_context(tls_ca, tls_cert, tls_key) if tls or tls_ca or tls_cert or tls_key else None
        self._pools: dict[str, MetaPool] = {}
        self._pid = os.getpid()

    @classmethod
    def from_url(cls, location: str, **options: Any) -> MemcachedStorage:
        """`memcached://host[:port][,host[:port]...]`"""
        return cls(parse_address(location, DEFAULT_PORT), **options)

    # -- keys ---------------------------------------------------------------------------------------

    def key_of(self, session_id: str) -> str:
        return self.prefix + hashlib.sha256(session_id.encode()).hexdigest()

    def ref_of(self, key: str) -> str:
        return key[len(self.prefix) :][:12]

    def hash_of(self, key: str) -> str:
        return key[len(self.prefix) :]

    def key_of_hash(self, digest: str) -> str | None:
        return self.prefix + digest

    # -- primitives ---------------------------------------------------------------------------------

    def load(self, key: str) -> Stored | None:
        node = self._node(key)
        pool = self._pool(node)
        with translated(self._place_of(node)):
            try:
                found = pool.run(MetaClient.fetch, key)
            except (ConnectionError, MemcacheUnexpectedCloseError):  # a read may be sent again
                found = pool.run(MetaClient.fetch, key)
        if found is None:
            return None
        text, version, life = found
        return Stored(text, None, None if life is None else self.clock() + life, version)

    def peek(self, key: str) -> Stored | None:
        stored = self.load(key)
        if stored is None:
            return None
        return stored._replace(modified_at=self._modified_at(stored.text, stored.expires_at))

    def store(self, key: str, expected: Stored | None, text: bytes, expires_in: float | None) -> Outcome:
        if expected is None:
            return self._add(key, text, self._expiry(expires_in))
        if expected.version is None:
            current = self.load(key)
            if current is None or current.text != expected.text:
                return Outcome(False, current)
            expected = current
        expiry = self._expiry(expires_in) if expires_in is not None else self._same_expiry(expected)
        try:
            answer = self._ask(key, MetaClient.swap, key, text, expiry, expected.version)
        except ItemTooLargeError:
            raise self._too_large(key, text) from None
        if answer == b"STORED":
            return Outcome(True, Stored(text))
        return Outcome(False, self.load(key) if answer == b"EXISTS" else None)

    def _add(self, key: str, text: bytes, expiry: int) -> Outcome:
        while True:
            try:
                answer = self._ask(key, MetaClient.add, key, text, expiry)
            except ItemTooLargeError:
                raise self._too_large(key, text) from None
            if answer == b"STORED":
                return Outcome(True, Stored(text))
            current = self.load(key)
            if current is not None:
                return Outcome(False, current)

    def touch(self, key: str, expires_in: float) -> bool:
        return self._ask(key, MetaClient.extend, key, self._expiry(expires_in))

    def delete(self, key: str, expected: Stored | None = None) -> Outcome:
        if expected is None:
            return Outcome(self._ask(key, MetaClient.remove, key) == b"HD")
        current: Stored | None = expected
        for _ in range(MAX_ATTEMPTS):
            version = None if current is None else current.version
            if version is not None:
                answer = self._ask(key, MetaClient.remove, key, version)
                if answer != b"EX":
                    return Outcome(answer == b"HD")
            current = self.load(key)
            if current is None or current.text != expected.text:
                break
        return Outcome(False, current)

    # -- all of them --------------------------------------------------------------------------------

    def scan(self) -> Iterator[Entry]:
        """Every session; the server may leave out an item that is locked at that very moment."""
        for server in self._servers:
            yield from self._scan_server(server)

    def keys(self) -> Iterator[str]:
        """Every key of the servers, whoever wrote it."""
        for server in self._servers:
            with translated(self._place_of(server)), closing(self._pool(server).make()) as dumper:
                yield from dumper.dump_keys()

    def _scan_server(self, server: str) -> Iterator[Entry]:
        pool = self._pool(server)
        with closing(pool.make()) as dumper:
            keys = (key for key in dumper.dump_keys() if self._is_key(key))
            flags = "s t" if self.lifetime is None else "v s t"
            while True:
                with translated(self._place_of(server)):
                    batch = list(islice(keys, SCAN_BATCH))
                    if not batch:
                        return
                    found = pool.run(MetaClient.look_up, batch, flags)
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
        meta = None if key is None else self._ask(key, MetaClient.look_up, [key], "l")[0]
        return {
            **self._about(node),
            **({} if meta is None or meta.idle is None else {"idle_seconds": meta.idle}),
        }

    def servers(self) -> list[dict[str, Any]]:
        return [self._about(node) for node in self._servers]

    def shell_command(self, node: str, *commands: Sequence[str]) -> str:
        """By curl, or where there is TLS by openssl: Memcached has no program for it."""
        lines = "".join(f"{' '.join(words)}\\r\\n" for words in (*commands, ["quit"]))
        files = {"-CAfile": "tls_ca", "-cert": "tls_cert", "-key": "tls_key"}
        given = {flag: self.options[name] for flag, name in files.items() if name in self.options}
        options = " ".join(f"{flag} {shlex.quote(path)}" for flag, path in given.items())
        place = shlex.quote(server_text(self._servers[node]))
        tls = f"openssl s_client -quiet -verify_return_error -connect {place} {options}".rstrip()
        return f"printf '{lines}' | {f'curl -s telnet://{place}' if self._tls is None else tls}"

    def _about(self, node: str) -> dict[str, Any]:
        pool = self._pool(node)
        with translated(self._place_of(node)):
            stats, settings = pool.run(MetaClient.stats), pool.run(MetaClient.stats, "settings")
        return {
            "server": f"memcached {stats[b'version'].decode()}",
            "node": node,
            "maxmemory": int(stats[b"limit_maxbytes"]),
            "evicted": int(stats[b"evictions"]),
            "max_item": int(settings[b"item_size_max"]),
        }

    # -- times --------------------------------------------------------------------------------------

    def _expiry(self, expires_in: float | None) -> int:
        """What the protocol wants: 0 for never, seconds from now, or past 30 days a Unix time."""
        if expires_in is None:
            return 0
        seconds = max(1, math.ceil(expires_in))
        return seconds if seconds <= MAX_RELATIVE else min(math.ceil(self.clock()) + seconds, MAX_TIME)

    def _same_expiry(self, stored: Stored) -> int:
        """The life that is left, never more: up to a second is lost, since the server counts in seconds."""
        if stored.expires_at is None:
            return 0
        return self._expiry(math.floor(stored.expires_at - self.clock()))

    def _expires_at(self, meta: Meta) -> float | None:
        return None if meta.life is None else self.clock() + meta.life

    # -- connections --------------------------------------------------------------------------------

    def _node(self, key: str) -> str:
        node: str = self._only or self._ring.get_node(key)
        return node

    def _place_of(self, node: str) -> str:
        """Which server it is, for messages."""
        return self.url if self._only else f"{self.url}: {node}"

    def _pool(self, node: str) -> MetaPool:
        if self._pid != os.getpid():  # a fork has copied the sockets of its parent
            self._pools, self._pid = {}, os.getpid()
        pool = self._pools.get(node)
        if pool is None:
            pool = self._pools.setdefault(node, MetaPool(partial(self._connect, node)))
        return pool

    def _connect(self, node: str) -> MetaClient:
        return MetaClient(
            self._servers[node],
            connect_timeout=self.connect_timeout,
            timeout=self.timeout,
            no_delay=True,
            tls_context=self._tls,
        )

    def _ask(self, key: str, ask: Callable[[MetaClient, *Ts], T], *arguments: *Ts) -> T:
        """Ask the server of a key."""
        node = self._node(key)
        with translated(self._place_of(node)):
            return self._pool(node).run(ask, *arguments)

    def _too_large(self, key: str, text: bytes) -> RecordTooLargeError:
        return RecordTooLargeError(self.location_of(key), len(text), _largest(text))

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
