"""From a cookie's ID to the record of its framework's store."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.errors import MalformedCookieError, RefusedError, SessionctlError
from sessionctl.identify import Identified, Setup
from sessionctl.stores.bare import BareId
from sessionctl.stores.storage import LayoutStorage, usual_layouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sessionctl.sources import Source
    from sessionctl.storage.base import RecordStorage, SessionStorage
    from sessionctl.stores.base import StoredRecord


class FoundRecord(NamedTuple):
    """What a store says about an ID. Both `record` and `failure` are None where it has no such session.

    `failure` tells why a record that is there stays closed: no key for it, or none that fits. Times are Unix
    seconds.
    """

    storage: SessionStorage
    record: StoredRecord | None = None
    failure: SessionctlError | None = None
    modified_at: float | None = None
    expires_at: float | None = None
    facts: Mapping[str, Any] = MappingProxyType({})
    size: int | None = None
    """Bytes of the record."""

    @property
    def is_there(self) -> bool:
        """Whether the store has such a session."""
        return self.record is not None or self.failure is not None


class BareCookie(NamedTuple):
    """A cookie that is a bare ID, and what its store says."""

    known: Identified
    stored: FoundRecord


def find_key(storage: RecordStorage, key: str, setup: Setup, name: str | None = None) -> FoundRecord | None:
    """The record under a key of another framework's store, or None. Raises `CorruptRecordError`."""
    if not isinstance(storage, LayoutStorage):
        return None
    facts = storage.facts(key)
    stored = storage.load(key)
    if stored is None:
        return None
    expires_at = storage.expiry_of(stored)
    try:
        record = storage.record_of(
            key,
            stored,
            keys=setup.keys,
            cookie_name=name or setup.cookie_name,
            options=setup.options,
            max_size=setup.max_size,
            **({} if setup.now is None else {"now": setup.now}),
        )
    except RefusedError as error:
        return FoundRecord(storage, None, error, stored.modified_at, expires_at, facts, len(stored.text))
    ends = [end for end in (expires_at, record.expires_at) if end is not None]
    ends_at = min(ends) if ends else None
    return FoundRecord(storage, record, None, stored.modified_at, ends_at, facts, len(stored.text))


def find(storage: RecordStorage, session_id: str, known: Identified, setup: Setup) -> FoundRecord:
    """What another framework's store says about an ID. Raises `CorruptRecordError` and `StorageError`."""
    try:
        key = storage.key_of(session_id)
    except UnicodeEncodeError:
        return FoundRecord(storage)
    return find_key(storage, key, setup, known.context.cookie_name) or FoundRecord(storage)


def find_usual(storage: SessionStorage, session_id: str, known: Identified, setup: Setup) -> FoundRecord:
    """The same for a place that no layout was named for: the usual ones of the cookie's format are tried."""
    for layout in usual_layouts(storage, known.format.name, setup.max_age):
        found = find(layout, session_id, known, setup)
        if found.is_there:
            return found
    return FoundRecord(storage)


def find_bare_id(source: Source, setup: Setup) -> BareCookie | None:
    """A cookie that no format reads, as a bare ID of the layout that was named, or of the usual ones.

    None where there is none to ask, or the text cannot be an ID.
    """
    missing: BareCookie | None = None
    for layout in _asked(setup):
        try:
            known = identify_id(source.value or "", layout, setup, source)
        except MalformedCookieError:
            return None
        session_id = known.format.decode(known.text).id or ""
        found = BareCookie(known, find(layout, session_id, known, setup))
        if found.stored.is_there:
            return found
        missing = missing or found
    return missing


def bare_id(source: Source, setup: Setup, error: MalformedCookieError) -> Identified:
    """A cookie that no format reads as a bare ID of the store that was named, which is not asked; else the `error`."""
    layout = next(_asked(setup), None)
    if layout is None:
        raise error
    try:
        return identify_id(source.value or "", layout, setup, source)
    except MalformedCookieError:
        raise error from None


def _asked(setup: Setup) -> Iterator[LayoutStorage]:
    if isinstance(setup.storage, LayoutStorage):
        yield setup.storage
    elif setup.storage is not None and setup.storage_given and setup.format is not None:
        yield from usual_layouts(setup.storage, setup.format, setup.max_age)


def identify_id(text: str, storage: RecordStorage, setup: Setup, source: Source | None = None) -> Identified:
    """A text as the bare ID that it is. Raises `MalformedCookieError` where it cannot be one."""
    name = storage.layout.formats[:1] if isinstance(storage, LayoutStorage) else ()
    form = BareId(setup.format or (name[0] if name else storage.url.rpartition("=")[2]))
    context = setup.context(form.name, source)
    if source is not None:
        form.decode(text)
    return Identified(form, text, context, form.judge(text, context), (form.name,))
