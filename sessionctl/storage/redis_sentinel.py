"""Sessions in the Redis server that Sentinels name as the primary.

redis+sentinel://host:port,host:port/service[/db]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.errors import UsageError
from sessionctl.storage.address import find_password, parse_address
from sessionctl.storage.redis import RedisStorage, number_of
from sessionctl.storage.redis_connection import SentinelClients

if TYPE_CHECKING:
    from sessionctl.storage.address import Address

DEFAULT_PORT = 26379


class RedisSentinelStorage(RedisStorage):
    """`redis+sentinel:`, the primary that Sentinels name.

    `sentinel_password_env` and `sentinel_password_file` are for the Sentinels' own password.
    """

    scheme = "redis+sentinel"
    clients_class = SentinelClients

    def __init__(
        self,
        address: Address,
        *,
        sentinel_password_env: str | None = None,
        sentinel_password_file: str | None = None,
        **options: Any,
    ) -> None:
        self._sentinel_password = find_password(None, sentinel_password_env, sentinel_password_file)
        super().__init__(address, **options)

    def _place(self, address: Address, db: int | str | None) -> dict[str, Any]:
        service, _, path_db = address.path.strip("/").partition("/")
        if not service:
            raise UsageError("name what the Sentinels watch: redis+sentinel://host:26379/mymaster/0")
        return {
            "service": service,
            "sentinel_password": self._sentinel_password,
            "db": number_of("db", path_db or db or 0),
        }

    @classmethod
    def from_url(cls, location: str, **options: Any) -> RedisSentinelStorage:
        """`redis+sentinel://host:port,host:port/service[/db]`"""
        return cls(parse_address(location, DEFAULT_PORT), **options)
