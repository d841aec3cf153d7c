"""Many stored sessions: purge."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sessionctl.errors import NotSupportedError, StorageError, UsageError
from sessionctl.storage.base import Entry, RecordStorage, SessionStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEMS_KEPT = 20
"""How many of the problems of a run are told one by one."""


@dataclass(slots=True)
class Purged:
    """What a purge did: counts, bytes that were freed (or would be), seconds that it took."""

    dry_run: bool = False
    scanned: int = 0
    matched: int = 0
    deleted: int = 0
    failed: int = 0
    bytes: int = 0
    seconds: float = 0.0
    complete: bool = True
    interrupted: bool = False
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the command."""
        names = ("scanned", "matched", "deleted", "failed", "bytes", "seconds", "complete", "dry_run")
        return {
            name: round(value, 3) if isinstance(value := getattr(self, name), float) else value
            for name in names
        }

    def fail(self, problem: str) -> None:
        """Count what could not be done, and keep the first of its messages."""
        self.failed += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)


def purge(
    storage: SessionStorage | None,
    *,
    older_than: float,
    now: float | None = None,
    dry_run: bool = False,
    limit: int | None = None,
    max_seconds: float | None = None,
    force: bool = False,
) -> Purged:
    """Delete the sessions last saved more than `older_than` seconds ago, judged as of `now`.

    A session that was saved after it was judged old stays. What cannot be read or deleted is counted in
    `failed`, and the rest goes on. Raises `UsageError` for a directory that does not look like a session
    store (unless `force`), `/` and a home directory, and `StorageError` where the store cannot be listed.
    """
    store = _purgeable(storage, force=force)
    result = Purged(dry_run=dry_run)
    start = time.monotonic()
    cutoff = (store.clock() if now is None else now) - older_than
    try:
        for outcome in _sweep(store, cutoff, dry_run=dry_run):
            _count(result, outcome)
            late = max_seconds is not None and time.monotonic() - start > max_seconds
            if late or (limit is not None and result.matched >= limit):
                result.complete = False
                break
    except KeyboardInterrupt:
        result.complete, result.interrupted = False, True
    result.seconds = time.monotonic() - start
    return result


def _sweep(store: RecordStorage, cutoff: float, *, dry_run: bool) -> Iterator[Entry | StorageError | None]:
    from sessionctl.storage.file import FileStorage

    if isinstance(store, FileStorage):
        from sessionctl.storage.file_sweep import sweep

        return sweep(store, cutoff, dry_run=dry_run)
    return _sweep_records(store, cutoff, dry_run=dry_run)


def _sweep_records(
    store: RecordStorage, cutoff: float, *, dry_run: bool
) -> Iterator[Entry | StorageError | None]:
    """For each session: itself where it was old, None where it stays, the error where that failed."""
    for entry in store.scan():
        if entry.modified_at is None and getattr(store, "ttl", None) is not None:
            yield None  # nothing tells its age: it has no expiry, or `lifetime` has set it
            continue
        if entry.modified_at is None:
            raise UsageError(
                f"{store.scheme}: tells no age without ttl; put ?ttl= into the URL, as the application has it"
            )
        if entry.modified_at > cutoff:
            yield None
            continue
        try:
            stored = store.peek(entry.key)
            if stored is None or (stored.modified_at is not None and stored.modified_at > cutoff):
                yield None
            elif dry_run or store.delete(entry.key, stored).done:
                yield entry
        except StorageError as error:
            yield error


def _count(result: Purged, outcome: Entry | StorageError | None) -> None:
    if isinstance(outcome, StorageError):
        result.fail(str(outcome))
        return
    result.scanned += 1
    if outcome is not None:
        result.matched += 1
        result.deleted += not result.dry_run
        result.bytes += outcome.size


def _purgeable(storage: SessionStorage | None, *, force: bool) -> RecordStorage:
    if storage is None:
        raise UsageError("no storage; -s URL names one")
    if not isinstance(storage, RecordStorage) or storage.scheme == "memory":
        raise NotSupportedError(f"{storage.scheme}: keeps nothing that could be purged")
    from sessionctl.storage.file import FileStorage

    if isinstance(storage, FileStorage):
        _check_directory(storage, force=force)
    elif not getattr(storage, "prefix", "x"):
        raise UsageError("an empty prefix would match every key of the server; give ?prefix=")
    return storage


def _check_directory(storage: Any, *, force: bool) -> None:
    """Refuse what is surely no session store: nothing is ever deleted by its place alone."""
    directory = os.path.realpath(storage.directory)
    if directory in ("/", os.path.realpath(os.path.expanduser("~"))):
        raise UsageError(f"{storage.directory} is no session store: it is the root or a home directory")
    shards = storage.shards()
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"cannot list {storage.directory}: {error.strerror}") from None
    foreign = len(names) - len(shards)
    if foreign > len(shards) and not force:
        raise UsageError(
            f"{storage.directory} does not look like a session store: {foreign} of its {len(names)} entries are no "
            "directories of two hexadecimal digits; --force purges it all the same"
        )
