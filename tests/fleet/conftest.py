"""Stores with sessions in them, on every storage that can be listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import open_storage
from sessionctl.storage.base import RecordStorage
from tests.servers import (  # noqa: F401 - fixtures
    memcached_ring,
    memcached_server,
    own_redis,
    redis_cluster,
    redis_server,
    server_directory,
)
from tests.storage.conftest import unique_prefix  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

Open = Callable[..., RecordStorage]

SERVERS = ["redis_server", "memcached_server"]
EVERY = ["fs", *SERVERS, "redis_cluster", "memcached_ring"]
DAY = 86400.0


def url_of(request: pytest.FixtureRequest, place: str, tmp_path: Path, prefix: str) -> str:
    """The URL of an empty store of that kind, which ends with its options."""
    if place == "fs":
        return f"fs:{tmp_path}/store-{prefix.rstrip(':')}?"
    return f"{request.getfixturevalue(place).url}?prefix={prefix}&"


def opened(url: str, **options: Any) -> RecordStorage:
    """The store of a URL."""
    storage = open_storage(url, **options)
    assert isinstance(storage, RecordStorage)
    return storage


def add(store: RecordStorage, session_id: str, *, age: float = 0.0, flash: Any = None, **values: Any) -> str:
    """Store a session as it was saved so many seconds ago; its key."""
    session = store.read(None)
    session.regenerate_id()
    session._id = session_id
    session.update(values)
    for name, message in (flash or {}).items():
        session.flash(name, message)
    session.mark_dirty()
    clock, ttl = store.clock, store.ttl
    try:
        if store.expires_itself and ttl is not None:
            store.ttl = ttl - age
        else:
            store.clock = lambda: time.time() - age
        store.save(session)
    finally:
        store.clock, store.ttl = clock, ttl
    return store.key_of(session_id)


@pytest.fixture
def files(tmp_path: Path) -> RecordStorage:
    """An empty store of files, whose sessions live 30 days."""
    return opened(f"fs:{tmp_path}/store", ttl=30 * DAY)


@pytest.fixture(params=EVERY)
def store(request: pytest.FixtureRequest, tmp_path: Path, unique_prefix: str) -> Iterator[RecordStorage]:  # noqa: F811
    """An empty store of each kind, whose sessions live 10 days."""
    with opened(url_of(request, request.param, tmp_path, unique_prefix), ttl=10 * DAY) as made:
        yield made
