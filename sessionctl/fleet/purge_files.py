"""Deleting old session files: a shard at a time, under its lock.

A writer renames its record into place while it holds the shard's lock. A sweep judges a file and unlinks it
while it holds the same lock, so no session is deleted that was saved after it was judged old. The lock is
given back between batches, so that no writer waits for long.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
from itertools import islice
from typing import TYPE_CHECKING

from sessionctl.errors import CorruptRecordError, StorageError
from sessionctl.fleet.store import strangers
from sessionctl.storage.base import Entry
from sessionctl.storage.file import TEMPORARY, is_hex

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from sessionctl.fleet.select import Judge
    from sessionctl.fleet.sweep import Plan, Purged
    from sessionctl.storage.file import FileStorage

LITTER_AGE = 3600.0
"""Seconds after which a temporary file is a crashed writer's."""


_NAME_LENGTH = 62
"""Hexadecimal digits in the name of a record; two more name its directory."""

_KIND = stat.S_IFMT(0xFFFF)


class Sweep:
    """One run over a store: what every file is judged by, made once."""

    __slots__ = ("cutoff", "deletes", "length", "matches", "plan", "prefix", "reads", "result", "store")

    def __init__(self, store: FileStorage, plan: Plan, result: Purged) -> None:
        self.store = store
        self.plan = plan
        self.result = result
        self.prefix = store.prefix
        self.length = len(store.prefix) + _NAME_LENGTH
        self.cutoff = _cutoff(plan.judge, store.ttl)
        self.reads = plan.judge.needs_content
        self.deletes = not plan.dry_run
        self.matches = plan.matches


def _cutoff(judge: Judge, ttl: float | None) -> float:
    """The time after which a save makes a session too young, whatever it holds."""
    bounds = [math.inf if judge.not_after is None else judge.not_after]
    if judge.selection.expired and ttl is not None and not judge.needs_content:
        bounds.append(judge.now - ttl)
    return min(bounds)


def sweep_files(store: FileStorage, plan: Plan, result: Purged) -> Generator[None]:
    """Delete the files that are meant; stops for breath after each batch, when no lock is held."""
    for name in strangers(store):
        result.see_foreign(f"{store.directory}/{name}")
    sweep = Sweep(store, plan, result)
    for shard in store.shards():
        yield from sweep_shard(sweep, shard, lambda _: True)


def sweep_shard(sweep: Sweep, shard: str, may_go_on: Callable[[int], bool]) -> Iterator[None]:
    """Delete the files of a shard that are meant; `may_go_on` is asked before each batch of so many files."""
    try:
        yield from _sweep_shard(sweep, shard, may_go_on)
    except StorageError as error:
        sweep.result.fail(error)
    except OSError as error:
        sweep.result.fail(sweep.store.refused("purge", f"{sweep.store.directory}/{shard}", error))


def _sweep_shard(sweep: Sweep, shard: str, may_go_on: Callable[[int], bool]) -> Iterator[None]:
    store, plan = sweep.store, sweep.plan
    with contextlib.suppress(FileNotFoundError), os.scandir(f"{store.directory}/{shard}") as entries:
        while names := [entry.name for entry in islice(entries, plan.batch)]:
            if not may_go_on(len(names)):
                return
            _sweep_batch(sweep, shard, names)
            yield
    if plan.empty_dirs and not plan.dry_run:
        _remove_if_empty(store, shard, sweep.result)


def _sweep_batch(sweep: Sweep, shard: str, names: list[str]) -> None:
    store, result, limit = sweep.store, sweep.result, sweep.plan.limit
    descriptor = store.lock_shard(shard)
    if descriptor is None:
        return
    went: list[tuple[str, os.stat_result]] = []
    try:
        for name in names:
            if limit is not None and result.matched + len(went) >= limit:
                break
            try:
                info = _sweep_file(sweep, descriptor, shard, name)
            except FileNotFoundError:
                continue  # another purge was faster
            except OSError as error:
                result.fail(store.refused("delete", f"{store.directory}/{shard}/{name}", error))
            else:
                if info is not None:
                    went.append((name, info))
    finally:
        os.close(descriptor)
        _count(sweep, shard, went)


def _sweep_file(sweep: Sweep, descriptor: int, shard: str, name: str) -> os.stat_result | None:
    """Judge a file and delete it; the shard's lock is held. Some microseconds, a million times."""
    info = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    is_record = len(name) == sweep.length and name.startswith(sweep.prefix) and is_hex(name[-_NAME_LENGTH:])
    if not is_record or info.st_mode & _KIND != stat.S_IFREG:
        _sweep_other(sweep, descriptor, shard, name, info)
        return None
    sweep.result.scanned += 1
    if info.st_mtime > sweep.cutoff or (sweep.reads and not _is_meant(sweep, descriptor, shard, name)):
        return None
    if sweep.deletes:
        os.unlink(name, dir_fd=descriptor)
    return info


def _count(sweep: Sweep, shard: str, went: list[tuple[str, os.stat_result]]) -> None:
    """Count the files of a batch that went, or would go."""
    for name, info in went:
        sweep.result.match(info.st_size, info.st_mtime)
        if sweep.matches is not None:
            key = f"{shard}{name.removeprefix(sweep.prefix)}"
            sweep.matches.append(Entry(key, sweep.store.ref_of(key), info.st_size, info.st_mtime))
    if sweep.deletes:
        sweep.result.deleted += len(went)


def _is_meant(sweep: Sweep, descriptor: int, shard: str, name: str) -> bool:
    """Whether the content is what was asked for; the shard's lock is held."""
    key = f"{shard}{name.removeprefix(sweep.store.prefix)}"
    try:
        stored = sweep.store._load_from(descriptor, key)  # noqa: SLF001 - it reads under the lock
    except CorruptRecordError as error:
        sweep.result.fail(error)
        return False
    except OSError as error:
        sweep.result.fail(sweep.store.refused("read", sweep.store.location_of(key), error))
        return False
    return stored is not None and sweep.plan.judge.by_content(key, stored, sweep.result.fail) is not None


def _sweep_other(sweep: Sweep, descriptor: int, shard: str, name: str, info: os.stat_result) -> None:
    """What is no record: a crashed writer's temporary file goes once it is old; the rest stays."""
    if name != TEMPORARY or not stat.S_ISREG(info.st_mode):
        sweep.result.see_foreign(f"{sweep.store.directory}/{shard}/{name}")
    elif info.st_mtime < sweep.store.clock() - LITTER_AGE:
        if not sweep.plan.dry_run:
            os.unlink(name, dir_fd=descriptor)
        sweep.result.litter += 1


def _remove_if_empty(store: FileStorage, shard: str, result: Purged) -> None:
    """Remove a shard's directory under its lock; a writer that waits for the lock sees that it is gone."""
    descriptor = store.lock_shard(shard)
    if descriptor is None:
        return
    try:
        with contextlib.suppress(OSError):  # not empty
            os.rmdir(f"{store.directory}/{shard}")
            result.directories += 1
    finally:
        os.close(descriptor)
