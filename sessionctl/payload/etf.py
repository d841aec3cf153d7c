"""The external term format of Erlang and Elixir, version 131, read without making anything; and written.

    83 term          83 50 size(4) zlib stream of a term

    61 byte                    integer            62 4 bytes                 integer
    6e count sign digits       larger integer     6f count(4) sign digits    the same
    46 8 bytes                 float              63 31 characters           float, before OTP 17
    77 length text             atom               76 length(2) text          atom
    73 64 length(2) latin-1    atom, before OTP 26   6a                      the empty list
    6d length(4) bytes         binary             4d length(4) bits bytes    bit string
    6c count(4) terms tail     list               6b length(2) bytes         list of small integers
    68 count terms             tuple              69 count(4) terms          tuple
    74 count(4) pairs          map                58 59 5a 66 67 65 72 78    pid, port, reference

Functions (70 75 71) are refused, as `Plug.Crypto.non_executable_binary_to_term` does. Source: Erlang/OTP 27,
erts/doc/guides/erl_ext_dist.md.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from sessionctl import jsontext
from sessionctl.encoding import decompress
from sessionctl.errors import MalformedError, NotSupportedError, UnserializableValueError
from sessionctl.payload.budget import MAX_DEPTH, Budget, items_of, key_text
from sessionctl.payload.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

_KIND = "an Erlang term"
_VERSION: Final = 131
_COMPRESSED: Final = 80
_MAX_SIZE: Final = 1 << 20
_IDENTITY_ITEMS: Final = 3
"""Values that a pid, port or reference counts for, its node among them."""


class Atom(str):
    """An atom, for writing: `Atom("infinity")`. Read ones are plain text."""

    __slots__ = ()


def loads(data: bytes, *, max_size: int = _MAX_SIZE) -> Any:
    """The value of a term as JSON can hold it; what follows its end is ignored, as Erlang does.

    Atoms become their names (`nil`, `true` and `false` as in JSON), binaries text (standard base64 where
    they are not UTF-8), tuples lists, the keys of maps text. `max_size` bounds what a compressed term may
    become, in bytes. Raises `MalformedError`.
    """
    reader = _Reader(_plain(data, max_size))
    try:
        return reader.term(0)
    except (IndexError, struct.error):
        raise reader.cut_short() from None


def _plain(data: bytes, max_size: int) -> bytes:
    """A term that is not compressed, after its version."""
    if data[:1] != bytes((_VERSION,)):
        raise MalformedError("not an Erlang term of version 131")
    if data[1:2] == bytes((_COMPRESSED,)):
        return data[:1] + decompress(data[6:], max_size)
    return data


class _Reader(Reader):
    """One pass over a term."""

    __slots__ = ()

    kind = _KIND

    def __init__(self, data: bytes) -> None:
        super().__init__(data, 1)

    def term(self, depth: int) -> Any:
        """The next term. Raises `IndexError` and `struct.error` too, for what is cut short."""
        kind = self.data[self.at]
        self.at += 1
        read = _READERS.get(kind)
        if read is None:
            what = "a function" if kind in _FUNCTIONS else "an unknown type"
            raise MalformedError(f"{_KIND} with {what} at byte {self.at - 1}")
        return read(self, depth)

    def terms(self, depth: int, count: int) -> list[Any]:
        """So many terms, each `depth` levels inside."""
        if not count:
            return []
        self.enter(depth - 1, count)
        data, readers, items = self.data, _READERS, []
        for _ in range(count):
            read = readers.get(data[self.at])
            if read is None:
                items.append(self.term(depth))
                continue
            self.at += 1
            items.append(read(self, depth))
        return items

    def enter(self, depth: int, count: int) -> None:
        """A container that holds so many terms, which take no less bytes."""
        if count > len(self.data) - self.at:
            raise self.cut_short()
        self.budget.enter(depth, count)

    def number(self, layout: str) -> int:
        """An integer of a fixed size."""
        (number,) = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return int(number)


# -- one function a type ------------------------------------------------------------------------------


def _integer(layout: str) -> Callable[[_Reader, int], int]:
    number = struct.Struct(layout)
    unpack, size = number.unpack_from, number.size

    def read(reader: _Reader, _depth: int) -> int:
        (value,) = unpack(reader.data, reader.at)
        reader.at += size
        return int(value)

    return read


_size = _integer(">I")


def _large_integer(layout: str) -> Callable[[_Reader, int], int]:
    def read(reader: _Reader, _depth: int) -> int:
        reader.budget.spend(1)
        size, negative = reader.number(layout), reader.number(">B")
        value = reader.budget.integer(int.from_bytes(reader.take(size), "little"))
        return -value if negative else value

    return read


def _float(reader: _Reader, _depth: int) -> float:
    return _finite(struct.unpack(">d", reader.take(8))[0])


def _old_float(reader: _Reader, _depth: int) -> float:
    try:
        return _finite(float(reader.take(31).rstrip(b"\0")))
    except ValueError:
        raise MalformedError(f"{_KIND} with a broken float") from None


def _finite(value: float) -> float:
    if value - value != 0:
        raise MalformedError(f"{_KIND} with a float that Erlang has not")
    return value


def _atom(layout: str, encoding: str) -> Callable[[_Reader, int], Any]:
    def read(reader: _Reader, _depth: int) -> Any:
        try:
            name = reader.take(reader.number(layout)).decode(encoding)
        except UnicodeDecodeError:
            raise MalformedError(f"{_KIND} with a broken atom") from None
        return _CONSTANTS.get(name, name)

    return read


def _binary(reader: _Reader, _depth: int) -> str:
    return reader.budget.shown(reader.take(_size(reader, 0)))


def _bit_string(reader: _Reader, _depth: int) -> str:
    size = reader.number(">I")
    reader.number(">B")
    return reader.budget.shown(reader.take(size))


def _small_integers(reader: _Reader, _depth: int) -> list[int]:
    numbers = reader.take(reader.number(">H"))
    reader.budget.spend(len(numbers))
    return list(numbers)


def _empty(_reader: _Reader, _depth: int) -> list[Any]:
    return []


def _list(reader: _Reader, depth: int) -> list[Any]:
    items = reader.terms(depth + 1, _size(reader, depth))
    reader.enter(depth, 1)
    tail = reader.term(depth + 1)
    return items if tail == [] else [*items, tail]  # an improper list ends in something else


def _tuple(layout: str) -> Callable[[_Reader, int], list[Any]]:
    return lambda reader, depth: reader.terms(depth + 1, reader.number(layout))


def _map(reader: _Reader, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    count = _size(reader, depth)
    reader.enter(depth, 2 * count)
    for _ in range(count):
        key = reader.term(depth + 1)
        if type(key) is not str:
            key = reader.budget.key(key, _key)
        found[key] = reader.term(depth + 1)
    return found


def _key(key: Any) -> str:
    return "nil" if key is None else key_text(key)


def _of_node(layout: str, kind: str) -> Callable[[_Reader, int], dict[str, Any]]:
    """A pid, port or reference: the atom of its node, then numbers; a reference has `count` of them."""

    def read(reader: _Reader, depth: int) -> dict[str, Any]:
        count = reader.number(">H") if layout.startswith("*") else 0
        reader.enter(depth, _IDENTITY_ITEMS)
        node = reader.term(depth + 1)
        numbers = reader.take(struct.calcsize(layout.lstrip("*")) + 4 * count)
        return {"__type__": kind, "node": node, "id": numbers.hex()}

    return read


_CONSTANTS: Final[dict[str, Any]] = {"nil": None, "true": True, "false": False}
_TUPLE: Final = 104
_MAP: Final = 116
_FUNCTIONS: Final = frozenset({112, 113, 117})

_READERS: Final[dict[int, Callable[[_Reader, int], Any]]] = {
    97: _integer(">B"),
    98: _integer(">i"),
    110: _large_integer(">B"),
    111: _large_integer(">I"),
    70: _float,
    99: _old_float,
    119: _atom(">B", "utf-8"),
    118: _atom(">H", "utf-8"),
    115: _atom(">B", "latin-1"),
    100: _atom(">H", "latin-1"),
    109: _binary,
    77: _bit_string,
    106: _empty,
    107: _small_integers,
    108: _list,
    104: _tuple(">B"),
    105: _tuple(">I"),
    116: _map,
    103: _of_node(">IIB", "pid"),
    88: _of_node(">III", "pid"),
    102: _of_node(">IB", "port"),
    89: _of_node(">II", "port"),
    120: _of_node(">QI", "port"),
    101: _of_node(">IB", "reference"),
    114: _of_node("*>B", "reference"),
    90: _of_node("*>I", "reference"),
}


# -- writing ------------------------------------------------------------------------------------------


def dumps(value: Any) -> bytes:
    """The term of a value that JSON can hold: text as binaries, objects as maps, `null` as `nil`.

    Tuples become tuples, `Atom`s atoms, and an `Encoded` term stands as it is. Raises `UnserializableValueError`.
    """
    out = bytearray((_VERSION,))
    _write(out, value, 0)
    return bytes(out)


class Encoded(bytes):
    """A term as it is written, after the version."""

    __slots__ = ()


def like(value: Any, before: bytes, *, max_size: int = _MAX_SIZE) -> Any:
    """A value for `dumps` in which all that is as `loads` gives it from an earlier term has the bytes it had there.

    Atoms, tuples and structs that were not touched stay such. Raises `MalformedError`, and `NotSupportedError` where
    two keys of a map have one name.
    """
    return _like(value, _Reader(_plain(before, max_size)))


def like_first(value: Any, before: bytes, *, max_size: int = _MAX_SIZE) -> Any:
    """As `like`, with the first member of an earlier tuple. Raises `NotSupportedError` where there is none."""
    reader = _Reader(_plain(before, max_size))
    if reader.data[1:2] != bytes((_TUPLE,)):
        raise NotSupportedError("the token has the layout of an old release, which is only read")
    reader.at = 3
    return _like(value, reader)


def _like(value: Any, reader: _Reader) -> Any:
    # What was changed is read again, level by level.
    reader.budget = Budget(_KIND, items_of(len(reader.data)))
    start = reader.at
    if jsontext.dumps(reader.term(0)) == jsontext.dumps(value):
        return Encoded(reader.data[start : reader.at])
    if not isinstance(value, dict) or reader.data[start] != _MAP:
        return value
    reader.at = start + 1
    made: dict[Any, Any] = dict(value)
    names = {}
    for _ in range(reader.number(">I")):
        at = reader.at
        name = _key(reader.term(0))
        if name in names:
            raise NotSupportedError(
                "two keys of an Elixir map have one name, and a change would lose one of them"
            )
        names[name] = Encoded(reader.data[at : reader.at])
        if name in made:
            at = reader.at
            made[name] = _like(made[name], reader)
            reader.at = at
        reader.term(0)
    return {names.get(name, name): item for name, item in made.items()}


def _write(out: bytearray, value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UnserializableValueError("", f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Encoded):
        out += value
    elif value is None or isinstance(value, (bool, Atom)):
        name = value if isinstance(value, Atom) else {None: "nil", True: "true", False: "false"}[value]
        out += struct.pack(">BB", 119, len(name.encode())) + name.encode()
    elif isinstance(value, int):
        out += _integer_term(value)
    elif isinstance(value, float):
        out += b"F" + struct.pack(">d", _number(value))
    elif isinstance(value, str):
        data = _utf8(value)
        out += struct.pack(">BI", 109, len(data)) + data
    else:
        _write_container(out, value, depth)


def _write_container(out: bytearray, value: Any, depth: int) -> None:
    if isinstance(value, dict):
        out += struct.pack(">BI", 116, len(value))
        for key, item in value.items():
            _write(out, key, depth + 1)
            _write(out, item, depth + 1)
    elif isinstance(value, tuple):
        out += struct.pack(">BB", 104, len(value))
        for item in value:
            _write(out, item, depth + 1)
    elif isinstance(value, list):
        out += struct.pack(">BI", 108, len(value)) if value else b""
        for item in value:
            _write(out, item, depth + 1)
        out += b"j"
    else:
        raise UnserializableValueError("", f"Erlang has no form here for {type(value).__name__}")


def _integer_term(value: int) -> bytes:
    if 0 <= value < 256:  # noqa: PLR2004 - a byte
        return struct.pack(">BB", 97, value)
    if -(1 << 31) <= value < 1 << 31:
        return struct.pack(">Bi", 98, value)
    digits = abs(value).to_bytes((abs(value).bit_length() + 7) // 8, "little")
    if len(digits) < 256:  # noqa: PLR2004
        return struct.pack(">BBB", 110, len(digits), value < 0) + digits
    return struct.pack(">BIB", 111, len(digits), value < 0) + digits


def _number(value: float) -> float:
    if value - value != 0:
        raise UnserializableValueError("", f"Erlang has no {value}")
    return value


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnserializableValueError("", "a lone surrogate is no text in Elixir") from None
