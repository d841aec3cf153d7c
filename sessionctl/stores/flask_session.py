"""Records of Flask-Session, and files of cachelib, in which it and others keep them.

    Redis, SQLAlchemy, ...   0.8: MessagePack or JSON of the session; 0.5: pickle
    cachelib file            expiry, 4 bytes in the machine's own order (0: never), pickle of the value

`_permanent` is always there; flashed messages are `[category, message]` pairs in `_flashes`.
Sources: Flask-Session 0.8.0 base.py, 0.5.0 sessions.py; cachelib 0.17 file.py; Werkzeug 0.16 contrib/cache.py.
"""

from __future__ import annotations

import struct
from typing import Any

from sessionctl.errors import MalformedError
from sessionctl.stores.base import (
    NO,
    Guess,
    RecordContext,
    Sample,
    StoredRecord,
    json_of,
    looks_pickled,
    pickle_of,
)

NAMES = ("flask-session", "cachelib", "flask")

_EXPIRY = 4  # bytes
_MARK = "_permanent"
_PACKED_MARK = b"\xaa_permanent"
_FLASHES = "_flashes"


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
    """Expiry and value of a file of cachelib, or None."""
    rest = sample.content[_EXPIRY:]
    if rest[:1] != b"\x80" or not looks_pickled(rest) or sample.whole_pickle is not None:
        return None
    inner = Sample(rest)
    if inner.whole_pickle is None:
        return None
    return float(struct.unpack("=I", sample.content[:_EXPIRY])[0]), inner.whole_pickle


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
