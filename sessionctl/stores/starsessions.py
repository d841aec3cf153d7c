"""Records of starsessions 2: JSON with `__metadata__`, which holds `lifetime`, `created` and `last_access`.

starsessions 1 writes the bare JSON, as others do: see `plain`. A lifetime of 0 ends with the browser. The record does
not tell a rolling lifetime, which begins anew with each use, from a fixed one, which counts from its creation: the
end is told that the former has and the latter never outlives. Redis, whose expiry is the application's, may tell of
one before.
Sources: starsessions 2.2.1 session.py, middleware.py, stores/redis.py; 1.3.0 session.py, backends/redis.py.
"""

from __future__ import annotations

from sessionctl.errors import MalformedError
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, json_of, seconds

NAMES = ("starsessions", "starlette")

_METADATA = "__metadata__"


def recognise(sample: Sample) -> Guess:
    """An object with the metadata."""
    return Guess(0.97, "starsessions") if isinstance(sample.object.get(_METADATA), dict) else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session, metadata included. Raises `MalformedError`."""
    value = json_of(sample)
    if not isinstance(value, dict):
        raise MalformedError("a record of starsessions is a JSON object")
    metadata = value.get(_METADATA)
    if not isinstance(metadata, dict):
        return StoredRecord(data=value)
    last, lifetime = seconds(metadata.get("last_access")), seconds(metadata.get("lifetime"))
    expires_at = last + lifetime if last is not None and lifetime else None
    return StoredRecord(data=value, issued_at=seconds(metadata.get("created")), expires_at=expires_at)
