"""Go's `encoding/gob` (see `sessionctl.payload.gob`), written for values that JSON can hold."""

from __future__ import annotations

import struct
from typing import Any

from sessionctl.errors import UnserializableValueError
from sessionctl.payload.budget import MAX_DEPTH
from sessionctl.payload.gob import BOOL, FLOAT, INT, NOT_FINITE, STRING, UINT

_ANY_MAP, _ANY_LIST, _TEXT_MAP = 66, 67, 68
_DEFINITIONS = {
    _ANY_MAP: bytes([4, 1, 2, 0xFF, 2 * _ANY_MAP, 0, 1, 16, 1, 16, 0, 0]),
    _ANY_LIST: bytes([2, 1, 2, 0xFF, 2 * _ANY_LIST, 0, 1, 16, 0, 0]),
    _TEXT_MAP: bytes([4, 1, 2, 0xFF, 2 * _TEXT_MAP, 0, 1, 12, 1, 16, 0, 0]),
}
"""Field of the definition; common part, with the id; key and element: 16 is interface{}, 12 string."""


def dumps(value: Any, *, text_keys: bool = False) -> bytes:
    """A value as gorilla/sessions reads it. Raises `UnserializableValueError`, which names the place.

    An object is `map[interface{}]interface{}`, with `text_keys` `map[string]interface{}`; inside it lists are
    `[]interface{}` and objects `map[string]interface{}` (which the application must have given to
    `gob.Register`); integers are `int`, from 2**63 on `uint64`. Anything else stands as it is: text as `string`.
    """
    used: set[int] = set()
    if isinstance(value, dict) and not text_keys:
        used.add(_ANY_MAP)
        members = [_interface(part, key, used, 1) for key, item in value.items() for part in (key, item)]
        kind, body = _ANY_MAP, _uint(len(value)) + b"".join(members)
    else:
        _, kind, body = _typed(value, "", used, 0)
    stream = b"".join(_message(_int(-number) + _DEFINITIONS[number]) for number in sorted(used))
    return stream + _message(_int(kind) + b"\0" + body)


def _message(data: bytes) -> bytes:
    return _uint(len(data)) + data


def _interface(value: Any, place: str, used: set[int], depth: int) -> bytes:
    if value is None:
        return b"\0"
    name, kind, body = _typed(value, place, used, depth)
    return _message(name) + _int(kind) + _message(b"\0" + body)


def _typed(value: Any, place: str, used: set[int], depth: int) -> tuple[bytes, int, bytes]:
    """The name of a value's type, its id and the value."""
    if depth > MAX_DEPTH:
        raise UnserializableValueError(place[:80], f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, bool):
        return b"bool", BOOL, _uint(value)
    if isinstance(value, str):
        return b"string", STRING, _message(_utf8(value, place))
    if isinstance(value, int):
        return _integer(value, place)
    if isinstance(value, float):
        return b"float64", FLOAT, _real(value)
    if isinstance(value, list):
        return b"[]interface {}", _ANY_LIST, _list(value, place, used, depth)
    if isinstance(value, dict) and value.get("__type__") == "float":
        return b"float64", FLOAT, _real(_not_finite(value, place))
    if isinstance(value, dict):
        return b"map[string]interface {}", _TEXT_MAP, _map(value, place, used, depth)
    raise UnserializableValueError(
        place, "Go's gob cannot have nil here" if value is None else _no_kind(value)
    )


def _no_kind(value: Any) -> str:
    return f"gob has no {type(value).__name__}"


def _real(value: float) -> bytes:
    return _uint(int.from_bytes(struct.pack("<d", value), "big"))


def _not_finite(value: dict[Any, Any], place: str) -> float:
    """The float that `{"__type__": "float", ...}` stands for."""
    if value.get("value") not in ("NaN", *NOT_FINITE.values()):
        raise UnserializableValueError(place, "no float")
    return float(value["value"])


def _integer(value: int, place: str) -> tuple[bytes, int, bytes]:
    if -(2**63) <= value < 2**63:
        return b"int", INT, _int(value)
    if 0 <= value < 2**64:
        return b"uint64", UINT, _uint(value)
    raise UnserializableValueError(place, "an integer past 64 bits is no Go integer")


def _list(value: list[Any], place: str, used: set[int], depth: int) -> bytes:
    used.add(_ANY_LIST)
    items = (_interface(item, f"{place}[{index}]", used, depth + 1) for index, item in enumerate(value))
    return _uint(len(value)) + b"".join(items)


def _map(value: dict[Any, Any], place: str, used: set[int], depth: int) -> bytes:
    used.add(_TEXT_MAP)
    members = (
        _message(_utf8(key, place)) + _interface(item, f"{place}.{key}", used, depth + 1)
        for key, item in value.items()
    )
    return _uint(len(value)) + b"".join(members)


def _utf8(text: Any, place: str) -> bytes:
    if not isinstance(text, str):
        raise UnserializableValueError(place, f"a key of type {type(text).__name__}, not str")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnserializableValueError(place, "a lone surrogate has no UTF-8") from None


def _uint(number: int) -> bytes:
    if number < 128:  # noqa: PLR2004 - one byte
        return bytes([number])
    data = number.to_bytes(8, "big").lstrip(b"\0")
    return bytes([256 - len(data)]) + data


def _int(number: int) -> bytes:
    return _uint(~number << 1 | 1 if number < 0 else number << 1)
