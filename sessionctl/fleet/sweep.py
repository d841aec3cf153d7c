"""What a purge is to do with every session, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.duration import iso
from sessionctl.fleet.failures import KEPT, Failures

if TYPE_CHECKING:
    from sessionctl.fleet.select import Judge
    from sessionctl.storage.base import Entry

BATCH = 256
"""How many sessions are looked at between two checks of the time; of files, while a shard's lock is held."""

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


_SUMS = ("scanned", "matched", "deleted", "failed", "bytes", "foreign", "litter", "directories")
_COUNTED = (*_SUMS, "oldest", "newest", "problems", "foreign_names")


@dataclass(slots=True)
class Purged(Failures):
    """What a purge did, up to date at every moment of it.

    `bytes` is what was freed (or would be), `oldest` and `newest` the times of the last saves of what went.
    `foreign` counts what lies in the store and is no session of it, `litter` the temporary files of crashed
    writers that were removed, `directories` the empty ones. Of `foreign_names` the first are kept.
    """

    dry_run: bool = False
    scanned: int = 0
    matched: int = 0
    deleted: int = 0
    bytes: int = 0
    seconds: float = 0.0
    complete: bool = True
    interrupted: bool = False
    foreign: int = 0
    litter: int = 0
    directories: int = 0
    oldest: float | None = None
    newest: float | None = None
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

    def see_foreign(self, path: str) -> None:
        """Count what is no session of this store."""
        self.foreign += 1
        if len(self.foreign_names) < KEPT:
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

    def counts(self) -> dict[str, Any]:
        """What a `Purged` of the same is made of: what `add` counts."""
        return {name: getattr(self, name) for name in _COUNTED}

    def add(self, other: Purged) -> None:
        """Count what another part of the run did."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.oldest = min(filter(None, (self.oldest, other.oldest)), default=None)
        self.newest = max(filter(None, (self.newest, other.newest)), default=None)
        self.problems += other.problems[: KEPT - len(self.problems)]
        self.foreign_names += other.foreign_names[: KEPT - len(self.foreign_names)]


class Plan(NamedTuple):
    """What a sweep is to do. `matches`, where there is one, takes the sessions that go, until they are told."""

    judge: Judge
    dry_run: bool = False
    limit: int | None = None
    batch: int = BATCH
    empty_dirs: bool = False
    matches: list[Entry] | None = None

    def is_done(self, result: Purged) -> bool:
        """Whether no more may go."""
        return self.limit is not None and result.matched >= self.limit
