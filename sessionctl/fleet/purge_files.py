"""Deleting old session files: a shard at a time, under its lock.

A writer renames its record into place while it holds the shard's lock. A sweep judges a file and unlinks it
while it holds the same lock, so no session is deleted that was saved after it was judged old. The lock is
given back between batches, so that no writer waits for long.
"""

from __future__ import annotations

import contextlib
import os
import stat
from itertools import islice
from typing import TYPE_CHECKING

from sessionctl.errors import CorruptRecordError, StorageError
from sessionctl.fleet.store import strangers
from sessionctl.storage.base import Entry
from sessionctl.storage.file import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.fleet.purge import Plan, Purged
    from sessionctl.storage.file import FileStorage

LITTER_AGE = 3600.0
"""Seconds after which a temporary file is a crashed writer's."""


def sweep_files(store: FileStorage, plan: Plan, result: Purged) -> Iterator[None]:
    """Delete the files that are meant; stops for breath after each batch, when no lock is held."""
    for name in strangers(store):
        result.see_foreign(f"{store.directory}/{name}")
    for shard in store.shards():
        try:
            yield from _sweep_shard(store, shard, plan, result)
        except StorageError as error:
            result.fail(str(error))
        except OSError as error:
            result.fail(f"cannot purge {store.directory}/{shard}: {error.strerror}")


def _sweep_shard(store: FileStorage, shard: str, plan: Plan, result: Purged) -> Iterator[None]:
    with contextlib.suppress(FileNotFoundError), os.scandir(f"{store.directory}/{shard}") as entries:
        while names := [entry.name for entry in islice(entries, plan.batch)]:
            _sweep_batch(store, shard, names, plan, result)
            yield
    if plan.empty_dirs and not plan.dry_run:
        _remove_if_empty(store, shard, result)


def _sweep_batch(store: FileStorage, shard: str, names: list[str], plan: Plan, result: Purged) -> None:
    descriptor = store.lock_shard(shard)
    if descriptor is None:
        return
    try:
        for name in names:
            if plan.is_done(result):
                return
            try:
                _sweep_file(store, descriptor, shard, name, plan, result)
            except FileNotFoundError:
                pass  # another purge was faster
            except OSError as error:
                result.fail(f"cannot delete {store.directory}/{shard}/{name}: {error.strerror}")
    finally:
        os.close(descriptor)


def _sweep_file(
    store: FileStorage, descriptor: int, shard: str, name: str, plan: Plan, result: Purged
) -> None:
    info = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    key = store.key_of_file(shard, name)
    if key is None or not stat.S_ISREG(info.st_mode):
        _sweep_other(store, descriptor, shard, name, info, plan, result)
        return
    result.scanned += 1
    modified_at = info.st_mtime
    if not _is_meant(store, descriptor, key, modified_at, plan, result):
        return
    if not plan.dry_run:
        os.unlink(name, dir_fd=descriptor)
        result.deleted += 1
    result.match(info.st_size, modified_at)
    if plan.on_match is not None:
        plan.on_match(Entry(key, store.ref_of(key), info.st_size, modified_at))


def _is_meant(
    store: FileStorage, descriptor: int, key: str, modified_at: float, plan: Plan, result: Purged
) -> bool:
    judge = plan.judge
    if not judge.by_age(modified_at):
        return False
    if not judge.needs_content:
        return not judge.selection.expired or modified_at + (store.ttl or 0.0) <= judge.now
    try:
        stored = store._load_from(descriptor, key)  # noqa: SLF001 - the lock is held here
    except CorruptRecordError as error:
        result.fail(str(error))
        return False
    return stored is not None and judge.by_content(key, stored) is not None


def _sweep_other(
    store: FileStorage,
    descriptor: int,
    shard: str,
    name: str,
    info: os.stat_result,
    plan: Plan,
    result: Purged,
) -> None:
    """What is no record: a crashed writer's temporary file goes once it is old; the rest stays."""
    if name != TEMPORARY or not stat.S_ISREG(info.st_mode):
        result.see_foreign(f"{store.directory}/{shard}/{name}")
    elif info.st_mtime < store.clock() - LITTER_AGE:
        if not plan.dry_run:
            os.unlink(name, dir_fd=descriptor)
        result.litter += 1


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
