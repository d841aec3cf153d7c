"""Records of Flask-Session, and files of cachelib, in which it and others keep them.

    Redis, SQLAlchemy, ...   0.8: MessagePack or JSON of the session; 0.5: pickle
    cachelib file            expiry, 4 bytes in the machine's own order (0: never), pickle of the value
                             cachelib before 0.7, and Werkzeug's cache before it: pickle of the expiry,
                             pickle of the value
    cachelib on Redis        "!", pickle of the value

`_permanent` is always there; flashed messages are `[category, message]` pairs in `_flashes`.
Sources: Flask-Session 0.8.0 base.py, 0.5.0 and 0.3.1 sessions.py; cachelib 0.17 file.py, 0.6 serializers.py;
Werkzeug 0.16 contrib/cache.py.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from sessionctl.errors import MalformedError
from sessionctl.stores.base import (
    NO,
    Guess,
    RecordContext,
    Sample,
    StoredRecord,
    json_of,
    pickle_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("flask-session", "cachelib", "flask")

_EXPIRY = 4  # bytes
_MARK = "_permanent"
_PACKED_MARK = b"\xaa_permanent"
_FLASHES = "_flashes"
_PICKLE = b"\x80"  # the first byte of pickle, protocol 2 and later
_ON_REDIS = b"!"
_NUMBERS = (_PICKLE, b"J", b"K", b"L")  # how the pickle of an expiry begins: of protocol 1 in Werkzeug
_LATEST = 253_402_300_799  # the end of the year 9999


def recognise(sample: Sample) -> Guess:
    """An object with `_permanent`, however it is written; an expiry and a pickle; MessagePack of an object."""
    if _cached(sample) is not None:
        return Guess(0.9, "cachelib", ("flask-session", "cachelib"))
    if _MARK in sample.object:
        return Guess(0.9, "flask-session")
    pickled = sample.whole_pickle
    if isinstance(pickled, dict):
        return Guess(0.9, "flask-session") if _MARK in pickled else NO
    if _is_packed_map(sample.content):
        sure = _PACKED_MARK in sample.content
        return Guess(0.9 if sure else 0.25, "flask-session" if sure else "msgpack", ("flask-session",))
    return NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    cached = _cached(sample)
    if cached is not None:
        expires_at, data = cached
        return StoredRecord(
            data=data, flash=_flashed(data), payload_type="pickle", expires_at=expires_at or None
        )
    if sample.content[:1] == b"{":
        data, kind = json_of(sample), "json"
    elif sample.pickled is not None:
        data, kind = pickle_of(sample), "pickle"
    else:
        data, kind = _unpacked(sample.content), "msgpack"
    return StoredRecord(data=data, flash=_flashed(data), payload_type=kind)


def _cached(sample: Sample) -> tuple[float, Any] | None:
    """Expiry and value of an entry of cachelib, or of Werkzeug's cache; or None."""
    if sample.whole_pickle is not None:
        return None
    for expires_at, rest in _after_expiry(sample.content):
        value = Sample(rest).whole_pickle if rest[:1] == _PICKLE else None
        if value is not None:
            return expires_at, value
    return None


def _after_expiry(content: bytes) -> Iterator[tuple[float, bytes]]:
    """The expiry, and what stands behind it, in each of the ways to write it."""
    if content[_EXPIRY : _EXPIRY + 1] == _PICKLE:
        yield float(struct.unpack("=I", content[:_EXPIRY])[0]), content[_EXPIRY:]
    if content[:1] == _ON_REDIS:
        yield 0.0, content[1:]
    if content[:1] in _NUMBERS:
        from sessionctl.payload import pickle

        try:
            expires_at, size = pickle.load_first(content)
        except MalformedError:
            return
        if type(expires_at) is int and 0 <= expires_at <= _LATEST:
            yield float(expires_at), content[size:]


def _is_packed_map(content: bytes) -> bool:
    if content[:1] not in (b"\xde", b"\xdf") and not b"\x80" <= content[:1] <= b"\x8f":
        return False
    try:
        value = _unpacked(content)
    except MalformedError:
        return False
    return isinstance(value, dict) and bool(value)


def _unpacked(content: bytes) -> Any:
    from sessionctl.payload import msgpack

    return msgpack.loads(content)


def _flashed(data: Any) -> Any:
    """The flashed messages as `[category, message]` pairs."""
    return data.get(_FLASHES) if isinstance(data, dict) else None
