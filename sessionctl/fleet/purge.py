"""Deleting old sessions, never one that was saved after it was judged old."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sessionctl.errors import SessionctlError, StorageError, UsageError
from sessionctl.fleet.interrupts import Interrupts
from sessionctl.fleet.select import Judge, Selection, batches
from sessionctl.fleet.store import files_of, sweepable
from sessionctl.fleet.sweep import BATCH, Plan, Purged

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from sessionctl.fleet.where import Condition
    from sessionctl.storage.base import Entry, RecordStorage, SessionStorage, Stored


def purge(
    storage: SessionStorage | None,
    *,
    older_than: float | None = None,
    expired: bool = False,
    where: Iterable[Condition] = (),
    now: float | None = None,
    dry_run: bool = False,
    limit: int | None = None,
    max_seconds: float | None = None,
    rate: float | None = None,
    jobs: int = 1,
    empty_dirs: bool = False,
    force: bool = False,
    on_match: Callable[[Entry], object] | None = None,
    on_progress: Callable[[Purged], object] | None = None,
) -> Purged:
    """Delete the sessions last saved more than `older_than` seconds ago, or those that have `expired`.

    A session that was saved after it was judged old stays. What cannot be read or deleted is counted in
    `failed`, and the rest goes on. At most `rate` sessions are looked at in a second. `jobs` is how many
    processes share the work on files; they end with this one. `empty_dirs` removes the directories that are
    left empty; after each batch `on_match` is called with each session that went, then `on_progress`. Ctrl-C
    ends the run as `limit` and `max_seconds` do: with what was done, and `complete` false.

    Raises `UsageError` where neither age nor `expired` is given, for `jobs` where there are no files, an
    empty prefix, `/`, a home directory, and a directory that does not look like a session store (unless
    `force`); `StorageError` where the store cannot be listed.
    """
    store = sweepable(storage, force=force)
    if older_than is None and not expired:
        raise UsageError("purge needs an age (--older-than 30d) or --expired")
    selection = Selection(older_than=older_than, expired=expired, where=tuple(where))
    judge = Judge(store, selection, store.clock() if now is None else now)
    batch = BATCH if rate is None else max(1, min(BATCH, int(rate)))
    plan = Plan(judge, dry_run, limit, batch, empty_dirs, None if on_match is None else [])
    result = Purged(dry_run=dry_run)
    start = time.monotonic()
    try:
        with closing(_sweep(plan, result, jobs, rate)) as steps, Interrupts() as interrupts:
            for _ in interrupts.each(steps):
                _tell_matches(plan, on_match)
                result.seconds = time.monotonic() - start
                if on_progress is not None:
                    on_progress(result)
                late = max_seconds is not None and result.seconds > max_seconds
                if late or plan.is_done(result):
                    result.complete = False
                    break
                if rate is not None:
                    time.sleep(max(0.0, result.scanned / rate - result.seconds))
    except KeyboardInterrupt:
        result.complete, result.interrupted = False, True
    _tell_matches(plan, on_match)
    result.seconds = time.monotonic() - start
    return result


def _tell_matches(plan: Plan, on_match: Callable[[Entry], object] | None) -> None:
    """Name the sessions of a batch, now that no lock is held: whoever listens may take their time, or be gone."""
    while on_match is not None and plan.matches:
        on_match(plan.matches.pop(0))


def _sweep(plan: Plan, result: Purged, jobs: int, rate: float | None) -> Generator[None]:
    """Delete what is meant; stops for breath after each batch, when no lock is held."""
    files = files_of(plan.judge.store)
    if jobs > 1:
        if files is None:
            raise UsageError("--jobs is for files: a server answers one batch after the other")
        from sessionctl.fleet.purge_jobs import sweep_by_jobs

        return sweep_by_jobs(files, plan, result, jobs, rate)
    if files is not None:
        from sessionctl.fleet.purge_files import sweep_files

        return sweep_files(files, plan, result)
    return _sweep_records(plan.judge.store, plan, result)


def _sweep_records(store: RecordStorage, plan: Plan, result: Purged) -> Generator[None]:
    """Judge by the store's list, judge what it holds now, and delete what is still just that."""
    try:
        for batch in batches(store.scan(), plan.batch):
            result.scanned += len(batch)
            _sweep_batch(store, [entry for entry in batch if plan.judge.by_entry(entry)], plan, result)
            yield
    except StorageError as error:
        if not result.scanned:
            raise
        result.fail(error)
        result.complete = False


def _sweep_batch(store: RecordStorage, entries: list[Entry], plan: Plan, result: Purged) -> None:
    old: list[tuple[Entry, Stored]] = []
    for entry, stored in zip(entries, store.peek_many([entry.key for entry in entries]), strict=True):
        if isinstance(stored, SessionctlError):
            result.fail(stored)
        elif stored is not None and plan.judge.by_content(entry.key, stored, result.fail) is not None:
            old.append((entry, stored))
    if plan.limit is not None:
        del old[plan.limit - result.matched :]
    if plan.dry_run:
        outcomes: list[Any] = [None] * len(old)
    else:
        outcomes = store.delete_many([(entry.key, stored) for entry, stored in old])
    for (entry, _), outcome in zip(old, outcomes, strict=True):
        if isinstance(outcome, SessionctlError):
            result.fail(outcome)
        elif outcome is None or outcome.done:
            result.match(entry.size, entry.modified_at)
            result.deleted += not plan.dry_run
            if plan.matches is not None:
                plan.matches.append(entry)
