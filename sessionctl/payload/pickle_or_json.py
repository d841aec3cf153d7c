"""A payload of Python's that is a pickle or JSON, which its bytes tell."""

from __future__ import annotations

from typing import Any

from sessionctl.errors import MalformedError
from sessionctl.payload import python_json


def loads(data: bytes) -> tuple[Any, str]:
    """The value as JSON can hold it, and what it was: `json` or `pickle`. Raises `MalformedError`.

    A pickle of protocol 2 or later begins with 0x80, an older one with any letter; all end in a full stop,
    which JSON does not.
    """
    if data[:1] == b"\x80":
        return _unpickle(data), "pickle"
    try:
        return python_json.loads_bytes(data), "json"
    except MalformedError:
        if data[-1:] != b".":
            raise
    return _unpickle(data), "pickle"


def kept(data: bytes, *, envelope: bool = True) -> str:
    """How a changed value is to be written: `json` or `pickle`, as the one before.

    Raises `MalformedError`, and `NotSupportedError` for a pickle that would lose something.
    """
    kind = loads(data)[1]
    if kind == "pickle":
        from sessionctl.payload import pickle

        pickle.check_plain(data, envelope=envelope)
    return kind


def _unpickle(data: bytes) -> Any:
    from sessionctl.payload import pickle

    return pickle.loads(data)
