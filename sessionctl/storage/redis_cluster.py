"""Sessions in a Redis Cluster.

redis+cluster://host:port,host:port          any of its nodes, which tell the others
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.errors import UsageError
from sessionctl.storage.redis import RedisStorage
from sessionctl.storage.redis_commands import raw
from sessionctl.storage.redis_connection import ClusterClients
from sessionctl.storage.remote import RemoteStorage
from sessionctl.storage.steps import arun, moving, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sessionctl.errors import SessionctlError
    from sessionctl.storage.address import Address
    from sessionctl.storage.stored import Outcome, Stored


class RedisClusterStorage(RedisStorage):
    """`redis+cluster:`; two IDs lie on two nodes, so that a record is moved in steps."""

    scheme = "redis+cluster"
    clients_class = ClusterClients

    def _place(self, address: Address, db: int | str | None) -> dict[str, Any]:
        if db or address.path.strip("/0"):
            raise UsageError("a Redis Cluster has no databases")
        return {}

    def notifications(self, key: str | None = None, prefixes: Sequence[str] | None = None) -> None:
        """None: each node tells of its own keys alone, and nodes come and go; a Cluster is asked at intervals."""

    def delete_many(self, expected: Sequence[tuple[str, Stored]]) -> list[Outcome | SessionctlError]:
        return RemoteStorage.delete_many(self, expected)  # its pipelines run no scripts

    def move(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        return run(self, moving(self, old, expected, new, text, expires_in, keep_old))

    async def amove(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        return await arun(self, moving(self, old, expected, new, text, expires_in, keep_old))

    def _nodes(self, client: Any) -> list[tuple[str, dict[str, Any]]]:
        return [(node.name, {"target_nodes": node}) for node in client.get_primaries()]

    def _where(self, client: Any, key: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
        if key is None:
            return {}, {"target_nodes": client.get_default_node()}
        slot = client.keyslot(raw(key))
        node = client.nodes_manager.get_node_from_slot(slot)
        return {"node": node.name, "slot": slot}, {"target_nodes": node}
