"""What is in a store: counts, sizes, ages, when sessions will expire, and which values they hold.

The list of the store is always read whole; what sessions hold may be read of a random sample of them. Memory
does not grow with the store: quantiles come from a random sample of `KEPT` sessions where there are more.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sessionctl import jsontext
from sessionctl.duration import iso
from sessionctl.errors import SessionctlError
from sessionctl.fleet.select import Found, Judge, Selection, batches, read
from sessionctl.fleet.store import entries_of, fleet_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sessionctl.fleet.store import OnProblem
    from sessionctl.storage.base import Entry, SessionStorage

KEPT = 10_000
"""How many values the quantiles come from."""

MAX_KEYS = 10_000
"""How many different keys are counted; what comes after these is counted together."""

QUANTILES = (0, 0.25, 0.5, 0.75, 0.9, 0.99, 1)

AGES = (("1h", 3600), ("1d", 86400), ("7d", 604800), ("30d", 2592000), ("90d", 7776000), ("365d", 31536000))
"""The bounds of ages and lives that are counted apart."""

T = TypeVar("T")


class Reservoir(Generic[T]):
    """A random sample of a stream, of a size that is known from the start (Vitter's algorithm R)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.seen = 0
        self.kept: list[T] = []
        self._random = random.Random(0)

    def add(self, item: T) -> None:
        """Offer one more."""
        self.seen += 1
        if len(self.kept) < self.size:
            self.kept.append(item)
        elif (place := self._random.randrange(self.seen)) < self.size:
            self.kept[place] = item


@dataclass(slots=True)
class Spread:
    """How numbers are spread: their sum and extremes exactly, their quantiles from a sample."""

    total: float = 0
    least: float | None = None
    most: float | None = None
    sample: Reservoir[float] = field(default_factory=lambda: Reservoir(KEPT))

    def add(self, number: float) -> None:
        """Count one."""
        self.total += number
        self.least = number if self.least is None else min(self.least, number)
        self.most = number if self.most is None else max(self.most, number)
        self.sample.add(number)

    def quantiles(self) -> dict[str, float] | None:
        """The number below which that share of all lies, by the share in percent; None of nothing."""
        if self.least is None or self.most is None:
            return None
        ordered = sorted(self.sample.kept)
        found = {f"{share:.0%}": ordered[round(share * (len(ordered) - 1))] for share in QUANTILES}
        return {**found, "0%": self.least, "100%": self.most}


@dataclass(slots=True)
class KeyUse:
    """How many sessions hold a key, and how many bytes it takes in all of them."""

    sessions: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Stats:
    """What is in a store. Ages and lives are seconds, by name of the bound that they stay under.

    `read` sessions of `sessions` were read for `corrupt`, `keys` and `flash`: all, or a random sample.
    """

    storage: str
    now: float
    sessions: int = 0
    read: int = 0
    sampled: bool = False
    sizes: Spread = field(default_factory=Spread)
    ages: Spread = field(default_factory=Spread)
    by_age: Counter[str] = field(default_factory=Counter)
    by_life: Counter[str] = field(default_factory=Counter)
    corrupt: int = 0
    failed: int = 0
    with_flash: int = 0
    keys: dict[str, KeyUse] = field(default_factory=dict)
    other_keys: int = 0

    def count(self, entry: Entry) -> None:
        """Count a session of the store's list."""
        self.sessions += 1
        self.sizes.add(entry.size)
        if entry.modified_at is None:
            self.by_age["unknown"] += 1
        else:
            age = max(0.0, self.now - entry.modified_at)
            self.ages.add(age)
            self.by_age[bound_of(age)] += 1
        self.by_life[_life(entry.expires_at, self.now)] += 1

    def look_into(self, found: Found) -> None:
        """Count what a session holds."""
        self.read += 1
        if found.record is None:
            self.corrupt += 1
            return
        self.with_flash += bool(found.record.flash)
        for key, value in found.record.values.items():
            use = self._use(key)
            if use is None:
                self.other_keys += 1
            else:
                use.sessions += 1
                use.bytes += len(jsontext.dumps_bytes(key)) + len(jsontext.dumps_bytes(value)) + 2

    def _use(self, key: str) -> KeyUse | None:
        if key in self.keys or len(self.keys) < MAX_KEYS:
            return self.keys.setdefault(key, KeyUse())
        return None

    def top_keys(self, count: int) -> list[tuple[str, KeyUse]]:
        """The keys that most sessions hold, those with most bytes first among equals."""
        return sorted(self.keys.items(), key=lambda item: (-item[1].sessions, -item[1].bytes, item[0]))[
            :count
        ]

    def as_json(self, keys: int = 50) -> dict[str, Any]:
        """The JSON object of the command."""
        return {
            "storage": self.storage,
            "sessions": self.sessions,
            "bytes": int(self.sizes.total),
            "size": self.sizes.quantiles(),
            "age": self.ages.quantiles(),
            "by_age": _in_order(self.by_age),
            "by_expiry": _in_order(self.by_life),
            "read": self.read,
            "sampled": self.sampled,
            "corrupt": self.corrupt,
            "failed": self.failed,
            "with_flash": self.with_flash,
            "keys": [
                {"key": key, "sessions": use.sessions, "bytes": use.bytes} for key, use in self.top_keys(keys)
            ],
            "as_of": iso(self.now),
        }


def stats(
    storage: SessionStorage | None,
    selection: Selection | None = None,
    *,
    sample: int | None = None,
    now: float | None = None,
    on_problem: OnProblem | None = None,
) -> Stats:
    """What is in a store; `sample` reads so many of its sessions, taken at random, in place of all.

    Raises `UsageError`, `NotSupportedError`, and `StorageError` where the store cannot be listed.
    """
    store, selection = fleet_of(storage), selection or Selection()
    moment = store.clock() if now is None else now
    judge = Judge(store, selection, moment)
    result = Stats(store.url, moment)
    chosen: Reservoir[Entry] = Reservoir(sample or 0)

    def fail(error: SessionctlError) -> None:
        result.failed += 1
        if on_problem is not None:
            on_problem(error)

    for batch in batches(judge.entries(entries_of(store, fail))):
        wanted = batch if sample is None or judge.needs_content else []
        found = _read(judge, wanted, fail)
        entries = [one.entry for one in found] if judge.needs_content else batch
        for entry in entries:
            result.count(entry)
            if sample is not None:
                chosen.add(entry)
        if sample is None:
            _look_into(result, found)
    if sample is not None:
        result.sampled = result.sessions > sample
        for batch in batches(chosen.kept):
            _look_into(result, _read(judge, batch, fail))
    return result


def _look_into(result: Stats, found: Iterable[Found]) -> None:
    for one in found:
        result.look_into(one)


def _read(judge: Judge, entries: list[Entry], fail: OnProblem) -> list[Found]:
    store, found = judge.store, []
    for entry, stored in zip(entries, store.peek_many([entry.key for entry in entries]), strict=True):
        if isinstance(stored, SessionctlError):
            fail(stored)
        elif stored is not None:
            one = (
                judge.by_content(entry.key, stored, fail)
                if judge.needs_content
                else read(store, entry.key, stored)
            )
            found += [] if one is None else [one]
    return found


def bound_of(seconds: float) -> str:
    """The name of the least bound that an age or a life is under."""
    return next((name for name, bound in AGES if seconds < bound), "more")


def _life(expires_at: float | None, now: float) -> str:
    if expires_at is None:
        return "never"
    return "expired" if expires_at <= now else bound_of(expires_at - now)


def _in_order(counts: Counter[str]) -> dict[str, int]:
    names = ("expired", *(name for name, _ in AGES), "more", "never", "unknown")
    return {name: counts[name] for name in names if counts[name]}


def bars(counts: dict[str, int]) -> Iterator[tuple[str, int, float]]:
    """Name, count and share of the largest, for people to see."""
    most = max(counts.values(), default=0)
    for name, count in counts.items():
        yield name, count, count / most
