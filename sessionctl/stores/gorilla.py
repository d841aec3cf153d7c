"""Records of Go's gorilla/sessions.

    session_ID (FilesystemStore)   the text of a securecookie, signed and perhaps encrypted like the cookie,
                                   under the cookie's name
    redistore and others           bare gob of map[interface{}]interface{}

Sources: gorilla/sessions 1.2.1 store.go; boj/redistore 1.2 redistore.go (GobSerializer).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sessionctl.errors import MalformedError
from sessionctl.payload import gob
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord
from sessionctl.verdict import Verdict, Warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.formats.gorilla import Gorilla

NAMES = ("gorilla",)

_FLASH = "_flash"
_UNNAMED = Warn(
    "name-unknown",
    "the cookie's name is signed too: without it (--cookie-name) the keys could not be checked",
)


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
    form = _format(context.options)
    decoded = form.decode(sample.text)
    verdict, warnings = _judged(form, sample.text, context)
    return StoredRecord(
        data=decoded.data,
        flash=decoded.flash,
        payload_type=decoded.payload_type,
        issued_at=decoded.issued_at,
        encrypted=decoded.encrypted,
        signed=True,
        verdict=verdict,
        warnings=warnings,
    )


def _judged(form: Gorilla, text: str, context: RecordContext) -> tuple[Verdict | None, tuple[Warn, ...]]:
    """The verdict on a securecookie; none where only its name may be what is wrong."""
    if not context.keys:
        return None, ()
    verdict = form.verify(text, context.keys, cookie_name=context.cookie_name, now=context.now, max_age=None)
    if verdict.reason == "bad-signature" and context.cookie_name is None:
        return None, (_UNNAMED,)
    return verdict, verdict.warnings


def _format(options: Mapping[str, str] = MappingProxyType({})) -> Gorilla:
    from sessionctl.formats.gorilla import Gorilla

    known = {option.name for option in Gorilla.options}
    return Gorilla(**{name.replace("-", "_"): value for name, value in options.items() if name in known})


def _flashed(data: Any) -> Any:
    return data.get(_FLASH) if isinstance(data, dict) else None
