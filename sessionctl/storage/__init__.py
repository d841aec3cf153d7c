"""The storages: found by the scheme of their URL through one registry.

A package adds its own through the entry point group `sessionctl.storages`: `scheme = "module:Class"`, the
class having `from_url(location, **options)`.
"""

from __future__ import annotations

from sessionctl.storage.base import Entry, Outcome, RecordStorage, SessionStorage, Stored
from sessionctl.storage.registry import open_storage, schemes

__all__ = ["Entry", "Outcome", "RecordStorage", "SessionStorage", "Stored", "open_storage", "schemes"]
