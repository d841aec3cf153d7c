"""Records that several frameworks write just the same: a bare JSON object, a bare pickle, bare MessagePack.

    JSON      sanic-session, starsessions 1, Litestar on Redis, Flask-Session, django-redis' JSON serializer
    pickle    Django's cache sessions, Flask-Session 0.5, secure-cookie and Werkzeug files, Beaker, Pyramid

Who wrote it is not in the bytes: all are named. Sources: sanic-session 0.8.0 base.py; secure-cookie 0.2.0
session.py; the others where their modules say.
"""

from __future__ import annotations

from sessionctl.errors import MalformedError
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, json_of, pickle_of

NAMES = ("json", "sanic", "pickle", "werkzeug", "secure-cookie", "pyramid")

_JSON = ("sanic", "starsessions", "litestar", "flask-session")
_PICKLE = ("django", "flask-session", "werkzeug")


def recognise(sample: Sample) -> Guess:
    """Any JSON object, or any pickle of an object."""
    if isinstance(sample.json, dict):
        return Guess(0.3, "json", _JSON)
    return Guess(0.3, "pickle", _PICKLE) if isinstance(sample.whole_pickle, dict) else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    if sample.content[:1] in (b"{", b"[", b'"', b"n") or sample.name in ("json", "sanic"):
        return StoredRecord(data=json_of(sample))
    if not sample.content:
        raise MalformedError("the record is empty")
    return StoredRecord(data=pickle_of(sample), payload_type="pickle")
