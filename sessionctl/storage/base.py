"""What a storage is: what an application sees of it, and what a store of records is made of.

`SessionStorage` is what an application sees: `read`, `save`, their async twins, and how long a session lives.
`RecordStorage` is a store of records: `load`, `store`, `touch`, `delete`, `move` of one, `scan` over all of them;
`read` and `save` are written once over these, in `steps.py`.
"""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

from sessionctl import records
from sessionctl.duration import seconds_of
from sessionctl.errors import (
    CorruptRecordError,
    MalformedError,
    NotSupportedError,
    SessionctlError,
    StorageError,
    UsageError,
)
from sessionctl.session import Session
from sessionctl.storage.steps import acall, arun, moving, run, saving
from sessionctl.storage.stored import Entry, Outcome, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

__all__ = ["Entry", "OnCorrupt", "Outcome", "RecordStorage", "SessionStorage", "Stored", "UnknownIds"]

UnknownIds = Literal["new", "reuse"]
OnCorrupt = Literal["error", "new"]

MAX_SECONDS = 100 * 365.25 * 86400
"""The longest `ttl` and `lifetime`; servers take much longer ones for none, or for the past."""

T = TypeVar("T")


class SessionStorage(ABC):
    """Where sessions live between requests.

    `ttl` (idle) and `lifetime` (absolute) are seconds, or a `timedelta`. `unknown_ids="reuse"` lets a client choose
    the ID of a new session. `on_corrupt="new"` gives a new session in place of `CorruptRecordError`. `clock` tells
    Unix seconds.
    """

    scheme: ClassVar[str]
    revocable: ClassVar[bool] = True
    """Whether a session can be ended before it expires."""
    read_only: ClassVar[bool] = False
    """Whether it is another framework's store, opened through a layout: every change is refused."""

    url: str = ""
    """What the storage was opened with, without passwords, for messages."""

    options: Mapping[str, str] = MappingProxyType({})
    """The options that its URL's query gave, as text."""

    def __init__(
        self,
        *,
        ttl: float | timedelta | None = None,
        lifetime: float | timedelta | None = None,
        unknown_ids: UnknownIds = "new",
        on_corrupt: OnCorrupt = "error",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ttl = _life("ttl", ttl)
        self.lifetime = _life("lifetime", lifetime)
        self.unknown_ids = unknown_ids
        self.on_corrupt = on_corrupt
        self.clock = clock

    @property
    def has_password(self) -> bool:
        """Whether it was opened with a password, which `url` leaves out."""
        return False

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

    # -- time ---------------------------------------------------------------------------------------

    def ends_at(self, created: float | None, used: float | None = None) -> float | None:
        """When a session that was made and last used then runs out by `lifetime` or `ttl`; None: never.

        A time that is not known ends nothing.
        """
        by_lifetime = None if self.lifetime is None or created is None else created + self.lifetime
        by_ttl = None if self.ttl is None or used is None else used + self.ttl
        return earliest(by_lifetime, by_ttl)

    def has_ended(self, created: float | None, used: float | None = None) -> bool:
        """Whether a session that was made and last used then has run out."""
        if self.ttl is None and self.lifetime is None:
            return False
        ends_at = self.ends_at(created, used)
        return ends_at is not None and ends_at <= self.clock()

    def new_life(self, created: float | None) -> float | None:
        """How many seconds a use gives a session that was made then; None: what it has left."""
        if self.lifetime is None or created is None:
            return self.ttl
        left = created + self.lifetime - self.clock()
        return max(left if self.ttl is None else min(self.ttl, left), 0.001)


def _life(name: str, value: float | timedelta | None) -> float | None:
    if value is None:
        return None
    seconds = seconds_of(name, value)
    if not 0 < seconds <= MAX_SECONDS:
        raise UsageError(f"{name} must be more than 0 seconds and at most 100 years")
    return seconds


class RecordStorage(SessionStorage):
    """A store of records, each under a key that is made from the session's ID. Options: `SessionStorage`'s."""

    in_thread: ClassVar[bool] = True
    """Whether the async twins run the primitives in a thread, because they wait for something."""

    expires_itself: bool = False
    """Whether the store drops what has expired, so that nothing here needs to judge `modified_at`."""

    renews: bool = True
    """Whether a save begins the idle life of a record anew where the store judges it by `modified_at`."""

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

    def names_shown(self, session_id: str) -> list[str]:
        """The names under which the record of an ID may lie, for messages: of the ID itself only the beginning."""
        return [self.key_of(session_id).replace(session_id, shortened(session_id))]

    @abstractmethod
    def load(self, key: str) -> Stored | None:
        """The record, or None where there is none."""

    @abstractmethod
    def store(self, key: str, expected: Stored | None, text: bytes, expires_in: float | None) -> Outcome:
        """Write the record if it still is what was expected; `expected=None`: if there is none.

        `expires_in` is in seconds; None keeps the life that the record has left. A record whose life has run
        out is none; a store that does not drop it by itself looks at it through `living`, here as in `touch`
        and `move`.
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
        return run(self, moving(self, old, expected, new, text, expires_in, keep_old))

    def scan(self) -> Iterator[Entry]:
        """Every stored session of this store, in no order, without holding them all in memory."""
        raise NotSupportedError(f"{self.scheme} storage cannot list its sessions")

    def with_end(self, entry: Entry) -> Entry:
        """What `scan` gave, with when the session ends where only its record tells."""
        return entry

    def peek(self, key: str) -> Stored | None:
        """As `load`, with every time that the store can tell, where that costs more than to read."""
        return self.load(key)

    def facts(self, key: str | None = None) -> dict[str, Any]:
        """What the store tells about itself, and about where the record of a key lies, for people to read.

        JSON values under plain names, none of them secret; only what this store knows. To be asked before
        `load`, which counts as a use. Raises `StorageError`.
        """
        return {}

    def servers(self) -> list[dict[str, Any]]:
        """As `facts`, of each server that holds records, with `node`, its name for `shell_command`."""
        return []

    def shell_command(self, node: str, *commands: Sequence[str]) -> str:
        """What a shell runs to have that server do these things, each a list of words; it holds no password."""
        raise NotSupportedError(f"{self.scheme}: has no server")

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

    def check_change(self) -> None:
        """Raise `NotSupportedError` where every change is refused."""

    def check_sweep(self) -> None:
        """Raise `UsageError` where deleting what `scan` finds could hit what is no session of this store."""

    # -- written once -------------------------------------------------------------------------------

    # Reading is a single call that every request makes, so it is no procedure of steps as saving is.

    def read(self, cookie_value: str | None) -> Session:
        key = self.find_key(cookie_value) if cookie_value else None
        if cookie_value is None or key is None:
            return Session()
        try:
            return self._session_under(key, cookie_value, self.load(key))
        except CorruptRecordError:
            if self.on_corrupt == "error":
                raise
            return Session()

    async def aread(self, cookie_value: str | None) -> Session:
        key = self.find_key(cookie_value) if cookie_value else None
        if cookie_value is None or key is None:
            return Session()
        try:
            return self._session_under(key, cookie_value, await acall(self, "load", (key,)))
        except CorruptRecordError:
            if self.on_corrupt == "error":
                raise
            return Session()

    def _session_under(self, key: str, cookie_value: str, stored: Stored | None) -> Session:
        if stored is not None and self.is_live(stored):
            return self.session_of(cookie_value, key, stored)
        return Session(cookie_value) if self.unknown_ids == "reuse" else Session()

    def save(self, session: Session) -> str | None:
        return run(self, saving(self, session))

    async def asave(self, session: Session) -> str | None:
        return await arun(self, saving(self, session))

    def read_key(self, key: str) -> Session | None:
        """The session under a key, for those who have a ref and no ID; its `id` is empty. None: not there."""
        stored = self.load(key)
        if stored is None or not self.is_live(stored):
            return None
        return self.session_of("", key, stored)

    def is_live(self, stored: Stored) -> bool:
        """Whether neither `ttl` nor `lifetime` has run out; a record that cannot be read counts as live."""
        ends_at = self.expiry_of(stored)
        return ends_at is None or ends_at > self.clock()

    def living(self, stored: Stored | None) -> Stored | None:
        """The record, or None where its life has run out: what a conditional change compares with."""
        return stored if stored is None or self.is_live(stored) else None

    def expiry_of(self, stored: Stored) -> float | None:
        """When a record expires, in Unix seconds, or None where nothing ends it."""
        created = None if self.lifetime is None else created_in(stored.text)
        used = None if self.expires_itself else stored.modified_at
        return earliest(stored.expires_at, self.ends_at(created, used))

    def key_for(self, session_id: str) -> str:
        """As `key_of`, for an ID that a person gave. Raises `UsageError` for text that no record can lie under."""
        key = self.find_key(session_id)
        if key is None:
            raise UsageError("a session's ID is text that has a form in UTF-8")
        return key

    def find_key(self, session_id: str) -> str | None:
        """The key of an ID from outside; None for text that no record can lie under."""
        try:
            return self.key_of(session_id)
        except UnicodeEncodeError:
            return None

    def session_of(self, session_id: str, key: str, stored: Stored) -> Session:
        """The session in a record. Raises `CorruptRecordError`."""
        try:
            record = records.parse(stored.text)
        except MalformedError as error:
            raise CorruptRecordError(self.location_of(key), f"the record is {error}") from None
        session = Session(session_id, data=(record.values, record.flash))
        state = session._state  # noqa: SLF001 - the storages' side of a session
        state.key, state.stored, state.created, state.found = key, stored, record.created, True
        return session


def created_in(text: bytes) -> float | None:
    """When the session in a record was made, where it tells."""
    try:
        return records.parse(text).created
    except MalformedError:
        return None


_SHOWN = 4
"""Characters of an ID that may be shown."""


def shortened(session_id: str) -> str:
    """The beginning of an ID, by which who has it knows it again, and nobody else can use it."""
    return f"{session_id[:_SHOWN]}…" if len(session_id) >= 4 * _SHOWN else "…"


def earliest(*times: float | None) -> float | None:
    """The first of the times that are known."""
    known = [time for time in times if time is not None]
    return min(known) if known else None


def _or_error(call: Callable[..., T], *arguments: Any) -> T | SessionctlError:
    try:
        return call(*arguments)
    except (StorageError, CorruptRecordError) as error:
        return error
