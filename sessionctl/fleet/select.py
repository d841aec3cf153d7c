"""Which sessions of a store are meant: one mechanism for every command on many sessions.

What can be told from the store's own list (age, expiry, ref) is judged there; only a selection that needs
the content reads it, a batch at a time. Nothing here grows with the store, but a sort without a limit.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import records
from sessionctl.errors import CorruptRecordError, MalformedError, SessionctlError, UsageError
from sessionctl.fleet.store import entries_of, fleet_of
from sessionctl.fleet.where import Condition, all_hold
from sessionctl.records import Record
from sessionctl.storage.base import Entry, RecordStorage, SessionStorage, Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sessionctl.fleet.store import OnProblem

BATCH = 200
"""How many records are read at once."""

SORT_KEYS = ("modified_at", "expires_at", "size", "ref")

_REF_DIGITS = range(4, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which sessions are meant: those that fulfil all of it. The empty selection is all of them.

    `older_than` and `newer_than` are seconds since the last save (with `ttl`: the last use),
    `created_before` is Unix seconds and asks for the time of creation that `lifetime` keeps, `refs` may be
    the beginnings of refs. `sort` is one of `SORT_KEYS`, with `-` in front the largest first.
    """

    older_than: float | None = None
    newer_than: float | None = None
    created_before: float | None = None
    expired: bool = False
    where: tuple[Condition, ...] = ()
    ids: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    corrupt: bool = False
    limit: int | None = None
    sort: str | None = None

    @property
    def by_record(self) -> bool:
        """Whether what a session holds has to be read."""
        return bool(self.where) or self.corrupt or self.created_before is not None

    def check(self, store: RecordStorage) -> None:
        """Raise `UsageError` for what this store can never tell."""
        if (
            (self.older_than is not None or self.newer_than is not None)
            and store.expires_itself
            and store.ttl is None
        ):
            place = store.url if store.read_only else f"{store.scheme}:"
            raise UsageError(
                f"{place} tells no age without ttl; put ttl= into the URL, as the application has it"
            )
        if self.expired and not (
            store.ttl is not None or store.lifetime is not None or store.expires_itself or store.read_only
        ):
            raise UsageError("nothing expires there without ttl or lifetime; put ?ttl= into the URL")
        if self.corrupt and (self.where or self.created_before is not None):
            raise UsageError(
                "a record that cannot be read holds nothing that --where or --created-before asks for"
            )
        if self.sort is not None and self.sort.removeprefix("-") not in SORT_KEYS:
            raise UsageError(f"sort is one of {', '.join(SORT_KEYS)}, with '-' in front the largest first")
        for ref in self.refs:
            if len(ref) not in _REF_DIGITS or not set(ref.lower()) <= set("0123456789abcdef"):
                raise UsageError("a ref is 4 to 12 hexadecimal digits; 'sessionctl list' shows them")


class Found(NamedTuple):
    """A session that was selected. `stored` is None where its content was not needed.

    `record` is None where it was not read, or where `problem` says why it cannot be.
    """

    entry: Entry
    stored: Stored | None = None
    record: Record | None = None
    problem: str | None = None


class Judge:
    """A selection, with the store and the moment that it is judged for."""

    def __init__(self, store: RecordStorage, selection: Selection, now: float) -> None:
        selection.check(store)
        self.store = store
        self.selection = selection
        self.now = now
        older, newer = selection.older_than, selection.newer_than
        self.not_after = None if older is None else now - older
        self.after = None if newer is None else now - newer
        self.refs = tuple(ref.lower() for ref in selection.refs)

    @property
    def needs_content(self) -> bool:
        """Whether `by_content` has something to judge beyond `by_entry`."""
        return self.selection.by_record or self._ends_by_content

    @property
    def _ends_by_content(self) -> bool:
        """Whether only the content tells when a session expires: `lifetime` counts from its creation."""
        store = self.store
        return self.selection.expired and store.lifetime is not None and not store.expires_itself

    def by_age(self, modified_at: float | None) -> bool:
        """Whether the time of the last save fits; one that is not known fits no limit."""
        if self.not_after is None and self.after is None:
            return True
        if modified_at is None:
            return False
        return (self.not_after is None or modified_at <= self.not_after) and (
            self.after is None or modified_at > self.after
        )

    def entries(self, listed: Iterable[Entry], *, read: bool = False) -> Iterator[Entry]:
        """Those of a store's list that may be meant, each with its end where only the record tells it.

        Of records that are going to be `read` the end is left to `by_content`.
        """
        if read and self.store.read_only:
            return filter(self._by_list, listed)
        return filter(self._by_end, map(self.store.with_end, filter(self._by_list, listed)))

    def by_entry(self, entry: Entry) -> bool:
        """Whether a session may be meant, as far as the store's list tells."""
        return self._by_list(entry) and self._by_end(entry)

    def _by_list(self, entry: Entry) -> bool:
        return self.by_age(entry.modified_at) and (not self.refs or entry.ref.startswith(self.refs))

    def _by_end(self, entry: Entry) -> bool:
        if not self.selection.expired or self._ends_by_content:
            return True
        return entry.expires_at is not None and entry.expires_at <= self.now

    def by_content(self, key: str, stored: Stored, on_problem: OnProblem | None = None) -> Found | None:
        """The session, if its content fits too, and its age as it is now.

        A record that nobody can judge by its values is told to `on_problem`, not passed over in silence.
        """
        if not self.by_age(stored.modified_at):
            return None
        if self.selection.expired:
            ends = self.store.expiry_of(stored)
            if ends is None or ends > self.now:
                return None
        found = read(self.store, key, stored)
        if found.problem is not None and self.selection.where and on_problem is not None:
            on_problem(CorruptRecordError(self.store.location_of(key), found.problem))
        return found if self._by_record(found) else None

    def _by_record(self, found: Found) -> bool:
        selection, record = self.selection, found.record
        if selection.corrupt:
            return record is None
        if record is None:
            return not selection.by_record
        if selection.created_before is not None and not (
            record.created is not None and record.created < selection.created_before
        ):
            return False
        return all_hold(selection.where, record)


def select(
    storage: SessionStorage | None,
    selection: Selection | None = None,
    *,
    now: float | None = None,
    content: bool = False,
    on_problem: OnProblem | None = None,
) -> Iterator[Found]:
    """The sessions that are meant, as they are found; with `content` each with its record.

    `now` are the Unix seconds to judge as of. What cannot be read is told to `on_problem`, unless the
    selection asks for corrupt records. Raises `UsageError`, `NotSupportedError`, and `StorageError` where the
    store cannot be listed.
    """
    store, selection = fleet_of(storage), selection or Selection()
    judge = Judge(store, selection, store.clock() if now is None else now)
    found = _found(judge, content=content, on_problem=on_problem or (lambda _: None))
    if selection.sort is not None:
        return _sorted(found, selection.sort, selection.limit)
    return islice(found, selection.limit)


def _found(judge: Judge, *, content: bool, on_problem: OnProblem) -> Iterator[Found]:
    reads = content or judge.needs_content
    entries = judge.entries(_candidates(judge, on_problem), read=reads)
    if not reads:
        yield from map(Found, entries)
        return
    for batch in batches(entries):
        for entry, stored in zip(batch, judge.store.peek_many([entry.key for entry in batch]), strict=True):
            if isinstance(stored, SessionctlError):
                on_problem(stored)
            elif (
                stored is not None and (found := judge.by_content(entry.key, stored, on_problem)) is not None
            ):
                yield found


def judged(store: RecordStorage, selection: Selection, keys: Iterable[str]) -> Iterator[Found]:
    """Those of the keys whose sessions are meant, each with its record."""
    judge = Judge(store, selection, store.clock())
    for key in keys:
        stored = store.peek(key)
        if stored is None or not judge.by_entry(entry_of(store, key, stored)):
            continue
        if (found := judge.by_content(key, stored)) is not None:
            yield found


def _candidates(judge: Judge, on_problem: OnProblem) -> Iterator[Entry]:
    """The store's list, or the part of it in which what is meant must lie."""
    store, ids = judge.store, judge.selection.ids
    if ids:
        return _by_id(store, ids)
    return entries_of(store, on_problem, {ref[:2] for ref in judge.refs} or None)


def _by_id(store: RecordStorage, ids: tuple[str, ...]) -> Iterator[Entry]:
    for session_id in ids:
        key = store.find_key(session_id)
        stored = None if key is None else store.peek(key)
        if key is not None and stored is not None:
            yield entry_of(store, key, stored)


def entry_of(store: RecordStorage, key: str, stored: Stored) -> Entry:
    """What a scan would tell about a record, and its expiry by `lifetime` too."""
    ends = store.expiry_of(stored)
    return Entry(key, store.ref_of(key), len(stored.text), stored.modified_at, ends)


def read(store: RecordStorage, key: str, stored: Stored) -> Found:
    """A record with its content, or with what is wrong with it."""
    try:
        return Found(entry_of(store, key, stored), stored, _record(store, key, stored))
    except CorruptRecordError as error:
        return Found(entry_of(store, key, stored), stored, problem=error.problem)
    except MalformedError as error:
        return Found(entry_of(store, key, stored), stored, problem=f"the record is {error}")


def _record(store: RecordStorage, key: str, stored: Stored) -> Record:
    """What a record holds; of another framework's store, what that framework keeps in it."""
    record_of = getattr(store, "record_of", None) if store.read_only else None
    if record_of is None:
        return records.parse(stored.text)
    foreign = record_of(key, stored)
    data = foreign.data
    if isinstance(data, list) and foreign.payload_type == "php":  # whose arrays are lists and maps in one
        data = {str(place): value for place, value in enumerate(data)}
    if not isinstance(data, dict):
        raise MalformedError("no object of names and values")
    return Record(data, foreign.flash if isinstance(foreign.flash, dict) else {}, foreign.issued_at)


def batches(entries: Iterable[Entry], size: int = BATCH) -> Iterator[list[Entry]]:
    """The entries, so many at a time."""
    rest = iter(entries)
    while batch := list(islice(rest, size)):
        yield batch


def _sorted(found: Iterator[Found], sort: str, limit: int | None) -> Iterator[Found]:
    """In order; what has no such time comes last. With a limit, no more than that is held in memory."""
    name, backwards = sort.removeprefix("-"), sort.startswith("-")

    def order(item: Found) -> tuple[bool, Any]:
        value = getattr(item.entry, name)
        if value is None:
            return True, 0
        return False, (_reversed(value) if backwards else value)

    if limit is not None:
        return iter(heapq.nsmallest(limit, found, key=order))
    return iter(sorted(found, key=order))


def _reversed(value: Any) -> Any:
    """A value that sorts the other way round."""
    return [-ord(char) for char in value] if isinstance(value, str) else -value
