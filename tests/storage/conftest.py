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
)

pytest.register_assert_rewrite("sessionctl.testing")


@pytest.fixture
def unique_prefix() -> str:
    """A prefix that no other test has, so that tests can share a server."""
    return f"test-{secrets.token_hex(8)}:"
