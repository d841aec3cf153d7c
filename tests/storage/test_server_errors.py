"""Every error of a client library becomes one of ours, and nothing that the server said is passed on."""

from __future__ import annotations

import inspect
import ssl
import traceback
from typing import TYPE_CHECKING

import pymemcache.exceptions
import pytest
import redis
import redis.exceptions
import redis.sentinel

from sessionctl import CorruptRecordError, StorageError, StorageUnavailableError
from sessionctl.storage import memcached_client, redis_errors
from sessionctl.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from types import ModuleType

SECRET = "session:an-id-and-a-password"

# redis-py's classes that mean "not now": all others mean "no"
UNAVAILABLE = {
    "AskError", "BusyLoadingError", "ClusterDownError", "ClusterError", "ConnectionError",
    "CrossSlotTransactionError", "InvalidPipelineStack", "MasterDownError", "MasterNotFoundError",
    "MaxConnectionsError", "MovedError", "RedisClusterException", "SlaveNotFoundError", "SlotNotCoveredError",
    "TimeoutError", "TryAgainError",
}  # fmt: skip
REFUSED = {
    "AuthenticationError", "AuthenticationWrongNumberOfArgsError", "AuthorizationError", "ChildDeadlockedError",
    "ClusterCrossSlotError", "DataError", "ExecAbortError", "ExternalAuthProviderError", "IncorrectPolicyType",
    "InvalidResponse", "LockError", "LockNotOwnedError", "ModuleError", "NoPermissionError", "NoScriptError",
    "NoSuchFieldsetError", "OutOfMemoryError", "PubSubError", "ReadOnlyError", "RedisError", "ResponseError",
    "WatchError",
}  # fmt: skip


def classes(*modules: ModuleType) -> list[type[Exception]]:
    found = {
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception)
    }
    return sorted(found, key=lambda kind: kind.__name__)


REDIS = classes(redis.exceptions, redis.sentinel)
MEMCACHED = classes(pymemcache.exceptions)


def make(kind: type[Exception]) -> Exception:
    if issubclass(kind, redis.exceptions.AskError):
        return kind("1234 127.0.0.1:7000")
    return kind(SECRET)


@pytest.mark.parametrize("kind", REDIS, ids=lambda kind: kind.__name__)
def test_redis_classes(kind: type[Exception]) -> None:
    """Each exception class of redis-py is translated by what it means, without its text."""
    storage = MemoryStorage()
    storage.url = "redis://cache/0"
    with pytest.raises(StorageError) as caught, redis_errors.translated(storage):
        raise make(kind)
    assert (type(caught.value) is StorageUnavailableError) == (kind.__name__ in UNAVAILABLE)
    assert kind.__name__ in UNAVAILABLE | REFUSED, f"redis-py has a class {kind.__name__} that nobody judged"
    assert caught.value.message.startswith("redis://cache/0: ")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("answer", "kind", "hint"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", StorageError, "maxmemory"),
        ("READONLY You can't write against a read only replica.", StorageError, "replica"),
        ("MISCONF Redis is configured to save RDB snapshots", StorageError, "disk"),
        ("NOREPLICAS Not enough good replicas to write.", StorageError, "replicas"),
        ("NOAUTH Authentication required.", StorageError, "password"),
        ("WRONGPASS invalid username-password pair", StorageError, "password"),
        ("NOPERM this user has no permissions", StorageError, "ACL"),
        ("LOADING Redis is loading the dataset in memory", StorageUnavailableError, "loading"),
        ("MASTERDOWN Link with MASTER is down", StorageUnavailableError, "primary"),
        ("CLUSTERDOWN Hash slot not served", StorageUnavailableError, "slot"),
        ("TRYAGAIN Multiple keys request during rehashing", StorageUnavailableError, "moving"),
        ("BUSY Redis is busy running a script.", StorageUnavailableError, "script"),
        (f"ERR unknown command, with args beginning with: {SECRET}", StorageError, "Redis 6"),
    ],
)
def test_redis_answers(answer: str, kind: type[StorageError], hint: str) -> None:
    """An error that only the server's first word tells apart gets the sentence of that word."""
    storage = MemoryStorage()
    with pytest.raises(StorageError, match=hint) as caught, redis_errors.translated(storage):
        raise redis.exceptions.ResponseError(answer)
    assert type(caught.value) is kind
    assert SECRET not in str(caught.value)


def test_a_value_of_another_kind() -> None:
    """WRONGTYPE is a corrupt record, which is named by its ref."""
    with pytest.raises(CorruptRecordError) as caught, redis_errors.translated(MemoryStorage(), SECRET):
        raise redis.exceptions.ResponseError(
            "WRONGTYPE Operation against a key holding the wrong kind of value"
        )
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        *(kind(SECRET.encode()) for kind in MEMCACHED), *(kind() for kind in MEMCACHED),
        TimeoutError(SECRET), ConnectionRefusedError(111, "Connection refused"), OSError(SECRET),
        ssl.SSLCertVerificationError(1, SECRET), ValueError(SECRET), KeyError(SECRET),
    ],
    ids=lambda error: f"{type(error).__name__}-{len(error.args)}",
)  # fmt: skip
def test_memcached_errors(error: Exception) -> None:
    """Each exception class of pymemcache, and what it lets through, is translated without its text."""
    unavailable = isinstance(error, (OSError, pymemcache.exceptions.MemcacheUnexpectedCloseError))
    with pytest.raises(StorageError) as caught, memcached_client.translated("memcached://cache"):
        raise error
    assert (type(caught.value) is StorageUnavailableError) == unavailable
    if not isinstance(error, ssl.SSLError):  # whose reason is OpenSSL's own
        assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("answer", "kind", "hint"),
    [
        (b"out of memory storing object", StorageError, "-m"),
        (b"BUSY", StorageUnavailableError, "another"),
        (b"something else", StorageError, "inside"),
    ],
)
def test_memcached_answers(answer: bytes, kind: type[StorageError], hint: str) -> None:
    """A server error of Memcached is told apart by its words."""
    with pytest.raises(StorageError, match=hint) as caught, memcached_client.translated("memcached://cache"):
        raise pymemcache.exceptions.MemcacheServerError(answer)
    assert type(caught.value) is kind


def test_our_own_errors_pass() -> None:
    """What this package raises itself goes through both unchanged."""
    for translated in (redis_errors.translated(MemoryStorage()), memcached_client.translated("x")):
        with pytest.raises(CorruptRecordError), translated:
            raise CorruptRecordError("here", "broken")
