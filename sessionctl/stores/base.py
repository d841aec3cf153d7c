"""What a stored session of another framework is, and what a module that reads some of them is made of.

A module of this package knows the records of one family of frameworks. It has

    NAMES                          the names that `-f` takes for them; the first is the family's own
    recognise(sample) -> Guess     what they may be, and how sure that is
    read(sample, context) -> StoredRecord
    MAY_BE_EMPTY = True                   where no bytes at all are a session too

`recognise` never raises; `read` raises `MalformedError`, and for an encrypted record `NoKeyError` and
`BadSignatureError`.
"""

from __future__ import annotations

import time
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionctl.errors import MalformedError
from sessionctl.formats.base import MAX_SIZE
from sessionctl.signing.keys import KeyRing
from sessionctl.verdict import Verdict, Warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.formats.base import Decoded

MAX_RECORD: Final = 16 << 20
"""Bytes over which a record is no session."""

_MILLISECONDS = 1000.0
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999."""


class StoredRecord(NamedTuple):
    """One stored session of any framework.

    `data` holds the session's values without what its store wraps around them, as JSON; `flash` is a view of
    the flashed messages where the framework has them. `format` names who wrote it, or `json`, `pickle`,
    `marshal`, `msgpack` where several write just the same: `candidates` are these. `verdict` is None where the
    record carries no signature, or no key was given to check it with. Times are Unix seconds.
    """

    data: Any
    format: str = ""
    flash: Any = None
    id: str | None = None
    payload_type: str = "json"
    issued_at: float | None = None
    expires_at: float | None = None
    encrypted: bool = False
    signed: bool = False
    verdict: Verdict | None = None
    candidates: tuple[str, ...] = ()
    warnings: tuple[Warn, ...] = ()
    default_life: float | None = None
    """The framework's default, in seconds, that `expires_at` counts with; None where the record says its end."""

    @property
    def genuine(self) -> bool:
        """Whether nothing speaks against it: no signature, none that was checked, or one that fits."""
        return self.verdict is None or self.verdict.valid

    def is_expired(self, now: float) -> bool:
        """Whether it has expired by what the record itself says."""
        return self.expires_at is not None and self.expires_at <= now

    def as_json(self, now: float | None = None) -> dict[str, Any]:
        """The JSON object of `sessionctl decode --record`: the keys of `decode`, then those of `verify`."""
        from sessionctl.duration import iso

        verdict = self.verdict or Verdict(valid=True)
        return {
            "format": self.format,
            "candidates": list(self.candidates),
            "id": self.id,
            "data": self.data,
            "flash": self.flash,
            "issued_at": iso(self.issued_at),
            "expires_at": iso(self.expires_at),
            "expired": self.is_expired(time.time() if now is None else now),
            "encrypted": self.encrypted,
            "signed": self.signed,
            "payload_type": self.payload_type,
            "signature": {
                "status": self.status,
                "key_index": verdict.key_index,
                "keys": verdict.keys,
                "reason": verdict.reason,
                "detail": verdict.detail,
            },
            "warnings": [warning._asdict() for warning in self.warnings],
        }

    @property
    def status(self) -> str:
        """`valid`, `invalid`, `unsigned` or `unchecked`, as in `inspect`."""
        if not self.signed:
            return "unsigned"
        if self.verdict is None:
            return "unchecked"
        return "valid" if self.verdict.valid else "invalid"


class Guess(NamedTuple):
    """What a record may be: how sure that is (0 to 1), its name, and who else writes just the same."""

    confidence: float = 0.0
    name: str = ""
    candidates: tuple[str, ...] = ()


NO: Final = Guess()


class RecordContext(NamedTuple):
    """What is known beside a record's bytes: the cookie that named it, options of its format (`-O`)."""

    keys: KeyRing = KeyRing()
    cookie_name: str | None = None
    options: Mapping[str, str] = MappingProxyType({})
    now: float = 0.0
    max_size: int = MAX_SIZE


def record_of(decoded: Decoded, context: RecordContext) -> StoredRecord:
    """The record of what a format has decoded; of an encrypted one a key has proved that it is genuine."""
    return StoredRecord(
        data=decoded.data,
        id=decoded.id,
        flash=decoded.flash,
        payload_type=decoded.payload_type,
        issued_at=decoded.issued_at,
        encrypted=decoded.encrypted,
        signed=decoded.encrypted,
        verdict=Verdict(valid=True, keys=len(context.keys)) if decoded.encrypted else None,
        warnings=decoded.warnings,
    )


class Sample:
    """The bytes of a record, and what they are when read as JSON, text or a pickle: each read once."""

    def __init__(self, content: bytes, name: str | None = None) -> None:
        self.content = content
        self.name = name
        """The name that was asked for (`-f`), else None."""

    @cached_property
    def text(self) -> str | None:
        """The text without white space around it, or None where the bytes are no UTF-8."""
        try:
            return self.content.strip(b" \t\r\n").decode()
        except UnicodeDecodeError:
            return None

    @cached_property
    def json(self) -> Any:
        """The JSON value; None where it is none."""
        from sessionctl.payload import python_json

        if self.text is None or self.text[:1] not in ("{", "[", '"'):
            return None
        try:
            return python_json.loads(self.text)
        except MalformedError:
            return None

    @cached_property
    def object(self) -> dict[str, Any]:
        """The JSON object; empty where it is none."""
        return self.json if isinstance(self.json, dict) else {}

    @cached_property
    def pickled(self) -> tuple[Any, int] | None:
        """The value of the pickle that the bytes begin with, and its size; None where they do not."""
        from sessionctl.payload import pickle

        if b"." not in self.content or not looks_pickled(self.content):
            return None
        try:
            return pickle.load_first(self.content)
        except MalformedError:
            return None

    @property
    def whole_pickle(self) -> Any:
        """The value of the pickle that takes all bytes; None where there is none."""
        found = self.pickled
        return found[0] if found is not None and found[1] == len(self.content) else None


def looks_pickled(content: bytes) -> bool:
    """Whether bytes begin as a pickle does: of protocol 2 and up, or of 0 and 1 a container or text."""
    if content[:1] == b"\x80":
        return content[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    return content[:1] in (b"(", b"}", b"]", b"c")


def json_of(sample: Sample) -> Any:
    """The JSON value of a record. Raises `MalformedError`, which says what is wrong."""
    if sample.json is not None:
        return sample.json
    from sessionctl import jsontext
    from sessionctl.payload import python_json

    return python_json.loads(jsontext.decode_utf8(sample.content))


def pickle_of(sample: Sample) -> Any:
    """The value of a record that is a pickle. Raises `MalformedError`."""
    from sessionctl.payload import pickle

    return pickle.loads(sample.content) if sample.pickled is None else sample.pickled[0]


def seconds(value: Any) -> float | None:
    """A number of Unix seconds, or None for what is none."""
    if type(value) not in (int, float) or not abs(value) <= _LAST_SECOND:
        return None
    return float(value)


def milliseconds(value: Any) -> float | None:
    """Unix seconds of a number of milliseconds, or None for what is none."""
    if type(value) not in (int, float) or not abs(value) <= _LAST_SECOND * _MILLISECONDS:
        return None
    return float(value) / _MILLISECONDS


def iso_seconds(value: Any) -> float | None:
    """Unix seconds of an ISO 8601 text, UTC unless it says otherwise; None for what is none."""
    if not isinstance(value, str) or not value[:1].isdigit():
        return None
    from sessionctl.duration import parse_time
    from sessionctl.errors import UsageError

    try:
        return parse_time(value)
    except (UsageError, OverflowError, ValueError):
        return None


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """A copy without some members."""
    return {name: value for name, value in values.items() if name not in names}
