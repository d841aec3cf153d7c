"""Sessions in Redis 6.0 and newer, or Valkey: one server, and what a Cluster and Sentinels share with it.

    redis://[user[:password]@]host[:port][/db]         rediss:// with TLS
    unix:///path/to/socket[?db=0]

A record is a string under `session:<ID>`, as Remix writes it (@remix-run/session-storage-redis 0.1.1), and
the server ends it. A request costs two round trips, GET and EVALSHA; each conflict costs one more.
"""

from __future__ import annotations

import hashlib
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sessionctl.errors import CorruptRecordError, MissingExtraError, SessionctlError, StorageError, UsageError
from sessionctl.storage import redis_commands as commands
from sessionctl.storage.address import Address, find_password, parse_address, split_user
from sessionctl.storage.redis_commands import glob, outcome_of, raw
from sessionctl.storage.remote import RemoteStorage
from sessionctl.storage.stored import Entry, Outcome, Stored
from sessionctl.storage.tls import tls_context

try:
    from redis.exceptions import NoScriptError, ResponseError
except ModuleNotFoundError:
    raise MissingExtraError("a Redis storage", "redis") from None

from sessionctl.storage import redis_connection as connection
from sessionctl.storage.redis_cli import redis_cli
from sessionctl.storage.redis_errors import translated
from sessionctl.storage.redis_tls import tls_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sessionctl.storage.redis_events import Notifications
    from sessionctl.storage.redis_scripts import Command

DEFAULT_PORT = 6379
SCAN_BATCH = 100
"""How many keys a scan asks for at once: a quarter of a millisecond of the server."""

MAX_CONNECTIONS = 10_000
"""The largest pool: the client makes a place for each connection beforehand."""

_GONE = -2
"""What PTTL says where there is no key; below 0 it says that nothing ends the record."""

T = TypeVar("T")


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
        encrypted = bool(tls or self.secure or tls_ca or tls_cert or tls_key)
        self._clients = self.clients_class(
            connection.Target(
                address=address,
                password=find_password(address.password, password_env, password_file),
                timeout=self.timeout,
                connect_timeout=self.connect_timeout,
                max_connections=number_of("max_connections", max_connections, 1, MAX_CONNECTIONS),
                context=tls_context(tls_ca, tls_cert, tls_key) if encrypted else None,
                tls=tls_options(tls_ca, tls_cert, tls_key) if encrypted else {},
                **self._place(address, db),
            )
        )

    def _place(self, address: Address, db: int | str | None) -> dict[str, Any]:
        """What the path of the URL says."""
        if len(address.servers) > 1:
            raise UsageError(
                f"{self.scheme}: takes one server; several are redis+cluster: or redis+sentinel:"
            )
        return {"db": number_of("db", address.path.strip("/") or db or 0)}

    @property
    def has_password(self) -> bool:
        return self._clients.target.password is not None

    @classmethod
    def from_url(cls, location: str, **options: Any) -> RedisStorage:
        """`redis://[user[:password]@]host[:port][/db]`"""
        return cls(parse_address(location, DEFAULT_PORT), **options)

    # -- keys ---------------------------------------------------------------------------------------

    def key_of(self, session_id: str) -> str:
        session_id.encode()  # raises for what no key can hold
        return self.prefix + session_id

    def ref_of(self, key: str) -> str:
        return hashlib.sha256(raw(key.removeprefix(self.prefix))).hexdigest()[:12]

    def id_of(self, key: str) -> str | None:
        return key.removeprefix(self.prefix)

    def hash_of(self, key: str) -> str:
        return hashlib.sha256(raw(key.removeprefix(self.prefix))).hexdigest()

    # -- primitives ---------------------------------------------------------------------------------

    def _call(self, key: str, command: Command) -> Any:
        with translated(self, key):
            return self._clients.call(command)

    async def _acall(self, key: str, command: Command) -> Any:
        with translated(self, key):
            return await self._clients.acall(command)

    def load(self, key: str) -> Stored | None:
        text = self._call(key, commands.get(raw(key)))
        return None if text is None else Stored(text)

    async def aload(self, key: str) -> Stored | None:
        """As `load`."""
        text = await self._acall(key, commands.get(raw(key)))
        return None if text is None else Stored(text)

    def peek(self, key: str) -> Stored | None:
        return self._peeked(*self._call(key, commands.peek(raw(key))))

    async def apeek(self, key: str) -> Stored | None:
        """As `peek`."""
        return self._peeked(*await self._acall(key, commands.peek(raw(key))))

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
                    "PTTL", raw(key)
                )  # first: a life that is read too short spares a record
                pipeline.execute_command("GET", raw(key))
            answers = pipeline.execute(raise_on_error=False) if keys else []
        return [
            self._answered(key, partial(self._peeked, text, life), text, life)
            for key, life, text in zip(keys, answers[::2], answers[1::2], strict=True)
        ]

    def delete_many(self, expected: Sequence[tuple[str, Stored]]) -> list[Outcome | SessionctlError]:
        with translated(self):
            pipeline = self._clients.get().pipeline(transaction=False)
            for key, stored in expected:
                pipeline.execute_command(*commands.delete(raw(key), stored))
            answers = pipeline.execute(raise_on_error=False) if expected else []
        return [
            self._answered(key, partial(outcome_of, answer), answer)
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
        if expected is None:
            with translated(self, key):
                return self._clients.run(commands.adding(raw(key), text, expires_in))
        return outcome_of(self._call(key, commands.swap(raw(key), expected.text, text, expires_in)), text)

    async def astore(
        self, key: str, expected: Stored | None, text: bytes, expires_in: float | None
    ) -> Outcome:
        """As `store`."""
        if expected is None:
            with translated(self, key):
                return await self._clients.arun(commands.adding(raw(key), text, expires_in))
        swap = commands.swap(raw(key), expected.text, text, expires_in)
        return outcome_of(await self._acall(key, swap), text)

    def touch(self, key: str, expires_in: float) -> bool:
        return bool(self._call(key, commands.extend(raw(key), expires_in)))

    async def atouch(self, key: str, expires_in: float) -> bool:
        """As `touch`."""
        return bool(await self._acall(key, commands.extend(raw(key), expires_in)))

    def delete(self, key: str, expected: Stored | None = None) -> Outcome:
        if expected is None:
            return Outcome(bool(self._call(key, ("DEL", raw(key)))))
        return outcome_of(self._call(key, commands.delete(raw(key), expected)))

    async def adelete(self, key: str, expected: Stored | None = None) -> Outcome:
        """As `delete`."""
        if expected is None:
            return Outcome(bool(await self._acall(key, ("DEL", raw(key)))))
        return outcome_of(await self._acall(key, commands.delete(raw(key), expected)))

    def move(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        command = commands.move(raw(old), expected, raw(new), text, expires_in, keep_old)
        return outcome_of(self._call(old, command), text)

    async def amove(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        """As `move`."""
        command = commands.move(raw(old), expected, raw(new), text, expires_in, keep_old)
        return outcome_of(await self._acall(old, command), text)

    # -- all of them --------------------------------------------------------------------------------

    def scan(self) -> Iterator[Entry]:
        """Every session, a batch at a time. A server that resizes its table may name one twice."""
        with translated(self):
            keys = self._clients.get().scan_iter(match=glob(self.prefix) + b"*", count=SCAN_BATCH)
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

        On a Cluster also `node` and `slot`. What the server does not tell, or forbids, is left out.
        """
        with translated(self):
            client = self._clients.get()
            where, node = self._where(client, key)
            about = _about_server(self._info(client, **node))
            idle = None if key is None else self._ask(client, "OBJECT", "IDLETIME", raw(key))
        return {**where, **about, **({} if idle is None else {"idle_seconds": idle})}

    def servers(self) -> list[dict[str, Any]]:
        """As `facts`; also `persistent`, whether anything is kept on disk, and `config_file`, where there is one."""
        with translated(self):
            client = self._clients.get()
            return [{"node": node, **self._about(client, **options)} for node, options in self._nodes(client)]

    def _nodes(self, client: Any) -> list[tuple[str, dict[str, Any]]]:
        """The servers by name, with what leads a command to each."""
        return [(self._clients.node(client), {})]

    def _about(self, client: Any, **node: Any) -> dict[str, Any]:
        info, about = self._info(client, **node), {}
        saves = self._ask(client, "CONFIG GET", "save", **node)
        if info and isinstance(saves, dict):
            about["persistent"] = bool(info.get("aof_enabled") or any(saves.values()))
        return {**_about_server(info), **about, "config_file": info.get("config_file")}

    def _info(self, client: Any, **node: Any) -> dict[str, Any]:
        told = self._ask(client, "INFO", **node)
        return told if isinstance(told, dict) else {}

    def shell_command(self, node: str, *commands: Sequence[str]) -> str:
        return redis_cli(self._clients.target, node, self.options, commands)

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
            [glob(key)] if key is not None else [glob(each) + b"*" for each in prefixes or [self.prefix]]
        )
        with translated(self):
            client = self._clients.get()
            return (
                Notifications(self, client, self._clients.target.db, patterns) if are_sent(client) else None
            )

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
        username, password, path = split_user(location)
        if not path.startswith("/"):
            raise UsageError("a Redis socket is given with its whole path: unix:///run/redis/redis.sock")
        return cls(Address((), path, username, password), **options)

    def _place(self, address: Address, db: int | str | None) -> dict[str, Any]:
        return {"db": number_of("db", db or 0)}


# -- answers and options -----------------------------------------------------------------------------


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


def number_of(name: str, value: int | str, least: int = 0, most: int = 2**31 - 1) -> int:
    """A number of a URL. Raises `UsageError`."""
    try:
        number = int(value)
    except ValueError:
        number = -1
    if not least <= number <= most:
        raise UsageError(f"{name} is a number of at least {least} and at most {most}")
    return number
