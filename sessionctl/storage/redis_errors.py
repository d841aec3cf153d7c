"""What redis-py raises, as this package's errors: one place, one sentence each, and nothing from the server.

Redis repeats a command's arguments in some of its errors, and with them a session ID or a password. So no
message of a server is passed on: its class, or its first word, picks a sentence of this module. Classes go by
name, because each version of redis-py has a few that the others lack.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import redis

from sessionctl.errors import CorruptRecordError, StorageError, StorageUnavailableError
from sessionctl.storage.remote import reason_of

if TYPE_CHECKING:
    from sessionctl.storage.base import RecordStorage

_ANOTHER_USER = "it wants another user or password; see password_env= and password_file="
_FULL = "it is out of memory (maxmemory), and its maxmemory-policy frees none; nothing was written"
_READ_ONLY = "it is a replica and takes no writes; name the primary, or let redis+sentinel: find it"
_CLUSTER_DOWN = "the cluster is down: not every slot has a node that serves it"
_OTHER_KIND = "what lies there is no text, so no session"


class _Meaning(NamedTuple):
    kind: type[StorageError]
    text: str


def _refused(text: str) -> _Meaning:
    return _Meaning(StorageError, text)


def _unavailable(text: str) -> _Meaning:
    return _Meaning(StorageUnavailableError, text)


_BY_CLASS = {
    # the server cannot be reached, or not now
    "ConnectionError": _unavailable("it cannot be reached; is it running, and do host and port lead to it?"),
    "TimeoutError": _unavailable("it did not answer in time; is it stopped, overloaded, firewalled?"),
    "BusyLoadingError": _unavailable("it is still loading its data; try again in a while"),
    "MaxConnectionsError": _unavailable("all connections of the pool are in use; see max_connections="),
    "MasterNotFoundError": _unavailable(
        "no Sentinel that answers knows a primary of that name that is up; a fail-over takes some seconds"
    ),
    "SlaveNotFoundError": _unavailable("no Sentinel that answers knows a replica of that name"),
    "ClusterError": _unavailable("the cluster sent the command round in circles; is it being resharded?"),
    "ClusterDownError": _unavailable(_CLUSTER_DOWN),
    "MasterDownError": _unavailable("it is a replica that has lost its primary"),
    "SlotNotCoveredError": _unavailable(_CLUSTER_DOWN),
    "AskError": _unavailable("the record's slot is moving to another node of the cluster"),
    "MovedError": _unavailable("the record is on another node; for a cluster use redis+cluster:"),
    "TryAgainError": _unavailable("the record's slot is moving to another node of the cluster"),
    "RedisClusterException": _unavailable("no node of the cluster can be reached, or it is no cluster"),
    # it answered no
    "AuthenticationError": _refused(_ANOTHER_USER),
    "AuthenticationWrongNumberOfArgsError": _refused(_ANOTHER_USER),
    "AuthorizationError": _refused(_ANOTHER_USER),
    "ExternalAuthProviderError": _refused(_ANOTHER_USER),
    "NoPermissionError": _refused("its user may not run these commands, or use these keys (ACL)"),
    "OutOfMemoryError": _refused(_FULL),
    "ReadOnlyError": _refused(_READ_ONLY),
    "ResponseError": _refused("it refused the command; is it Redis 6.0 or newer, or Valkey?"),
    "InvalidResponse": _refused("its answer is not Redis' protocol; does the port belong to another server?"),
    # these are about calls that this package does not make
    "RedisError": _refused("the Redis client failed"),
    "ChildDeadlockedError": _refused("the Redis client is deadlocked after a fork"),
    "IncorrectPolicyType": _refused("the Redis client failed"),
    "OSError": _unavailable("the connection failed"),
}  # fmt: skip

_BY_WORD = {
    "NOAUTH": _refused(_ANOTHER_USER),
    "WRONGPASS": _refused(_ANOTHER_USER),
    "NOPERM": _BY_CLASS["NoPermissionError"],
    "OOM": _refused(_FULL),
    "READONLY": _refused(_READ_ONLY),
    "MISCONF": _refused("it cannot write its data to disk, and so takes no writes"),
    "NOREPLICAS": _refused("too few replicas are connected, so it takes no writes (min-replicas-to-write)"),
    "LOADING": _BY_CLASS["BusyLoadingError"],
    "MASTERDOWN": _BY_CLASS["MasterDownError"],
    "CLUSTERDOWN": _unavailable(_CLUSTER_DOWN),
    "TRYAGAIN": _BY_CLASS["TryAgainError"],
    "DB": _refused("it has no database of that number (databases)"),
    "SENTINEL": _refused("it is no Sentinel; those listen on port 26379, unless told otherwise"),
    "BUSY": _unavailable("it is busy running somebody's script"),
}


_NO_SENTINEL = re.compile("unknown command '?`?SENTINEL", re.IGNORECASE)

_RAISED = (
    redis.RedisError,
    redis.exceptions.RedisClusterException,
    OSError,
    *(
        kind
        for name in ("ChildDeadlockedError", "IncorrectPolicyType")
        if (kind := getattr(redis.exceptions, name, None))
    ),
)
"""What redis-py raises, and what it lets through."""


class translated:  # noqa: N801 - reads as a function
    """Turn what redis-py raises inside into `StorageError`, `StorageUnavailableError`, `CorruptRecordError`.

    `key` is that of the record that this is about.
    """

    __slots__ = ("_key", "_storage")

    def __init__(self, storage: RecordStorage, key: str | None = None) -> None:
        self._storage = storage
        self._key = key

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, _RAISED):
            return
        if self._key is not None and _first_word(error) == "WRONGTYPE":
            raise CorruptRecordError(self._storage.location_of(self._key), _OTHER_KIND) from None
        meaning = _meaning(error)
        raise meaning.kind(f"{self._storage.url}: {meaning.text}{reason_of(_cause(error))}") from None


def _meaning(error: BaseException) -> _Meaning:
    return _BY_WORD.get(_first_word(error)) or next(
        _BY_CLASS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _BY_CLASS
    )


def _first_word(error: BaseException) -> str:
    if not isinstance(error, redis.ResponseError):
        return ""
    return "SENTINEL" if _NO_SENTINEL.match(str(error)) else str(error).partition(" ")[0]


def _cause(error: BaseException) -> BaseException | None:
    return error if isinstance(error, OSError) else error.__cause__ or error.__context__
