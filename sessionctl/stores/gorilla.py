"""Records of Go's gorilla/sessions.

    session_ID (FilesystemStore)   the text of a securecookie, signed and perhaps encrypted like the cookie,
                                   under the cookie's name
    redistore and others           bare gob of map[interface{}]interface{}

Sources: gorilla/sessions 1.2.1 store.go; boj/redistore 1.2 redistore.go (GobSerializer).
"""

from __future__ import annotations

from sessionctl.errors import MalformedError
from sessionctl.payload import gob
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord

NAMES = ("gorilla",)

_FLASH = "_flash"


def recognise(sample: Sample) -> Guess:
    """A securecookie, or a stream of gob that begins with the definition of a map."""
    if sample.content[:1] == b"M" and sample.text is not None and _format().detect(sample.text) > 0:
        return Guess(0.97, "gorilla")
    return Guess(0.6, "gorilla") if gob.looks_whole(sample.content) else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:
    """The session. Raises `MalformedError`, and `NoKeyError` where it needs the block key."""
    if sample.content[:1] != b"M":
        data = gob.loads(sample.content)
        return StoredRecord(data=data, flash=_flashed(data), payload_type="gob")
    if sample.text is None:
        raise MalformedError("a file of gorilla/sessions is ASCII alone")
    form = _format()
    decoded = form.decode(sample.text)
    verdict = None
    if context.keys:
        verdict = form.verify(
            sample.text, context.keys, cookie_name=context.cookie_name, now=context.now, max_age=None
        )
    return StoredRecord(
        data=decoded.data,
        flash=decoded.flash,
        payload_type=decoded.payload_type,
        issued_at=decoded.issued_at,
        encrypted=decoded.encrypted,
        signed=True,
        verdict=verdict,
    )


def _format():  # type: ignore[no-untyped-def]
    from sessionctl.formats.gorilla import Gorilla

    return Gorilla()


def _flashed(data: object) -> object:
    return data.get(_FLASH) if isinstance(data, dict) else None
