"""What has changed between one look and the next, told as it happens.

A server or a file system that tells of changes wakes it at once; where neither does, it looks at intervals. A store
that cannot be reached is told once and asked again until it is back. Nothing is touched: a session that is watched
does not live longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from sessionctl.diff import Change, compare_flash, compare_values
from sessionctl.errors import SessionctlError, StorageError, UsageError
from sessionctl.fleet.select import Selection, read
from sessionctl.records import Record
from sessionctl.storage.base import RecordStorage, SessionStorage, Stored
from sessionctl.watch.looks import Look, LookAtMany, LookAtOne
from sessionctl.watch.wakes import Interval, Wake, wake_of

Kind = Literal["found", "created", "changed", "ended", "left", "unreachable", "back"]

INTERVAL = 0.5
"""Seconds between two looks."""

Told = Callable[[str], object]
"""Told how changes are noticed, in words."""


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
    on_way: Told = lambda _: None,
    on_begin: Callable[[int], object] = lambda _: None,
) -> Iterator[Seen]:
    """What happens to the session of a key, or to all that a selection means; without end unless `seconds` are given.

    First each session that is there is told as `found`, then `on_begin` how many they are. `on_way` is told how
    changes are noticed, at the beginning and after every break. Raises `UsageError` for a storage that keeps nothing.
    """
    if not isinstance(storage, RecordStorage):
        raise UsageError("only what lies in a storage can be watched; -s URL names one")
    chosen = selection or Selection()
    look: Look = LookAtOne(storage, key) if key is not None else LookAtMany(storage, chosen)
    yield from _Watch(look, interval, on_way, on_begin).run(seconds)


class _Watch:
    """A watch under way: what was seen last, and whether the store answers."""

    def __init__(self, look: Look, interval: float, on_way: Told, on_begin: Callable[[int], object]) -> None:
        self.look, self.interval, self.on_way = look, interval, on_way
        self.on_begin: Callable[[int], object] | None = on_begin
        self.storage = look.storage
        self.wake: Wake | None = None
        self.known: Mapping[str, Stored] | None = None
        self.changed: set[str] | None = None
        self.reachable = True

    def run(self, seconds: float | None) -> Iterator[Seen]:
        """Tell what happens, without end unless seconds are given."""
        end = None if seconds is None else time.monotonic() + seconds
        try:
            while True:
                yield from self._step()
                if self.known is not None and self.on_begin is not None:
                    self.on_begin(len(self.known))
                    self.on_begin = None
                if end is not None and time.monotonic() >= end:
                    return
                self._wait(self.interval if end is None else min(self.interval, end - time.monotonic()))
        finally:
            if self.wake is not None:
                self.wake.close()

    def _step(self) -> Iterator[Seen]:
        """Look, and tell the difference; or that there is nothing to see."""
        try:
            now = self._look()
            found = list(_differences(self.storage, self.known, now))
        except StorageError as error:
            self._break()
            if self.reachable:
                yield Seen("unreachable", self.storage.clock(), detail=str(error))
            self.reachable = False
            return
        if not self.reachable:
            yield Seen("back", self.storage.clock())
        self.reachable, self.known = True, now
        yield from found

    def _look(self) -> Mapping[str, Stored]:
        if self.wake is None:
            self.wake = wake_of(self.storage, self.look)
            self.on_way(self.wake.how)
        if self.changed is None or self.known is None:
            self.wake.begin()
            return self.look.at_all()
        return self.look.again(self.known, self.changed)

    def _wait(self, seconds: float) -> None:
        """Wait for a change; after a break of the connection look at all again, as something may have been missed."""
        wake = self.wake if self.wake is not None and self.reachable else Interval()
        try:
            self.changed = wake.wait(max(seconds, 0.0))
        except StorageError:
            self._break()
        if self.changed is not None:
            self.changed |= self._expired()

    def _break(self) -> None:
        """The store is away: what comes back may be configured otherwise, and is asked anew how it tells."""
        self.changed = None
        wake, self.wake = self.wake, None
        if wake is not None:
            wake.close()

    def _expired(self) -> set[str]:
        """The keys of sessions that ought to have ended: a server tells that late, or not at all."""
        now = self.storage.clock()
        known = (self.known or {}).items()
        return {key for key, stored in known if stored.expires_at is not None and stored.expires_at <= now}


def _differences(
    storage: RecordStorage, before: Mapping[str, Stored] | None, after: Mapping[str, Stored]
) -> Iterator[Seen]:
    now = storage.clock()
    for key, stored in after.items():
        old = None if before is None else before.get(key)
        expires_at = storage.expiry_of(stored)
        if before is None:
            yield Seen("found", now, storage.ref_of(key), expires_at=expires_at)
        elif old is None:
            changes = _changes(storage, key, None, stored)
            yield Seen("created", now, storage.ref_of(key), changes, expires_at=expires_at)
        elif old.text != stored.text:
            changes = _changes(storage, key, old, stored)
            yield Seen("changed", now, storage.ref_of(key), changes, expires_at=expires_at)
    for key in before or ():
        if key not in after:
            yield Seen("left" if _is_there(storage, key) else "ended", now, storage.ref_of(key))


def _is_there(storage: RecordStorage, key: str) -> bool:
    stored = storage.peek(key)
    return stored is not None and storage.is_live(stored)


def _changes(storage: RecordStorage, key: str, before: Stored | None, after: Stored) -> tuple[Change, ...]:
    """What changed in a record, or all that is in a new one; nothing is said of one that is broken."""
    one = Record({}, {}) if before is None else _record(storage, key, before)
    other = _record(storage, key, after)
    if one is None or other is None:
        return ()
    return (*compare_values(one.values, other.values), *compare_flash(one.flash, other.flash))


def _record(storage: RecordStorage, key: str, stored: Stored) -> Record | None:
    try:
        return read(storage, key, stored).record
    except SessionctlError:
        return None
