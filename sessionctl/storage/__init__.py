"""The storages: found by the scheme of their URL through one registry.

A package adds its own through the entry point group `sessionctl.storages`: `scheme = "module:Class"`, the
class having `from_url(location, **options)`.
"""

from __future__ import annotations

from sessionctl.storage.base import RecordStorage, SessionStorage
from sessionctl.storage.registry import open_storage, schemes
from sessionctl.storage.stored import Entry, Outcome, Stored

__all__ = ["Entry", "Outcome", "RecordStorage", "SessionStorage", "Stored", "open_storage", "schemes"]
