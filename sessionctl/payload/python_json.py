"""JSON as Python's `json` module writes and reads it: what Django, aiohttp and Beaker put into their cookies.

Two things differ from `sessionctl.jsontext`, which is about JavaScript: integers of any size are kept, and
`NaN`, `Infinity` and `-Infinity` are read. As JSON has no such numbers they come out as
`{"__type__": "float", "value": "NaN"}`.
"""

from __future__ import annotations

import json
from typing import Any

from sessionctl import jsontext
from sessionctl.errors import MalformedError, UnserializableValueError

CONSTANTS = ("NaN", "Infinity", "-Infinity")


def loads(text: str) -> Any:
    """The value of a JSON text. Raises `MalformedError`."""
    try:
        return jsontext.loads(text)
    except MalformedError:
        if not any(name in text for name in CONSTANTS):
            raise
    constants = {name: {"__type__": "float", "value": name} for name in CONSTANTS}
    try:
        return json.loads(text, parse_constant=constants.__getitem__)
    except RecursionError:
        raise MalformedError("JSON that is nested too deep") from None
    except ValueError as error:
        raise jsontext.malformed(error) from None


def loads_bytes(data: bytes) -> Any:
    """As `loads`, from UTF-8."""
    try:
        return jsontext.loads_bytes(data)
    except MalformedError:
        return loads(jsontext.decode_utf8(data))


def dumps(value: Any, *, spaced: bool = False, ascii_only: bool = True) -> str:
    """The JSON text, in ASCII unless told otherwise, with spaces if `spaced`. Raises `UnserializableValueError`."""
    separators = None if spaced else (",", ":")
    try:
        return json.dumps(value, allow_nan=False, separators=separators, ensure_ascii=ascii_only)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnserializableValueError("", str(error)) from None
