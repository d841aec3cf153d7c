from __future__ import annotations

import secrets

import pytest

from tests.servers import (  # noqa: F401 - fixtures
    certificates,
    memcached_ring,
    memcached_server,
    own_cluster,
    own_memcached,
    own_redis,
    own_sentinel,
    redis_cluster,
    redis_password_server,
    redis_sentinel,
    redis_server,
    redis_tls_server,
    server_directory,
    valkey_cluster,
    valkey_server,
)


@pytest.fixture
def unique_prefix() -> str:
    """A prefix that no other test has, so that tests can share a server."""
    return f"test-{secrets.token_hex(8)}:"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Contract tests that wait for a server's own clock are slow, but for one kind of server."""
    for item in items:
        if not isinstance(item, pytest.Function) or not getattr(item.cls, "real_time", False):
            continue
        if "pass_time" in item.function.__code__.co_names and item.cls.__name__ != "TestRedis":
            item.add_marker(pytest.mark.slow)
