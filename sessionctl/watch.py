"""Live changes of stored sessions: what was made, changed or ended, as it happens.

The store is looked at again and again; where it is files and watchfiles is installed, a change wakes it at once. A
store that cannot be reached is told once and asked again until it is back. Nothing is touched: a session that is
watched does not live longer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sessionctl import records
from sessionctl.diff import Change, compare_flash, compare_values
from sessionctl.errors import MalformedError, StorageError, UsageError
from sessionctl.fleet.select import Selection, select
from sessionctl.storage.base import RecordStorage, SessionStorage, Stored

if TYPE_CHECKING:
    from sessionctl.records import Record

Kind = Literal["found", "created", "changed", "ended", "left", "unreachable", "back"]

INTERVAL = 0.5
"""Seconds between two looks."""

STEP_MILLISECONDS = 20
"""How long watchfiles waits for more changes of the same moment."""

Look = Callable[[], Mapping[str, Stored]]
Wait = Callable[[], object]


class Seen(NamedTuple):
    """One thing that happened. `time` is in Unix seconds; `ref` is None where it is the store itself.

    `left` means that the session no longer matches, though it lives on.
    """

    kind: Kind
    time: float
    ref: str | None = None
    changes: tuple[Change, ...] = ()
    detail: str = ""
    expires_at: float | None = None


def watch(
    storage: SessionStorage | None,
    *,
    key: str | None = None,
    selection: Selection | None = None,
    interval: float = INTERVAL,
    seconds: float | None = None,
) -> Iterator[Seen]:
    """What happens to the session of a key, or to all that a selection means; without end unless `seconds` are given.

    First each session that is there is told as `found`. Raises `UsageError` for a storage that keeps nothing.
    """
    if not isinstance(storage, RecordStorage):
        raise UsageError("only what lies in a storage can be watched; -s URL names one")
    look = _look_at_key(storage, key) if key is not None else _look_at_all(storage, selection or Selection())
    wait = _waiter(storage, interval)
    end = None if seconds is None else time.monotonic() + seconds
    known: Mapping[str, Stored] | None = None
    reachable = True
    while True:
        try:
            now = look()
        except StorageError as error:
            if reachable:
                yield Seen("unreachable", storage.clock(), detail=str(error))
            reachable = False
        else:
            if not reachable:
                yield Seen("back", storage.clock())
            reachable = True
            yield from _differences(storage, known, now)
            known = now
        if end is not None and time.monotonic() >= end:
            return
        wait()


def _look_at_key(storage: RecordStorage, key: str) -> Look:
    def look() -> Mapping[str, Stored]:
        stored = storage.peek(key)
        return {key: stored} if stored is not None and storage.is_live(stored) else {}

    return look


def _look_at_all(storage: RecordStorage, selection: Selection) -> Look:
    def look() -> Mapping[str, Stored]:
        found = select(storage, selection, content=True)
        return {one.entry.key: one.stored for one in found if one.stored is not None}

    return look


def _differences(
    storage: RecordStorage, before: Mapping[str, Stored] | None, after: Mapping[str, Stored]
) -> Iterator[Seen]:
    now = storage.clock()
    for key, stored in after.items():
        old = None if before is None else before.get(key)
        expires_at = storage.expiry_of(stored)
        if old is None:
            kind: Kind = "found" if before is None else "created"
            yield Seen(kind, now, storage.ref_of(key), expires_at=expires_at)
        elif old.text != stored.text:
            yield Seen(
                "changed", now, storage.ref_of(key), _changes(old.text, stored.text), expires_at=expires_at
            )
    for key in before or ():
        if key not in after:
            yield Seen("left" if _is_there(storage, key) else "ended", now, storage.ref_of(key))


def _is_there(storage: RecordStorage, key: str) -> bool:
    stored = storage.peek(key)
    return stored is not None and storage.is_live(stored)


def _changes(before: bytes, after: bytes) -> tuple[Change, ...]:
    """What changed in a record; nothing is said of one that is not ours, or broken."""
    one, other = _record(before), _record(after)
    if one is None or other is None:
        return ()
    return (*compare_values(one.values, other.values), *compare_flash(one.flash, other.flash))


def _record(text: bytes) -> Record | None:
    try:
        return records.parse(text)
    except MalformedError:
        return None


def _waiter(storage: RecordStorage, interval: float) -> Wait:
    """What passes the time between two looks: until a file changes, else the interval."""
    directory = getattr(storage, "directory", None)
    if isinstance(directory, str) and os.path.isdir(directory):
        try:
            import watchfiles
        except ImportError:
            pass
        else:
            return _until_changed(watchfiles.watch, directory, interval)
    return lambda: time.sleep(interval)


def _until_changed(watch_files: Any, directory: str, interval: float) -> Wait:
    changes = watch_files(
        directory, watch_filter=None, step=STEP_MILLISECONDS, rust_timeout=max(int(interval * 1000), 1),
        yield_on_timeout=True, ignore_permission_denied=True,
    )  # fmt: skip
    return lambda: next(changes, None) or None
