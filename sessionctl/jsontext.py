r"""JSON in and out: fast, and exact about what it cannot keep.

The text is what `JSON.stringify` writes (ECMA-262, 25.5.2), so that a record
looks the same whether Remix or this package wrote it: no spaces, text beyond
ASCII as it is, lone surrogates as `\udXXX`, keys that are array indexes first
and in order, numbers as JavaScript prints them. One thing differs: `1.0` keeps
its `.0`, because it would come back as an `int` otherwise.

Python's own JSON is exact, and a process that handles few texts has it at no cost. One that handles many
has msgspec read and write them, in a tenth of the time; what msgspec refuses, or would write in another
way, goes to Python's.
"""

from __future__ import annotations

import json
import re
import sys
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.wording import with_article

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that a JavaScript number holds together with its neighbours."""

MAX_DEPTH = 100
"""How deep lists and objects may be nested in what a session keeps."""

_CHARACTERS_PER_TEXT = 1 << 14
"""A text of four million characters is worth to import msgspec."""

_SPACE = " \t\n\r"
_MAX_ARRAY_INDEX = 2**32 - 2
_SCALARS = frozenset({str, bool, type(None)})

# What the encoder writes in another way than JavaScript. A match inside a string does no harm: the slow path
# is exact. The first pattern is quick to say that no key ends in a digit, as in nearly every record.
_DIGIT_BEFORE_VALUE = r'":(?<=[0-9]":)'
_INDEX_KEY = r'"[0-9]+":'
_find_digit_before_value = re.compile(_DIGIT_BEFORE_VALUE).search
_find_index_key = re.compile(_INDEX_KEY).search
_find_small_number = re.compile(r"e-[0-9]+(?:[,\]}]|$)").search
_find_digit_before_value_utf8 = re.compile(_DIGIT_BEFORE_VALUE.encode()).search
_find_index_key_utf8 = re.compile(_INDEX_KEY.encode()).search
# Of msgspec, which writes no "+".
_find_exponent_utf8 = re.compile(rb"e(?<=[0-9]e)-?[0-9]+(?:[,\]}]|$)").search


def _refuse_constant(name: str) -> Any:
    raise MalformedError(f"not JSON: {name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise MalformedError("not JSON: a number is past any range")
    return value


def _make_encoder() -> Callable[[Any, int], Iterable[str]]:
    """What `JSONEncoder.iterencode` does, with the C encoder made once and not for each text.

    The second argument is the level of indentation, of which there is none.
    """
    python = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda value, _level: python.iterencode(value)
    encoder: Callable[[Any, int], Iterable[str]] = make(
        None, python.default, encode_basestring, None, ":", ",", False, False, False
    )
    return encoder


_scan = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite).scan_once  # type: ignore[attr-defined]
_encode = _make_encoder()


class _Fast:
    """msgspec's reading and writing, and what they raise; not there before enough texts were read."""

    read: Callable[[str | bytes], Any] | None = None
    write: Callable[[Any], bytes] | None = None
    errors: tuple[type[Exception], ...] = ()
    left = 256
    """Texts that Python's own JSON reads before: to import msgspec takes as long as it reads thousands."""

    def count(self, size: int) -> None:
        """One text more, of so many characters or bytes; a long one counts for several."""
        self.left -= 1 + size // _CHARACTERS_PER_TEXT
        if self.left <= 0:
            self.start()

    def start(self) -> None:
        """Import msgspec, and use it from now on."""
        import msgspec

        self.errors = (msgspec.MsgspecError, ValueError, RecursionError)
        self.write = msgspec.json.Encoder().encode
        self.read = msgspec.json.Decoder().decode


_fast = _Fast()


def loads(text: str) -> Any:
    """The value of a JSON text (RFC 8259), integers exact.

    Raises `MalformedError` for what is no JSON, `NaN` and `Infinity` included, or is nested too deep.
    """
    if _fast.read is None:
        _fast.count(len(text))
    if _fast.read is not None:
        try:
            return _fast.read(text)
        except _fast.errors:  # Python's own says what is wrong, or takes it: lone surrogates
            pass
    return _loads(text)


def _loads(text: str) -> Any:
    """The same by Python's own JSON."""
    try:
        value, end = _scan(text, 0)
        if end == len(text) or not text[end:].strip(_SPACE):
            return value
        raise MalformedError(f"not JSON: more text follows at character {end}")
    except StopIteration as error:
        if text[:1] and text[0] in _SPACE and text.strip(_SPACE):
            return _loads(text.strip(_SPACE))
        raise MalformedError(f"not JSON at character {error.value}") from None
    except RecursionError:
        raise MalformedError("JSON that is nested too deep") from None
    except ValueError as error:
        raise malformed(error) from None


def malformed(error: ValueError) -> MalformedError:
    """What an error of Python's JSON is here; `int` has its own for more digits than it reads."""
    if isinstance(error, json.JSONDecodeError):
        return MalformedError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos}")
    return MalformedError(f"JSON with an integer of more than {sys.get_int_max_str_digits()} digits")


def loads_bytes(data: bytes) -> Any:
    """As `loads`, from UTF-8."""
    if _fast.read is not None:
        try:
            return _fast.read(data)
        except _fast.errors:
            pass
    return loads(decode_utf8(data))


def decode_utf8(data: bytes) -> str:
    """The text of strict UTF-8; raises `MalformedError`."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"not UTF-8 at byte {error.start}") from None


def dumps(value: Any) -> str:
    """The JSON text of a value that `check` accepts, as JavaScript would write it.

    Raises `UnserializableValueError` where JSON has no form for the value at all.
    """
    try:
        text = "".join(_encode(value, 0))
    except (TypeError, ValueError, RecursionError) as error:
        check(value, "")
        raise UnserializableValueError("", str(error)) from None
    if (
        (_find_digit_before_value(text) and _find_index_key(text))
        or ("e-" in text and _find_small_number(text))
        or not (text.isascii() or _is_utf8(text))
    ):
        return _stringify(value)
    return text


def dumps_bytes(value: Any) -> bytes:
    """As `dumps`, in UTF-8."""
    return dumps(value).encode()


def dumps_checked(value: Any) -> str:
    """As `dumps`, and faster, of a value that `check` has accepted: others are changed without a word."""
    return dumps_checked_bytes(value).decode()


def dumps_checked_bytes(value: Any) -> bytes:
    """As `dumps_checked`, in UTF-8."""
    if _fast.write is None:
        return dumps(value).encode()
    try:
        text = _fast.write(value)
    except _fast.errors:  # a lone surrogate
        return dumps(value).encode()
    if (_find_digit_before_value_utf8(text) and _find_index_key_utf8(text)) or _find_exponent_utf8(text):
        return dumps(value).encode()
    return text


def _is_utf8(text: str) -> bool:
    """Whether the text has a form in UTF-8: no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _stringify(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        members = sorted(value.items(), key=_member_order) if any(map(_is_index, value)) else value.items()
        return "{" + ",".join(f"{_string(key)}:{_stringify(item)}" for key, item in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_stringify, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return "".join(_encode(value, 0))


def _string(text: str) -> str:
    quoted = encode_basestring(text)
    if _is_utf8(quoted):
        return quoted
    return re.sub("[\ud800-\udfff]", lambda found: encode_basestring_ascii(found[0])[1:-1], quoted)


def _is_index(key: Any) -> bool:
    """Whether JavaScript takes the key for an array index (ECMA-262, 6.1.7)."""
    if not isinstance(key, str):
        raise UnserializableValueError("", f"a key of type {type(key).__name__}, not str")
    return (
        key.isascii()
        and key.isdigit()
        and len(key) <= len(str(_MAX_ARRAY_INDEX))
        and str(int(key)) == key
        and int(key) <= _MAX_ARRAY_INDEX
    )


def index_in(values: list[Any], text: str, *, new: bool = False) -> int | None:
    """The index that a text names in a list, which has such an item, or with `new` ends there; else None."""
    index = int(text) if _is_index(text) else len(values) + 1
    return index if index < len(values) + new else None


def _member_order(member: tuple[str, Any]) -> tuple[int, int]:
    return (0, int(member[0])) if _is_index(member[0]) else (1, 0)


def _number(value: float) -> str:
    """A float as `Number::toString` prints it (ECMA-262, 6.1.6.1.20), where that is still read as a float."""
    mantissa, e, exponent = repr(value).partition("e-")
    if not e:
        return mantissa
    power = int(exponent)
    if power > 6:  # noqa: PLR2004 - the standard's number: 0.000001 has no exponent in JavaScript
        return f"{mantissa}e-{power}"
    sign, digits = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    return f"{sign}0.{'0' * (power - 1)}{digits.replace('.', '')}"


def check(value: Any, key: str, depth: int = 0) -> None:
    """Raise `UnserializableValueError`, which names the place, for what JSON would change or lose."""
    kind = type(value)
    if kind in _SCALARS:
        return
    if depth > MAX_DEPTH:
        raise UnserializableValueError(key[:80], f"nested deeper than {MAX_DEPTH} levels")
    if kind is int or kind is float:
        _check_number(value, key)
    elif kind is list:
        for index, item in enumerate(value):
            if type(item) not in _SCALARS:
                check(item, f"{key}[{index}]", depth + 1)
    elif kind is dict:
        _check_members(value, key, depth)
    else:
        problem = f"{with_article(kind.__name__)} does not survive JSON{_advice(kind)}"
        raise UnserializableValueError(key, problem)


def _check_number(value: float, key: str) -> None:
    if type(value) is int and abs(value) > MAX_SAFE_INTEGER + 1:
        raise UnserializableValueError(key, "an integer past 2**53 loses digits in JSON numbers; use text")
    if value - value != 0:
        raise UnserializableValueError(key, f"JSON has no {value}")


def _check_members(value: dict[Any, Any], key: str, depth: int) -> None:
    for name, item in value.items():
        if type(name) is not str:
            raise UnserializableValueError(key, f"a key of type {type(name).__name__}, not str")
        if type(item) not in _SCALARS:
            check(item, f"{key}.{name}" if key else name, depth + 1)


def _advice(kind: type) -> str:
    kinds: dict[type, str] = {tuple: "use a list", set: "use a list", bytes: "use base64 text"}
    advice = kinds.get(kind)
    return f"; {advice}" if advice else ""
