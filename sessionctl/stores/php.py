"""Records of PHP's own sessions in the three handlers, and of Symfony's, `sess_ID`.

The layouts are drawn in `sessionctl.payload.php_session`, Symfony's bags in `sessionctl.formats.php`. An empty file is
an empty session. A file that PHP cannot read ends the session there.
Sources: PHP 8.2 ext/session/session.c; symfony/http-foundation 5.4 Session/Storage.
"""

from __future__ import annotations

import re

from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, seconds

NAMES = ("php", "symfony")
MAY_BE_EMPTY = True

_VALUE = rb"(?:N;|[ibdRrsSaOCE]:[-+0-9.INFAE])"
_LONGEST_NAME = 127


def recognise(sample: Sample) -> Guess:
    """A name and a value, or an array; nothing but line ends is an empty session."""
    content = sample.content
    name = "symfony" if b"_sf2_meta" in content else "php"
    if not content.strip(b"\r\n"):
        return Guess(0.3, "php")
    if re.match(rb"a:\d+:\{", content):
        return Guess(0.9, name)
    if re.match(rb"[^|{}\x00-\x1f]{1,256}\|" + _VALUE, content):
        return Guess(0.9, name)
    size = content[0]
    if 0 < size <= _LONGEST_NAME and re.match(_VALUE, content[1 + size : 9 + size]):
        return Guess(0.85, name)
    return NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    from sessionctl.formats.php import META, decoded_record
    from sessionctl.payload import php_session

    values = php_session.loads(sample.content)
    decoded = decoded_record(values)
    meta = values.get(META) if isinstance(values, dict) else None
    expires_at = None
    if isinstance(meta, dict):
        used, lifetime = seconds(meta.get("u")), seconds(meta.get("l"))
        expires_at = used + lifetime if used is not None and lifetime else None
    return StoredRecord(
        data=decoded.data,
        flash=decoded.flash,
        payload_type="php",
        issued_at=decoded.issued_at,
        expires_at=expires_at,
    )
