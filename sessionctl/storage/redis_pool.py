"""redis-py's pools for one server, quicker: a command is a few system calls, and a pool that keeps statistics
and locks takes a third of its time.

They give out the same connections by the same rules: one that the server has closed is opened anew before
anything is sent, and a fork has connections of its own.
"""

from __future__ import annotations

import os
from _queue import Empty, SimpleQueue
from queue import Full
from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection as AsyncConnection


_redis: Any = redis  # whose pools are not typed
_aredis: Any = redis.asyncio


class MaxConnectionsError(RedisTimeoutError):
    """Every connection is in use, and none came back in time: nothing was sent."""


class Stack:
    """What `queue.LifoQueue` does for a pool, without Python's locks: as many tokens as there are items."""

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self.queue: list[Any] = []
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The item that came last; raises `Empty` where none comes in time."""
        self._tokens.get(block, timeout)
        return self.queue.pop()

    def put_nowait(self, item: Any) -> None:
        """Add an item; raises `Full`."""
        if len(self.queue) >= self.maxsize:
            raise Full
        self.queue.append(item)
        self._tokens.put(None)


class Pool(_redis.BlockingConnectionPool):  # type: ignore[misc] # see above
    """Connections for threads. Who finds all in use waits for one, up to `timeout`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queue_class=Stack, **options)

    def get_connection(self, *arguments: Any, **options: Any) -> Any:
        """A connection that is open, with nothing to be read."""
        if self.pid != os.getpid():  # redis-py makes a child's pool anew
            return super().get_connection(*arguments, **options)
        try:
            connection = self.pool.get(True, self.timeout)
        except Empty:
            raise MaxConnectionsError from None
        try:
            if connection is None:
                connection = self.make_connection()
            connection.connect()
            if _is_stale(connection):
                connection.disconnect()
                connection.connect()
        except BaseException:
            self.pool.put_nowait(connection)
            raise
        return connection

    def release(self, connection: Any) -> None:
        """Take a connection back."""
        if connection.pid == self.pid == os.getpid():
            self.pool.put_nowait(connection)
        else:
            super().release(connection)


def _is_stale(connection: Any) -> bool:
    """Whether an idle connection has something to be read: its end, or what must not be there."""
    try:
        return bool(connection.can_read())
    except (RedisError, OSError):
        return True


class AsyncPool(_aredis.ConnectionPool):  # type: ignore[misc] # see above
    """Connections for one event loop; who takes one sees to it that there are not more than `max_connections`.

    redis-py counts all of them as in use, and closes them with the rest.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._idle: list[AsyncConnection] = []

    async def get_connection(self, *_arguments: Any, **_options: Any) -> Any:
        """A connection that is open, with nothing to be read."""
        connection = self._idle.pop() if self._idle else self.get_available_connection()
        try:
            await self.ensure_connection(connection)
        except BaseException:
            self._idle.append(connection)
            raise
        return connection

    async def release(self, connection: Any) -> None:
        """Take a connection back."""
        self._idle.append(connection)
