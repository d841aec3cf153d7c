"""The storages on servers keep the same contract as those without, sync and async, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from sessionctl import open_storage
from sessionctl.testing import ServerExpiryContract
from tests.servers import PASSWORD

if TYPE_CHECKING:
    from sessionctl.storage import SessionStorage
    from tests.servers import RedisServer, Servers


class _OnServer(ServerExpiryContract):
    tick = 0.5
    url: str

    @pytest.fixture(autouse=True)
    def _prefix(self, unique_prefix: str) -> None:
        self.prefix = unique_prefix

    def open_storage(self, **options: Any) -> SessionStorage:
        """A storage under this test's own prefix."""
        return open_storage(self.url, prefix=self.prefix, **options)


class TestRedis(_OnServer):
    """`redis:`"""

    @pytest.fixture(autouse=True)
    def _server(self, redis_server: RedisServer) -> None:
        self.url = redis_server.url


class TestRedisAsync(TestRedis):
    """`redis:`, awaited"""

    asynchronous = True


class TestValkey(_OnServer):
    """`redis:` with Valkey behind it"""

    @pytest.fixture(autouse=True)
    def _server(self, valkey_server: RedisServer) -> None:
        self.url = valkey_server.url


class TestValkeyAsync(TestValkey):
    """`redis:` with Valkey behind it, awaited"""

    asynchronous = True


class TestValkeyCluster(_OnServer):
    """`redis+cluster:` with Valkey behind it"""

    tick = 0.5  # a client begins by asking for the nodes

    @pytest.fixture(autouse=True)
    def _server(self, valkey_cluster: Servers) -> None:
        self.url = valkey_cluster.url


class TestRedisPassword(_OnServer):
    """`redis:` with a password in the URL"""

    @pytest.fixture(autouse=True)
    def _server(self, redis_password_server: RedisServer) -> None:
        self.url = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{redis_password_server.port}/0"


class TestRedisTLSAsync(_OnServer):
    """`rediss:`, awaited"""

    asynchronous = True

    @pytest.fixture(autouse=True)
    def _server(self, redis_tls_server: RedisServer) -> None:
        self.url = f"{redis_tls_server.url}?tls_ca={redis_tls_server.tls}/ca.pem"


class TestCluster(_OnServer):
    """`redis+cluster:`"""

    tick = 0.5  # a client begins by asking for the nodes

    @pytest.fixture(autouse=True)
    def _server(self, redis_cluster: Servers) -> None:
        self.url = redis_cluster.url


class TestClusterAsync(TestCluster):
    """`redis+cluster:`, awaited"""

    asynchronous = True


class TestSentinel(_OnServer):
    """`redis+sentinel:`"""

    @pytest.fixture(autouse=True)
    def _server(self, redis_sentinel: Servers) -> None:
        self.url = redis_sentinel.url


class TestSentinelAsync(TestSentinel):
    """`redis+sentinel:`, awaited"""

    asynchronous = True


class TestMemcached(_OnServer):
    """`memcached:`"""

    tick = 2.0  # the server counts whole seconds, and a busy machine may lose one

    @pytest.fixture(autouse=True)
    def _server(self, memcached_server: Servers) -> None:
        self.url = memcached_server.url


class TestMemcachedAsync(TestMemcached):
    """`memcached:`, awaited: in threads"""

    asynchronous = True


class TestMemcachedRing(_OnServer):
    """`memcached:` with two servers"""

    tick = 2.0

    @pytest.fixture(autouse=True)
    def _server(self, memcached_ring: Servers) -> None:
        self.url = memcached_ring.url
