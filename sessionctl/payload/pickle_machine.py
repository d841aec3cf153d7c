"""The machine that a pickle is a program for, which imports and calls nothing (see `sessionctl.payload.pickle`).

It knows the opcodes of CPython's Lib/pickletools.py.
"""

from __future__ import annotations

import codecs
import struct
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sessionctl.errors import MalformedError
from sessionctl.payload.pickle_values import Global, Instance, Mapping, Python2Str, Set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_OPCODES: Final = 100_000
"""How many instructions a pickle may have; a cookie of 4,096 bytes has at most that many."""

MAX_EFFORT: Final = 60_000
"""What the instructions that take longer may cost in all."""

_OBJECT, _LINE = 3, 2
"""The cost of an object or the name of a class, and of a text that is written as a line."""

_BYTES_PER_EFFORT: Final = 32
"""Bytes of a number in digits that cost one."""

HIGHEST_PROTOCOL: Final = 5


class Machine:
    """The stack, the marks on it, the memo, and how far the program has been read."""

    __slots__ = ("at", "data", "left", "marks", "memo", "stack")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.left = MAX_EFFORT
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
        data, operations = self.data, _BY_OPCODE
        for _ in range(MAX_OPCODES):
            opcode = data[self.at]
            self.at += 1
            operation = operations[opcode]
            if operation is not None:
                operation(self)
            elif opcode == _STOP:
                return self.stack.pop()
            else:
                raise MalformedError(f"not a pickle: unknown instruction at byte {self.at - 1}")
        raise MalformedError(f"a pickle of more than {MAX_OPCODES} instructions")

    def spend(self, cost: int) -> None:
        """An instruction that takes longer."""
        self.left -= cost
        if self.left < 0:
            raise MalformedError(
                f"a pickle of more than {MAX_EFFORT // _OBJECT} objects or {MAX_EFFORT // _LINE} lines of text"
            )

    def take(self, size: int) -> bytes:
        """The next bytes of the program."""
        start = self.at
        end = self.at = start + size
        if end > len(self.data):
            raise MalformedError("the pickle is cut short")
        return self.data[start:end]

    def number(self, size: int) -> int:
        """An unsigned little-endian number."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> bytes:
        """The text up to the end of the line."""
        start = self.at
        end = self.data.find(b"\n", start)
        if end < 0:
            raise MalformedError("the pickle is cut short")
        self.at = end + 1
        return self.data[start:end]

    def digits(self) -> bytes:
        """A line that holds a number."""
        line = self.line()
        if len(line) > _BYTES_PER_EFFORT:
            self.spend(len(line) // _BYTES_PER_EFFORT)
        return line

    def make(self, called: Any, arguments: Any) -> Instance:
        """What a call would give, on the stack."""
        self.spend(_OBJECT)
        made = Instance(called, arguments)
        self.stack.append(made)
        return made

    def name(self) -> Global:
        """The class or function of two lines."""
        self.spend(_OBJECT)
        module = self.line()
        return Global(_text(module), _text(self.line()))

    def pop_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        items = self.stack
        self.stack = self.marks.pop()
        return items


# -- scalars ------------------------------------------------------------------------------------------


def _push(value: Any) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(value)


def _sized(size: int, make: Callable[[bytes], Any]) -> Callable[[Machine], None]:
    """An argument whose length stands before it in `size` bytes."""

    def operation(machine: Machine) -> None:
        data = machine.data
        start = machine.at + size
        end = machine.at = start + int.from_bytes(data[machine.at : start], "little")
        if end > len(data):
            raise MalformedError("the pickle is cut short")
        machine.stack.append(make(data[start:end]))

    return operation


def _short_text(machine: Machine) -> None:
    """As `_sized(1, _text)`, in less time: what most values and keys are."""
    data = machine.data
    start = machine.at + 1
    end = machine.at = start + data[start - 1]
    if end > len(data):
        raise MalformedError("the pickle is cut short")
    machine.stack.append(data[start:end].decode("utf-8", "surrogatepass"))


def _fixed(layout: str) -> Callable[[Machine], None]:
    number = struct.Struct(layout)
    read, size = number.unpack_from, number.size

    def operation(machine: Machine) -> None:
        machine.stack += read(machine.data, machine.at)
        machine.at += size

    return operation


def _byte(machine: Machine) -> None:
    machine.stack.append(machine.data[machine.at])
    machine.at += 1


def _lined(make: Callable[[bytes], Any]) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        machine.spend(_LINE)
        machine.stack.append(make(machine.line()))

    return operation


def _number(make: Callable[[bytes], Any]) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(make(machine.digits()))


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


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
    if len(line) < 2 or line[0] != line[-1] or line[0] not in b"\"'":  # noqa: PLR2004 - two quotes
        raise MalformedError("not a pickle: a text without its quotes")
    return Python2Str(codecs.escape_decode(line[1:-1])[0] if b"\\" in line else line[1:-1])


# -- containers ---------------------------------------------------------------------------------------


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        if len(machine.stack) < count:
            raise IndexError
        start = len(machine.stack) - count
        machine.stack[start:] = [tuple(machine.stack[start:])]

    return operation


def _from_mark(make: Callable[[list[Any]], Any]) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        items = machine.pop_mark()
        machine.stack.append(make(items))

    return operation


def _pairs(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(items[::2], items[1::2], strict=True)


def _append(machine: Machine) -> None:
    item = machine.stack.pop()
    machine.stack[-1].extend((item,))


def _extend(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.stack[-1].extend(items)


def _set_item(machine: Machine) -> None:
    value = machine.stack.pop()
    key = machine.stack.pop()
    machine.stack[-1].pairs.append((key, value))


def _set_items(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.stack[-1].pairs.extend(_pairs(items))


def _mark(machine: Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()


def _memoize(machine: Machine) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _duplicate(machine: Machine) -> None:
    machine.stack.append(machine.stack[-1])


# -- the memo -----------------------------------------------------------------------------------------


def _get(index: Callable[[Machine], int]) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(machine.memo[index(machine)])


def _put(index: Callable[[Machine], int]) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        machine.memo[index(machine)] = machine.stack[-1]

    return operation


def _byte_number(machine: Machine) -> int:
    machine.at += 1
    return machine.data[machine.at - 1]


def _long_number(machine: Machine) -> int:
    return machine.number(4)


def _number_line(machine: Machine) -> int:
    return int(machine.digits())


# -- what a real machine would look up or call ---------------------------------------------------------


def _global_lines(machine: Machine) -> None:
    machine.stack.append(machine.name())


def _stack_global(machine: Machine) -> None:
    machine.spend(_OBJECT)
    name, module = machine.stack.pop(), machine.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise TypeError
    machine.stack.append(Global(module, name))


def _call(machine: Machine) -> None:
    """REDUCE and NEWOBJ: a callable and its arguments."""
    arguments, called = machine.stack.pop(), machine.stack.pop()
    machine.make(called, arguments)


def _call_with_names(machine: Machine) -> None:
    names, arguments, called = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    machine.make(called, arguments).state = names


def _instance_lines(machine: Machine) -> None:
    called = machine.name()
    arguments = machine.pop_mark()
    machine.make(called, tuple(arguments))


def _object(machine: Machine) -> None:
    called, *arguments = machine.pop_mark()
    machine.make(called, tuple(arguments))


def _build(machine: Machine) -> None:
    state = machine.stack.pop()
    machine.stack[-1].state = state


def _persistent_line(machine: Machine) -> None:
    machine.make(_PERSISTENT, (_text(machine.line()),))


def _persistent(machine: Machine) -> None:
    machine.make(_PERSISTENT, (machine.stack.pop(),))


def _extension(size: int) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        machine.make(_EXTENSION, (machine.number(size),))

    return operation


_PERSISTENT: Final = Global("pickle", "persistent_id")
_EXTENSION: Final = Global("copyreg", "extension")


# -- the frame of the program -------------------------------------------------------------------------


def _protocol(machine: Machine) -> None:
    version = machine.number(1)
    if version > HIGHEST_PROTOCOL:
        raise MalformedError(f"a pickle of protocol {version}; the highest known is {HIGHEST_PROTOCOL}")


def _frame(machine: Machine) -> None:
    machine.take(8)


def _readonly(machine: Machine) -> None:
    """READONLY_BUFFER leaves what it finds."""


def _out_of_band(_machine: Machine) -> NoReturn:
    raise MalformedError("a pickle with buffers that are not in it")


_STOP: Final = ord(".")

_OPERATIONS: Final[dict[int, Callable[[Machine], None]]] = {
    ord(opcode): operation
    for opcode, operation in {
        "(": _mark,
        "0": _pop,
        "1": Machine.pop_mark,
        "2": _duplicate,
        "F": _number(float),
        "G": _fixed(">d"),
        "I": _number(_int_line),
        "J": _fixed("<i"),
        "K": _byte,
        "M": _fixed("<H"),
        "L": _number(_long_line),
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
        "\x94": _memoize,
        "g": _get(_number_line),
        "h": _get(_byte_number),
        "j": _get(_long_number),
        "p": _put(_number_line),
        "q": _put(_byte_number),
        "r": _put(_long_number),
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

_BY_OPCODE: Final = [_OPERATIONS.get(opcode) for opcode in range(256)]
