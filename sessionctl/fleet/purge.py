"""Deleting old sessions, never one that was saved after it was judged old."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.duration import iso
from sessionctl.errors import SessionctlError, StorageError, UsageError
from sessionctl.fleet.select import Judge, Selection, batches
from sessionctl.fleet.store import files_of, sweepable
from sessionctl.storage.base import RecordStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sessionctl.fleet.where import Condition
    from sessionctl.storage.base import Entry, SessionStorage, Stored

BATCH = 256
"""How many sessions are looked at between two checks of the time; of files, while a shard's lock is held."""

PROBLEMS_KEPT = 20
"""How many of the problems of a run are told one by one."""

_KEYS = (
    "scanned",
    "matched",
    "deleted",
    "failed",
    "bytes",
    "seconds",
    "complete",
    "dry_run",
    "foreign",
    "litter",
)


@dataclass(slots=True)
class Purged:
    """What a purge did, up to date at every moment of it.

    `bytes` is what was freed (or would be), `oldest` and `newest` the times of the last saves of what went.
    `foreign` counts what lies in the store and is no session of it, `litter` the temporary files of crashed
    writers that were removed, `directories` the empty ones. Of `problems` and `foreign_names` the first are
    kept.
    """

    dry_run: bool = False
    scanned: int = 0
    matched: int = 0
    deleted: int = 0
    failed: int = 0
    bytes: int = 0
    seconds: float = 0.0
    complete: bool = True
    interrupted: bool = False
    foreign: int = 0
    litter: int = 0
    directories: int = 0
    oldest: float | None = None
    newest: float | None = None
    problems: list[str] = field(default_factory=list)
    foreign_names: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the command."""
        counts = {name: getattr(self, name) for name in _KEYS} | {"seconds": round(self.seconds, 3)}
        return {
            **counts,
            "directories": self.directories,
            "oldest": iso(self.oldest),
            "newest": iso(self.newest),
        }

    def fail(self, problem: str) -> None:
        """Count what could not be done, and keep the first of its messages."""
        self.failed += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)

    def see_foreign(self, path: str) -> None:
        """Count what is no session of this store."""
        self.foreign += 1
        if len(self.foreign_names) < PROBLEMS_KEPT:
            self.foreign_names.append(path)

    def match(self, size: int, modified_at: float | None) -> None:
        """Count a session that goes."""
        self.matched += 1
        self.bytes += size
        if modified_at is not None:
            if self.oldest is None or modified_at < self.oldest:
                self.oldest = modified_at
            if self.newest is None or modified_at > self.newest:
                self.newest = modified_at


class Plan(NamedTuple):
    """What a sweep is to do. `on_match` is told of each session that goes."""

    judge: Judge
    dry_run: bool = False
    limit: int | None = None
    batch: int = BATCH
    empty_dirs: bool = False
    on_match: Callable[[Entry], object] | None = None

    def is_done(self, result: Purged) -> bool:
        """Whether no more may go."""
        return self.limit is not None and result.matched >= self.limit


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
    empty_dirs: bool = False,
    force: bool = False,
    on_match: Callable[[Entry], object] | None = None,
    on_progress: Callable[[Purged], object] | None = None,
) -> Purged:
    """Delete the sessions last saved more than `older_than` seconds ago, or those that have `expired`.

    A session that was saved after it was judged old stays. What cannot be read or deleted is counted in
    `failed`, and the rest goes on. At most `rate` sessions are looked at in a second. `empty_dirs` removes
    the directories that are left empty, `on_progress` is called after each batch. Ctrl-C ends the run as
    `limit` and `max_seconds` do: with what was done, and `complete` false.

    Raises `UsageError` where neither age nor `expired` is given, for an empty prefix, `/`, a home directory,
    and a directory that does not look like a session store (unless `force`); `StorageError` where the store
    cannot be listed.
    """
    store = sweepable(storage, force=force)
    if older_than is None and not expired:
        raise UsageError("purge needs an age (--older-than 30d) or --expired")
    selection = Selection(older_than=older_than, expired=expired, where=tuple(where))
    judge = Judge(store, selection, store.clock() if now is None else now)
    batch = BATCH if rate is None else max(1, min(BATCH, int(rate)))
    plan = Plan(judge, dry_run, limit, batch, empty_dirs, on_match)
    result = Purged(dry_run=dry_run)
    start = time.monotonic()
    try:
        for _ in _sweep(plan, result):
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
    result.seconds = time.monotonic() - start
    return result


def missing_place(storage: SessionStorage | None) -> str | None:
    """The directory of a file store that does not exist: perhaps nobody has saved there yet, or it is misspelt."""
    files = files_of(storage) if isinstance(storage, RecordStorage) else None
    return files.directory if files is not None and not os.path.isdir(files.directory) else None


def _sweep(plan: Plan, result: Purged) -> Iterator[None]:
    """Delete what is meant; stops for breath after each batch, when no lock is held."""
    files = files_of(plan.judge.store)
    if files is not None:
        from sessionctl.fleet.purge_files import sweep_files

        return sweep_files(files, plan, result)
    return _sweep_records(plan.judge.store, plan, result)


def _sweep_records(store: RecordStorage, plan: Plan, result: Purged) -> Iterator[None]:
    """Judge by the store's list, judge what it holds now, and delete what is still just that."""
    try:
        for batch in batches(store.scan(), plan.batch):
            result.scanned += len(batch)
            _sweep_batch(store, [entry for entry in batch if plan.judge.by_entry(entry)], plan, result)
            yield
    except StorageError as error:
        if not result.scanned:
            raise
        result.fail(str(error))
        result.complete = False


def _sweep_batch(store: RecordStorage, entries: list[Entry], plan: Plan, result: Purged) -> None:
    old: list[tuple[Entry, Stored]] = []
    for entry, stored in zip(entries, store.peek_many([entry.key for entry in entries]), strict=True):
        if isinstance(stored, SessionctlError):
            result.fail(str(stored))
        elif stored is not None and plan.judge.by_content(entry.key, stored) is not None:
            old.append((entry, stored))
    if plan.limit is not None:
        del old[plan.limit - result.matched :]
    if plan.dry_run:
        outcomes: list[Any] = [None] * len(old)
    else:
        outcomes = store.delete_many([(entry.key, stored) for entry, stored in old])
    for (entry, _), outcome in zip(old, outcomes, strict=True):
        if isinstance(outcome, SessionctlError):
            result.fail(str(outcome))
        elif outcome is None or outcome.done:
            result.match(entry.size, entry.modified_at)
            result.deleted += not plan.dry_run
            if plan.on_match is not None:
                plan.on_match(entry)
