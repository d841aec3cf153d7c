"""Ending or changing many sessions, each in one step that no request in flight can undo."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sessionctl.errors import CorruptRecordError, StorageError, UsageError
from sessionctl.fleet.failures import Failures
from sessionctl.fleet.interrupts import Interrupts
from sessionctl.fleet.select import Judge, Selection, select
from sessionctl.fleet.store import sweepable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sessionctl.fleet.select import Found
    from sessionctl.storage.base import RecordStorage, SessionStorage, Stored

MAX_PASSES = 3
"""How often a store is looked through for sessions that a request moved to another ID meanwhile."""

MAX_ATTEMPTS = 64
"""How often a session is tried that other writers change meanwhile."""


@dataclass(slots=True)
class Changed(Failures):
    """How many sessions matched, and how many were ended or changed: of all, or until Ctrl-C."""

    matched: int = 0
    done: int = 0
    dry_run: bool = False
    interrupted: bool = False


def destroy(
    storage: SessionStorage | None, selection: Selection, *, now: float | None = None, dry_run: bool = False
) -> Changed:
    """End every session that is meant: log a user out everywhere.

    A request in flight cannot bring one back, since its save finds no record to update. One that a request
    moves to a new ID meanwhile is found by looking again until nothing is left, `MAX_PASSES` times at most.
    Ctrl-C ends it with what was done. Raises what `select` and `sweepable` raise.
    """
    store = sweepable(storage)
    result = Changed(dry_run=dry_run)
    with _until_told(result), Interrupts() as interrupts:
        for _ in range(MAX_PASSES):
            before = result.matched
            _destroy_pass(store, selection, now, result, interrupts)
            if dry_run or result.matched == before or selection.limit is not None:
                break
    return result


@contextmanager
def _until_told(result: Changed) -> Iterator[None]:
    """A run that Ctrl-C ends, or a store that goes away, with what was done by then."""
    try:
        yield
    except KeyboardInterrupt:
        result.interrupted = True
    except StorageError as error:
        if not result.matched:
            raise
        result.fail(error)


def _destroy_pass(
    store: RecordStorage, selection: Selection, now: float | None, result: Changed, interrupts: Interrupts
) -> None:
    judge = Judge(store, selection, store.clock() if now is None else now)
    for found in select(store, selection, now=now, content=True, on_problem=result.fail):
        if result.dry_run:
            result.matched += 1
            continue
        with interrupts.step():
            try:
                done = _end(judge, found)
            except (StorageError, CorruptRecordError) as error:
                result.matched += 1
                result.fail(error)
            else:
                result.matched += done
                result.done += done


def _end(judge: Judge, found: Found) -> bool:
    """Delete a session as it was judged; changed meanwhile, it is judged again."""
    store, key = judge.store, found.entry.key
    stored: Stored | None = found.stored
    for _ in range(MAX_ATTEMPTS):
        if stored is None or judge.by_content(key, stored) is None:
            return False
        if store.delete(key, stored).done:
            return True
        stored = store.peek(key)
    raise StorageError(f"{store.location_of(key)}: {MAX_ATTEMPTS} other writers came between; gave up")


def change(
    storage: SessionStorage | None,
    selection: Selection,
    *,
    values: Mapping[str, Any] | None = None,
    unset: Iterable[str] = (),
    flash: Mapping[str, Any] | None = None,
    now: float | None = None,
    dry_run: bool = False,
) -> Changed:
    """Set and unset values of every session that is meant, and leave flash for its next request.

    A key that is not there may be a path into one that is, as of `editing.change`; a session where it
    leads nowhere is left as it was, and counts as failed.

    Each keeps the life that it has left, and flash that waits. A session that has expired is not touched, one
    that is ended meanwhile not brought back. Ctrl-C ends it with what was done. Raises what `select` and
    `sweepable` raise.
    """
    store = sweepable(storage)
    result, unset = Changed(dry_run=dry_run), tuple(unset)
    saver = without_renewal(store)
    with _until_told(result), Interrupts() as interrupts:
        for found in select(store, selection, now=now, content=True, on_problem=result.fail):
            if found.stored is None or not store.is_live(found.stored):
                continue
            result.matched += 1
            if dry_run:
                continue
            with interrupts.step():
                try:
                    result.done += _change_one(saver, found, values or {}, unset, flash or {})
                except (StorageError, CorruptRecordError, UsageError) as error:
                    result.fail(error)
    return result


def _change_one(
    saver: RecordStorage,
    found: Found,
    values: Mapping[str, Any],
    unset: Iterable[str],
    flash: Mapping[str, Any],
) -> bool:
    from sessionctl.editing.changing import apply_changes

    session = saver.read_key(found.entry.key)
    if session is None:
        return False
    try:
        apply_changes(session, values, unset, flash)
    except UsageError as error:
        raise UsageError(f"session {found.entry.ref}: {error}") from None
    saver.save(session)
    return not session.lost


def without_renewal(store: RecordStorage) -> RecordStorage:
    """The same store, whose saves leave the life that a record has."""
    saver = copy.copy(store)
    saver.ttl = saver.lifetime = None
    saver.renews = False
    return saver
