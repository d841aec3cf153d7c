"""The refs that begin in some way: what a TAB press asks for, so it is bounded in time and number."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sessionctl.fleet.store import files_of, fleet_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sessionctl.storage.base import Entry, RecordStorage, SessionStorage

MOST = 100
"""How many are given."""

MOST_SECONDS = 0.5
"""How long is looked for them; what was found by then is given."""


def refs_like(
    storage: SessionStorage | None, beginning: str, *, most: int = MOST, most_seconds: float = MOST_SECONDS
) -> list[Entry]:
    """Sessions whose ref begins so, the latest saved first among those that were seen. Writes nothing.

    Raises `UsageError`, `NotSupportedError` and `StorageError`.
    """
    found = list(_seen(fleet_of(storage), beginning.lower(), most, time.monotonic() + most_seconds))
    return sorted(found, key=lambda entry: -(entry.modified_at or 0))


def _seen(store: RecordStorage, beginning: str, most: int, until: float) -> Iterator[Entry]:
    count = 0
    for entry in _entries(store, beginning):
        if entry.ref.startswith(beginning):
            yield entry
            count += 1
        if count >= most or time.monotonic() > until:
            return


def _entries(store: RecordStorage, beginning: str) -> Iterable[Entry]:
    """All sessions, but where files lie by their ref only those of its directory."""
    files = files_of(store)
    shard = beginning[:2]
    return store.scan() if files is None or len(shard) < 2 else files.scan({shard})  # noqa: PLR2004 - two digits
