"""Deleting old session files: a shard at a time, under its lock.

A writer renames its record into place while it holds the shard's lock. A sweep judges a file and unlinks it
while it holds the same lock, so no session is deleted that was saved after it was judged old. The lock is
given back between batches, so that no writer waits for long.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from sessionctl.errors import StorageError
from sessionctl.storage.base import Entry
from sessionctl.storage.file import TEMPORARY, FileStorage

BATCH = 256
"""How many files are looked at while a shard's lock is held."""

LITTER_AGE = 3600.0
"""Seconds after which a temporary file is a crashed writer's."""


def sweep(store: FileStorage, cutoff: float, *, dry_run: bool) -> Iterator[Entry | StorageError | None]:
    """For each session file: itself where its mtime is not after `cutoff`, None where it stays, or the error."""
    for shard in store.shards():
        try:
            yield from _sweep_shard(store, shard, cutoff, dry_run=dry_run)
        except StorageError as error:
            yield error
        except OSError as error:
            yield StorageError(f"cannot purge {store.directory}/{shard}: {error.strerror}")


def _sweep_shard(
    store: FileStorage, shard: str, cutoff: float, *, dry_run: bool
) -> Iterator[Entry | StorageError | None]:
    with contextlib.suppress(FileNotFoundError):
        names = os.listdir(f"{store.directory}/{shard}")
        for start in range(0, len(names), BATCH):
            yield from _sweep_batch(store, shard, names[start : start + BATCH], cutoff, dry_run=dry_run)


def _sweep_batch(
    store: FileStorage, shard: str, names: list[str], cutoff: float, *, dry_run: bool
) -> list[Entry | StorageError | None]:
    descriptor = store.lock_shard(shard)
    if descriptor is None:
        return []
    try:
        outcomes = [_sweep_file(store, descriptor, shard, name, cutoff, dry_run=dry_run) for name in names]
        return [outcome for outcome in outcomes if outcome is not _FOREIGN]
    finally:
        os.close(descriptor)


_FOREIGN = StorageError("no session of this store")


def _sweep_file(
    store: FileStorage, descriptor: int, shard: str, name: str, cutoff: float, *, dry_run: bool
) -> Entry | StorageError | None:
    key = store.key_of_file(shard, name)
    try:
        info = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if key is None:
            _sweep_litter(descriptor, name, info, store.clock() - LITTER_AGE, dry_run=dry_run)
            return _FOREIGN
        if not stat.S_ISREG(info.st_mode):
            return _FOREIGN
        if info.st_mtime > cutoff:
            return None
        if not dry_run:
            os.unlink(name, dir_fd=descriptor)
        return Entry(key, store.ref_of(key), info.st_size, info.st_mtime)
    except FileNotFoundError:
        return _FOREIGN
    except OSError as error:
        return StorageError(f"cannot delete {store.directory}/{shard}/{name}: {error.strerror}")


def _sweep_litter(descriptor: int, name: str, info: os.stat_result, cutoff: float, *, dry_run: bool) -> None:
    if name == TEMPORARY and info.st_mtime < cutoff and stat.S_ISREG(info.st_mode) and not dry_run:
        os.unlink(name, dir_fd=descriptor)
