"""What is there: one session, or all that a selection means, at once or key by key. Nothing is touched by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from sessionctl.fleet.select import judged, select

if TYPE_CHECKING:
    from sessionctl.fleet.select import Found, Selection
    from sessionctl.storage.base import RecordStorage, Stored

Seen = Mapping[str, "Stored"]
"""Sessions by key."""


class Look(ABC):
    """A look at a store."""

    by_time = False
    """Whether a session may come to be meant, or no longer, without any change to it."""

    def __init__(self, storage: RecordStorage) -> None:
        self.storage = storage

    @abstractmethod
    def at_all(self) -> Seen:
        """Every session that is meant. Raises `StorageError`."""

    @abstractmethod
    def again(self, before: Seen, keys: Collection[str]) -> Seen:
        """As it was before, but for these keys, which are looked at anew. Raises `StorageError`."""


class LookAtOne(Look):
    """The session of one key."""

    def __init__(self, storage: RecordStorage, key: str) -> None:
        super().__init__(storage)
        self.key = key

    def at_all(self) -> Seen:
        """It, or nothing."""
        stored = self.storage.peek(self.key)
        return {self.key: stored} if stored is not None and self.storage.is_live(stored) else {}

    def again(self, before: Seen, keys: Collection[str]) -> Seen:
        """Anew, if it is among the keys."""
        return self.at_all() if self.key in keys else before


class LookAtMany(Look):
    """All sessions that a selection means."""

    def __init__(self, storage: RecordStorage, selection: Selection) -> None:
        super().__init__(storage)
        self.selection = selection
        self.by_time = bool(
            selection.limit or selection.expired or selection.older_than or selection.newer_than
        )

    def at_all(self) -> Seen:
        """A scan of the store."""
        return self._live(select(self.storage, self.selection, content=True))

    def again(self, before: Seen, keys: Collection[str]) -> Seen:
        """Without a scan."""
        rest = {key: stored for key, stored in before.items() if key not in keys}
        return rest | self._live(judged(self.storage, self.selection, keys))

    def _live(self, found: Iterable[Found]) -> dict[str, Stored]:
        """Those that have not expired: a file of such a session lies until it is purged."""
        return {
            one.entry.key: one.stored
            for one in found
            if one.stored is not None and self.storage.is_live(one.stored)
        }
