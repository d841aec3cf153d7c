"""What to tell somebody who met no session of ours: the place is not there, or is another framework's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.errors import NotSupportedError
from sessionctl.storage.base import RecordStorage
from sessionctl.stores.likely import likely_layout, likely_owner, looks_like
from sessionctl.stores.storage import LayoutStorage

if TYPE_CHECKING:
    from sessionctl.storage.base import SessionStorage


def other_framework(storage: SessionStorage | None, *, changes: bool = False) -> str | None:
    """That another framework's sessions lie where none of ours do, or ours under another prefix, and what opens them.

    None where no layout is known for what lies there. One bounded look at the place; for what `changes`
    sessions it says that theirs are read alone. Never raises.
    """
    likely = likely_layout(storage)
    if likely is None:
        return None
    named = storage.layout.name if isinstance(storage, LayoutStorage) else ""
    found = looks_like(likely, changes=changes, named=named)
    asked = f"of {named}" if named else "of sessionctl's"
    if likely.all_seen or likely.prefix is not None:
        return f"no session {asked} here, but {found}"
    return f"none of the first {likely.seen} entries here is a session {asked}, but {found}"


def other_owner(storage: SessionStorage | None) -> str | None:
    """That what lies under a storage's own prefix on a server is another framework's, and what opens it.

    None where that is not so. One bounded look at the place; never raises.
    """
    owner = likely_owner(storage) if isinstance(storage, RecordStorage) else None
    return None if owner is None else f"these are no sessions of sessionctl's: {looks_like(owner)}"


def check_owner(storage: RecordStorage) -> None:
    """Raise `NotSupportedError` where a sweep of a server would hit another framework's sessions."""
    owner = likely_owner(storage)
    if owner is not None:
        raise NotSupportedError(
            f"{storage.url}: no session of sessionctl's under the prefix {storage.prefix!r}, "  # type: ignore[attr-defined]
            f"but {looks_like(owner, changes=True)}"
        )
