"""The report on a session that its ID or ref names in a storage: there is no cookie to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sessionctl.cookie import MAX_SIZE
from sessionctl.errors import SessionNotFoundError, UsageError
from sessionctl.formats.base import Decoded
from sessionctl.inspection.by_cookie import inspect
from sessionctl.inspection.ending import STORE, End
from sessionctl.inspection.oddities import keys_missing, odd_record
from sessionctl.inspection.report import Report, report_on
from sessionctl.inspection.stored import Stored, elsewhere, find_ref, is_live, not_found
from sessionctl.storage.base import RecordStorage
from sessionctl.verdict import Verdict

if TYPE_CHECKING:
    from sessionctl.identify import Setup, Target

STORED = "found by its ID or ref; no cookie was looked at"


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
    if stored is None:
        raise SessionNotFoundError(not_found(storage, setup))
    session, expires_at = storage.session_of("", key, stored), storage.expiry_of(stored)
    found = Stored(storage, session, expires_at=expires_at)
    live = is_live(found, setup)
    return Report(
        format=setup.format or "native",
        candidates=(),
        cookie_name=setup.cookie_name,
        id=target.id,
        is_id=True,
        is_value=False,
        signed=False,
        ref=storage.ref_of(key),
        data=session.data[0],
        for_people=session.data[0],
        flash=session.flashed,
        payload_type="json",
        encrypted=False,
        verdict=Verdict(valid=True, detail=STORED),
        status="unchecked",
        algorithm=None,
        expired=not live,
        now=storage.clock() if setup.now is None else setup.now,
        issued_at=session.created_at,
        end=End(expires_at, None if expires_at is None else STORE),
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
        warnings=tuple(odd_record(found, setup)),
        ends_well=live,
    )


def _inspect_elsewhere(target: Target, storage: RecordStorage, key: str, setup: Setup) -> Report:
    """The report on a record of another framework that is named by its ID or ref."""
    from sessionctl.sources import Source
    from sessionctl.stores.lookup import find_key, identify_id

    found = find_key(storage, key, setup)
    if found is None:
        raise SessionNotFoundError(not_found(storage, setup))
    known = identify_id(target.id or "", storage, setup)._replace(verdict=Verdict(valid=True, detail=STORED))
    decoded = Decoded(data=None, id=target.id, signed=False)
    stored = elsewhere(found)
    source = Source(setup.cookie_name, target.id or "")
    report = report_on(source, setup, known, decoded, stored)
    return replace(
        report,
        ref=storage.ref_of(key),
        status="unchecked",
        text=None,
        size=stored.size or 0,
        warnings=(*keys_missing(setup), *odd_record(stored, setup)),
    )
