"""Records of Go's alexedwards/scs: gob of `struct { Deadline time.Time; Values map[string]interface{} }`.

Source: scs 2.8.0 codec.go (GobCodec).
"""

from __future__ import annotations

from sessionctl.errors import MalformedError
from sessionctl.payload import gob
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, iso_seconds

NAMES = ("scs",)

_HEAD = 128
"""Bytes in which the names of the fields stand."""


def recognise(sample: Sample) -> Guess:
    """A definition of a struct with both fields."""
    head = sample.content[:_HEAD]
    return Guess(0.98, "scs") if b"\x08Deadline" in head and b"\x06Values" in head else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    value = gob.loads(sample.content)
    if not isinstance(value, dict) or "Values" not in value:
        raise MalformedError("a record of scs is a struct of Deadline and Values")
    return StoredRecord(
        data=value["Values"] or {}, payload_type="gob", expires_at=iso_seconds(value.get("Deadline"))
    )
