"""One cookie from text to report: identify, decode, verify, load the record, say what is odd."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sessionctl import records
from sessionctl.cookie import MAX_SIZE
from sessionctl.diagnosis import hints
from sessionctl.errors import (
    CorruptRecordError,
    MalformedCookieError,
    MalformedError,
    RefusedError,
    SessionctlError,
    SessionNotFoundError,
    UsageError,
)
from sessionctl.formats.base import Decoded
from sessionctl.identify import Identified, Setup, Target, identify
from sessionctl.storage.base import RecordStorage, SessionStorage
from sessionctl.verdict import Verdict, Warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.session import Session
    from sessionctl.sources import Source
    from sessionctl.stores.base import StoredRecord
    from sessionctl.stores.lookup import FoundRecord

REF_LENGTH = 12

STORED = "found by its ID or ref; no cookie was looked at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is known about one cookie. Times are Unix seconds.

    `found` says whether the store has the session; None where no store was asked. `ends_well` is false
    where what was asked for (a key to verify, a store to find it in) answered no.
    """

    format: str
    candidates: tuple[str, ...]
    cookie_name: str | None
    id: str | None
    ref: str | None
    data: Any
    for_people: Any
    flash: Any
    payload_type: str
    encrypted: bool
    verdict: Verdict
    status: str
    algorithm: str | None
    expired: bool
    now: float
    issued_at: float | None
    expires_at: float | None
    modified_at: float | None
    size: int
    limit: int
    storage: str | None
    storage_source: str | None
    keys_source: str
    found: bool | None
    record: StoredRecord | None
    facts: Mapping[str, Any]
    attributes: Mapping[str, str] | None
    warnings: tuple[Warn, ...]
    ends_well: bool


def ref_of(session_id: str) -> str:
    """The first 12 hex digits of SHA-256(session ID): names a session without giving it away."""
    return hashlib.sha256(session_id.encode(errors="surrogatepass")).hexdigest()[:12]


def inspect(source: Source, setup: Setup) -> Report:
    """Everything about one cookie; changes nothing and consumes no flash.

    Raises `MalformedCookieError` where the text cannot be read, and what the storage raises.
    """
    known, decoded, failure, stored = _read(source, setup)
    report = _report(source, setup, known, decoded, stored)
    warnings = [*report.warnings, *_odd(source, known, setup, failure, stored)]
    if known.verdict.reason in ("bad-signature", "malformed"):
        warnings += hints(known, setup)
    return replace(report, warnings=tuple(dict.fromkeys(warnings)))


def _read(source: Source, setup: Setup) -> tuple[Identified, Decoded, SessionctlError | None, _Stored]:
    """The cookie and what its store has; one that no format can read may be a bare ID of another framework."""
    try:
        known = identify(source, setup, mend=True)
        decoded, failure = _decode(known)
    except MalformedCookieError:
        bare = _bare_id(source, setup)
        if bare is None:
            raise
        return bare
    stored = _look_up(known, decoded, setup)
    if setup.storage is not None and setup.storage.read_only and not stored.found:
        bare = _bare_id(source, setup)  # an ID may look like the text of some format
        if bare is not None and bare[3].found:
            return bare
    return known, decoded, failure, stored


def _bare_id(source: Source, setup: Setup) -> tuple[Identified, Decoded, None, _Stored] | None:
    """A cookie as the bare ID of another framework's store, where one was named and it may be one."""
    if setup.storage is None or not setup.storage_given:
        return None
    from sessionctl.stores.lookup import find_bare_id

    found = find_bare_id(source, setup)
    if found is None:
        return None
    return found.known, _decode(found.known)[0], None, _stored_elsewhere(found.stored)


def inspect_target(target: Target, setup: Setup) -> Report:
    """As `inspect`, also of a session that is named by its ID or ref in the storage."""
    if target.source is not None:
        return inspect(target.source, setup)
    return _inspect_stored(target, setup)


def _inspect_stored(target: Target, setup: Setup) -> Report:
    storage = setup.storage
    if not isinstance(storage, RecordStorage):
        raise UsageError("--id and --ref look into a storage: -s URL names one")
    key = storage.key_for(target.id) if target.id is not None else find_ref(storage, target.ref or "")
    if storage.read_only:
        return _inspect_elsewhere(target, storage, key, setup)
    stored = storage.peek(key)
    session = storage.read_key(key)
    if stored is None or session is None:
        raise SessionNotFoundError(not_found(storage, setup))
    expires_at = storage.expiry_of(stored)
    return Report(
        format=setup.format or "native",
        candidates=(),
        cookie_name=setup.cookie_name,
        id=target.id,
        ref=storage.ref_of(key),
        data=session.data[0],
        for_people=session.data[0],
        flash=session.flashed,
        payload_type="json",
        encrypted=False,
        verdict=Verdict(valid=True, detail=STORED),
        status="unchecked",
        algorithm=None,
        expired=False,
        now=storage.clock() if setup.now is None else setup.now,
        issued_at=session.created_at,
        expires_at=expires_at,
        modified_at=stored.modified_at,
        size=len(stored.text),
        limit=MAX_SIZE,
        storage=storage.url,
        storage_source=setup.storage_source,
        keys_source="none",
        found=True,
        record=None,
        facts=storage.facts(key),
        attributes=None,
        warnings=(),
        ends_well=True,
    )


def _inspect_elsewhere(target: Target, storage: RecordStorage, key: str, setup: Setup) -> Report:
    """The report on a record of another framework that is named by its ID or ref."""
    from sessionctl.sources import Source
    from sessionctl.stores.lookup import find_key, identify_id

    found = find_key(storage, key, setup)
    if found is None:
        raise SessionNotFoundError(not_found(storage, setup))
    known = identify_id(target.id or "", storage, setup)
    decoded = Decoded(data=None, id=target.id, signed=False)
    stored = _stored_elsewhere(found)
    source = Source(setup.cookie_name, target.id or "")
    report = _report(source, setup, known, decoded, stored)
    return replace(
        report,
        ref=storage.ref_of(key),
        verdict=Verdict(valid=True, detail=STORED),
        status="unchecked",
        warnings=tuple(_odd_record(stored, setup)),
    )


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


def _decode(known: Identified) -> tuple[Decoded, SessionctlError | None]:
    try:
        return known.format.decode(known.text, known.context.keys, **_fields(known)), None
    except RefusedError as error:
        return Decoded(data=None, encrypted=True, payload_type="encrypted"), error


def _fields(known: Identified) -> dict[str, Any]:
    context = known.context
    return {name: getattr(context, name) for name in ("cookie_name", "cookies", "now", "max_age", "max_size")}


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a store says about an ID: a session of ours, or a record of another framework."""

    storage: SessionStorage | None = None
    session: Session | None = None
    record: StoredRecord | None = None
    failure: SessionctlError | None = None
    """Why a record that is there cannot be read, for want of a key."""
    modified_at: float | None = None
    expires_at: float | None = None
    facts: Mapping[str, Any] | None = None

    @property
    def found(self) -> bool:
        """Whether the session is there."""
        return self.session is not None or self.record is not None or self.failure is not None


def _stored_elsewhere(stored: FoundRecord | None) -> _Stored:
    """What another framework's store says."""
    if stored is None:
        return _Stored()
    return _Stored(
        stored.storage,
        None,
        stored.record,
        stored.failure,
        stored.modified_at,
        stored.expires_at,
        stored.facts,
    )


def _look_up(known: Identified, decoded: Decoded, setup: Setup) -> _Stored:
    """The record of an ID-only cookie, without touching it."""
    if not isinstance(decoded.data, str) or decoded.id is None or setup.storage is None:
        return _Stored()
    ours = known.format.name in ("native", "remix")
    if not setup.storage_given and not ours:
        return _Stored()
    if not isinstance(setup.storage, RecordStorage):
        return _Stored()
    if setup.storage.read_only:
        from sessionctl.stores.lookup import find

        return _stored_elsewhere(find(setup.storage, decoded.id, known, setup))
    try:
        found = _look_up_ours(setup.storage, decoded.id)
    except CorruptRecordError:
        if ours:
            raise
        found = _Stored(setup.storage)
    if found.found or ours:
        return found
    from sessionctl.stores.lookup import find_usual

    return _stored_elsewhere(find_usual(setup.storage, decoded.id, known, setup))


def _look_up_ours(storage: RecordStorage, session_id: str) -> _Stored:
    try:
        key = storage.key_of(session_id)
    except UnicodeEncodeError:
        return _Stored(storage)
    stored = storage.peek(key)
    if stored is None or not storage.is_live(stored):
        return _Stored(storage)
    session = storage.read_key(key)
    return _Stored(
        storage,
        session,
        modified_at=stored.modified_at,
        expires_at=storage.expiry_of(stored),
        facts=storage.facts(key),
    )


def _report(source: Source, setup: Setup, known: Identified, decoded: Decoded, stored: _Stored) -> Report:
    verdict = known.verdict
    session = stored.session
    data, flash, people = decoded.data, decoded.flash, known.format.for_people(decoded)
    if session is not None:
        data, flash = session.data[0], session.flashed
        people = data
    if stored.record is not None:
        data, flash = stored.record.data, stored.record.flash
        people = data
    inside = _expiry_inside(known, setup)
    times = (verdict.expires_at, decoded.expires_at, stored.expires_at, inside)
    ends = [time for time in times if time is not None]
    expired = verdict.expired or _is_over(decoded, verdict, (stored.expires_at, inside), known.context.now)
    return Report(
        format=known.format.name,
        candidates=known.candidates,
        cookie_name=source.name or setup.cookie_name,
        id=decoded.id,
        ref=None if decoded.id is None else ref_of(decoded.id),
        data=data,
        for_people=people,
        flash=flash,
        payload_type=(stored.record or decoded).payload_type,
        encrypted=decoded.encrypted,
        verdict=verdict,
        status=_status(verdict),
        algorithm=verdict.algorithm or decoded.algorithm,
        expired=expired,
        now=known.context.now,
        issued_at=verdict.issued_at if verdict.issued_at is not None else decoded.issued_at,
        expires_at=min(ends) if ends else None,
        modified_at=stored.modified_at,
        size=len((source.name or setup.cookie_name or "").encode())
        + len(known.text.encode(errors="replace")),
        limit=MAX_SIZE,
        storage=stored.storage.url if stored.storage else None,
        storage_source=setup.storage_source if stored.storage else None,
        keys_source=setup.keys_source
        if setup.keys
        else "the default secret"
        if known.context.keys
        else "none",
        found=None if stored.storage is None else stored.found,
        record=stored.record,
        facts=stored.facts or {},
        attributes=source.attributes,
        warnings=(*decoded.warnings, *verdict.warnings),
        ends_well=_ends_well(verdict, stored, setup)
        and not (expired and (setup.keys or setup.storage_given)),
    )


def _status(verdict: Verdict) -> str:
    if verdict.cleared:
        return "unchecked"  # an empty cookie: there is nothing to check
    if verdict.reason == "unsigned":
        return "unsigned"
    if verdict.reason == "no-key":
        return "unchecked"
    if verdict.valid or verdict.reason in ("expired", "not-yet-valid"):
        return "valid" if verdict.key_index is not None or verdict.valid else "unsigned"
    return "invalid"


def _is_over(decoded: Decoded, verdict: Verdict, ends: tuple[float | None, ...], now: float) -> bool:
    """Whether a time has come at which the session ends; a valid verdict has judged the cookie's own."""
    if any(end is not None and end <= now for end in ends):
        return True
    return not verdict.valid and decoded.expires_at is not None and decoded.expires_at < now


def _expiry_inside(known: Identified, setup: Setup) -> float | None:
    """When a session that lives in its cookie expires, by the `ttl` and `lifetime` of the storage that was given."""
    from sessionctl.storage.cookie import CookieStorage

    value = known.verdict.value
    if not isinstance(setup.storage, CookieStorage) or not value or value[0] != "{":
        return None
    try:
        return setup.storage.expiry_of(records.parse_value(value))
    except MalformedError:
        return None


def _ends_well(verdict: Verdict, stored: _Stored, setup: Setup) -> bool:
    if stored.record is not None and not (stored.record.genuine and _is_live(stored, setup)):
        return False
    is_bare_id = verdict.reason == "unsigned" and stored.record is not None  # the keys are for the record
    if setup.keys and not verdict.valid and not is_bare_id:
        return False
    if setup.storage_given:
        if verdict.reason not in (None, "no-key", "unsigned"):
            return False
        return stored.storage is None or stored.session is not None or stored.record is not None
    return True


def _is_live(stored: _Stored, setup: Setup) -> bool:
    """Whether a record of another framework has not expired."""
    now = time.time() if setup.now is None else setup.now
    return stored.expires_at is None or stored.expires_at > now


def _odd_record(stored: _Stored, setup: Setup) -> list[Warn]:
    """What is odd about a record of another framework."""
    found = []
    if stored.failure is not None:
        found.append(Warn(stored.failure.code, f"the stored record cannot be read: {stored.failure}"))
    if stored.record is not None:
        found += stored.record.warnings
        if stored.record.verdict is not None and not stored.record.genuine:
            found.append(Warn("record-signature", f"the stored record: {stored.record.verdict.detail}"))
        if not _is_live(stored, setup):
            found.append(Warn("record-expired", "the stored record has expired: the framework would drop it"))
    return found


def _odd(
    source: Source, known: Identified, setup: Setup, failure: SessionctlError | None, stored: _Stored
) -> list[Warn]:
    verdict, found = known.verdict, []
    if failure is not None:
        found.append(Warn(failure.code, f"it is encrypted: {failure}"))
    if verdict.needs_resign:
        found.append(Warn("needs-resign", _resign(verdict)))
    if verdict.reason == "unsigned" and stored.record is None:
        found.append(Warn("unsigned", "anybody can change it; sign it, or trust nothing in it"))
    size = len(known.text) + len(source.name or "")
    if size > MAX_SIZE:
        found.append(
            Warn("too-large", f"{size} bytes: browsers drop a cookie over {MAX_SIZE} without a word")
        )
    found += _odd_record(stored, setup)
    if stored.storage is not None and not stored.found:
        found.append(Warn("not-found", not_found(stored.storage, setup)))
    if known.rivals and not known.settled:
        rivals = ", ".join(known.rivals[:3])
        found.append(
            Warn(
                "ambiguous", f"the text alone does not tell {known.format.name} from {rivals}; -f settles it"
            )
        )
    if source.attributes is not None:
        found += _attributes(source.attributes)
    found += [Warn("source", note) for note in source.notes]
    return found


def _resign(verdict: Verdict) -> str:
    if verdict.key_index:
        return f"key {verdict.key_index} of {verdict.keys} signed it, not the newest: the next save should sign it anew"
    return "the framework would sign it anew in its present way"


def not_found(storage: SessionStorage, setup: Setup) -> str:
    """What it may mean that a store has no such session."""
    return (
        f"{storage.url} ({setup.storage_source}) has no such session; it may be the wrong store, or the session "
        "has expired, was logged out or purged: a store cannot tell these apart"
    )


def _attributes(attributes: Mapping[str, str]) -> list[Warn]:
    """What a session cookie's attributes lack (OWASP Session Management Cheat Sheet, "Cookies")."""
    found = []
    if "httponly" not in attributes:
        found.append(Warn("no-httponly", "without HttpOnly, any script on the page can read it"))
    if "secure" not in attributes:
        found.append(Warn("no-secure", "without Secure, it also travels over plain http"))
    if "samesite" not in attributes:
        found.append(Warn("no-samesite", "without SameSite, browsers choose; say SameSite=Lax"))
    elif attributes["samesite"].lower() == "none" and "secure" not in attributes:
        found.append(Warn("samesite-none", "SameSite=None without Secure is refused by browsers"))
    if "partitioned" in attributes and "secure" not in attributes:
        found.append(Warn("partitioned", "Partitioned without Secure is refused by browsers"))
    return found
