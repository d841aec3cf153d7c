"""Ruby's Marshal format, version 4.8, read without making objects; and written, for plain values.

    04 08 value

A value is one byte of type and what belongs to it. Numbers are packed (`r_long`): 0 is 00, 1 to 122 the
number plus 5, others a byte that counts the little-endian bytes that follow. Types met in sessions:

    0 T F                     nil, true, false           " length bytes      a string
    i number                  an integer of 31 bits      : length bytes      a symbol
    l sign half-words bytes   a larger one               ; number            a symbol seen before
    f length text             a float                    @ number            an object seen before
    [ count values            an array                   I value members     with instance variables
    { count pairs             a hash                     } count pairs value the same, and a default
    o class members           an object                  S class members     a struct
    u class length bytes      made by `_dump`            U class value       made by `marshal_dump`
    C class value             of a subclass              e module value      extended by a module
    c m M length name         a class, a module          / length source options   a regular expression

    members: count (symbol value)...

Symbols and objects are numbered in the order in which they are read, which links go by. Nothing is looked up
or called: `sessionctl.payload.marshal_values` says how objects are shown.
Source: Ruby 3.3 marshal.c, `r_object_for`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from sessionctl import jsontext
from sessionctl.errors import MalformedError, NotSupportedError
from sessionctl.payload.budget import text_or_base64
from sessionctl.payload.marshal_values import KIND, Hash, Object, Rendering, String, Symbol, Verbatim
from sessionctl.payload.marshal_writer import dumps
from sessionctl.payload.reader import Reader
from sessionctl.payload.ruby_values import ruby_key

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SIGNATURE", "dumps", "dumps_like", "loads"]

SIGNATURE: Final = b"\x04\x08"


def loads(data: bytes) -> Any:
    """The value of a Marshal payload as JSON can hold it. What follows its end is ignored, as Ruby does.

    Symbols become their names, strings text (standard base64 where they are no text). Raises
    `MalformedError`.
    """
    if data[:2] != SIGNATURE:
        raise MalformedError("not a Marshal payload of version 4.8")
    reader = _Reader(data)
    try:
        return Rendering(len(data)).show(reader.value(0), 0)
    except (IndexError, ValueError, struct.error):
        raise MalformedError(f"{KIND} that is broken before byte {reader.at}") from None


def dumps_like(value: Any, before: bytes) -> bytes:
    """As `dumps`; what is as `loads` gives it from an earlier payload stays what it was there.

    Symbols, times and objects stay such, and the bytes of strings. Raises `MalformedError`, and `NotSupportedError`
    for a payload with what is not written here: a subclass of a built-in class, the default of a hash, a class.
    """
    if before[:2] != SIGNATURE:
        return dumps(value)
    reader = _Reader(before)
    root = reader.value(0)
    if reader.lost:
        raise NotSupportedError(f"the Marshal payload holds {min(reader.lost)}, which a change would lose")
    return dumps(_merged(value, root, len(before)))


def _merged(value: Any, old: Any, size: int) -> Any:
    if not isinstance(value, dict) or not isinstance(old, Hash):
        if jsontext.dumps(Rendering(size).show(old, 0)) == jsontext.dumps(value):
            return old
        if isinstance(value, str) and isinstance(old, Object) and old.name == "Rack::Session::SessionId":
            renewed = Object(old.kind, old.name)
            renewed.members = [(name, value) for name, _ in old.members]  # it has @public_id alone
            return renewed
        return value
    names = [ruby_key(Rendering(size).show(key, 0)) for key, _ in old.pairs]
    if len(set(names)) < len(names):
        raise NotSupportedError("two keys of a Ruby hash have one name, and a change would lose one of them")
    merged = Hash()
    kept = {name: pair for name, pair in zip(names, old.pairs, strict=True) if name in value}
    for name, item in value.items():
        key, before = kept.get(name, (name, None))
        merged.pairs.append((key, _merged(item, before, size) if name in kept else item))
    return merged


class _Reader(Reader):
    """How far the payload has been read, what links can point at, and what could not be written again."""

    __slots__ = ("lost", "objects", "symbols")

    kind = KIND

    def __init__(self, data: bytes) -> None:
        super().__init__(data, 2)
        self.objects: list[Any] = []
        self.symbols: list[str] = []
        self.lost: set[str] = set()

    def value(self, depth: int) -> Any:
        """The next value. Raises `IndexError` and `ValueError` too, for what is broken."""
        kind = self.data[self.at]
        self.at += 1
        read = _READERS.get(kind)
        if read is None:
            raise MalformedError(f"{KIND} with an unknown type at byte {self.at - 1}")
        return read(self, depth)

    def byte(self) -> int:
        """The next byte."""
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        """A packed number (marshal.c, `r_long`)."""
        first = self.data[self.at]
        self.at += 1
        if 5 < first < 128:  # noqa: PLR2004 - what most are
            return first - 5
        if first == 0:
            return 0
        signed = first - 256 if first > 127 else first  # noqa: PLR2004 - a signed byte
        if -4 <= signed <= 4:  # noqa: PLR2004 - so many bytes follow
            number = int.from_bytes(self.take(abs(signed)), "little")
            return number if signed > 0 else number - (1 << (8 * -signed))
        return signed - 5 if signed > 0 else signed + 5

    def count(self) -> int:
        """How many values follow: never more than there are bytes left."""
        count = self.number()
        if not 0 <= count <= len(self.data) - self.at:
            raise self.cut_short()
        return count

    def bytes(self) -> bytes:
        """Bytes after their length."""
        return self.take(self.number())

    def name(self) -> str:
        """A class or member name: a symbol or a link to one."""
        kind = self.byte()
        if kind == _LINK_TO_SYMBOL:
            return _symbol_link(self, 0)
        if kind == _WITH_VARIABLES and self.byte() == _SYMBOL:
            return _symbol_with_encoding(self, 0)
        if kind == _SYMBOL:
            return _symbol(self, 0)
        raise MalformedError(f"{KIND} without a name before byte {self.at}")

    def enter(self, thing: Any) -> Any:
        """The object, numbered for links to it."""
        self.objects.append(thing)
        return thing

    def pairs(self, depth: int) -> list[tuple[str, Any]]:
        """Instance variables or members."""
        count = self.count()
        self.budget.enter(depth, count)
        return [(self.name(), self.value(depth + 1)) for _ in range(count)]

    def inner(self, depth: int) -> Any:
        """The one value that lies in another."""
        self.budget.enter(depth, 1)
        return self.value(depth + 1)


_WITH_VARIABLES: Final = ord("I")
_STRING: Final = ord('"')
_SYMBOL: Final = ord(":")
_LINK_TO_SYMBOL: Final = ord(";")


# -- one function a type ------------------------------------------------------------------------------


def _constant(value: Any) -> Callable[[_Reader, int], Any]:
    return lambda _reader, _depth: value


def _integer(reader: _Reader, _depth: int) -> int:
    return reader.number()


def _large_integer(reader: _Reader, _depth: int) -> int:
    reader.budget.spend(1)
    sign = reader.byte()
    value = int.from_bytes(reader.take(2 * reader.number()), "little")
    return int(reader.enter(reader.budget.integer(-value if sign == ord("-") else value)))


def _float(reader: _Reader, _depth: int) -> float:
    reader.budget.spend(1)
    value = float(reader.bytes().partition(b"\0")[0])  # Ruby 1.8 wrote the exact mantissa behind a NUL
    reader.objects.append(value)
    return value


def _symbol(reader: _Reader, _depth: int) -> str:
    return _enter_symbol(reader, reader.bytes())


def _symbol_with_encoding(reader: _Reader, depth: int) -> str:
    symbol = _enter_symbol(reader, reader.bytes())
    reader.pairs(depth)
    return symbol


def _enter_symbol(reader: _Reader, data: bytes) -> str:
    reader.budget.spend(1)
    symbol = Symbol(reader.budget.shown(data))
    if symbol.encode(errors="replace") != data:
        reader.lost.add("a symbol that is no text")
    reader.symbols.append(symbol)
    return symbol


def _symbol_link(reader: _Reader, _depth: int) -> str:
    return reader.symbols[_index(reader)]


def _link(reader: _Reader, _depth: int) -> Any:
    return reader.objects[_index(reader)]


def _index(reader: _Reader) -> int:
    index = reader.number()
    if index < 0:
        raise MalformedError(f"{KIND} with a link to nothing")
    return index


def _string(reader: _Reader, _depth: int) -> Any:
    reader.budget.spend(1)
    value = String(reader.bytes())
    reader.objects.append(value)
    return value


def _regexp(reader: _Reader, _depth: int) -> Any:
    reader.budget.spend(1)
    source, options = reader.bytes(), reader.byte()
    reader.lost.add("a regular expression")
    flags = "".join(flag for bit, flag in ((4, "m"), (1, "i"), (2, "x")) if options & bit)
    return reader.enter(Verbatim(f"/{reader.budget.shown(source)}/{flags}"))


def _module(reader: _Reader, _depth: int) -> Any:
    reader.budget.spend(1)
    reader.lost.add("a class or module")
    return reader.enter(Verbatim(reader.budget.shown(reader.bytes())))


def _array(reader: _Reader, depth: int) -> Any:
    items: list[Any] = reader.enter([])
    count = reader.count()
    if not count:
        return items
    reader.budget.enter(depth, count)
    for _ in range(count):
        items.append(reader.value(depth + 1))  # noqa: PERF401 - a link inside may point at the list
    return items


def _hash(reader: _Reader, depth: int) -> Any:
    made = reader.enter(Hash())
    count = reader.count()
    if not count:
        return made
    reader.budget.enter(depth, 2 * count)
    for _ in range(count):
        made.pairs.append((reader.value(depth + 1), reader.value(depth + 1)))
    return made


def _hash_with_default(reader: _Reader, depth: int) -> Any:
    made = _hash(reader, depth)
    reader.lost.add("a hash with a default")
    reader.inner(depth)
    return made


def _object(reader: _Reader, depth: int) -> Any:
    reader.budget.spend(1)
    made = reader.enter(Object(reader.data[reader.at - 1], reader.name()))
    made.members += reader.pairs(depth)
    return made


def _dumped(reader: _Reader, depth: int, variables: bool = False) -> Any:
    """What a class' `_dump` wrote. It is numbered after its instance variables."""
    reader.budget.spend(1)
    made = Object(ord("u"), reader.name())
    made.content = String(reader.bytes())
    if variables:
        made.members = reader.pairs(depth)
    return reader.enter(made)


def _marshal_dumped(reader: _Reader, depth: int) -> Any:
    reader.budget.spend(1)
    made = reader.enter(Object(reader.data[reader.at - 1], reader.name()))
    made.content = reader.inner(depth)
    return made


def _of_module(reader: _Reader, depth: int) -> Any:
    """An instance of a subclass of a built-in class, or an extended object: shown as that built-in class."""
    reader.lost.add(f"a {reader.name()}, which is of a built-in class")
    return reader.inner(depth)


def _with_variables(reader: _Reader, depth: int) -> Any:
    kind = reader.data[reader.at]
    reader.budget.spend(1 if kind == _STRING else 2)
    if kind == _SYMBOL:
        reader.at += 1
        return _symbol_with_encoding(reader, depth)
    if kind == ord("u"):
        reader.at += 1
        return _dumped(reader, depth, variables=True)
    value = reader.value(depth + 1) if kind == _STRING else reader.inner(depth)
    members = reader.pairs(depth)
    if isinstance(value, String):
        value.members = members
    else:
        reader.lost.add("instance variables of a built-in class")
    for name, variable in members:
        if isinstance(value, String) and name == "encoding" and isinstance(variable, String):
            value.encoding = text_or_base64(variable.data)
    return value


_READERS: Final[dict[int, Callable[[_Reader, int], Any]]] = {
    ord("0"): _constant(None),
    ord("T"): _constant(True),
    ord("F"): _constant(False),
    ord("i"): _integer,
    ord("l"): _large_integer,
    ord("f"): _float,
    _SYMBOL: _symbol,
    _LINK_TO_SYMBOL: _symbol_link,
    ord("@"): _link,
    _STRING: _string,
    ord("/"): _regexp,
    ord("c"): _module,
    ord("m"): _module,
    ord("M"): _module,
    ord("["): _array,
    ord("{"): _hash,
    ord("}"): _hash_with_default,
    ord("o"): _object,
    ord("S"): _object,
    ord("u"): _dumped,
    ord("U"): _marshal_dumped,
    ord("d"): _marshal_dumped,
    ord("C"): _of_module,
    ord("e"): _of_module,
    _WITH_VARIABLES: _with_variables,
}
