"""Sessions in Redis 6.0 and newer, or Valkey: one server, a Cluster, or what Sentinels watch.

    redis://[user[:password]@]host[:port][/db]         rediss:// with TLS
    unix:///path/to/socket[?db=0]
    redis+cluster://host:port,host:port
    redis+sentinel://host:port,host:port/service[/db]

A record is a string under `session:<ID>`, as Remix writes it (@remix-run/session-storage-redis 0.1.1), and
the server ends it. A request costs two round trips, GET and EVALSHA; each conflict costs one more.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sessionctl.errors import CorruptRecordError, MissingExtraError, SessionctlError, StorageError, UsageError
from sessionctl.storage import redis_scripts as scripts
from sessionctl.storage.address import Address, find_password, parse_address
from sessionctl.storage.redis_scripts import Command
from sessionctl.storage.remote import RemoteStorage
from sessionctl.storage.steps import arun, moving, run
from sessionctl.storage.stored import Entry, Outcome, Stored

try:
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import NoScriptError, ResponseError
except ModuleNotFoundError:
    raise MissingExtraError("a Redis storage", "redis") from None

from sessionctl.storage import redis_connection as connection
from sessionctl.storage.redis_errors import translated

if TYPE_CHECKING:
    from sessionctl.storage.redis_events import Notifications

DEFAULT_PORT = 6379
SCAN_BATCH = 100
"""How many keys a scan asks for at once: a quarter of a millisecond of the server."""

_READS = frozenset({"GET", "PTTL"})
"""Commands that may be sent twice without harm, where the connection breaks."""

_DONE = 1
_GONE = -2
"""What PTTL says where there is no key; below 0 it says that nothing ends the record."""

T = TypeVar("T")
Commands = Generator[Command, Any, T]
"""A primitive: it yields commands and is sent their answers."""


class RedisStorage(RemoteStorage):
    """Sessions in one Redis server.

    `password_env` names an environment variable and `password_file` a file that hold the password. `tls_ca`,
    `tls_cert` and `tls_key` are PEM files: the authority to trust (the system's, unless given), and this
    client's own certificate. `max_connections` bounds each pool. The other options are `RemoteStorage`'s.
    """

    scheme = "redis"
    secure: ClassVar[bool] = False
    """Whether the scheme itself says TLS."""

    clients_class: ClassVar[type[connection.Clients]] = connection.ServerClients

    def __init__(
        self,
        address: Address,
        *,
        db: int | str | None = None,
        password_env: str | None = None,
        password_file: str | None = None,
        tls: bool = False,
        tls_ca: str | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        max_connections: int | str = 100,
        prefix: str = "session:",
        **options: Any,
    ) -> None:
        super().__init__(prefix=prefix, **options)
        self.url = f"{self.scheme}:{address.public}"
        self._clients = self.clients_class(
            connection.Target(
                address=address,
                password=find_password(address.password, password_env, password_file),
                timeout=self.timeout,
                connect_timeout=self.connect_timeout,
                max_connections=_number("max_connections", max_connections, least=1),
                tls=_tls(tls or self.secure, tls_ca, tls_cert, tls_key),
                **self._place(address, db),
            )
        )

    def _place(self, address: Address, db: int | str | None) -> dict[str, Any]:
        """What the path of the URL says."""
        if len(address.servers) > 1:
            raise UsageError(
                f"{self.scheme}: takes one server; several are redis+cluster: or redis+sentinel:"
            )
        return {"db": _number("db", address.path.strip("/") or db or 0)}

    @classmethod
    def from_url(cls, location: str, **options: Any) -> RedisStorage:
        """`redis://[user[:password]@]host[:port][/db]`"""
        return cls(parse_address(location, DEFAULT_PORT), **options)

    # -- keys ---------------------------------------------------------------------------------------

    def key_of(self, session_id: str) -> str:
        session_id.encode()  # raises for what no key can hold
        return self.prefix + session_id

    def ref_of(self, key: str) -> str:
        return hashlib.sha256(_raw(key.removeprefix(self.prefix))).hexdigest()[:12]

    def id_of(self, key: str) -> str | None:
        return key.removeprefix(self.prefix)

    def hash_of(self, key: str) -> str:
        return hashlib.sha256(_raw(key.removeprefix(self.prefix))).hexdigest()

    # -- primitives ---------------------------------------------------------------------------------

    def load(self, key: str) -> Stored | None:
        return self._run(key, self._loading(key))

    async def aload(self, key: str) -> Stored | None:
        """As `load`."""
        return await self._arun(key, self._loading(key))

    def _loading(self, key: str) -> Commands[Stored | None]:
        text = yield "GET", _raw(key)
        return None if text is None else Stored(text)

    def peek(self, key: str) -> Stored | None:
        return self._run(key, self._peeking(key))

    async def apeek(self, key: str) -> Stored | None:
        """As `peek`."""
        return await self._arun(key, self._peeking(key))

    def _peeking(self, key: str) -> Commands[Stored | None]:
        text, life = yield scripts.call(scripts.PEEK, (_raw(key),))
        return self._peeked(text, life)

    def _peeked(self, text: bytes | None, life: int) -> Stored | None:
        if text is None or life == _GONE:
            return None
        expires_at = self._expires_at(life)
        return Stored(text, self._modified_at(text, expires_at), expires_at, life if life >= 0 else None)

    def peek_many(self, keys: Sequence[str]) -> list[Stored | SessionctlError | None]:
        with translated(self):
            pipeline = self._clients.get().pipeline(transaction=False)
            for key in keys:
                pipeline.execute_command(
                    "PTTL", _raw(key)
                )  # first: a life that is read too short spares a record
                pipeline.execute_command("GET", _raw(key))
            answers = pipeline.execute(raise_on_error=False) if keys else []
        return [
            self._answered(key, partial(self._peeked, text, life), text, life)
            for key, life, text in zip(keys, answers[::2], answers[1::2], strict=True)
        ]

    def delete_many(self, expected: Sequence[tuple[str, Stored]]) -> list[Outcome | SessionctlError]:
        with translated(self):
            pipeline = self._clients.get().pipeline(transaction=False)
            for key, stored in expected:
                pipeline.execute_command(*next(self._deleting(key, stored)))
            answers = pipeline.execute(raise_on_error=False) if expected else []
        return [
            self._answered(key, partial(_outcome, answer), answer)
            if not isinstance(answer, NoScriptError)
            else super(RedisStorage, self).delete_many([(key, stored)])[0]
            for (key, stored), answer in zip(expected, answers, strict=True)
        ]

    def _answered(self, key: str, make: Callable[[], T], *answers: Any) -> T | SessionctlError:
        """What a pipeline's answers come to, or the error that one of them is."""
        try:
            with translated(self, key):
                for answer in answers:
                    if isinstance(answer, Exception):
                        raise answer
                return make()
        except (StorageError, CorruptRecordError) as error:
            return error

    def store(self, key: str, expected: Stored | None, text: bytes, expires_in: float | None) -> Outcome:
        return self._run(key, self._storing(key, expected, text, expires_in))

    async def astore(
        self, key: str, expected: Stored | None, text: bytes, expires_in: float | None
    ) -> Outcome:
        """As `store`."""
        return await self._arun(key, self._storing(key, expected, text, expires_in))

    def _storing(
        self, key: str, expected: Stored | None, text: bytes, expires_in: float | None
    ) -> Commands[Outcome]:
        raw, life = _raw(key), _milliseconds(expires_in)
        if expected is not None:
            return _outcome((yield scripts.call(scripts.SWAP, (raw,), expected.text, text, life)), text)
        while True:
            if (yield ("SET", raw, text, "NX", *(("PX", life) if life else ()))):
                return Outcome(True, Stored(text))
            current = yield "GET", raw
            if current is not None:
                return Outcome(False, Stored(current))

    def touch(self, key: str, expires_in: float) -> bool:
        return self._run(key, self._touching_key(key, expires_in))

    async def atouch(self, key: str, expires_in: float) -> bool:
        """As `touch`."""
        return await self._arun(key, self._touching_key(key, expires_in))

    def _touching_key(self, key: str, expires_in: float) -> Commands[bool]:
        return bool((yield "PEXPIRE", _raw(key), _milliseconds(expires_in)))

    def delete(self, key: str, expected: Stored | None = None) -> Outcome:
        return self._run(key, self._deleting(key, expected))

    async def adelete(self, key: str, expected: Stored | None = None) -> Outcome:
        """As `delete`."""
        return await self._arun(key, self._deleting(key, expected))

    def _deleting(self, key: str, expected: Stored | None) -> Commands[Outcome]:
        if expected is None:
            return Outcome(bool((yield "DEL", _raw(key))))
        life = "" if expected.version is None else expected.version
        return _outcome((yield scripts.call(scripts.DELETE, (_raw(key),), expected.text, life)))

    def move(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        return self._run(old, self._moving(old, expected, new, text, expires_in, keep_old))

    async def amove(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        """As `move`."""
        return await self._arun(old, self._moving(old, expected, new, text, expires_in, keep_old))

    def _moving(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Commands[Outcome]:
        keys = _raw(old), _raw(new)
        keep = "1" if keep_old else ""
        answer = yield scripts.call(scripts.MOVE, keys, expected.text, text, _milliseconds(expires_in), keep)
        return _outcome(answer, text)

    # -- all of them --------------------------------------------------------------------------------

    def scan(self) -> Iterator[Entry]:
        """Every session, a batch at a time. A server that resizes its table may name one twice."""
        with translated(self):
            keys = self._clients.get().scan_iter(match=_glob(self.prefix) + b"*", count=SCAN_BATCH)
        while True:
            with translated(self):
                batch = list(islice(keys, SCAN_BATCH))
                answers = self._look_at(batch)
            if not batch:
                return
            for key, size, life in zip(batch, answers[::2], answers[1::2], strict=True):
                yield from self._entry(key, size, life)

    def _look_at(self, keys: list[bytes]) -> list[Any]:
        """Size and life of each key in turn; with `lifetime` the text, which tells the time of creation."""
        pipeline = self._clients.get().pipeline(transaction=False)
        for key in keys:
            pipeline.execute_command("STRLEN" if self.lifetime is None else "GET", key)
            pipeline.execute_command("PTTL", key)
        answers: list[Any] = pipeline.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, Exception) and not _is_of_other_kind(answer):
                raise answer
        return answers

    def _entry(self, raw: bytes, size: Any, life: int) -> Iterator[Entry]:
        if isinstance(size, Exception) or size is None or life == _GONE:
            return  # another kind of value, or gone since
        key = raw.decode(errors="surrogateescape")
        text = size if isinstance(size, bytes) else None
        expires_at = self._expires_at(life)
        modified_at = self._modified_at(text, expires_at)
        yield Entry(key, self.ref_of(key), size if text is None else len(text), modified_at, expires_at)

    def facts(self, key: str | None = None) -> dict[str, Any]:
        """`server`, `maxmemory_policy`, `maxmemory`, `evicted` of the node; `idle_seconds` of the record.

        Without a key also `persistent`: whether anything is kept on disk.
        On a Cluster also `node` and `slot`. What the server does not tell, or forbids, is left out.
        """
        with translated(self):
            client = self._clients.get()
            where, node = self._where(client, key)
            told = self._ask(client, "INFO", **node)
            about = _about_server(told if isinstance(told, dict) else {})
            idle = None if key is None else self._ask(client, "OBJECT", "IDLETIME", _raw(key))
            saves = self._ask(client, "CONFIG GET", "save", **node) if key is None else None
        if key is None and isinstance(told, dict) and isinstance(saves, dict):
            about["persistent"] = bool(told.get("aof_enabled") or any(saves.values()))
        return {**where, **about, **({} if idle is None else {"idle_seconds": idle})}

    def _where(self, client: Any, key: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Where a record lies, and what leads a command there."""
        return {}, {}

    def _ask(self, client: Any, *command: Any, **options: Any) -> Any:
        try:
            return client.execute_command(*command, **options)
        except ResponseError:  # forbidden, renamed, or the record is not there
            return None

    def notifications(
        self, key: str | None = None, prefixes: Sequence[str] | None = None
    ) -> Notifications | None:
        """What tells of changes to a key, or to all; None where the server sends no notifications.

        Raises `StorageError` where it cannot be asked.
        """
        from sessionctl.storage.redis_events import Notifications, are_sent

        patterns = (
            [_glob(key)] if key is not None else [_glob(each) + b"*" for each in prefixes or [self.prefix]]
        )
        with translated(self):
            client = self._clients.get()
            return (
                Notifications(self, client, self._clients.target.db, patterns) if are_sent(client) else None
            )

    # -- running commands ---------------------------------------------------------------------------

    def _run(self, key: str, commands: Commands[T]) -> T:
        with translated(self, key):
            client = self._clients.get()
            answer = None
            while True:
                try:
                    command = commands.send(answer)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                answer = self._send(client, command)

    def _send(self, client: Any, command: Command) -> Any:
        again = command
        try:
            return self._clients.execute(client, command)
        except NoScriptError:
            again = scripts.spelled_out(command)
        except RedisConnectionError:
            if command[0] not in _READS:
                raise
        return self._clients.execute(client, again)

    async def _arun(self, key: str, commands: Commands[T]) -> T:
        with translated(self, key):
            turn = await self._clients.turn()
            try:
                client = await self._clients.aget()
                answer = None
                while True:
                    try:
                        command = commands.send(answer)
                    except StopIteration as stop:
                        result: T = stop.value
                        return result
                    answer = await self._asend(client, command)
            finally:
                turn.release()

    async def _asend(self, client: Any, command: Command) -> Any:
        again = command
        try:
            return await self._clients.aexecute(client, command)
        except NoScriptError:
            again = scripts.spelled_out(command)
        except RedisConnectionError:
            if command[0] not in _READS:
                raise
        return await self._clients.aexecute(client, again)

    def _expires_at(self, life: int) -> float | None:
        return None if life < 0 else self.clock() + life / 1000

    def close(self) -> None:
        with translated(self):
            self._clients.close()

    async def aclose(self) -> None:
        with translated(self):
            await self._clients.aclose()


class RedisTLSStorage(RedisStorage):
    """`rediss:`, the same with TLS."""

    scheme = "rediss"
    secure = True


class RedisSocketStorage(RedisStorage):
    """`unix:///path?db=`, the same behind a Unix socket."""

    scheme = "unix"
    clients_class = connection.SocketClients

    @classmethod
    def from_url(cls, location: str, **options: Any) -> RedisSocketStorage:
        """`unix:///path/to/socket`"""
        user, _, path = location.removeprefix("//").rpartition("@")
        address = parse_address(f"//{user}@", DEFAULT_PORT) if user else Address()
        if not path.startswith("/"):
            raise UsageError("a Redis socket is given with its whole path: unix:///run/redis/redis.sock")
        return cls(Address((), path, address.username, address.password), **options)

    def _place(self, address: Address, db: int | str | None) -> dict[str, Any]:
        return {"db": _number("db", db or 0)}


class RedisClusterStorage(RedisStorage):
    """`redis+cluster:`; two IDs lie on two nodes, so that a record is moved in steps."""

    scheme = "redis+cluster"
    clients_class = connection.ClusterClients

    def _place(self, address: Address, db: int | str | None) -> dict[str, Any]:
        if db or address.path.strip("/0"):
            raise UsageError("a Redis Cluster has no databases")
        return {}

    def notifications(self, key: str | None = None, prefixes: Sequence[str] | None = None) -> None:
        """None: each node tells of its own keys alone, and nodes come and go; a Cluster is asked at intervals."""

    def delete_many(self, expected: Sequence[tuple[str, Stored]]) -> list[Outcome | SessionctlError]:
        return RemoteStorage.delete_many(self, expected)  # its pipelines run no scripts

    def move(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        return run(self, moving(self, old, expected, new, text, expires_in, keep_old))

    async def amove(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        return await arun(self, moving(self, old, expected, new, text, expires_in, keep_old))

    def _where(self, client: Any, key: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
        if key is None:
            return {}, {"target_nodes": client.get_default_node()}
        slot = client.keyslot(_raw(key))
        node = client.nodes_manager.get_node_from_slot(slot)
        return {"node": node.name, "slot": slot}, {"target_nodes": node}


class RedisSentinelStorage(RedisStorage):
    """`redis+sentinel:`, the primary that Sentinels name.

    `sentinel_password_env` and `sentinel_password_file` are for the Sentinels' own password.
    """

    scheme = "redis+sentinel"
    clients_class = connection.SentinelClients

    def __init__(
        self,
        address: Address,
        *,
        sentinel_password_env: str | None = None,
        sentinel_password_file: str | None = None,
        **options: Any,
    ) -> None:
        self._sentinel_password = find_password(None, sentinel_password_env, sentinel_password_file)
        super().__init__(address, **options)

    def _place(self, address: Address, db: int | str | None) -> dict[str, Any]:
        service, _, path_db = address.path.strip("/").partition("/")
        if not service:
            raise UsageError("name what the Sentinels watch: redis+sentinel://host:26379/mymaster/0")
        return {
            "service": service,
            "sentinel_password": self._sentinel_password,
            "db": _number("db", path_db or db or 0),
        }

    @classmethod
    def from_url(cls, location: str, **options: Any) -> RedisSentinelStorage:
        """`redis+sentinel://host:port,host:port/service[/db]`"""
        return cls(parse_address(location, 26379), **options)


# -- answers and arguments ----------------------------------------------------------------------------


def _raw(key: str) -> bytes:
    return key.encode(errors="surrogateescape")


def _milliseconds(seconds: float | None) -> int | str:
    """The argument of PX; "" where the life that is left stays."""
    return "" if seconds is None else max(1, math.ceil(seconds * 1000))


def _outcome(answer: Any, text: bytes | None = None) -> Outcome:
    """What a script's answer means; `text` is what lies there now, if it is done."""
    if answer == _DONE and type(answer) is int:
        return Outcome(True, None if text is None else Stored(text))
    return Outcome(False, None if answer is None else Stored(answer))


def _glob(text: str) -> bytes:
    """A text as a pattern, of SCAN and PSUBSCRIBE, that means itself."""
    return b"".join(b"\\" + bytes([byte]) if byte in b"*?[]^\\" else bytes([byte]) for byte in _raw(text))


def _is_of_other_kind(error: Exception) -> bool:
    return isinstance(error, ResponseError) and "WRONGTYPE" in str(error)


def _about_server(info: dict[str, Any]) -> dict[str, Any]:
    name, version = (
        ("valkey", info.get("valkey_version"))
        if "valkey_version" in info
        else ("redis", info.get("redis_version"))
    )
    facts = {
        "server": version and f"{name} {version}",
        "maxmemory": info.get("maxmemory"),
        "maxmemory_policy": info.get("maxmemory_policy"),
        "evicted": info.get("evicted_keys"),
    }
    return {key: value for key, value in facts.items() if value is not None}


def _number(name: str, value: int | str, least: int = 0) -> int:
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < least:
        raise UsageError(f"{name} is a number of at least {least}")
    return number


def _tls(wanted: bool, ca: str | None, cert: str | None, key: str | None) -> dict[str, Any]:
    if not (wanted or ca or cert or key):
        return {}
    return {
        "ssl": True,
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": ca,
        "ssl_certfile": cert,
        "ssl_keyfile": key,
    }
