"""Redis' keyspace notifications: the server tells which keys were written, touched, deleted or have expired.

They are off unless the server's `notify-keyspace-events` says otherwise; nothing of its configuration is changed
here. A notification that was sent while the connection was down is lost, so that whoever waits must look at all
after a break (https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from sessionctl.storage.redis_errors import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sessionctl.storage.redis import RedisStorage

NEEDED = frozenset("Kg$xe")
"""The channel of keys; generic commands, strings, expiry, eviction."""

ALL_EVENTS = frozenset("g$lshzxetd")
"""What the flag A stands for, as far as it matters here."""

PING_SECONDS = 10.0
"""How often a connection on which nothing comes is asked whether it is there."""


class Notifications:
    """What one server tells about the keys of some patterns. `how` says so to people."""

    how = "by the server's keyspace notifications"

    def __init__(self, storage: RedisStorage, client: Any, db: int, patterns: Sequence[bytes]) -> None:
        self._storage = storage
        self._client = client
        self._head = b"__keyspace@%d__:" % db
        self._patterns = [self._head + pattern for pattern in patterns]
        self._subscription: Any = None
        self._heard = 0.0
        self._asked = False

    def begin(self) -> None:
        """Subscribe, unless that is so already; when this returns, the server has said that it will tell."""
        if self._subscription is not None:
            return
        with translated(self._storage):
            subscription = self._client.pubsub()
            try:
                subscription.psubscribe(*self._patterns)
                for _ in self._patterns:
                    if subscription.get_message(timeout=self._storage.timeout) is None:
                        raise RedisConnectionError
            except BaseException:
                subscription.close()
                raise
        self._subscription, self._heard, self._asked = subscription, time.monotonic(), False

    def wait(self, seconds: float) -> set[str]:
        """The keys of which something was told, as soon as there are any; at most so many seconds pass."""
        keys: set[str] = set()
        try:
            with translated(self._storage):
                message = self._subscription.get_message(timeout=seconds)
                while message is not None:
                    self._heard, self._asked = time.monotonic(), False
                    if message["type"] == "pmessage":
                        raw = message["channel"].removeprefix(self._head)
                        keys.add(raw.decode(errors="surrogateescape"))
                    message = self._subscription.get_message(timeout=0.0)
                self._ask_whether_it_is_there()
        except BaseException:
            self.close()
            raise
        return keys

    def _ask_whether_it_is_there(self) -> None:
        """A server that is gone without a word is noticed by a ping that nothing answers."""
        if time.monotonic() - self._heard < PING_SECONDS:
            return
        if self._asked:
            raise RedisConnectionError
        self._subscription.ping()
        self._heard, self._asked = time.monotonic(), True

    def close(self) -> None:
        """Give the connection back."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()


def are_sent(client: Any) -> bool:
    """Whether the server sends what is needed. One that does not tell its configuration is taken for no."""
    try:
        told = client.execute_command("CONFIG GET", "notify-keyspace-events")
    except ResponseError:  # forbidden or renamed
        return False
    text = next((value for _, value in _pairs(told)), b"")
    flags = set(text.decode() if isinstance(text, bytes) else str(text))
    return flags | (ALL_EVENTS if "A" in flags else set()) >= NEEDED


def _pairs(told: Any) -> Sequence[tuple[Any, Any]]:
    """What CONFIG GET says: a dictionary by redis-py, or a flat list."""
    return list(told.items()) if isinstance(told, dict) else list(zip(told[::2], told[1::2], strict=False))
