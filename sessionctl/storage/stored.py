"""What lies in a store, and what comes of a change to it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Stored(NamedTuple):
    """A record as it lies in the store.

    Times are Unix seconds; `modified_at` is None where the store does not tell, `expires_at` where nothing
    expires or the store does not tell. `version` is the store's own (Memcached's `cas`), and a `delete` of
    what `peek` gave may use it to spare a record that was touched since.
    """

    text: bytes
    modified_at: float | None = None
    expires_at: float | None = None
    version: Any = None


class Outcome(NamedTuple):
    """What came of a conditional change: done, or the record as it is now (None: it is gone)."""

    done: bool
    current: Stored | None = None


def unchanged(current: Stored | None, expected: Stored | None) -> bool:
    """Whether a record still is what was expected: the same text, or none where none was."""
    if current is None or expected is None:
        return current is expected
    return current.text == expected.text


class Entry(NamedTuple):
    """One stored session in a scan: what is known without reading it, but for a store that must."""

    key: str
    ref: str
    size: int
    modified_at: float | None = None
    expires_at: float | None = None
