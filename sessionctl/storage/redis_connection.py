"""How a Redis URL becomes clients: redis-py's own, for one server, a Cluster, or what Sentinels watch.

There is one client for all threads, and one for each event loop, made at its first use. redis-py's retries
are off: a command that may have been run must not be sent again unasked. Reads are repeated here.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.asyncio.sentinel
import redis.cluster
import redis.sentinel
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError
from redis.retry import Retry

from sessionctl.storage.address import server_text
from sessionctl.storage.redis_scripts import spelled_out

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from sessionctl.storage.address import Address
    from sessionctl.storage.redis_commands import Commands
    from sessionctl.storage.redis_scripts import Command

T = TypeVar("T")

_READS = frozenset({"GET"})
"""Commands that may be sent twice without harm, where the connection breaks."""

_MENDABLE = (NoScriptError, RedisConnectionError)

_redis: Any = redis  # whose constructors are typed in part
_aredis: Any = redis.asyncio
_CONNECTION_FOR = ("_",) if tuple(map(int, redis.__version__.split(".")[:2])) < (5, 3) else ()
_OLD_CLUSTER = int(redis.__version__.partition(".")[0]) < 6  # noqa: PLR2004 - where `retry` took over


def encrypted(kind: Any, context: ssl.SSLContext | None) -> Any:
    """A class of redis-py's connections, with TLS by a context that all of them share.

    redis-py's own make one each, which takes 20 milliseconds, and trust the system's authorities besides
    those that were named.
    """
    if context is None:
        return kind
    shared = context

    class Encrypted(kind):  # type: ignore[misc] # known only here
        if asyncio.iscoroutinefunction(kind._connect):  # noqa: SLF001 - where redis-py's own class does it

            def _connection_arguments(self) -> dict[str, Any]:
                return {**super()._connection_arguments(), "ssl": shared}

        else:

            def _connect(self) -> Any:
                plain = super()._connect()
                try:
                    return shared.wrap_socket(plain, server_hostname=self.host)
                except BaseException:
                    plain.close()
                    raise

    return Encrypted


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which servers, and what to tell them. Times are seconds.

    `context` is for TLS; `tls` says the same in redis-py's `ssl_` options, for clients that take no context.
    """

    address: Address
    password: str | None = field(default=None, repr=False)
    db: int = 0
    service: str = ""
    sentinel_password: str | None = field(default=None, repr=False)
    timeout: float = 2.0
    connect_timeout: float = 1.0
    max_connections: int = 100
    context: ssl.SSLContext | None = None
    tls: Mapping[str, Any] = field(default_factory=dict)

    def common(self) -> dict[str, Any]:
        """The options that every kind of client takes."""
        return {
            **self.times(),
            "username": self.address.username,
            "password": self.password,
            "protocol": 2,  # which every server and proxy speaks
        }

    def times(self) -> dict[str, Any]:
        """The time limits of a connection."""
        return {"socket_timeout": self.timeout, "socket_connect_timeout": self.connect_timeout}


class Clients(ABC):
    """The clients of one storage, made when they are needed and closed together."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client: Any = None
        self._async: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    @abstractmethod
    def _make(self) -> Any:
        """A client for threads; may connect."""

    @abstractmethod
    def _make_async(self) -> Any:
        """A client for the running event loop; does not connect."""

    def get(self) -> Any:
        """The client that all threads share; redis-py's pools notice a fork by themselves."""
        client = self._client
        if client is None:
            client = self._client = self._make()
        return client

    async def aget(self) -> Any:
        """The client of the running event loop."""
        loop = asyncio.get_running_loop()
        client = self._async.get(loop)
        if client is None:
            client = self._async[loop] = self._make_async()
        return client

    async def turn(self) -> asyncio.Semaphore:
        """A turn, taken, of as many as there may be connections in this event loop; to be released.

        It costs a quarter of what redis-py's blocking pool does. Raises `TimeoutError`.
        """
        loop = asyncio.get_running_loop()
        turns = self._turns.get(loop)
        if turns is None:
            turns = self._turns[loop] = asyncio.Semaphore(self.target.max_connections)
        if turns.locked():
            await asyncio.wait_for(turns.acquire(), self.target.timeout)
        else:
            await turns.acquire()
        return turns

    def run(self, commands: Commands[T]) -> T:
        """Send the commands of a procedure, one after the other; what it answers."""
        client = self.get()
        answer = None
        while True:
            try:
                command = commands.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            try:
                answer = self.execute(client, command)
                continue
            except _MENDABLE as error:
                again = _once_more(command, error)
                if again is None:
                    raise
            answer = self.execute(client, again)

    async def arun(self, commands: Commands[T]) -> T:
        """As `run`."""
        turn = await self.turn()
        try:
            client = await self.aget()
            answer = None
            while True:
                try:
                    command = commands.send(answer)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                try:
                    answer = await self.aexecute(client, command)
                    continue
                except _MENDABLE as error:
                    again = _once_more(command, error)
                    if again is None:
                        raise
                answer = await self.aexecute(client, again)
        finally:
            turn.release()

    def execute(self, client: Any, command: Command) -> Any:
        """Run one command."""
        return client.execute_command(*command)

    async def aexecute(self, client: Any, command: Command) -> Any:
        """As `execute`."""
        return await client.execute_command(*command)

    def node(self, client: Any) -> str:
        """The server that answers: `host:port`, or the path of its socket."""
        return server_text(self.target.address.servers[0])

    def close(self) -> None:
        """Close the connections that threads use."""
        client, self._client = self._client, None
        for each in self._parts(client):
            each.close()

    async def aclose(self) -> None:
        """Close those, and those of the running event loop."""
        self.close()
        for each in self._parts(self._async.pop(asyncio.get_running_loop(), None)):
            await each.aclose()

    def _parts(self, client: Any) -> list[Any]:
        """All that is to be closed with a client."""
        return [] if client is None else [client]


def _once_more(command: Command, error: Exception) -> Command | None:
    """What to send after a failure: a script in full, a read again, else nothing."""
    if isinstance(error, NoScriptError):
        return spelled_out(command)
    return command if command[0] in _READS else None


class PooledClients(Clients):
    """Clients with one pool, whose connections are used directly.

    A client's own `execute_command` comes to the same two calls, after retries and statistics that are not
    needed here and take a third of its time. A connection that fails closes itself: `disconnect_on_error` is
    said because Sentinel's connections would stay open, with an answer to come.
    """

    def execute(self, client: Any, command: Command) -> Any:
        pool = client.connection_pool
        connection = pool.get_connection(*_CONNECTION_FOR)
        try:
            connection.send_command(*command)
            return connection.read_response(disconnect_on_error=True)
        finally:
            pool.release(connection)

    async def aexecute(self, client: Any, command: Command) -> Any:
        pool = client.connection_pool
        connection = await pool.get_connection(*_CONNECTION_FOR)
        try:
            await connection.send_command(*command)
            return await connection.read_response(disconnect_on_error=True)
        finally:
            await pool.release(connection)


class ServerClients(PooledClients):
    """Clients of one server. A request that finds all connections in use waits for one, up to `timeout`."""

    def _make(self) -> Any:
        pool = _redis.BlockingConnectionPool(
            connection_class=self._kind(_redis), retry=Retry(NoBackoff(), 0), **self._options()
        )
        return _redis.Redis.from_pool(pool)

    def _make_async(self) -> Any:
        options = {name: value for name, value in self._options().items() if name != "timeout"}
        pool = _aredis.ConnectionPool(
            connection_class=self._kind(_aredis), retry=AsyncRetry(NoBackoff(), 0), **options
        )
        return _aredis.Redis.from_pool(pool)

    def _kind(self, library: Any) -> Any:
        """The class of the connections, of redis-py or of its asyncio."""
        return encrypted(library.Connection, self.target.context)

    def _options(self) -> dict[str, Any]:
        target = self.target
        limits = {"max_connections": target.max_connections, "timeout": target.timeout}
        return {**target.common(), **limits, **self._place(), "db": target.db}

    def _place(self) -> dict[str, Any]:
        host, port = self.target.address.servers[0]
        return {"host": host, "port": port}


class SocketClients(ServerClients):
    """Clients of one server behind a Unix socket."""

    def _kind(self, library: Any) -> Any:
        return library.UnixDomainSocketConnection

    def _place(self) -> dict[str, Any]:
        return {"path": self.target.address.path}

    def node(self, client: Any) -> str:
        return self.target.address.path


class ClusterClients(Clients):
    """Clients of a Redis Cluster, which learn its nodes from any of those named."""

    async def aget(self) -> Any:
        """As above, and it knows the nodes: redis-py 8.1 sends what comes before that to any of them."""
        client = await super().aget()
        return await client.initialize()

    def _make(self) -> Any:
        retry = {"cluster_error_retry_attempts": 0} if _OLD_CLUSTER else {"retry": Retry(NoBackoff(), 0)}
        nodes = [_redis.cluster.ClusterNode(*server) for server in self.target.address.servers]
        return _redis.RedisCluster(startup_nodes=nodes, **retry, **self._options())

    def _make_async(self) -> Any:
        retry = {"cluster_error_retry_attempts": 0, "connection_error_retry_attempts": 0}
        nodes = [_aredis.cluster.ClusterNode(*server) for server in self.target.address.servers]
        return _aredis.RedisCluster(
            startup_nodes=nodes,
            **(retry if _OLD_CLUSTER else {"retry": AsyncRetry(NoBackoff(), 0)}),
            reinitialize_steps=0,  # every fifth slot that moved would break the commands that are under way
            **self._options(),
        )

    def _options(self) -> dict[str, Any]:
        target = self.target
        return {**target.common(), **target.tls, "max_connections": target.max_connections}


class SentinelClients(PooledClients):
    """Clients of the primary that Sentinels name, asked anew at every connection."""

    def _make(self) -> Any:
        retry = Retry(NoBackoff(), 0)
        sentinel = _redis.sentinel.Sentinel(
            self.target.address.servers, sentinel_kwargs=self._sentinel_options(retry)
        )
        return sentinel.master_for(self.target.service, retry=retry, **self._options(_redis))

    def _make_async(self) -> Any:
        retry = AsyncRetry(NoBackoff(), 0)
        sentinel = _aredis.sentinel.Sentinel(
            self.target.address.servers, sentinel_kwargs=self._sentinel_options(retry)
        )
        return sentinel.master_for(self.target.service, retry=retry, **self._options(_aredis))

    def _sentinel_options(self, retry: Any) -> dict[str, Any]:
        target = self.target
        options = {**target.times(), **target.tls, "password": target.sentinel_password}
        return {**options, "protocol": 2, "retry": retry}

    def _options(self, library: Any) -> dict[str, Any]:
        target = self.target
        kind = encrypted(library.sentinel.SentinelManagedConnection, target.context)
        limits = {"max_connections": target.max_connections, "connection_class": kind}
        return {**target.common(), **limits, "db": target.db}

    def node(self, client: Any) -> str:
        """The primary of this moment."""
        return server_text(client.connection_pool.get_master_address())

    def _parts(self, client: Any) -> list[Any]:
        return [] if client is None else [client, *client.connection_pool.sentinel_manager.sentinels]
