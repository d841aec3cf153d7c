"""Records of koa-session's external stores: JSON with `_expire` and `_maxAge` (milliseconds), or `_session`.

The session is what is left without these. Source: koa-session 7.0.2 lib/context.js, lib/session.js.
"""

from __future__ import annotations

from sessionctl.errors import MalformedError
from sessionctl.stores.base import (
    NO,
    Guess,
    RecordContext,
    Sample,
    StoredRecord,
    json_of,
    milliseconds,
    without,
)

NAMES = ("koa", "cookie-session")

_OWN = ("_expire", "_maxAge", "_session")


def recognise(sample: Sample) -> Guess:
    """An object with an end, or one that says it ends with the browser."""
    value = sample.object
    ends = type(value.get("_expire")) in (int, float) and "_maxAge" in value
    return Guess(0.93, "koa") if ends or value.get("_session") is True else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    value = json_of(sample)
    if not isinstance(value, dict):
        raise MalformedError("a record of koa-session is a JSON object")
    expires_at, life = milliseconds(value.get("_expire")), milliseconds(value.get("_maxAge"))
    issued_at = None if expires_at is None or life is None else expires_at - life
    return StoredRecord(data=without(value, *_OWN), issued_at=issued_at, expires_at=expires_at)
