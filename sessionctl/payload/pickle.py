r"""Python pickles, protocols 0 to 5, read without running them.

    [\x80 protocol] [\x95 frame size, 8 bytes] opcode argument opcode argument ... "."

A pickle is a program for a stack machine, and loading one may call anything. This machine knows the same
opcodes (CPython Lib/pickletools.py), but imports and calls nothing: what a real one would look up or call is
kept as a `Global` or an `Instance`, and shown as JSON by `sessionctl.payload.pickle_values`.
"""

from __future__ import annotations

import codecs
import struct
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sessionctl.errors import MalformedError, NotSupportedError, UnserializableValueError
from sessionctl.payload.pickle_values import Global, Instance, Mapping, Python2Str, Set, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_OPCODES: Final = 100_000
"""How many instructions a pickle may have; a cookie of 4,096 bytes has at most that many."""

HIGHEST_PROTOCOL: Final = 5

_PLAIN: Final = frozenset({str, int, float, bool, Python2Str})


def loads(data: bytes) -> Any:
    """The value of a pickle, as JSON can hold it; what follows its end is ignored, as Python does.

    Bytes become standard base64, tuples and sets lists, dates ISO 8601, objects of unknown classes
    `{"__type__": "module.Class", ...}`. Raises `MalformedError`.
    """
    return load_first(data)[0]


def load_first(data: bytes) -> tuple[Any, int]:
    """As `loads`, and how many bytes the pickle takes: more may follow (Django's file cache)."""
    machine = _Machine(data)
    value = machine.run()
    return to_json(value, machine.at), machine.at


def check_plain(data: bytes, *, envelope: bool = True) -> None:
    """Raise `NotSupportedError` for a pickle whose value `dumps` could not write again without a loss.

    Plain are lists, dicts with keys of text, text, numbers, booleans, None; with `envelope` a tuple around them.
    """
    value = _Machine(data).run()
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


def dumps(value: Any, protocol: int = 4) -> bytes:
    """The pickle of a value that JSON can hold. Raises `UnserializableValueError`."""
    import pickle

    try:
        return pickle.dumps(value, protocol)
    except RecursionError:
        raise UnserializableValueError("", "nested too deep for a pickle") from None


class _Machine:
    """The stack, the marks on it, the memo, and how far the program has been read."""

    __slots__ = ("at", "data", "marks", "memo", "stack")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """The value on top of the stack when the program stops."""
        try:
            return self._run()
        except (IndexError, KeyError):
            raise MalformedError(
                "not a pickle: it takes from an empty stack or memo, or ends early"
            ) from None
        except (ValueError, TypeError, AttributeError, OverflowError, struct.error):
            raise MalformedError(f"not a pickle: the instruction before byte {self.at} is broken") from None

    def _run(self) -> Any:
        data, operations = self.data, _OPERATIONS
        for _ in range(MAX_OPCODES):
            opcode = data[self.at]
            self.at += 1
            if opcode == _MEMOIZE:  # half of all instructions, and therefore done here
                self.memo[len(self.memo)] = self.stack[-1]
                continue
            if opcode == _STOP:
                return self.stack.pop()
            operation = operations.get(opcode)
            if operation is None:
                raise MalformedError(f"not a pickle: unknown instruction at byte {self.at - 1}")
            operation(self)
        raise MalformedError(f"a pickle of more than {MAX_OPCODES} instructions")

    def take(self, size: int) -> bytes:
        """The next bytes of the program."""
        end = self.at + size
        if end > len(self.data):
            raise MalformedError("the pickle is cut short")
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self, size: int) -> int:
        """An unsigned little-endian number."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> bytes:
        """The text up to the end of the line."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise MalformedError("the pickle is cut short")
        found = self.data[self.at : end]
        self.at = end + 1
        return found

    def pop_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        items = self.stack
        self.stack = self.marks.pop()
        return items


# -- scalars ------------------------------------------------------------------------------------------


def _push(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(value)


def _sized(size: int, make: Callable[[bytes], Any]) -> Callable[[_Machine], None]:
    """An argument whose length stands before it in `size` bytes."""
    return lambda machine: machine.stack.append(make(machine.take(machine.number(size))))


def _short_text(machine: _Machine) -> None:
    """As `_sized(1, _text)`, in half the time: what most values and keys are."""
    start = machine.at + 1
    end = machine.at = start + machine.data[machine.at]
    if end > len(machine.data):
        raise MalformedError("the pickle is cut short")
    machine.stack.append(machine.data[start:end].decode("utf-8", "surrogatepass"))


def _fixed(size: int, make: Callable[[bytes], Any]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(make(machine.take(size)))


def _lined(make: Callable[[bytes], Any]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(make(machine.line()))


def _unsigned(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _binary_float(data: bytes) -> Any:
    return struct.unpack(">d", data)[0]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _raw_unicode(line: bytes) -> str:
    return line.decode("raw-unicode-escape")


def _int_line(line: bytes) -> int | bool:
    """Protocol 0 writes booleans as `I00` and `I01`."""
    if line in (b"00", b"01"):
        return line == b"01"
    return int(line)


def _long_line(line: bytes) -> int:
    return int(line.removesuffix(b"L"))


def _quoted_line(line: bytes) -> Python2Str:
    """Protocol 0 writes Python 2's `str` as its `repr`."""
    line = line.strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"\"'":  # noqa: PLR2004 - two quotes
        raise MalformedError("not a pickle: a text without its quotes")
    return Python2Str(codecs.escape_decode(line[1:-1])[0])


# -- containers ---------------------------------------------------------------------------------------


def _tuple_of(count: int) -> Callable[[_Machine], None]:
    def operation(machine: _Machine) -> None:
        if len(machine.stack) < count:
            raise IndexError
        start = len(machine.stack) - count
        machine.stack[start:] = [tuple(machine.stack[start:])]

    return operation


def _from_mark(make: Callable[[list[Any]], Any]) -> Callable[[_Machine], None]:
    def operation(machine: _Machine) -> None:
        items = machine.pop_mark()
        machine.stack.append(make(items))

    return operation


def _pairs(items: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(items[::2], items[1::2], strict=True))


def _append(machine: _Machine) -> None:
    item = machine.stack.pop()
    machine.stack[-1].extend((item,))


def _extend(machine: _Machine) -> None:
    items = machine.pop_mark()
    machine.stack[-1].extend(items)


def _set_item(machine: _Machine) -> None:
    value = machine.stack.pop()
    key = machine.stack.pop()
    machine.stack[-1].pairs.append((key, value))


def _set_items(machine: _Machine) -> None:
    items = machine.pop_mark()
    machine.stack[-1].pairs.extend(_pairs(items))


def _mark(machine: _Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: _Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()


def _duplicate(machine: _Machine) -> None:
    machine.stack.append(machine.stack[-1])


# -- the memo -----------------------------------------------------------------------------------------


def _get(index: Callable[[_Machine], int]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.memo[index(machine)])


def _put(index: Callable[[_Machine], int]) -> Callable[[_Machine], None]:
    def operation(machine: _Machine) -> None:
        machine.memo[index(machine)] = machine.stack[-1]

    return operation


def _number_of(size: int) -> Callable[[_Machine], int]:
    return lambda machine: machine.number(size)


def _number_line(machine: _Machine) -> int:
    return int(machine.line())


# -- what a real machine would look up or call ---------------------------------------------------------


def _global_lines(machine: _Machine) -> None:
    module, name = _text(machine.line()), _text(machine.line())
    machine.stack.append(Global(module, name))


def _stack_global(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise TypeError
    machine.stack.append(Global(module, name))


def _call(machine: _Machine) -> None:
    """REDUCE and NEWOBJ: a callable and its arguments."""
    arguments, called = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(Instance(called, arguments))


def _call_with_names(machine: _Machine) -> None:
    names, arguments, called = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    made = Instance(called, arguments)
    made.state = names
    machine.stack.append(made)


def _instance_lines(machine: _Machine) -> None:
    module, name = _text(machine.line()), _text(machine.line())
    arguments = machine.pop_mark()
    machine.stack.append(Instance(Global(module, name), tuple(arguments)))


def _object(machine: _Machine) -> None:
    called, *arguments = machine.pop_mark()
    machine.stack.append(Instance(called, tuple(arguments)))


def _build(machine: _Machine) -> None:
    state = machine.stack.pop()
    machine.stack[-1].state = state


def _persistent_line(machine: _Machine) -> None:
    machine.stack.append(Instance(Global("pickle", "persistent_id"), (_text(machine.line()),)))


def _persistent(machine: _Machine) -> None:
    machine.stack.append(Instance(Global("pickle", "persistent_id"), (machine.stack.pop(),)))


def _extension(size: int) -> Callable[[_Machine], None]:
    def operation(machine: _Machine) -> None:
        machine.stack.append(Instance(Global("copyreg", "extension"), (machine.number(size),)))

    return operation


# -- the frame of the program -------------------------------------------------------------------------


def _protocol(machine: _Machine) -> None:
    version = machine.number(1)
    if version > HIGHEST_PROTOCOL:
        raise MalformedError(f"a pickle of protocol {version}; the highest known is {HIGHEST_PROTOCOL}")


def _frame(machine: _Machine) -> None:
    machine.take(8)


def _readonly(machine: _Machine) -> None:
    """READONLY_BUFFER leaves what it finds."""


def _out_of_band(_machine: _Machine) -> NoReturn:
    raise MalformedError("a pickle with buffers that are not in it")


_STOP: Final = ord(".")
_MEMOIZE: Final = 0x94

_OPERATIONS: Final[dict[int, Callable[[_Machine], None]]] = {
    ord(opcode): operation
    for opcode, operation in {
        "(": _mark,
        "0": _pop,
        "1": _Machine.pop_mark,
        "2": _duplicate,
        "F": _lined(float),
        "G": _fixed(8, _binary_float),
        "I": _lined(_int_line),
        "J": _fixed(4, _signed),
        "K": _fixed(1, _unsigned),
        "M": _fixed(2, _unsigned),
        "L": _lined(_long_line),
        "\x8a": _sized(1, _signed),
        "\x8b": _sized(4, _signed),
        "N": _push(None),
        "\x88": _push(True),
        "\x89": _push(False),
        "S": _lined(_quoted_line),
        "T": _sized(4, Python2Str),
        "U": _sized(1, Python2Str),
        "B": _sized(4, bytes),
        "C": _sized(1, bytes),
        "\x8e": _sized(8, bytes),
        "\x96": _sized(8, bytes),
        "V": _lined(_raw_unicode),
        "X": _sized(4, _text),
        "\x8c": _short_text,
        "\x8d": _sized(8, _text),
        ")": lambda machine: machine.stack.append(()),
        "t": _from_mark(tuple),
        "\x85": _tuple_of(1),
        "\x86": _tuple_of(2),
        "\x87": _tuple_of(3),
        "]": lambda machine: machine.stack.append([]),
        "l": _from_mark(list),
        "a": _append,
        "e": _extend,
        "}": lambda machine: machine.stack.append(Mapping()),
        "d": _from_mark(lambda items: Mapping(_pairs(items))),
        "s": _set_item,
        "u": _set_items,
        "\x8f": lambda machine: machine.stack.append(Set()),
        "\x90": _extend,
        "\x91": _from_mark(Set),
        "g": _get(_number_line),
        "h": _get(_number_of(1)),
        "j": _get(_number_of(4)),
        "p": _put(_number_line),
        "q": _put(_number_of(1)),
        "r": _put(_number_of(4)),
        "c": _global_lines,
        "\x93": _stack_global,
        "R": _call,
        "\x81": _call,
        "\x92": _call_with_names,
        "i": _instance_lines,
        "o": _object,
        "b": _build,
        "P": _persistent_line,
        "Q": _persistent,
        "\x82": _extension(1),
        "\x83": _extension(2),
        "\x84": _extension(4),
        "\x80": _protocol,
        "\x95": _frame,
        "\x97": _out_of_band,
        "\x98": _readonly,
    }.items()
}
