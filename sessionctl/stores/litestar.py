"""Records of Litestar's server-side sessions.

    redis, memory   the session, compact JSON: nothing tells it from that of others, see `plain`
    file            MessagePack {"expires_at": timestamp or nil, "data": bytes}, data being that JSON

Source: Litestar 2.25.0 stores/base.py (StorageObject), stores/file.py, middleware/session/server_side.py.
"""

from __future__ import annotations

from typing import Any

from sessionctl import jsontext
from sessionctl.encoding import b64decode
from sessionctl.errors import MalformedError
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, iso_seconds, json_of

NAMES = ("litestar",)

_MARKS = (b"\x82\xaaexpires_at", b"\x82\xa4data")


def recognise(sample: Sample) -> Guess:
    """A map of two that begins with either of the names."""
    return Guess(0.97, "litestar") if sample.content.startswith(_MARKS) else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    if sample.content[:1] in (b"{", b"n", b"["):
        return StoredRecord(data=json_of(sample))
    from sessionctl.payload import msgpack

    value = msgpack.loads(sample.content)
    if not isinstance(value, dict) or not isinstance(value.get("data"), str):
        raise MalformedError("a file of Litestar is a map of expires_at and data")
    data: Any = jsontext.loads_bytes(b64decode(value["data"], "the data"))
    return StoredRecord(data=data, expires_at=iso_seconds(value.get("expires_at")))
