"""The session that is meant: by its cookie, its ID or its ref."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from sessionctl import records
from sessionctl.cookie import check_name
from sessionctl.editing.made import OWN, storage_of
from sessionctl.errors import (
    BadSignatureError,
    ExpiredError,
    MalformedCookieError,
    MalformedError,
    NoKeyError,
    NotSupportedError,
    RefusedError,
    SessionNotFoundError,
    UsageError,
)
from sessionctl.identify import identify
from sessionctl.inspection.stored import Stored, ended_in, find_ref, is_live, look_up, not_found
from sessionctl.storage.base import RecordStorage, SessionStorage
from sessionctl.storage.cookie import CookieStorage

if TYPE_CHECKING:
    from sessionctl.formats.base import Decoded
    from sessionctl.identify import Identified, Setup, Target
    from sessionctl.session import Session
    from sessionctl.verdict import Verdict


@dataclass(slots=True, kw_only=True)
class Opened:
    """A session that was found: our own (`session`), or another framework's data (`decoded`)."""

    setup: Setup
    format: str
    cookie_name: str
    known: Identified | None = None
    storage: SessionStorage | None = None
    session: Session | None = None
    decoded: Decoded | None = None
    ref: str | None = None


def open_session(target: Target, setup: Setup, *, to_change: bool) -> Opened:
    """Find the session that is meant.

    Raises `RefusedError` where the cookie is not genuine or the store has no such session. To read, a cookie
    that holds its data and for which no key was given is opened unchecked, and the record of an ID is looked up in
    another framework's store.
    """
    if target.source is None:
        return _open_stored(target, setup)
    try:
        known = identify(target.source, setup)
    except MalformedCookieError as error:
        from sessionctl.stores.lookup import bare_id

        known = bare_id(target.source, setup, error)
    if to_change:
        check_name(target.source.name or setup.cookie_name or "session")
    unchecked = (
        not to_change and known.verdict.reason in ("no-key", "unsigned") and known.format.holds_session
    )
    if not known.verdict.valid and not unchecked and not _is_id_elsewhere(known):
        _refuse_another(known, setup)
        refuse(known.verdict)
    decoded = known.decode()
    cookie_name = target.source.name or setup.cookie_name or next(iter(known.format.cookie_names), "session")
    opened = Opened(
        setup=setup, format=known.format.name, cookie_name=cookie_name, known=known, decoded=decoded
    )
    if known.format.name in OWN:
        return _open_own(opened, setup)
    if not known.format.holds_session or decoded.is_id:
        return _open_elsewhere(opened, known, decoded, to_change=to_change)
    return opened


def _open_elsewhere(opened: Opened, known: Identified, decoded: Decoded, *, to_change: bool) -> Opened:
    """The record of an ID in its framework's store, to be read alone."""
    setup = opened.setup
    stored = Stored() if to_change else look_up(known, decoded, setup)
    if stored.storage is None:
        raise NotSupportedError(
            f"this {known.format.name} cookie holds an ID alone, and its framework's store is not written here; "
            "'inspect' and 'get' read one, with -s URL?layout=NAME"
        )
    if known.verdict.reason == "no-key":
        refuse(known.verdict)  # an ID that no key has vouched for opens no store
    if stored.failure is not None:
        raise stored.failure
    record = stored.record
    if record is None or not is_live(stored, setup):
        raise SessionNotFoundError(not_found(stored.storage, setup, stored.expires_at if record else None))
    if not record.genuine and record.verdict is not None:
        refuse(record.verdict)
    opened.decoded = decoded._replace(data=record.data, flash=record.flash)
    return opened


def _is_id_elsewhere(known: Identified) -> bool:
    """Whether the cookie is the ID of a session in another framework's store, which need not sign it."""
    if known.verdict.reason != "unsigned" or known.format.name in OWN:
        return False
    return known.decode().is_id


def _open_own(opened: Opened, setup: Setup) -> Opened:
    decoded, known = opened.decoded, opened.known
    assert decoded is not None  # noqa: S101 - made two lines before
    assert known is not None  # noqa: S101
    value = known.verdict.value
    if isinstance(decoded.data, dict):
        storage: SessionStorage = (
            setup.storage if isinstance(setup.storage, CookieStorage) else CookieStorage()
        )
        value = known.verdict.value if known.verdict.valid else records.dump_value(_record(decoded))
    else:
        storage = storage_of(setup)
    if isinstance(storage, CookieStorage) and not isinstance(decoded.data, dict):
        raise SessionNotFoundError("the cookie holds an ID and no session; -s URL names the store to look in")
    if value is None:
        refuse(known.verdict)  # an ID that no key has vouched for opens no store
    opened.storage, opened.session = storage, storage.read(value)
    if opened.session.is_new:
        raise SessionNotFoundError(not_found(storage, setup, _ended_at(storage, value)))
    return opened


def _ended_at(storage: SessionStorage, value: str) -> float | None:
    """When the session of a cookie value expired, where that is why it cannot be had."""
    if isinstance(storage, CookieStorage):
        try:
            return storage.expiry_of(records.parse_value(value))
        except MalformedError:  # which `on_corrupt="new"` takes for none
            return None
    assert isinstance(storage, RecordStorage)  # noqa: S101 - there are the two kinds
    return ended_in(storage, storage.find_key(value))


def _record(decoded: Decoded) -> records.Record:
    return records.Record(decoded.data, dict(decoded.flash or {}), id=decoded.id)


def _open_stored(target: Target, setup: Setup) -> Opened:
    storage = storage_of(setup)
    if not isinstance(storage, RecordStorage):
        raise UsageError(f"{storage.scheme}: stores nothing, so --id and --ref find nothing there")
    name, cookie_name = setup.format or "native", setup.cookie_name or "session"
    opened = Opened(setup=setup, format=name, cookie_name=cookie_name, storage=storage)
    key = storage.key_for(target.id) if target.id is not None else find_ref(storage, target.ref or "")
    opened.ref = storage.ref_of(key)
    session_id = target.id or storage.id_of(key)
    session = storage.read(session_id) if session_id else storage.read_key(key)
    opened.session = session if session is not None and not session.is_new else None
    if opened.session is None:
        raise SessionNotFoundError(not_found(storage, setup, ended_in(storage, key)))
    return opened


def _refuse_another(known: Identified, setup: Setup) -> None:
    """Raise `MalformedCookieError` for a text that by its looks is of another format than was asked for."""
    if setup.format is None or known.verdict.reason != "malformed":
        return
    note = known.looks_otherwise()
    if note is not None:
        raise MalformedCookieError(f"{note.message}; as {known.format.name}: {known.verdict.detail}")


def refuse(verdict: Verdict) -> NoReturn:
    """Raise what a verdict of no means."""
    errors: dict[str | None, type[RefusedError]] = {"no-key": NoKeyError, "expired": ExpiredError}
    if verdict.reason == "malformed":
        raise MalformedCookieError(verdict.detail)
    if verdict.reason == "unsigned":
        raise BadSignatureError("the cookie is not signed, so nothing shows that it is genuine")
    raise errors.get(verdict.reason, BadSignatureError)(verdict.detail)
