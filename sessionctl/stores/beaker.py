"""Records of Beaker's file and Redis backends.

    file    pickle of {"session": value}
    redis   pickle of value (`ext:redis`)

    value   the session itself (before 1.14); base64 text of the pickled session, or of zlib of JSON; with an
            encrypt_key a nonce and base64 of that encrypted: see `sessionctl.formats.beaker`

Secrets come in pairs: validate_key, encrypt_key. Sources: Beaker 1.14.1, 1.8.1 and 1.6.5 session.py,
container.py; ext/redisnm.py.
"""

from __future__ import annotations

from typing import Any

from sessionctl.errors import MalformedError
from sessionctl.formats.beaker import Beaker
from sessionctl.stores.base import (
    NO,
    Guess,
    RecordContext,
    Sample,
    StoredRecord,
    pickle_of,
    record_of,
    seconds,
)

NAMES = ("beaker",)

_OWN = frozenset(("_id", "_creation_time", "_accessed_time"))


def recognise(sample: Sample) -> Guess:
    """An object of one member `session`, a text of base64, or an object with Beaker's own items."""
    value = sample.whole_pickle
    if isinstance(value, dict) and value.keys() == {"session"}:
        return Guess(0.96, "beaker")
    if isinstance(value, dict) and not _OWN.isdisjoint(value):
        return Guess(0.9, "beaker")
    return Guess(0.85, "beaker") if isinstance(value, str) and value.isascii() else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:
    """The session. Raises `MalformedError`; of an encrypted one `NoKeyError` and `BadSignatureError`."""
    value = pickle_of(sample)
    if isinstance(value, dict) and value.keys() == {"session"}:
        value = value["session"]
    if isinstance(value, dict):
        return StoredRecord(data=value, id=_id_of(value), payload_type="pickle", issued_at=_accessed(value))
    if not isinstance(value, str):
        raise MalformedError("a record of Beaker holds a session or its text")
    decoded = Beaker().decode_record(value.encode(), context.keys, now=context.now, max_size=context.max_size)
    return record_of(decoded, context)


def _id_of(value: dict[str, Any]) -> str | None:
    found = value.get("_id")
    return found if isinstance(found, str) else None


def _accessed(value: dict[str, Any]) -> float | None:
    return seconds(value.get("_accessed_time"))
