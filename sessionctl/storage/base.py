"""What a storage is, and the read and save that are written once over its primitives.

`SessionStorage` is what an application sees: `read`, `save`, and their async twins. `RecordStorage` is what
a store is made of: `load`, `store`, `touch`, `delete`, `move` of one record, `scan` over all of them.
Everything else (flash, merging, regeneration, destruction, expiry) stands here, as generators that name the
primitive they need next; one driver runs them with plain calls, another with `await`.
"""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeVar

from sessionctl import records
from sessionctl.errors import (
    CorruptRecordError,
    MalformedError,
    NotSupportedError,
    SessionctlError,
    StorageError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.session import Session

MAX_ATTEMPTS = 64
"""How often a save merges and tries again before it gives up; each time another writer has won."""

UnknownIds = Literal["new", "reuse"]
OnCorrupt = Literal["error", "new"]

T = TypeVar("T")
Steps = Generator[tuple[str, tuple[Any, ...]], Any, T]
"""A procedure that yields the name and arguments of a primitive and is sent its answer."""


class Stored(NamedTuple):
    """A record as it lies in the store.

    Times are Unix seconds; `modified_at` is None where the store does not tell, `expires_at` where nothing
    expires or the store does not tell. `version` is the store's own (Memcached's `cas`), and a `delete` of
    what `peek` gave may use it to spare a record that was touched since.
    """

    text: bytes
    modified_at: float | None = None
    expires_at: float | None = None
    version: Any = None


class Outcome(NamedTuple):
    """What came of a conditional change: done, or the record as it is now (None: it is gone)."""

    done: bool
    current: Stored | None = None


def unchanged(current: Stored | None, expected: Stored | None) -> bool:
    """Whether a record still is what was expected: the same text, or none where none was."""
    if current is None or expected is None:
        return current is expected
    return current.text == expected.text


class Entry(NamedTuple):
    """One stored session in a scan: what is known without reading it, but for a store that must."""

    key: str
    ref: str
    size: int
    modified_at: float | None = None
    expires_at: float | None = None


class SessionStorage(ABC):
    """Where sessions live between requests."""

    scheme: ClassVar[str]
    revocable: ClassVar[bool] = True
    """Whether a session can be ended before it expires."""
    read_only: ClassVar[bool] = False
    """Whether it is another framework's store, opened through a layout: every change is refused."""

    url: str = ""
    """What the storage was opened with, without passwords, for messages."""

    @abstractmethod
    def read(self, cookie_value: str | None) -> Session:
        """The session of a cookie value; a new one for None, an unknown or an expired one.

        Raises `CorruptRecordError` (unless `on_corrupt="new"`) and `StorageError`.
        """

    @abstractmethod
    def save(self, session: Session) -> str | None:
        """Write what changed. The cookie value to send, `""` to clear the cookie, None to send nothing.

        None is also the answer where the session was ended elsewhere meanwhile; `session.lost` is true
        then. Raises `StorageError`, and `UnserializableValueError` for what JSON cannot keep.
        """

    async def aread(self, cookie_value: str | None) -> Session:
        """As `read`, for asyncio."""
        return self.read(cookie_value)

    async def asave(self, session: Session) -> str | None:
        """As `save`, for asyncio."""
        return self.save(session)

    def close(self) -> None:  # noqa: B027 - most storages have nothing to give back
        """Give back connections and the like; the storage is of no use after that."""

    async def aclose(self) -> None:
        """As `close`, for asyncio."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class RecordStorage(SessionStorage):
    """A store of records, each under a key that is made from the session's ID.

    `ttl` (idle) and `lifetime` (absolute) are seconds. `unknown_ids="reuse"` lets a client choose the ID of
    a new session. `on_corrupt="new"` gives a new session in place of `CorruptRecordError`.
    """

    in_thread: ClassVar[bool] = True
    """Whether the async twins run the primitives in a thread, because they wait for something."""

    expires_itself: ClassVar[bool] = False
    """Whether the store drops what has expired, so that nothing here needs to judge `modified_at`."""

    renews: bool = True
    """Whether a save begins the idle life of a record anew where the store judges it by `modified_at`."""

    def __init__(
        self,
        *,
        ttl: float | None = None,
        lifetime: float | None = None,
        unknown_ids: UnknownIds = "new",
        on_corrupt: OnCorrupt = "error",
        clock: Callable[[], float] = time.time,
    ) -> None:
        for name, seconds in (("ttl", ttl), ("lifetime", lifetime)):
            if seconds is not None and not seconds > 0:
                raise UsageError(f"{name} must be more than 0 seconds")
        self.ttl = ttl
        self.lifetime = lifetime
        self.unknown_ids = unknown_ids
        self.on_corrupt = on_corrupt
        self.clock = clock

    # -- primitives ---------------------------------------------------------------------------------

    @abstractmethod
    def key_of(self, session_id: str) -> str:
        """The key under which the record of an ID lies."""

    @abstractmethod
    def ref_of(self, key: str) -> str:
        """The ref of a key: the first 12 hex digits of SHA-256(ID)."""

    @abstractmethod
    def location_of(self, key: str) -> str:
        """Where a record lies, for messages: it gives no ID away."""

    @abstractmethod
    def load(self, key: str) -> Stored | None:
        """The record, or None where there is none."""

    @abstractmethod
    def store(self, key: str, expected: Stored | None, text: bytes, expires_in: float | None) -> Outcome:
        """Write the record if it still is what was expected; `expected=None`: if there is none.

        `expires_in` is in seconds; None keeps the life that the record has left.
        """

    @abstractmethod
    def touch(self, key: str, expires_in: float) -> bool:
        """Begin the idle life anew without rewriting the record; False where there is none."""

    @abstractmethod
    def delete(self, key: str, expected: Stored | None = None) -> Outcome:
        """Delete the record, with `expected` only if it still is that. `done` is false where none was."""

    def move(
        self,
        old: str,
        expected: Stored,
        new: str,
        text: bytes,
        expires_in: float | None,
        keep_old: bool,
    ) -> Outcome:
        """Write a record under a new key and delete the old one, if that still is what was expected.

        `keep_old` leaves the old one, but still asks that it be there. Here in steps that leave no
        session behind where the old one is gone; a store that can do it in one overrides this.
        """
        return run(self, self._move_in_steps(old, expected, new, text, expires_in, keep_old))

    def scan(self) -> Iterator[Entry]:
        """Every stored session of this store, in no order, without holding them all in memory."""
        raise NotSupportedError(f"{self.scheme} storage cannot list its sessions")

    def peek(self, key: str) -> Stored | None:
        """As `load`, with every time that the store can tell, where that costs more than to read."""
        return self.load(key)

    def facts(self, key: str | None = None) -> dict[str, Any]:
        """What the store tells about itself, and about where the record of a key lies, for people to read.

        JSON values under plain names, none of them secret; only what this store knows. To be asked before
        `load`, which counts as a use. Raises `StorageError`.
        """
        return {}

    def peek_many(self, keys: Sequence[str]) -> list[Stored | SessionctlError | None]:
        """As `peek` of each key, in one round trip where the store can; the error where one cannot be read."""
        return [_or_error(self.peek, key) for key in keys]

    def delete_many(self, expected: Sequence[tuple[str, Stored]]) -> list[Outcome | SessionctlError]:
        """As `delete` of each key, if it still is what was expected; the error where that failed."""
        return [_or_error(self.delete, key, stored) for key, stored in expected]

    def id_of(self, key: str) -> str | None:
        """The session ID that a key holds; None where it holds a hash of it."""
        return None

    def hash_of(self, key: str) -> str:
        """SHA-256 of the session ID of a key, in hex. Raises `NotSupportedError` where the key does not tell."""
        session_id = self.id_of(key)
        if session_id is None:
            raise NotSupportedError(f"{self.scheme}: keeps neither the ID of a session nor its SHA-256")
        return hashlib.sha256(session_id.encode(errors="surrogateescape")).hexdigest()

    def key_of_hash(self, digest: str) -> str | None:
        """The key of the session whose ID has that SHA-256 in hex; None where only the ID gives a key."""
        return None

    def check_sweep(self) -> None:
        """Raise `UsageError` where deleting what `scan` finds could hit what is no session of this store."""

    # -- written once -------------------------------------------------------------------------------

    def read(self, cookie_value: str | None) -> Session:
        return run(self, self._reading(cookie_value))

    def save(self, session: Session) -> str | None:
        return run(self, self._saving(session))

    async def aread(self, cookie_value: str | None) -> Session:
        return await arun(self, self._reading(cookie_value))

    async def asave(self, session: Session) -> str | None:
        return await arun(self, self._saving(session))

    def read_key(self, key: str) -> Session | None:
        """The session under a key, for those who have a ref and no ID; its `id` is empty. None: not there."""
        stored = self.load(key)
        if stored is None or not self.is_live(stored):
            return None
        return self._session("", key, stored)

    def is_live(self, stored: Stored) -> bool:
        """Whether neither `ttl` nor `lifetime` has run out; a record that cannot be read counts as live."""
        now = self.clock()
        if stored.expires_at is not None and stored.expires_at <= now:
            return False
        judged_here = self.ttl is not None and not self.expires_itself
        if judged_here and stored.modified_at is not None and stored.modified_at + (self.ttl or 0) <= now:
            return False
        return self.lifetime is None or self._created(stored) + self.lifetime > now

    def expiry_of(self, stored: Stored) -> float | None:
        """When a record expires, in Unix seconds, or None where nothing ends it."""
        ends = [stored.expires_at] if stored.expires_at is not None else []
        if self.ttl is not None and not self.expires_itself and stored.modified_at is not None:
            ends.append(stored.modified_at + self.ttl)
        if self.lifetime is not None and self._created(stored) < self.clock():
            ends.append(self._created(stored) + self.lifetime)
        return min(ends) if ends else None

    def _created(self, stored: Stored) -> float:
        """When the session was made; now, where the record does not tell."""
        try:
            created = records.parse(stored.text).created
        except MalformedError:
            created = None
        return self.clock() if created is None else created

    def _expires_in(self, created: float | None) -> float | None:
        if self.lifetime is None or created is None:
            return self.ttl
        left = created + self.lifetime - self.clock()
        return max(left if self.ttl is None else min(self.ttl, left), 0.001)

    def _reading(self, cookie_value: str | None) -> Steps[Session]:
        if not cookie_value:
            return Session()
        key = self._key(cookie_value)
        if key is None:
            return Session()
        try:
            stored = yield "load", (key,)
            if stored is not None and self.is_live(stored):
                return self._session(cookie_value, key, stored)
        except CorruptRecordError:
            if self.on_corrupt == "error":
                raise
            return Session()
        return Session(cookie_value) if self.unknown_ids == "reuse" else Session()

    def key_for(self, session_id: str) -> str:
        """As `key_of`, for an ID that a person gave. Raises `UsageError` for text that no record can lie under."""
        key = self._key(session_id)
        if key is None:
            raise UsageError("a session's ID is text that has a form in UTF-8")
        return key

    def _key(self, session_id: str) -> str | None:
        """The key of an ID from outside; None for text that no record can lie under."""
        try:
            return self.key_of(session_id)
        except UnicodeEncodeError:
            return None

    def _session(self, session_id: str, key: str, stored: Stored) -> Session:
        try:
            record = records.parse(stored.text)
        except MalformedError as error:
            raise CorruptRecordError(self.location_of(key), f"the record is {error}") from None
        session = Session(session_id, data=(record.values, record.flash))
        state = session._state  # noqa: SLF001 - the storages' side of a session
        state.key, state.stored, state.created, state.found = key, stored, record.created, True
        return session

    def _saving(self, session: Session) -> Steps[str | None]:
        state = session._state  # noqa: SLF001
        if session.destroyed:
            return (yield from self._destroying(session))
        undated = self.lifetime is not None and state.found and state.created is None
        if not session.dirty and not undated:
            yield from self._touching(session)
            return None
        session.collect_changes()
        if self.lifetime is not None and state.created is None:
            state.created = self.clock()
        key = state.key if state.key is not None and not session.id else self.key_for(session.id)
        moved_from = state.key
        yield from self._writing(session, key)
        if state.lost:
            return None
        if session.delete_id is not None and session.delete_id in state.ids:
            state.ids.remove(session.delete_id)
            if self.key_of(session.delete_id) not in (moved_from, key):
                yield "delete", (self.key_of(session.delete_id),)
        if session.id and session.id not in state.ids:
            state.ids.append(session.id)
        return session.id

    def _touching(self, session: Session) -> Steps[None]:
        """A clean session is not written, but its idle life begins anew."""
        state = session._state  # noqa: SLF001
        expires_in = self._expires_in(state.created)
        if self.ttl is not None and expires_in is not None and state.key is not None and state.found:
            state.lost = not (yield "touch", (state.key, expires_in))

    def _writing(self, session: Session, key: str) -> Steps[None]:
        """Write the record, merging what others wrote, until nobody came between."""
        state = session._state  # noqa: SLF001
        values, flash = session.data
        base: Stored | None = state.stored
        for _ in range(MAX_ATTEMPTS):
            text = self._dump(values, flash, state.created)
            expires_in = self._expires_in(state.created)
            if base is None or state.key == key:
                outcome = yield "store", (key, base, text, expires_in)
            else:
                keep_old = session.delete_id is None or self.key_of(session.delete_id) != state.key
                outcome = yield "move", (state.key, base, key, text, expires_in, keep_old)
            if outcome.done:
                state.key, state.stored = key, outcome.current or Stored(text)
                session.mark_saved(values, flash)
                return
            if outcome.current is None:
                state.lost = True
                return
            base = outcome.current
            if self.is_live(base):
                values, flash = self._merge(session, base)
        raise StorageError(f"{self.location_of(key)}: {MAX_ATTEMPTS} other writers came between; gave up")

    def _merge(self, session: Session, current: Stored) -> tuple[dict[str, Any], dict[str, Any]]:
        state = session._state  # noqa: SLF001
        try:
            record = records.parse(current.text)
        except MalformedError:
            return session.data  # what cannot be read cannot be kept
        if record.created is not None:
            state.created = record.created
        if state.stored is None:  # both made it: all that this session has is its own change
            values, flash = session.data
            return {**record.values, **values}, {**record.flash, **flash}
        return session.merged_into(record)

    def _dump(self, values: dict[str, Any], flash: dict[str, Any], created: float | None) -> bytes:
        try:
            return records.dump(values, flash, created)
        except UnicodeEncodeError as error:
            raise UnserializableValueError("", str(error)) from None

    def _destroying(self, session: Session) -> Steps[str]:
        """Delete every record that this request had: all are tried, and what failed is raised at the end."""
        state = session._state  # noqa: SLF001
        keys = [self.key_of(session_id) for session_id in state.ids if session_id]
        if state.key is not None and state.key not in keys:
            keys.append(state.key)
        failure: SessionctlError | None = None
        for key in keys:
            try:
                yield "delete", (key,)
            except SessionctlError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return ""

    def _move_in_steps(
        self,
        old: str,
        expected: Stored,
        new: str,
        text: bytes,
        expires_in: float | None,
        keep_old: bool,
    ) -> Steps[Outcome]:
        current = yield "peek", (old,)
        if current is None or current.text != expected.text:
            return Outcome(False, current)
        if expires_in is None and current.expires_at is not None:  # the new record has the life that was left
            expires_in = max(current.expires_at - self.clock(), 0.001)
        written = yield "store", (new, None, text, expires_in)
        if keep_old:
            return Outcome(True, written.current)
        outcome = yield "delete", (old, current)
        if outcome.done:
            return Outcome(True, written.current)
        yield "delete", (new,)
        return Outcome(False, outcome.current)


def _or_error(call: Callable[..., T], *arguments: Any) -> T | SessionctlError:
    try:
        return call(*arguments)
    except (StorageError, CorruptRecordError) as error:
        return error


# -- the two drivers ----------------------------------------------------------------------------------


def run(storage: RecordStorage, steps: Steps[T]) -> T:
    """Run a procedure with plain calls."""
    try:
        name, arguments = next(steps)
        while True:
            try:
                answer = getattr(storage, name)(*arguments)
            except SessionctlError as error:
                name, arguments = steps.throw(error)
            else:
                name, arguments = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def arun(storage: RecordStorage, steps: Steps[T]) -> T:
    """Run a procedure with `await`: the primitive's own twin (`aload`), else a thread, else a plain call."""
    try:
        name, arguments = next(steps)
        while True:
            try:
                answer = await _acall(storage, name, arguments)
            except SessionctlError as error:
                name, arguments = steps.throw(error)
            else:
                name, arguments = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _acall(storage: RecordStorage, name: str, arguments: tuple[Any, ...]) -> Any:
    twin = getattr(storage, f"a{name}", None)
    if twin is not None:
        return await twin(*arguments)
    if storage.in_thread:
        import asyncio

        return await asyncio.to_thread(getattr(storage, name), *arguments)
    return getattr(storage, name)(*arguments)
