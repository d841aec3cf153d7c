"""Moving sessions between storages: they keep their IDs, so that users stay logged in, and the life left.

Files and Memcached keep only the SHA-256 of an ID: they give to each other, and never to Redis, whose keys
hold the ID itself. A record travels as the bytes that it is.
"""

from __future__ import annotations

import copy as copying
import hashlib
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sessionctl import records
from sessionctl.errors import (
    CorruptRecordError,
    MalformedError,
    NotSupportedError,
    SessionctlError,
    StorageError,
    UsageError,
)
from sessionctl.fleet.failures import Failures
from sessionctl.fleet.interrupts import Interrupts
from sessionctl.fleet.select import Selection, select
from sessionctl.fleet.store import fleet_of, target_of
from sessionctl.storage.base import Outcome, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sessionctl.fleet.select import Found
    from sessionctl.storage.base import RecordStorage, SessionStorage

BATCH = 200
"""How many sessions are written, and then read back, at once."""

Overwrite = Literal["never", "older", "always"]
"""What becomes of a session that the target has with other content."""

_KEYS = (
    "matched", "written", "same", "kept", "expired", "failed", "endless", "bytes", "verified", "digest", "complete",
    "dry_run",
)  # fmt: skip
_DIGEST_SIZE = 1 << 256
_INTERRUPTED = 130


class Carried(NamedTuple):
    """A session on its way. `id` is None where only the hash is known; times are Unix seconds."""

    id: str | None
    hash: str
    text: bytes
    modified_at: float | None = None
    expires_at: float | None = None


@dataclass(slots=True)
class Moved(Failures):
    """What came of it, up to date at every moment.

    Of `matched` sessions, `written` were written, the target had `same` already, `kept` there with other
    content, `expired` had no life left, `failed` are told in `problems`, and
    of these `unreadable` are records or lines that nobody can read. `endless` were written and had an
    end before, or should have one. `digest` is a sum over what was read, `found` over what the target gave
    back: where they differ, somebody else wrote there meanwhile, or something is wrong.
    """

    dry_run: bool = False
    matched: int = 0
    written: int = 0
    same: int = 0
    kept: int = 0
    expired: int = 0
    unreadable: int = 0
    endless: int = 0
    bytes: int = 0
    seconds: float = 0.0
    complete: bool = True
    interrupted: bool = False
    sum_read: int = 0
    sum_found: int = 0

    @property
    def verified(self) -> bool:
        """Whether the target gave back what was read, and nothing failed."""
        return self.is_same and not self.failed

    @property
    def is_same(self) -> bool:
        """Whether what was written came back as it was read."""
        return self.sum_read == self.sum_found

    @property
    def digest(self) -> str:
        """The sum over what was read, in hex; the same for the same sessions in any order."""
        return f"{self.sum_read:064x}"

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the command."""
        return {**{name: getattr(self, name) for name in _KEYS}, "seconds": round(self.seconds, 3)}

    @property
    def exit_status(self) -> int:
        """What the command line ends with."""
        if self.interrupted:
            return _INTERRUPTED
        if self.failed > self.unreadable:
            return StorageError.exit_status
        return MalformedError.exit_status if self.unreadable or not self.complete else 0

    def fail_to_read(self, problem: object) -> None:
        """Count what could not be read, and so not be moved."""
        self.unreadable += 1
        self.fail(problem)


def copy(
    source: SessionStorage | None,
    target: SessionStorage | None,
    selection: Selection | None = None,
    *,
    overwrite: Overwrite = "never",
    dry_run: bool = False,
    now: float | None = None,
    on_progress: Callable[[Moved], object] | None = None,
) -> Moved:
    """Copy the sessions that are meant. A second run skips what the target has already.

    Raises `NotSupportedError` where the target needs IDs that the source does not keep, or is another
    framework's store, and what `select` raises.
    """
    origin, store = fleet_of(source), target_of(target)
    check_ids(origin, store)
    moved = Moved(dry_run=dry_run)
    found = select(origin, selection, now=now, content=True, on_problem=moved.fail)
    receive(store, _carried(origin, found, moved), moved, overwrite=overwrite, on_progress=on_progress)
    return moved


def check_ids(source: RecordStorage, target: RecordStorage) -> None:
    """Raise `NotSupportedError` where the source keeps hashes and the target needs IDs."""
    if keeps_hashes(source) and not keeps_hashes(target):
        raise NotSupportedError(
            f"{source.scheme}: keeps only the SHA-256 of a session ID, and {target.scheme}: needs the ID itself, "
            f"which nobody can compute; {source.scheme}: copies to fs: and memcached:"
        )


def keeps_hashes(store: RecordStorage) -> bool:
    """Whether the hash of an ID is enough to find its record."""
    return store.key_of_hash("0" * 64) is not None


def _carried(store: RecordStorage, found: Iterable[Found], moved: Moved) -> Iterator[Carried]:
    for one in found:
        if one.record is None or one.stored is None:
            moved.matched += 1
            moved.fail_to_read(
                CorruptRecordError(store.location_of(one.entry.key), one.problem or "it was not read")
            )
            continue
        yield carry(store, one)


def carry(store: RecordStorage, found: Found) -> Carried:
    """A session as it leaves a store."""
    entry, stored = found.entry, found.stored
    text = b"" if stored is None else stored.text
    if store.read_only and found.record is not None:
        text = records.dump(found.record.values, found.record.flash)
    return Carried(
        store.id_of(entry.key), store.hash_of(entry.key), text, entry.modified_at, entry.expires_at
    )


# -- arriving -----------------------------------------------------------------------------------------


def receive(
    store: RecordStorage,
    sessions: Iterable[Carried],
    moved: Moved,
    *,
    overwrite: Overwrite = "never",
    on_progress: Callable[[Moved], object] | None = None,
) -> None:
    """Write sessions into a store, read them back, and count all that in `moved`; Ctrl-C ends it cleanly."""
    start, rest = time.monotonic(), iter(sessions)
    try:
        with Interrupts() as interrupts:
            while batch := list(islice(rest, BATCH)):
                _receive_batch(store, batch, moved, overwrite, interrupts)
                moved.seconds = time.monotonic() - start
                if on_progress is not None:
                    on_progress(moved)
    except KeyboardInterrupt:
        moved.complete, moved.interrupted = False, True
    except StorageError as error:
        if not moved.matched:
            raise
        moved.complete = False
        moved.fail(error)
    moved.seconds = time.monotonic() - start


def _receive_batch(
    store: RecordStorage, batch: list[Carried], moved: Moved, overwrite: Overwrite, interrupts: Interrupts
) -> None:
    moved.matched += len(batch)
    places = {key: one for one in batch if (key := _key(store, one, moved)) is not None}
    there = {
        key: store.living(found) if isinstance(found, Stored) else found
        for key, found in zip(places, store.peek_many(list(places)), strict=True)
    }
    arrived = {}
    for key, one in places.items():
        with interrupts.step():
            if _arrive(store, key, one, there[key], moved, overwrite):
                arrived[key] = one
    if moved.dry_run:
        return
    for (key, one), stored in zip(arrived.items(), store.peek_many(list(arrived)), strict=True):
        moved.sum_read = (moved.sum_read + _digest(one, one.text)) % _DIGEST_SIZE
        if isinstance(stored, Stored):
            moved.sum_found = (moved.sum_found + _digest(one, stored.text)) % _DIGEST_SIZE
            if stored.text == one.text:
                continue
        moved.mention(f"{store.location_of(key)}: it is not there as it was written; is the store in use?")


def _digest(one: Carried, text: bytes) -> int:
    return int.from_bytes(hashlib.sha256(one.hash.encode() + text).digest())


def _key(store: RecordStorage, one: Carried, moved: Moved) -> str | None:
    """Where a session lies in the target; None where it cannot lie there."""
    try:
        key = store.key_of_hash(one.hash)
        if key is None and one.id is not None:
            key = store.key_of(one.id)
    except UnicodeEncodeError:
        moved.fail("a session ID that is no UTF-8 cannot be moved")
        return None
    if key is None:
        raise NotSupportedError(f"{store.scheme}: needs the IDs of sessions, and here are only their hashes")
    return key


def _arrive(
    store: RecordStorage,
    key: str,
    one: Carried,
    there: Stored | SessionctlError | None,
    moved: Moved,
    overwrite: Overwrite,
) -> bool:
    """Whether the session is in the target now."""
    if isinstance(there, SessionctlError):
        moved.fail(there)
        return False
    if there is not None and there.text == one.text:
        moved.same += 1
        return True
    if there is not None and not _may_replace(one, there, overwrite):
        moved.kept += 1
        return False
    life = _Life.of(store, one, store.clock())
    if life is None:
        moved.expired += 1
        return False
    if not moved.dry_run:
        outcome = _write(store, key, there, one, life, moved)
        if outcome is None:
            return False
        if not outcome.done:
            moved.kept += 1
            return False
    moved.written += 1
    moved.bytes += len(one.text)
    moved.endless += life.endless
    return True


def _may_replace(one: Carried, there: Stored, overwrite: Overwrite) -> bool:
    if overwrite == "older":
        return (
            one.modified_at is not None
            and there.modified_at is not None
            and there.modified_at < one.modified_at
        )
    return overwrite == "always"


def _write(
    store: RecordStorage, key: str, there: Stored | None, one: Carried, life: _Life, moved: Moved
) -> Outcome | None:
    place = store
    if life.modified_at is not None:
        modified_at = life.modified_at
        place = copying.copy(store)
        place.clock = lambda: modified_at
    try:
        return place.store(key, there, one.text, life.expires_in)
    except (StorageError, CorruptRecordError, UsageError) as error:
        moved.fail(error)
        return None


class _Life(NamedTuple):
    """How long a session lives in the target: seconds for a server, the time of the last save for the rest."""

    expires_in: float | None = None
    modified_at: float | None = None
    endless: bool = False

    @classmethod
    def of(cls, store: RecordStorage, one: Carried, now: float) -> _Life | None:
        """What is left of the life that it had, else by the target's `ttl` since its last save; None: nothing."""
        ends, ttl = one.expires_at, store.ttl
        saved = now if one.modified_at is None else min(one.modified_at, now)
        if ends is None and ttl is not None:
            ends = saved + ttl
        if ends is not None and ends <= now:
            return None
        if store.expires_itself:
            return cls(expires_in=None if ends is None else ends - now, endless=ends is None)
        if ends is None or ttl is None:
            return cls(modified_at=saved, endless=ends is not None and store.lifetime is None)
        return cls(modified_at=min(ends - ttl, now))
