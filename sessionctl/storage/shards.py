"""The directories of a file store, each of a shard of its records: made, locked, and given to their owner."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from sessionctl.errors import StorageUnavailableError

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How a directory is opened: itself, and no symbolic link to one."""


def lock(directory: str, name: str, timeout: float, *, make: bool) -> int | None:
    """A descriptor of a shard's directory that holds its lock; None where there is none, and none is to be made.

    Raises `StorageUnavailableError` where another holds it for so many seconds.
    """
    path = f"{directory}/{name}"
    while True:
        try:
            shard = os.open(path, DIRECTORY)
        except FileNotFoundError:
            if not make:
                return None
            _make(directory)
            _make(path)
            continue
        try:
            _wait_for(shard, path, timeout)
            if os.fstat(shard).st_nlink:
                return shard
        except BaseException:
            os.close(shard)
            raise
        os.close(shard)  # removed while it was waited for: there may be a new one


def _wait_for(shard: int, path: str, timeout: float) -> None:
    deadline = None
    pause = 0.0005
    while True:
        try:
            fcntl.flock(shard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            deadline = deadline or time.monotonic() + timeout
        else:
            return
        if time.monotonic() > deadline:
            raise StorageUnavailableError(f"{path}: another process holds the lock; is it stopped?")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def _make(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
        if os.geteuid() == 0:
            give_directory(path)


def give_directory(path: str) -> None:
    """Give a directory that root has made to the owner of the one that it lies in.

    By its descriptor: that owner may have put a hard link to a file of root's in its place meanwhile.
    """
    owner = os.stat(os.path.dirname(path))
    made = os.open(path, DIRECTORY)
    try:
        os.fchown(made, owner.st_uid, owner.st_gid)
    finally:
        os.close(made)


def give_to_owner(file: int, shard: int) -> None:
    """Give what root writes to the owner of its directory: an administrator must not lock an application out."""
    if os.geteuid() == 0:
        owner = os.fstat(shard)
        if owner.st_uid != 0:
            os.fchown(file, owner.st_uid, owner.st_gid)
