"""Records of express-session's stores, and of @fastify/session's, which are the same.

    connect-redis, connect-memcached, ...   {"cookie": {"originalMaxAge": ..., "expires": ...}, ...session}
    session-file-store, ID.json             the same with `__lastAccess`, in milliseconds
    either with a secret                    the same encrypted, see `sessionctl.stores.kruptein`

The session is what is left without these two. It ends at `cookie.expires`; a file, which has a last access,
`cookie.originalMaxAge` after that, or an hour after where there is none (`ttl`, an option of the store).
connect-flash keeps type -> list of messages in `flash`. Sources: express-session 1.19.0 session/memory.js,
store.js, cookie.js; connect-redis 9.0.0; session-file-store 1.5.0 lib/session-file-helpers.js.
"""

from __future__ import annotations

from typing import Any

from sessionctl.errors import MalformedError
from sessionctl.stores import kruptein
from sessionctl.stores.base import (
    NO,
    Guess,
    RecordContext,
    Sample,
    StoredRecord,
    iso_seconds,
    json_of,
    milliseconds,
    without,
)
from sessionctl.verdict import Verdict

NAMES = ("express", "connect-redis", "connect-memcached", "session-file-store", "fastify-cookie", "fastify")

FILE_TTL = 3600.0
"""Seconds that a file lives after its last access, unless the cookie or the store's `ttl` say otherwise."""

_COOKIE, _ACCESS, _FLASH = "cookie", "__lastAccess", "flash"
_COOKIE_MEMBERS = frozenset(("originalMaxAge", "expires", "httpOnly", "path", "secure", "sameSite"))


def recognise(sample: Sample) -> Guess:
    """An object whose `cookie` has members of express' Cookie, or the envelope of kruptein."""
    cookie = sample.object.get(_COOKIE)
    if isinstance(cookie, dict) and len(_COOKIE_MEMBERS & cookie.keys()) > 1:
        return Guess(0.97, "express")
    return Guess(0.96, "express") if kruptein.looks_sealed(sample) else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:
    """The session. Raises `MalformedError`; of an encrypted one `NoKeyError` and `BadSignatureError`."""
    if not kruptein.looks_sealed(sample):
        return _read_object(json_of(sample))
    value, index = kruptein.unseal(sample, context.keys)
    verdict = Verdict(valid=True, key_index=index, keys=len(context.keys))
    return _read_object(value)._replace(encrypted=True, signed=True, verdict=verdict)


def _read_object(value: Any) -> StoredRecord:
    if not isinstance(value, dict):
        raise MalformedError("a record of express-session is a JSON object")
    cookie = value.get(_COOKIE)
    data = without(value, _COOKIE, _ACCESS) if isinstance(cookie, dict) else value
    flash = data.get(_FLASH)
    record = StoredRecord(data=data, flash=flash if isinstance(flash, dict) else None)
    return _with_end(record, cookie if isinstance(cookie, dict) else {}, milliseconds(value.get(_ACCESS)))


def _with_end(record: StoredRecord, cookie: dict[str, Any], last_access: float | None) -> StoredRecord:
    if last_access is None:
        return record._replace(expires_at=iso_seconds(cookie.get("expires")))
    if life := milliseconds(cookie.get("originalMaxAge")):
        return record._replace(expires_at=last_access + life)
    return record._replace(expires_at=last_access + FILE_TTL, default_life=FILE_TTL)
