"""PHP's `serialize()` and its session records (see `sessionctl.payload.php`), written for values that JSON can hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sessionctl.errors import UnserializableValueError
from sessionctl.payload.budget import MAX_DEPTH
from sessionctl.payload.php import MAX_INT, MIN_INT, NOT_FINITE
from sessionctl.payload.php_session import MAX_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable


def dumps(value: Any) -> bytes:
    """The serialized text of what `php.loads` gives. Raises `UnserializableValueError`, which names the place.

    What was base64 stays text, and a repeated value is written twice: JSON does not tell them apart.
    """
    parts: list[bytes] = []
    _write(value, parts, "", 0)
    return b"".join(parts)


def dumps_session(values: dict[str, Any], handler: str = "php") -> bytes:
    """The record of a session's variables as a handler writes it."""
    if handler == "php_serialize":
        return dumps(values)
    parts = []
    for name, value in values.items():
        key = _utf8(name, name)
        if (b"|" in key) if handler == "php" else (len(key) > MAX_NAME):
            raise UnserializableValueError(name, f"the handler {handler!r} cannot write this name")
        parts.append(key + b"|" if handler == "php" else bytes([len(key)]) + key)
        parts.append(dumps(value))
    return b"".join(parts)


def _write(value: Any, parts: list[bytes], place: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UnserializableValueError(place[:80], f"nested deeper than {MAX_DEPTH} levels")
    if value is None:
        parts.append(b"N;")
    elif isinstance(value, bool):
        parts.append(b"b:%d;" % value)
    elif isinstance(value, str):
        parts.append(_string(value, place) + b";")
    elif isinstance(value, int):
        parts.append(b"i:%d;" % _int64(value, place))
    elif isinstance(value, float):
        parts.append(b"d:" + float_text(value).encode() + b";")
    elif isinstance(value, list):
        parts.append(b"a:%d:{" % len(value))
        _write_members(enumerate(value), parts, place, depth)
    elif isinstance(value, dict):
        _write_dict(value, parts, place, depth)
    else:
        raise UnserializableValueError(place, f"PHP has no {type(value).__name__}")


def _write_dict(value: dict[Any, Any], parts: list[bytes], place: str, depth: int) -> None:
    if "__ref__" in value:
        raise UnserializableValueError(place, "a value that holds itself cannot be written")
    kind = value.get("__type__")
    if not isinstance(kind, str):
        parts.append(b"a:%d:{" % len(value))
        _write_members(((_array_key(key), item) for key, item in value.items()), parts, place, depth)
    elif kind == "float" and (constant := _constant(value)):
        parts.append(b"d:%s;" % constant)
    elif isinstance(value.get("__case__"), str):
        parts.append(b"E:" + _string(f"{kind}:{value['__case__']}", place)[2:] + b";")
    elif isinstance(value.get("__data__"), str):
        content = _utf8(value["__data__"], place)
        parts.append(b"C:%s:%d:{%s}" % (_string(kind, place)[2:], len(content), content))
    else:
        members = [(_property(key), item) for key, item in value.items() if key != "__type__"]
        parts.append(b"O:" + _string(kind, place)[2:])
        parts.append(b":%d:{" % len(members))
        _write_members(members, parts, place, depth)


def _constant(value: dict[Any, Any]) -> bytes | None:
    """The name of a float that is not finite, as PHP writes it."""
    return next((name for name, word in NOT_FINITE.items() if value.get("value") == word), None)


def _write_members(members: Iterable[tuple[Any, Any]], parts: list[bytes], place: str, depth: int) -> None:
    for key, item in members:
        inner = f"{place}.{key}" if place else str(key)
        parts.append(b"i:%d;" % key if isinstance(key, int) else _string(key, inner) + b";")
        _write(item, parts, inner, depth + 1)
    parts.append(b"}")


def _array_key(key: Any) -> str | int:
    """PHP takes decimal text for a number where it is one of 64 bits, written plainly."""
    if not isinstance(key, str):
        raise UnserializableValueError(str(key), f"a key of type {type(key).__name__}, not str")
    digits = key.removeprefix("-")
    if len(key) <= 20 and digits.isascii() and digits.isdigit():  # noqa: PLR2004 - "-9223372036854775808"
        number = int(key)
        if str(number) == key and MIN_INT <= number <= MAX_INT:
            return number
    return key


def _property(name: str) -> str:
    """The property that `print_r` writes so: the reverse of what the reader does."""
    bare, colon, kind = name.rpartition(":")
    if not colon:
        return name
    if kind == "public":
        return bare
    if kind == "protected":
        return f"\0*\0{bare}"
    if kind == "private" and ":" in bare:
        bare, _, owner = bare.partition(":")
        return f"\0{owner}\0{bare}"
    return name


def _string(text: str, place: str) -> bytes:
    data = _utf8(text, place)
    return b's:%d:"%s"' % (len(data), data)


def _utf8(text: str, place: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnserializableValueError(place, "a lone surrogate has no UTF-8") from None


def _int64(number: int, place: str) -> int:
    if not MIN_INT <= number <= MAX_INT:
        raise UnserializableValueError(place, "an integer past 64 bits is no PHP integer")
    return number


_PLAIN = range(-3, 18)
"""Where the decimal point may stand before PHP takes to an exponent."""


def float_text(number: float) -> str:
    """A float as PHP writes it (`serialize_precision=-1`; main/snprintf.c): the shortest that reads back."""
    if not math.isfinite(number):
        return str(number).upper()
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    digits, point = _shortest(number)
    sign = "-" if number < 0 else ""
    if point in _PLAIN:
        return sign + _plain(digits, point)
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1:+d}"


def _shortest(number: float) -> tuple[str, int]:
    """The digits of the shortest decimal that reads back, and where the point stands before or after them."""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return digits.rstrip("0"), point


def _plain(digits: str, point: int) -> str:
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"
