"""The report on one session: what it holds, whether it is genuine, and whether what was asked ends well."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sessionctl import records
from sessionctl.cookie import MAX_SIZE
from sessionctl.errors import MalformedError
from sessionctl.inspection.ending import End, end_of
from sessionctl.inspection.stored import Stored, is_live, ref_of
from sessionctl.sources.base import pieces
from sessionctl.storage.base import RecordStorage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.formats.base import Decoded
    from sessionctl.identify import Identified, Setup
    from sessionctl.sources import Source
    from sessionctl.storage.base import SessionStorage
    from sessionctl.stores.base import StoredRecord
    from sessionctl.verdict import Verdict, Warn


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is known about one cookie. Times are Unix seconds.

    `found` says whether the store has the session; None where no store was asked. `is_id` says whether the
    cookie holds an ID alone, `is_value` whether it is a text that is no ID by its looks, `signed` whether it has a
    signature at all. `ends_well` is false where what was asked for (a key to verify, a store to find it in)
    answered no.
    """

    format: str
    candidates: tuple[str, ...]
    cookie_name: str | None
    id: str | None
    is_id: bool
    is_value: bool
    signed: bool
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
    end: End
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
    text: str | None = field(default=None, repr=False)
    """The cookie's value as it was given; None of a session that was named by its ID or ref."""
    asked: tuple[str, ...] = ()
    """The names under which the store was asked for a session that it does not have, its ID cut short."""

    @property
    def is_malformed(self) -> bool:
        """Whether the text cannot be read at all; a report is made of it where another of its name came along."""
        return self.verdict.reason == "malformed" and self.payload_type == "unreadable"

    @property
    def expires_at(self) -> float | None:
        """When the session ends; `end` has also what says so."""
        return self.end.at


def report_on(source: Source, setup: Setup, known: Identified, decoded: Decoded, stored: Stored) -> Report:
    """The report, with the warnings that came with reading and verifying."""
    verdict = known.verdict
    name = source.name or setup.cookie_name
    data, flash, people = _contents(known, decoded, stored)
    is_value = decoded.is_value and stored.storage is None  # whoever names a store takes it for an ID
    session_id = None if is_value else decoded.id
    inside = _expiry_inside(known, setup)
    expired = verdict.expired or _is_over(decoded, verdict, (stored.expires_at, inside), known.context.now)
    return Report(
        format=known.format.name,
        candidates=known.candidates,
        cookie_name=name,
        id=session_id,
        is_id=decoded.is_id and not is_value,
        is_value=is_value,
        signed=decoded.signed,
        ref=None if session_id is None else ref_of(session_id),
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
        end=end_of(known, decoded, stored, inside),
        modified_at=stored.modified_at,
        size=len((name or "").encode()) + len(known.text.encode(errors="replace")),
        limit=MAX_SIZE * len(pieces(source)),
        storage=stored.storage.url if stored.storage else None,
        storage_source=setup.storage_source if stored.storage else None,
        keys_source=_keys_source(setup, known),
        found=None if stored.storage is None else stored.found,
        record=stored.record,
        facts=stored.facts or {},
        attributes=source.attributes,
        warnings=(*decoded.warnings, *verdict.warnings),
        ends_well=_ends_well(verdict, stored, setup)
        and not (expired and (setup.keys or setup.storage_given)),
        text=known.text,
        asked=() if session_id is None or stored.found else _asked(stored.storage, session_id, known),
    )


def _asked(storage: SessionStorage | None, session_id: str, known: Identified) -> tuple[str, ...]:
    """The names that the record would have: ours, or the layout's, and those of the usual layouts of the cookie."""
    from sessionctl.stores.storage import usual_layouts

    if not isinstance(storage, RecordStorage):
        return ()
    asked = (storage, *usual_layouts(storage, known.format.name))
    try:
        return tuple(dict.fromkeys(name for one in asked for name in one.names_shown(session_id)))
    except UnicodeEncodeError:  # no name can hold it
        return ()


def _contents(known: Identified, decoded: Decoded, stored: Stored) -> tuple[Any, Any, Any]:
    """The data, what was flashed, and the data for people: of the store, where the session lies there."""
    if stored.record is not None:
        return stored.record.data, stored.record.flash, stored.record.data
    if stored.session is not None:
        return stored.session.data[0], stored.session.flashed, stored.session.data[0]
    return decoded.data, decoded.flash, known.format.for_people(decoded)


def _keys_source(setup: Setup, known: Identified) -> str:
    if setup.keys:
        return setup.keys_source
    return "the default secret" if known.context.keys else "none"


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


def _ends_well(verdict: Verdict, stored: Stored, setup: Setup) -> bool:
    if stored.record is not None and not (stored.record.genuine and is_live(stored, setup)):
        return False
    is_bare_id = verdict.reason == "unsigned" and stored.record is not None  # the keys are for the record
    if setup.keys and not verdict.valid and not is_bare_id:
        return False
    if setup.storage_given:
        if verdict.reason not in (None, "no-key", "unsigned"):
            return False
        return stored.storage is None or stored.session is not None or stored.record is not None
    return True
