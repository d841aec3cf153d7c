r"""Python pickles, protocols 0 to 5, read without running them.

    [\x80 protocol] [\x95 frame size, 8 bytes] opcode argument opcode argument ... "."

A pickle is a program for a stack machine, and loading one may call anything. The machine of
`sessionctl.payload.pickle_machine` knows the same opcodes, but imports and calls nothing: what a real one would look
up or call is kept as a `Global` or an `Instance`, and shown as JSON by `sessionctl.payload.pickle_values`.
"""

from __future__ import annotations

from typing import Any, Final

from sessionctl.errors import NotSupportedError, UnserializableValueError
from sessionctl.payload.pickle_machine import Machine
from sessionctl.payload.pickle_values import Mapping, Python2Str, to_json

_PLAIN: Final = frozenset({str, int, float, bool, Python2Str})


def loads(data: bytes) -> Any:
    """The value of a pickle, as JSON can hold it; what follows its end is ignored, as Python does.

    Bytes become standard base64, tuples and sets lists, dates ISO 8601, objects of unknown classes
    `{"__type__": "module.Class", ...}`. Raises `MalformedError`.
    """
    return load_first(data)[0]


def load_first(data: bytes) -> tuple[Any, int]:
    """As `loads`, and how many bytes the pickle takes: more may follow (Django's file cache)."""
    machine = Machine(data)
    value = machine.run()
    return to_json(value, machine.at), machine.at


def check_plain(data: bytes, *, envelope: bool = True) -> None:
    """Raise `NotSupportedError` for a pickle whose value `dumps` could not write again without a loss.

    Plain are lists, dicts with keys of text, text, numbers, booleans, None; with `envelope` a tuple around them.
    """
    value = Machine(data).run()
    left = [*value] if envelope and type(value) is tuple else [value]
    seen = set[int]()
    while left:
        item = left.pop()
        if isinstance(item, Mapping) and id(item) not in seen:
            seen.add(id(item))
            left += [part for pair in item.pairs for part in pair]
            if all(isinstance(key, (str, Python2Str)) for key, _ in item.pairs):
                continue
        elif type(item) is list:
            if id(item) not in seen:
                seen.add(id(item))
                left += item
            continue
        elif item is None or type(item) in _PLAIN or id(item) in seen:
            continue
        raise NotSupportedError(
            "the pickle holds what JSON has not (bytes, a tuple, a date, an object), and a change would lose it"
        )


def dumps(value: Any) -> bytes:
    """The pickle of a value that JSON can hold, in protocol 2, the newest that Python 2 reads.

    Raises `UnserializableValueError`.
    """
    import pickle

    try:
        return pickle.dumps(value, 2)
    except RecursionError:
        raise UnserializableValueError("", "nested too deep for a pickle") from None
