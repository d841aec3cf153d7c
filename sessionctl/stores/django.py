r"""Records of Django's session backends, of all its releases.

    db, file          payload ":" timestamp ":" signature     Django 3.1 and later: `signing.dumps` with the salt
                                                              "django.contrib.sessions.SessionStore"
                      base64 of  40 hex digits ":" payload    before: HMAC-SHA1 of the payload under
                                                              SHA-1("django.contrib.sessionsSessionStore" key);
                                                              Django 1.4 breaks the base64 into lines
    cache on Redis    pickle of the session; by django-redis also JSON or MessagePack, and a zlib stream of it
    cache in files    pickle of the expiry (a float), zlib stream of the pickle of the session;
                      before Django 1.7 that pickle itself

A signed text has no end of its own, but for a date in `_session_expiry` (`set_expiry`): that is the database's
`expire_date`, or SESSION_COOKIE_AGE after the file's time. With a key the signature is checked. Sources: Django
6.1, 5.2, 3.2, 3.0, 1.8 and 1.4 contrib/sessions/backends/base.py; 5.2 file.py; 6.1, 1.8 and 1.6
core/cache/backends/filebased.py; 6.1 redis.py; django-redis 5.4 compressors and serializers.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Any

from sessionctl.encoding import decompress
from sessionctl.errors import MalformedCookieError, MalformedError, RefusedError
from sessionctl.formats.base import MAX_SIZE, Context
from sessionctl.formats.judging import first_fit, genuine, refused
from sessionctl.payload.django_messages import MESSAGES_KEY, flashed
from sessionctl.signing.mac import HMAC_SHA1
from sessionctl.stores.base import (
    NO,
    Guess,
    RecordContext,
    Sample,
    StoredRecord,
    iso_seconds,
    pickle_of,
    seconds,
)

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret
    from sessionctl.verdict import Verdict

NAMES = ("django", "django-file", "django-db", "django-cache")

SALT = "django.contrib.sessions.SessionStore"
OLD_SALT = b"django.contrib.sessionsSessionStore"

_SIGNED = re.compile(r"\.?[A-Za-z0-9_-]+=*:[0-9A-Za-z]{1,11}:[A-Za-z0-9_-]*=*")
_ZONED = re.compile(r"[+-]\d\d:\d\d\Z")
_OLD = re.compile(rb"[0-9a-f]{40}:")
_OLD_TAG = 40
_ZLIB = b"\x78"
_ZLIB_HEADS = (b"x\x01", b"x^", b"x\x9c", b"x\xda")
_PICKLE = b"\x80"
_OWN = ("_auth_user_id", "_auth_user_hash", "_session_expiry", "_csrftoken", MESSAGES_KEY)


def recognise(sample: Sample) -> Guess:
    """A signed text of either kind, an expiry with a zlib stream, or an object with Django's own items."""
    if sample.text is not None and _SIGNED.fullmatch(sample.text):
        return Guess(0.96, "django")
    if _old_parts(sample) is not None:
        return Guess(0.97, "django")
    if _cache_parts(sample) is not None:
        return Guess(0.97, "django")
    unzipped = _unzipped(sample, MAX_SIZE)
    plain = sample if unzipped is None else unzipped
    value = plain.object or plain.whole_pickle or _message_pack(plain)
    if isinstance(value, dict) and not value.keys().isdisjoint(_OWN):
        return Guess(0.8, "django")
    return NO if unzipped is None or not isinstance(value, dict) else Guess(0.5, "django")


def read(sample: Sample, context: RecordContext) -> StoredRecord:
    """The session. Raises `MalformedError`."""
    if (old := _old_parts(sample, strict=False)) is not None:
        return _read_old(*old, context)
    if (cached := _cache_parts(sample)) is not None:
        return _read_cached(*cached, context)
    if sample.text is not None and ":" in sample.text and sample.text[:1] not in ("{", "(", "}"):
        return _read_signed(sample.text, context)
    unzipped = _unzipped(sample, context.max_size)
    if unzipped is not None:
        sample = unzipped
    if sample.object:
        return StoredRecord(data=sample.object, flash=_messages(sample.object))
    packed = _message_pack(sample)
    if packed is not None:
        return StoredRecord(data=packed, flash=_messages(packed), payload_type="msgpack")
    data = pickle_of(sample)
    return StoredRecord(data=data, flash=_messages(data), payload_type="pickle")


# -- Django 3.1 and later -----------------------------------------------------------------------------


def _read_signed(text: str, context: RecordContext) -> StoredRecord:
    from sessionctl.formats.django import Django

    form = Django(salt=SALT, digest="sha256,sha1")
    verdict = None
    if context.keys:
        given = Context(keys=context.keys, now=context.now, max_age=None, max_size=context.max_size)
        verdict = form.judge(text, given)
    try:
        decoded = form.decode(text, max_size=context.max_size)
    except MalformedError:
        if (record := _forged(verdict)) is None:
            raise
        return record
    return StoredRecord(
        data=decoded.data,
        flash=decoded.flash,
        payload_type=decoded.payload_type,
        issued_at=decoded.issued_at,
        expires_at=_own_end(decoded.data),
        signed=True,
        verdict=verdict,
        warnings=decoded.warnings,
    )


def _own_end(data: Any) -> float | None:
    """When a session ends for which a date was set, in ISO 8601 since Django 4.1; None without its time zone."""
    end = data.get("_session_expiry") if isinstance(data, dict) else None
    return iso_seconds(end) if isinstance(end, str) and _ZONED.search(end) else None


def _forged(verdict: Verdict | None) -> StoredRecord | None:
    """The answer where the payload cannot be read: Django looks at the signature first; None where that fits."""
    if verdict is None or verdict.reason != "bad-signature":
        return None
    return StoredRecord(data=None, payload_type="bytes", signed=True, verdict=verdict)


# -- before -------------------------------------------------------------------------------------------


def _old_parts(sample: Sample, *, strict: bool = True) -> tuple[str, bytes] | None:
    """Signature and payload of a record before Django 3.1, or None; not `strict` is how Django reads base64."""
    try:
        plain = binascii.a2b_base64(b"".join(sample.content.split()), strict_mode=strict)
    except binascii.Error:
        return None
    if not _OLD.match(plain):
        return None
    return plain[:_OLD_TAG].decode("ascii"), plain[_OLD_TAG + 1 :]


def _read_old(tag: str, payload: bytes, context: RecordContext) -> StoredRecord:
    from sessionctl.signing import django as signing

    verdict = _judge_old(tag, payload, context) if context.keys else None
    try:
        data, kind = signing.read(payload)
    except MalformedError:
        if (record := _forged(verdict)) is None:
            raise
        return record
    return StoredRecord(data=data, flash=_messages(data), payload_type=kind, signed=True, verdict=verdict)


def _judge_old(tag: str, payload: bytes, context: RecordContext) -> Verdict:
    given = Context(keys=context.keys, now=context.now)
    try:
        index = first_fit(given, lambda secret: _fits_old(secret, tag, payload))
    except RefusedError as error:
        return refused(error.code, str(error), given)
    return genuine(given, index, algorithm=HMAC_SHA1)


def _fits_old(secret: Secret, tag: str, payload: bytes) -> bool:
    import hashlib

    from sessionctl.signing.mac import Hmac

    key = hashlib.sha1(OLD_SALT + secret.bytes).digest()
    return Hmac(key, "sha1").verify(payload, bytes.fromhex(tag))


# -- the cache in files -------------------------------------------------------------------------------


def _cache_parts(sample: Sample) -> tuple[float | None, bytes] | None:
    """Expiry and session, a zlib stream or a pickle, of a file of Django's cache, or None."""
    found = sample.pickled
    if found is None or not (found[0] is None or isinstance(found[0], (int, float))):
        return None
    rest = sample.content[found[1] :]
    if rest[:1] == _ZLIB or (rest[:1] == _PICKLE and not isinstance(found[0], int)):
        return seconds(found[0]), rest
    return None  # a pickle behind a whole number is Werkzeug's or cachelib's


def _read_cached(expires_at: float | None, content: bytes, context: RecordContext) -> StoredRecord:
    from sessionctl.payload import pickle

    try:
        data = pickle.loads(decompress(content, context.max_size) if content[:1] == _ZLIB else content)
    except MalformedCookieError as error:
        raise MalformedError(str(error)) from None
    return StoredRecord(data=data, flash=_messages(data), payload_type="pickle", expires_at=expires_at)


def _unzipped(sample: Sample, max_size: int) -> Sample | None:
    """What lies in the zlib stream of django-redis' compressor, or None where there is none."""
    if sample.content[:2] not in _ZLIB_HEADS:
        return None
    try:
        return Sample(decompress(sample.content, max_size), sample.name)
    except MalformedCookieError:
        return None


def _message_pack(sample: Sample) -> dict[str, Any] | None:
    """The object of a record in MessagePack, or None."""
    head = sample.content[:1]
    if not (b"\x81" <= head <= b"\x8f" or head in (b"\xde", b"\xdf")):
        return None
    from sessionctl.payload import msgpack

    try:
        value = msgpack.loads(sample.content)
    except MalformedError:
        return None
    return value if isinstance(value, dict) else None


def _messages(data: Any) -> Any:
    return flashed(data[MESSAGES_KEY]) if isinstance(data, dict) and MESSAGES_KEY in data else None
