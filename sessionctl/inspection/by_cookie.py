"""One cookie from text to report: identify, decode, verify, load the record, say what is odd."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sessionctl.diagnosis import hints
from sessionctl.errors import (
    CorruptRecordError,
    MalformedCookieError,
    MalformedError,
    RefusedError,
    StorageError,
)
from sessionctl.formats.base import Decoded
from sessionctl.identify import Identified, Setup, identify
from sessionctl.inspection.oddities import odd, short_lived
from sessionctl.inspection.report import Report, report_on
from sessionctl.inspection.stored import Stored, elsewhere, look_up
from sessionctl.verdict import Warn

if TYPE_CHECKING:
    from sessionctl.errors import SessionctlError
    from sessionctl.sources import Source

_UNREADABLE = Decoded(data=None, payload_type="unreadable")


def inspect(source: Source, setup: Setup) -> Report:
    """Everything about one cookie; changes nothing and consumes no flash.

    Raises `MalformedCookieError` where the text cannot be read, and what the storage raises: a `StorageError` or
    `CorruptRecordError` with the report on the cookie itself, where that could be read.
    """
    known, decoded, failure, stored, away = _read(source, setup)
    report = _report(source, setup, known, decoded, failure, stored)
    if away is not None:
        away.report = report
        raise away
    return report


def _report(
    source: Source,
    setup: Setup,
    known: Identified,
    decoded: Decoded,
    failure: SessionctlError | None,
    stored: Stored,
) -> Report:
    report = report_on(source, setup, known, decoded, stored)
    warnings = [
        *report.warnings,
        *odd(source, known, decoded, setup, failure, stored),
        *short_lived(report),
        *hints(known, setup),
    ]
    return replace(report, warnings=tuple(dict.fromkeys(warnings)))


class _Read(NamedTuple):
    """A cookie and what its store has; `away` is why the store could not be asked."""

    known: Identified
    decoded: Decoded
    failure: SessionctlError | None
    stored: Stored
    away: StorageError | CorruptRecordError | None = None


def _read(source: Source, setup: Setup) -> _Read:
    """The cookie and what its store has; one that no format can read may be a bare ID of another framework."""
    try:
        known = identify(source, setup, mend=True)
        decoded, failure = _decode(known, setup)
    except MalformedCookieError:
        bare = _bare_id(source, setup)
        if bare is None:
            raise
        return bare
    try:
        stored = look_up(known, decoded, setup)
        if setup.storage is not None and setup.storage.read_only and not stored.found and not known.settled:
            bare = _bare_id(source, setup)  # an ID may look like the text of some format
            if bare is not None and bare.stored.found:
                return bare
    except CorruptRecordError as error:
        return _Read(known, decoded, failure, Stored(setup.storage, failure=error), error)
    except StorageError as error:
        names_session = isinstance(decoded.data, str) or decoded.data is None
        return _Read(known, decoded, failure, Stored(), error if names_session else None)
    return _Read(known, decoded, failure, stored)


def _bare_id(source: Source, setup: Setup) -> _Read | None:
    """A cookie as the bare ID of another framework's store, where one was named and it may be one."""
    if setup.storage is None or not setup.storage_given:
        return None
    from sessionctl.stores.lookup import find_bare_id

    found = find_bare_id(source, setup)
    if found is None:
        return None
    return _Read(found.known, _decode(found.known, setup)[0], None, elsewhere(found.stored))


def _decode(known: Identified, setup: Setup) -> tuple[Decoded, SessionctlError | None]:
    if known.hides and not known.text:
        return _UNREADABLE, None
    try:
        return known.decode(), None
    except RefusedError as error:
        return known.format.without_key(known.text), error
    except MalformedError as error:
        if known.hides:
            return _UNREADABLE, None
        if known.verdict.reason != "bad-signature":
            raise MalformedCookieError(_why_unread(known, setup, error)) from None
        unreadable = Warn("unreadable", f"nor can it be read: {error}")
        return _UNREADABLE._replace(warnings=(unreadable,)), None


def _why_unread(known: Identified, setup: Setup, error: MalformedError) -> str:
    """What to say of a text that its format cannot read: first of all that it is another's, if it is."""
    notes = known.verdict.warnings
    if any(note.code == "other-format" for note in notes):
        other = [
            note.message for note in hints(known, setup) or notes if note.code in ("hint", "other-format")
        ]
        return "; ".join([*other, f"as {known.format.name}: {error}"])
    return "; ".join([str(error), *(note.message for note in notes if note.code == "cut")])
