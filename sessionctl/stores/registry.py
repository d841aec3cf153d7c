"""The families of records, and the one that some bytes are of."""

from __future__ import annotations

import time
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sessionctl.errors import MalformedError, UnknownFormatError
from sessionctl.formats.base import MAX_SIZE
from sessionctl.signing.keys import KeyRing
from sessionctl.stores.base import MAX_RECORD, RecordContext, Sample, StoredRecord
from sessionctl.wording import counted, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FAMILIES = (
    "remix",
    "express",
    "koa",
    "django",
    "laravel",
    "php",
    "flask_session",
    "beaker",
    "cherrypy",
    "litestar",
    "starsessions",
    "aiohttp",
    "gorilla",
    "scs",
    "ruby",
    "plain",
)
"""The modules of this package, most distinctive first: of two that are as sure, the first is believed."""


def record_names() -> list[str]:
    """The names of all records that can be asked for."""
    return [name for family in _families() for name in family.NAMES]


def read_record(
    content: bytes,
    name: str | None = None,
    *,
    keys: KeyRing | Iterable[str | bytes] = (),
    cookie_name: str | None = None,
    options: Mapping[str, str] | None = None,
    now: float | None = None,
    max_size: int = MAX_SIZE,
) -> StoredRecord:
    """The stored session in some bytes, whoever wrote it; `name` (`-f`) settles who.

    `keys` open an encrypted record and verify a signed one; `cookie_name` is the cookie that named it, which
    some frameworks sign too; `options` are those of its format (`block-key` of gorilla). `max_size` bounds
    what a compressed record may become. Nothing is executed or imported. Raises
    `MalformedError`, `UnknownFormatError`; of an encrypted record `NoKeyError` and `BadSignatureError`.
    """
    if len(content) > MAX_RECORD:
        raise MalformedError(f"{len(content)} bytes are too many for a session (at most {MAX_RECORD})")
    ring = keys if isinstance(keys, KeyRing) else KeyRing(keys)
    context = RecordContext(ring, cookie_name, options or {}, time.time() if now is None else now, max_size)
    sample = Sample(content, name)
    try:
        record = _read_as(sample, name, context) if name is not None else _read(sample, context)
    except RecursionError:
        raise MalformedError("the record is nested too deep") from None
    if record.genuine and not isinstance(record.data, (dict, list)):
        raise MalformedError(f"a value of {record.payload_type} that is no session")
    return record


def may_be_empty(name: str | None) -> bool:
    """Whether nothing at all is a session too, of records of that name."""
    return any(name in family.NAMES and getattr(family, "MAY_BE_EMPTY", False) for family in _families())


def likeness(content: bytes, name: str | None) -> float:
    """How much some bytes look like a record of that name (0 to 1); without one, of any."""
    sample = Sample(content, name)
    with suppress(RecursionError):
        families = (family for family in _families() if name is None or name in family.NAMES)
        return max((float(family.recognise(sample).confidence) for family in families), default=0.0)
    return 0.0


def _families() -> list[Any]:
    return [import_module(f"sessionctl.stores.{family}") for family in _FAMILIES]


def _read_as(sample: Sample, name: str, context: RecordContext) -> StoredRecord:
    for family in _families():
        if name in family.NAMES:
            record: StoredRecord = family.read(sample, context)
            return record._replace(format=name)
    known = record_names()
    raise UnknownFormatError(
        f"there is no stored record {name!r}{did_you_mean(name, known)} ({', '.join(known)})"
    )


def _read(sample: Sample, context: RecordContext) -> StoredRecord:
    guesses = [(family.recognise(sample), family) for family in _families()]
    guess, family = max(guesses, key=lambda pair: pair[0].confidence)
    if not guess.confidence:
        raise MalformedError(_no_name(sample))
    record: StoredRecord = family.read(sample, context)
    return record._replace(format=guess.name, candidates=guess.candidates or (guess.name,))


def _no_name(sample: Sample) -> str:
    count = len(sample.content)
    return f"{counted(count, 'byte that is', 'bytes that are')} no stored session of a known framework"
