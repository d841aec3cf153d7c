"""Records of aiohttp-session's Redis and Memcached storages: `{"created": seconds, "session": {...}}`.

Source: aiohttp-session 2.12.1 redis_storage.py, memcached_storage.py.
"""

from __future__ import annotations

from sessionctl.errors import MalformedError
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, json_of, seconds

NAMES = ("aiohttp",)


def recognise(sample: Sample) -> Guess:
    """Exactly the two members."""
    value = sample.object
    if value.keys() != {"created", "session"} or not isinstance(value["session"], dict):
        return NO
    return Guess(0.95, "aiohttp")


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    value = json_of(sample)
    if not isinstance(value, dict) or "session" not in value:
        raise MalformedError("a record of aiohttp-session is an object with created and session")
    return StoredRecord(data=value["session"], issued_at=seconds(value.get("created")))
