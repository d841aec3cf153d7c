"""How a Redis URL becomes clients: redis-py's own, for one server, a Cluster, or what Sentinels watch.

There is one client for all threads, and one for each event loop, made at its first use. redis-py's retries
are off: a command that may have been run must not be sent again unasked. Reads are repeated here.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
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
from sessionctl.storage.redis_pool import AsyncPool, MaxConnectionsError, Pool
from sessionctl.storage.redis_scripts import spelled_out
from sessionctl.storage.redis_tls import encrypted

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which servers, and what to tell them. Times are seconds.

    `context` is for TLS, None without it; `tls` says the same in redis-py's options.
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

    def connections(self, plain: Any, with_tls: Any) -> dict[str, Any]:
        """The options that say which of redis-py's classes of connections it is to be."""
        if self.context is None:
            return {"connection_class": plain}
        return {"connection_class": encrypted(with_tls, self.context), **self.tls}


class _OfLoop(NamedTuple):
    """What an event loop has of its own."""

    client: Any
    turns: asyncio.Semaphore


class Clients(ABC):
    """The clients of one storage, made when they are needed and closed together."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client: Any = None
        self._async: WeakKeyDictionary[asyncio.AbstractEventLoop, _OfLoop] = WeakKeyDictionary()

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
        return self._of_loop().client

    def _of_loop(self) -> _OfLoop:
        loop = asyncio.get_running_loop()
        found = self._async.get(loop)
        if found is None:
            turns = asyncio.Semaphore(self.target.max_connections)
            found = self._async[loop] = _OfLoop(self._make_async(), turns)
        return found

    def call(self, command: Command) -> Any:
        """Send one command; its answer."""
        client = self._client or self.get()
        try:
            return self.execute(client, command)
        except _MENDABLE as error:
            again = _once_more(command, error)
            if again is None:
                raise
        return self.execute(client, again)

    async def acall(self, command: Command) -> Any:
        """As `call`.

        It waits for a turn, of which there are as many as there may be connections in this event loop. Raises
        `MaxConnectionsError` where none comes in time.
        """
        turns = self._of_loop().turns
        if turns.locked():
            try:
                await asyncio.wait_for(turns.acquire(), self.target.timeout)
            except TimeoutError:
                raise MaxConnectionsError from None
        else:
            await turns.acquire()
        try:
            client = await self.aget()
            try:
                return await self.aexecute(client, command)
            except _MENDABLE as error:
                again = _once_more(command, error)
                if again is None:
                    raise
            return await self.aexecute(client, again)
        finally:
            turns.release()

    def run(self, commands: Commands[T]) -> T:
        """Send the commands of a procedure, one after the other; what it answers."""
        answer = None
        while True:
            try:
                command = commands.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = self.call(command)

    async def arun(self, commands: Commands[T]) -> T:
        """As `run`."""
        answer = None
        while True:
            try:
                command = commands.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = await self.acall(command)

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
        found = self._async.pop(asyncio.get_running_loop(), None)
        for each in self._parts(found and found.client):
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
        pool = Pool(retry=Retry(NoBackoff(), 0), timeout=self.target.timeout, **self._options(_redis))
        return _redis.Redis.from_pool(pool)

    def _make_async(self) -> Any:
        options = {**self._options(_aredis), "socket_timeout": None}  # which `aexecute` has
        pool = AsyncPool(retry=AsyncRetry(NoBackoff(), 0), **options)
        return _aredis.Redis.from_pool(pool)

    async def aexecute(self, client: Any, command: Command) -> Any:
        """As above, with one time limit for all that a command takes: redis-py's own make a task for each."""
        async with asyncio.timeout(self.target.timeout):
            return await super().aexecute(client, command)

    def _options(self, library: Any) -> dict[str, Any]:
        """What a pool of redis-py, or of its asyncio, is told."""
        target = self.target
        limits = {"max_connections": target.max_connections}
        return {**target.common(), **limits, **self._place(library), "db": target.db}

    def _place(self, library: Any) -> dict[str, Any]:
        """Where the server is, and by which kind of connections."""
        host, port = self.target.address.servers[0]
        kinds = self.target.connections(library.Connection, library.SSLConnection)
        return {"host": host, "port": port, **kinds}


class SocketClients(ServerClients):
    """Clients of one server behind a Unix socket."""

    def _place(self, library: Any) -> dict[str, Any]:
        return {"path": self.target.address.path, "connection_class": library.UnixDomainSocketConnection}

    def node(self, client: Any) -> str:
        return self.target.address.path


class ClusterClients(Clients):
    """Clients of a Redis Cluster, which learn its nodes from any of those named."""

    async def aget(self) -> Any:
        """As above, and it knows the nodes: redis-py 8.1 sends what comes before that to any of them."""
        client = await super().aget()
        return await client.initialize()

    def _make(self) -> Any:
        target = self.target
        retry = {"cluster_error_retry_attempts": 0} if _OLD_CLUSTER else {"retry": Retry(NoBackoff(), 0)}
        return _redis.RedisCluster(
            url=f"redis://{server_text(target.address.servers[0])}",  # with which it takes a class of pools
            startup_nodes=[_redis.cluster.ClusterNode(*server) for server in target.address.servers],
            connection_pool_class=Pool,
            timeout=target.timeout,
            **target.connections(_redis.Connection, _redis.SSLConnection),
            **retry,
            **self._options(),
        )

    def _make_async(self) -> Any:
        target = self.target
        retry = {"cluster_error_retry_attempts": 0, "connection_error_retry_attempts": 0}
        client = _aredis.RedisCluster(
            startup_nodes=[_aredis.cluster.ClusterNode(*server) for server in target.address.servers],
            **(retry if _OLD_CLUSTER else {"retry": AsyncRetry(NoBackoff(), 0)}),
            reinitialize_steps=0,  # every fifth slot that moved would break the commands that are under way
            ssl=target.context is not None,
            **target.tls,
            **self._options(),
        )
        kinds = target.connections(_aredis.Connection, _aredis.SSLConnection)
        client.connection_kwargs.update(kinds)  # of the nodes that it will learn of
        for node in client.nodes_manager.startup_nodes.values():
            node.connection_class = kinds["connection_class"]
        return client

    def _options(self) -> dict[str, Any]:
        return {**self.target.common(), "max_connections": self.target.max_connections}

    def close(self) -> None:
        nodes = self._client.get_nodes() if self._client else []
        super().close()
        for node in nodes:  # whose clients leave a pool that they were given open
            if node.redis_connection is not None:
                node.redis_connection.connection_pool.disconnect()


class SentinelClients(PooledClients):
    """Clients of the primary that Sentinels name, asked anew at every connection."""

    def _make(self) -> Any:
        return self._make_of(_redis, Retry(NoBackoff(), 0))

    def _make_async(self) -> Any:
        return self._make_of(_aredis, AsyncRetry(NoBackoff(), 0))

    def _make_of(self, library: Any, retry: Any) -> Any:
        target = self.target
        sentinel = library.sentinel.Sentinel([])
        sentinel.sentinels = [
            library.Redis.from_pool(
                library.ConnectionPool(host=host, port=port, retry=retry, **self._sentinel_options(library))
            )
            for host, port in target.address.servers
        ]
        kinds = library.sentinel.SentinelManagedConnection, library.sentinel.SentinelManagedSSLConnection
        return sentinel.master_for(
            target.service,
            retry=retry,
            max_connections=target.max_connections,
            db=target.db,
            **target.common(),
            **target.connections(*kinds),
        )

    def _sentinel_options(self, library: Any) -> dict[str, Any]:
        target = self.target
        kinds = target.connections(library.Connection, library.SSLConnection)
        return {**target.times(), **kinds, "password": target.sentinel_password, "protocol": 2}

    def node(self, client: Any) -> str:
        """The primary of this moment."""
        return server_text(client.connection_pool.get_master_address())

    def _parts(self, client: Any) -> list[Any]:
        return [] if client is None else [client, *client.connection_pool.sentinel_manager.sentinels]
