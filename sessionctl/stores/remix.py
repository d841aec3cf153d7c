"""Records of Remix 3, and this package's own: `[values, flash]` as JSON, `[values, flash, {"created": ms}]`.

React Router and Remix 2 keep `{"data": {...}}`, with `"expires": "ISO 8601"` where there is an end; a flash is a
member `__flash_NAME__`. Sources: @remix-run/session 0.4.2 src/lib/session-storage/fs.ts;
react-router 7.18 lib/server-runtime/sessions/fileStorage (createFileSessionStorage).
"""

from __future__ import annotations

from typing import Any

from sessionctl import records
from sessionctl.errors import MalformedError
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, iso_seconds, json_of

NAMES = ("remix", "native", "react-router")

_FLASH, _END = "__flash_", "__"


def recognise(sample: Sample) -> Guess:
    """Two or three objects in a list; or an object of `data` and `expires` alone."""
    value = sample.json
    if isinstance(value, list) and len(value) in (2, 3) and all(isinstance(part, dict) for part in value):
        return Guess(0.95, "native" if len(value) > 2 else "remix", ("remix", "native"))  # noqa: PLR2004 - a third: times
    if _is_wrapped(value):
        return Guess(0.9, "react-router")
    return NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    if sample.name == "react-router" or (sample.name is None and isinstance(sample.json, dict)):
        return _read_wrapped(json_of(sample))
    record = records.parse(sample.content)
    return StoredRecord(data=record.values, flash=record.flash, issued_at=record.created)


def _is_wrapped(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("data"), dict)
        and value.keys() <= {"data", "expires"}
    )


def _read_wrapped(value: Any) -> StoredRecord:
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        raise MalformedError("a file of React Router is an object with data")
    data = value["data"]
    return StoredRecord(data=data, flash=_flashed(data), expires_at=iso_seconds(value.get("expires")))


def _flashed(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name[len(_FLASH) : -len(_END)]: value
        for name, value in data.items()
        if name.startswith(_FLASH) and name.endswith(_END) and len(name) > len(_FLASH) + len(_END)
    }
