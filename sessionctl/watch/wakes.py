"""What passes the time between two looks: a file system or a server that tells of changes, else an interval."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.storage.base import RecordStorage
    from sessionctl.watch.looks import Look

STEP_MILLISECONDS = 20
"""How long watchfiles waits for more changes of the same moment."""


class Wake(Protocol):
    """`begin` comes before every look at all, so that no change between the two is missed."""

    how: str

    def begin(self) -> None:
        """From now on changes are noticed. Raises `StorageError`."""

    def wait(self, seconds: float) -> set[str] | None:
        """Wait at most so long: the keys that may have changed, or None for a look at all.

        Raises `StorageError` where changes may have been missed.
        """

    def close(self) -> None:
        """Give back connections."""


class Interval:
    """Nothing tells of changes."""

    how = "by looking at intervals"

    def begin(self) -> None:
        """Nothing is to be prepared."""

    def wait(self, seconds: float) -> set[str] | None:
        """Sleep."""
        time.sleep(seconds)
        return None

    def close(self) -> None:
        """Nothing is open."""


class FileChanges(Interval):
    """A directory whose changes the operating system tells (inotify and its like, by watchfiles).

    Where they do not come, as on a network's file system, the interval passes.
    """

    how = "by the file system's notifications"

    def __init__(self, watch_files: Any, directory: str) -> None:
        self._watch = watch_files
        self._directory = directory
        self._changes: Iterator[Any] | None = None

    def wait(self, seconds: float) -> set[str] | None:
        """Wait for a change, of whatever file."""
        if self._changes is None:
            self._changes = self._watch(
                self._directory, watch_filter=None, step=STEP_MILLISECONDS,
                rust_timeout=max(int(seconds * 1000), 1), yield_on_timeout=True, ignore_permission_denied=True,
            )  # fmt: skip
        next(self._changes, None)
        return None


def wake_of(storage: RecordStorage, look: Look) -> Wake:
    """The best that the storage offers. Raises `StorageError` where its server has to be asked and is away."""
    from sessionctl.watch.looks import LookAtOne

    notifications = getattr(storage, "notifications", None)
    if notifications is not None and not look.by_time:
        found: Wake | None = notifications(look.key if isinstance(look, LookAtOne) else None)
        return found or Interval()
    directory = getattr(storage, "directory", None)
    if isinstance(directory, str) and os.path.isdir(directory):
        try:
            import watchfiles
        except ImportError:
            return Interval()
        return FileChanges(watchfiles.watch, directory)
    return Interval()
