"""What a store says about one session: found by the ID of its cookie, or by its ref."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sessionctl.errors import CorruptRecordError, SessionctlError, SessionNotFoundError, UsageError
from sessionctl.storage.base import RecordStorage, SessionStorage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.formats.base import Decoded
    from sessionctl.identify import Identified, Setup
    from sessionctl.session import Session
    from sessionctl.stores.base import StoredRecord
    from sessionctl.stores.lookup import FoundRecord

REF_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store says about an ID: a session of ours, or a record of another framework."""

    storage: SessionStorage | None = None
    session: Session | None = None
    record: StoredRecord | None = None
    failure: SessionctlError | None = None
    """Why a record that is there cannot be read, for want of a key."""
    modified_at: float | None = None
    expires_at: float | None = None
    facts: Mapping[str, Any] | None = None
    size: int | None = None
    """Bytes of the record."""

    @property
    def found(self) -> bool:
        """Whether the session is there."""
        return self.session is not None or self.record is not None or self.failure is not None


def elsewhere(stored: FoundRecord | None) -> Stored:
    """What another framework's store says."""
    if stored is None:
        return Stored()
    return Stored(
        stored.storage,
        None,
        stored.record,
        stored.failure,
        stored.modified_at,
        stored.expires_at,
        stored.facts,
        stored.size,
    )


def look_up(known: Identified, decoded: Decoded, setup: Setup) -> Stored:
    """The record of an ID-only cookie, without touching it."""
    if not isinstance(decoded.data, str) or decoded.id is None or setup.storage is None:
        return Stored()
    ours = known.format.name in ("native", "remix")
    if not setup.storage_given and not ours:
        return Stored()
    if not isinstance(setup.storage, RecordStorage):
        return Stored()
    if setup.storage.read_only:
        from sessionctl.stores.lookup import find

        return elsewhere(find(setup.storage, decoded.id, known, setup))
    try:
        found = _look_up_ours(setup.storage, decoded.id)
    except CorruptRecordError:
        if ours:
            raise
        found = Stored(setup.storage)
    if found.found or ours:
        return found
    from sessionctl.stores.lookup import find_usual

    return elsewhere(find_usual(setup.storage, decoded.id, known, setup))


def _look_up_ours(storage: RecordStorage, session_id: str) -> Stored:
    try:
        key = storage.key_of(session_id)
    except UnicodeEncodeError:
        return Stored(storage)
    stored = storage.peek(key)
    if stored is None:
        return Stored(storage)
    return Stored(
        storage,
        storage.session_of("", key, stored),
        modified_at=stored.modified_at,
        expires_at=storage.expiry_of(stored),
        facts=storage.facts(key),
        size=len(stored.text),
    )


def is_live(stored: Stored, setup: Setup) -> bool:
    """Whether what the store has has not expired."""
    now = time.time() if setup.now is None else setup.now
    return stored.expires_at is None or stored.expires_at > now


def ref_of(session_id: str) -> str:
    """The first 12 hex digits of SHA-256(session ID): names a session without giving it away."""
    return hashlib.sha256(session_id.encode(errors="surrogatepass")).hexdigest()[:12]


def find_ref(storage: RecordStorage, ref: str) -> str:
    """The key of the one session whose ref begins so. Raises `SessionNotFoundError` and `UsageError`."""
    ref = ref.lower()
    if not 4 <= len(ref) <= 64 or not set(ref) <= set("0123456789abcdef"):  # noqa: PLR2004 - as the text says
        raise UsageError("a ref is 4 to 12 hexadecimal digits; 'sessionctl list' shows them")
    ref = ref[:REF_LENGTH]
    found = {entry.key for entry in storage.scan() if entry.ref.startswith(ref)}
    if not found:
        raise SessionNotFoundError(f"{storage.url} has no session whose ref begins with {ref}")
    if len(found) > 1:
        raise UsageError(f"{len(found)} sessions have a ref that begins with {ref}; give more of it")
    return found.pop()


def not_found(storage: SessionStorage, setup: Setup, ended_at: float | None = None) -> str:
    """What it may mean that a store has no such session; `ended_at` is when it expired, where its record tells."""
    from sessionctl.stores.likely import is_empty, likely_layout, looks_like, missing_place
    from sessionctl.stores.storage import LayoutStorage

    place = f"{storage.url} ({setup.storage_source})"
    if ended_at is not None:
        ago = _ago(ended_at, setup)
        return f"{place} has the session, but it expired {ago}: the application would begin a new one"
    if setup.storage_given and (missing := missing_place(storage)):
        return f"{place} has no such session: there is no {missing}; is the path right?"
    if setup.storage_given and is_empty(storage):
        return f"{place} has no such session: nothing at all lies there; is it the right server and database?"
    likely = likely_layout(storage) if setup.storage_given else None
    if likely is not None and likely.prefix is not None and not likely.layout and likely.all_seen:
        return (
            f"{place} has no session under its prefix, but others lie there under {likely.prefix!r}: "
            "prefix= in the URL names it"
        )
    named = storage.layout.name if isinstance(storage, LayoutStorage) else ""
    if likely is not None and (named or (likely.layout and likely.prefix is not None)):
        return f"{place} has no such session, but {looks_like(likely, named=named)}"
    return (
        f"{place} has no such session; it may be the wrong store, or the session "
        "has expired, was logged out or purged: a store cannot tell these apart"
    )


def ended_in(storage: RecordStorage, key: str | None) -> float | None:
    """When the record under a key expired; None where it has not, is not there, or does not tell."""
    stored = None if key is None else storage.peek(key)
    return None if stored is None or storage.is_live(stored) else storage.expiry_of(stored)


def _ago(moment: float, setup: Setup) -> str:
    from sessionctl.duration import human_seconds

    now = time.time() if setup.now is None else setup.now
    return f"{human_seconds(now - moment)} ago"
