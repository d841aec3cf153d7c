"""Records of Laravel's session drivers.

    file              the serialized session: PHP's `serialize`, or JSON (session.serialization)
    database          that in base64
    redis, memcached  that once more as a PHP-serialized string, `s:123:"a:5:{...";` (cache stores)
    session.encrypt   Crypt::encrypt() of it, which takes the APP_KEY

Flashed values lie among the others; see `sessionctl.payload.laravel`.
Sources: illuminate/session 12.x Store.php, EncryptedStore.php, FileSessionHandler.php,
CacheBasedSessionHandler.php, DatabaseSessionHandler.php; illuminate/cache 12.x RedisStore.php (serialize).
"""

from __future__ import annotations

import re
from typing import Any

from sessionctl.errors import MalformedError
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, record_of

NAMES = ("laravel",)

_ENTRY = re.compile(rb's:\d+:"(?:a:\d+:\{|\{|eyJpdiI6|")')
_SEALED = b"eyJpdiI6"
"""Base64 of `{"iv":`."""


def recognise(sample: Sample) -> Guess:
    """What Laravel puts into every session, `_token` or `_flash`; or the envelope of its encrypter."""
    text = _bare(sample.content)
    if text.startswith(_SEALED):
        return Guess(0.98, "laravel")
    if text is not sample.content and _ENTRY.match(sample.content):
        return Guess(0.95, "laravel")
    if text[:2] == b"a:":
        return Guess(0.95, "laravel") if _has_marks(text) else NO
    value = sample.object
    is_laravel = isinstance(value.get("_token"), str) or _is_flash(value.get("_flash"))
    if is_laravel:
        return Guess(0.93, "laravel")
    plain = _from_base64(sample)
    return Guess(0.95, "laravel") if plain and _has_marks(plain) else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:
    """The session. Raises `MalformedError`; of an encrypted one `NoKeyError` and `BadSignatureError`."""
    from sessionctl.formats.laravel import Laravel

    decoded = Laravel().decode_record(
        _bare(sample.content), context.keys, now=context.now, max_size=context.max_size
    )
    return record_of(decoded, context)


def _bare(content: bytes) -> bytes:
    """The text without the string that a cache store makes of it."""
    if content[:2] != b"s:":
        return content
    from sessionctl.payload import php

    try:
        return php.loads_string(content.rstrip(b"\r\n"))
    except MalformedError:
        return content


def _has_marks(text: bytes) -> bool:
    return text[:2] == b"a:" and (b's:6:"_token";s:40:"' in text or b's:6:"_flash";a:2:{s:3:"' in text)


def _is_flash(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"old", "new"}


def _from_base64(sample: Sample) -> bytes:
    from sessionctl.payload.laravel import from_base64

    if not sample.content.startswith((b"YTo", b"eyJ")):
        return b""
    return from_base64(sample.content.strip(b"\r\n\t "))
