"""Records of Rack and Rails stores: Ruby's Marshal of the session, bytes 04 08.

redis-rack keeps the bare hash; a Rails cache keeps an `ActiveSupport::Cache::Entry` around it, `@value` or `v`
being the session and `@expires_in` beside `@created_at` its life; activerecord-session_store has the bytes in
base64 with line breaks, or JSON: of the session, or as 1.1.3 writes it of `{"value": session}`. No class is ever
looked up.
Sources: redis-rack 3.0 lib/rack/session/redis.rb; activesupport 6.1 lib/active_support/cache.rb (Entry);
activerecord-session_store lib/active_record/session_store.rb.
"""

from __future__ import annotations

import binascii
from typing import Any

from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, seconds

NAMES = ("rack", "rails", "marshal")

_VERSION = b"\x04\x08"
_VERSION_IN_BASE64 = "BAh"
_ENTRY = "ActiveSupport::Cache::Entry"


def recognise(sample: Sample) -> Guess:
    """The version of Marshal, which may be in base64."""
    if sample.content.startswith(_VERSION):
        return Guess(0.9, "marshal", ("rack", "rails"))
    return NO if _from_base64(sample) is None else Guess(0.9, "rails")


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    from sessionctl.payload import marshal

    if sample.object:
        inside = sample.object.get("value")
        data = inside if len(sample.object) == 1 and isinstance(inside, dict) else sample.object
        return StoredRecord(data=data, flash=_flashed(data))
    value = marshal.loads(_from_base64(sample) or sample.content)
    expires_at = None
    if isinstance(value, dict) and value.get("__type__") == _ENTRY:
        expires_at = _end(value)
        value = next((value[name] for name in ("@value", "@v", "value", "v") if name in value), value)
    return StoredRecord(data=value, flash=_flashed(value), payload_type="marshal", expires_at=expires_at)


def _from_base64(sample: Sample) -> bytes | None:
    """The bytes of a Marshal payload in base64, or None."""
    if sample.text is None or not sample.text.startswith(_VERSION_IN_BASE64):
        return None
    try:
        content = binascii.a2b_base64("".join(sample.text.split()), strict_mode=True)
    except ValueError:
        return None
    return content if content.startswith(_VERSION) else None


def _end(entry: dict[str, Any]) -> float | None:
    created = seconds(entry.get("@created_at", entry.get("created_at")))
    life = seconds(entry.get("@expires_in", entry.get("expires_in")))
    return None if created is None or life is None else created + life


def _flashed(value: Any) -> Any:
    flash = value.get("flash") if isinstance(value, dict) else None
    return flash.get("flashes") if isinstance(flash, dict) else None
