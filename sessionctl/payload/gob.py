"""Go's `encoding/gob`: what gorilla/sessions puts into cookies and scs into stores.

    stream     message ...                  each: length, then a type definition or the value
    message    -id, definition              of the type `id` (65 and up)
               id, value                    the last one; a value that is no struct has a 0 before it
    uint       below 128 one byte; else 256 less the number of bytes, then these, big-endian
    int        uint: shifted left by one, bit 0 set and all others flipped where negative
    float      uint of the IEEE bytes in reverse;  complex: two of them
    text       length, bytes                bytes: the same
    list, map  count, elements;  keys and values in turn
    struct     field number less the last one, value, ... 0; zero values are left out
    interface  0 for nil; else name of the type, definitions that are new, its id, a length, value

As JSON: []byte and what is no UTF-8 become standard base64, keys text, complex numbers two in a list, NaN and
infinities `{"__type__": "float", "value": "NaN"}`, time.Time RFC 3339 in UTC. Any other type that encodes
itself is `{"__type__": name, "__data__": base64}`. A struct is an object of all its fields.
Sources: Go 1.19 encoding/gob doc.go, decoder.go, decode.go, type.go; time/time.go.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.encoding import b64encode
from sessionctl.errors import MalformedError, NotSupportedError
from sessionctl.payload.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ITEMS = 50_000
"""How many values a stream may have; one that encodes itself, as a time does, counts for five more."""
_OWN_ITEMS = 5

BOOL, INT, UINT, FLOAT, BYTES, STRING, COMPLEX, INTERFACE = range(1, 9)
_FIRST_ID = 65
_DEFINED = 0xF8
"""Where the first message may begin: an id from 65 up takes more than one byte ..."""
_BASIC = frozenset(bytes([2 * kind, 0]) for kind in range(1, 9))
"""... that of a type that every stream knows one, and a 0 before the value."""

WRITTEN = frozenset({b"bool", b"string", b"int", b"float64", b"[]interface {}", b"map[string]interface {}"})
"""The types of values in an interface that `sessionctl.payload.gob_writer` writes."""

_MAX_NAME = 1024
"""Bytes of a type's name in an interface (decode.go)."""

_ARRAY, _SLICE, _STRUCT, _MAP, _GOB_ENCODER, _BINARY, _TEXT = range(7)
"""The fields of a type definition, of which each has one (type.go, wireType)."""


class _Type(NamedTuple):
    """A type that the stream defined: `parts` are element types, for a struct `(name, type)` pairs."""

    kind: int
    name: str
    parts: tuple[Any, ...] = ()


def loads(data: bytes) -> Any:
    """The value of a stream of one. Raises `MalformedError`."""
    reader = _Reader(data)
    value = reader.message()
    if reader.at != len(data):
        raise reader.fail("more bytes follow")
    return value


def check_plain(data: bytes) -> bool:
    """Raise `NotSupportedError` for a stream whose map could not be written again without another type.

    Answers whether the map has keys of text, as `map[string]interface{}`, not of any type.
    """
    reader = _Reader(data)
    reader.message()
    found = reader.types.get(reader.kind)
    if (
        found is None
        or found.kind != _MAP
        or found.parts not in ((STRING, INTERFACE), (INTERFACE, INTERFACE))
    ):
        reader.foreign.add((found and found.name) or "a value that is no map of interface{}")
    if reader.foreign:
        raise NotSupportedError(
            f"the gob holds what would come back as another Go type ({min(reader.foreign)[:80]}), so it is not changed"
        )
    return found is not None and found.parts[0] == STRING


def looks_whole(data: bytes) -> bool:
    """Whether the data are whole messages from end to end, as every stream is; cheap, for every cookie."""
    at, end, begin = 0, len(data), 0
    while at < end:
        size = data[at]
        at += 1
        if size > 127:  # noqa: PLR2004 - the number of its bytes
            count = 256 - size
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if size < 2:  # noqa: PLR2004 - an id and a value
            return False
        begin = begin or at
        at += size
    return at == end > 0 and (data[begin] >= _DEFINED or data[begin : begin + 2] in _BASIC)


# -- reading ------------------------------------------------------------------------------------------


class _Reader:
    """One pass over the bytes; `types` are those that the stream has defined so far.

    `foreign` names what would be written as another type, `kind` is the type of the value.
    """

    __slots__ = ("at", "budget", "data", "foreign", "kind", "spend", "types")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.budget = Budget("a gob", MAX_ITEMS + 1)
        self.spend = self.budget.spend
        self.types: dict[int, _Type] = {}
        self.foreign: set[str] = set()
        self.kind = 0

    def fail(self, problem: str) -> MalformedError:
        return MalformedError(f"gob: {problem} at byte {self.at}")

    def message(self) -> Any:
        """The value, after the definitions before it."""
        self.unsigned()
        kind = self.signed()
        while kind < 0:
            self.define(-kind)
            self.unsigned()
            kind = self.signed()
        self.kind = kind
        return self.top(kind, 0)

    def top(self, kind: int, depth: int) -> Any:
        """A value that stands alone: one that is no struct has a 0 before it."""
        found = self.types.get(kind)
        if (found is None or found.kind != _STRUCT) and self.unsigned() != 0:
            raise self.fail("no value")
        return self.value(kind, depth)

    # numbers and bytes

    def unsigned(self) -> int:
        try:
            first = self.data[self.at]
        except IndexError:
            raise self.fail("the end") from None
        self.at += 1
        if first < 128:  # noqa: PLR2004 - the number itself
            return first
        size = 256 - first
        if size > 8:  # noqa: PLR2004 - 64 bits
            raise self.fail("a number past 64 bits")
        return int.from_bytes(self.take(size), "big")

    def signed(self) -> int:
        number = self.unsigned()
        return ~(number >> 1) if number & 1 else number >> 1

    def take(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        if len(found) != size:
            raise self.fail("the end")
        self.at += size
        return found

    def real(self) -> Any:
        number: float = struct.unpack("<d", self.unsigned().to_bytes(8, "big"))[0]
        if number - number == 0:
            return number
        return {"__type__": "float", "value": NOT_FINITE.get(str(number), "NaN")}

    def text(self) -> str:
        data = self.take(self.unsigned())
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.foreign.add("a string that is no UTF-8")
            return b64encode(data)

    # values

    def value(self, kind: int, depth: int) -> Any:
        """A value of the type; `depth` counts the containers around it."""
        plain = _PLAIN.get(kind)
        if plain is not None:
            self.spend(1)
            return plain(self)
        self.budget.enter(depth, 1)
        if kind == INTERFACE:
            return self.interface(depth + 1)
        found = self.types.get(kind)
        if found is None:
            raise self.fail("a type that was not defined")
        return _CONTAINERS[found.kind](self, found, depth + 1)

    def interface(self, depth: int) -> Any:
        size = self.unsigned()
        if size == 0:
            return None
        if size > _MAX_NAME:
            raise self.fail("a type's name that is too long")
        name = self.take(size)
        kind = self.signed()
        while kind < 0:
            self.define(-kind)
            self.unsigned()
            kind = self.signed()
        self.unsigned()
        value = self.top(kind, depth)
        if name not in WRITTEN and not (name == b"uint64" and isinstance(value, int) and value >= 1 << 63):
            self.foreign.add(name.decode(errors="replace"))
        return value

    def count(self) -> int:
        count = self.unsigned()
        if count > self.budget.left:
            raise self.budget.exceeded()
        return count

    def read_list(self, found: _Type, depth: int) -> list[Any]:
        (element,) = found.parts
        return [self.value(element, depth) for _ in range(self.count())]

    def read_map(self, found: _Type, depth: int) -> dict[str, Any]:
        key, element = found.parts
        made = {}
        for _ in range(self.count()):
            name = self.value(key, depth)
            if not isinstance(name, str):
                self.foreign.add(f"a key of type {type(name).__name__}")
            made[_key_text(name)] = self.value(element, depth)
        return made

    def read_struct(self, found: _Type, depth: int) -> dict[str, Any]:
        self.spend(len(found.parts))
        made = {name: self.zero(kind) for name, kind in found.parts}
        for number in self.fields():
            if number >= len(found.parts):
                raise self.fail("a field that was not defined")
            name, kind = found.parts[number]
            made[name] = self.value(kind, depth)
        return made

    def fields(self) -> Any:
        """The numbers of the fields that follow, from 0, as long as their values are read in between."""
        number = -1
        while step := self.unsigned():
            number += step
            yield number

    def zero(self, kind: int) -> Any:
        """What Go has where a struct's field was left out."""
        found = self.types.get(kind)
        if found is None:
            return _ZEROS.get(kind)
        return {_SLICE: [], _MAP: {}}.get(found.kind)

    def own(self, found: _Type, depth: int) -> Any:  # noqa: ARG002 - as the other containers
        """A type that encodes itself."""
        self.spend(_OWN_ITEMS)
        data = self.take(self.unsigned())
        time = _time(data) if found.name in _TIMES else None
        return time or {"__type__": found.name or "GobEncoder", "__data__": b64encode(data)}

    # type definitions

    def define(self, number: int) -> None:
        """Read the definition of a type: a struct with one field, which is itself a struct."""
        self.spend(1)
        if number < _FIRST_ID or number in self.types:
            raise self.fail("a type that cannot be defined")
        kind = self.unsigned() - 1
        if kind not in _CONTAINERS:
            raise self.fail("a type of unknown kind")
        name, parts = "", [0, 0]
        for field in self.fields():
            if field == 0:
                name = self.common()
            elif kind == _STRUCT and field == 1:
                count = self.count()
                self.spend(count)
                parts = [self.field() for _ in range(count)]
            elif kind != _STRUCT and field <= 2:  # noqa: PLR2004 - element and length, or key and element
                parts[field - 1] = self.signed()
            else:
                raise self.fail("a broken definition")
        if self.unsigned() != 0:
            raise self.fail("a broken definition")
        self.types[number] = _Type(kind, name, _parts(kind, parts))

    def common(self) -> str:
        name = ""
        for field in self.fields():
            if field == 0:
                name = self.text()
            else:
                self.signed()
        return name

    def field(self) -> Any:
        name, kind = "", 0
        for field in self.fields():
            if field == 0:
                name = self.text()
            else:
                kind = self.signed()
        return name, kind


def _parts(kind: int, parts: list[Any]) -> tuple[Any, ...]:
    if kind == _STRUCT:
        return tuple(part for part in parts if part != 0)
    if kind == _MAP:
        return tuple(parts)
    return tuple(parts[:1]) if kind in (_ARRAY, _SLICE) else ()


_PLAIN: dict[int, Callable[[_Reader], Any]] = {
    BOOL: lambda reader: reader.unsigned() != 0,
    INT: _Reader.signed,
    UINT: _Reader.unsigned,
    FLOAT: _Reader.real,
    BYTES: lambda reader: b64encode(reader.take(reader.unsigned())),
    STRING: _Reader.text,
    COMPLEX: lambda reader: [reader.real(), reader.real()],
}
_ZEROS: dict[int, Any] = {BOOL: False, INT: 0, UINT: 0, FLOAT: 0.0, BYTES: "", STRING: ""}
_CONTAINERS: dict[int, Callable[[_Reader, _Type, int], Any]] = {
    _ARRAY: _Reader.read_list,
    _SLICE: _Reader.read_list,
    _STRUCT: _Reader.read_struct,
    _MAP: _Reader.read_map,
    _GOB_ENCODER: _Reader.own,
    _BINARY: _Reader.own,
    _TEXT: _Reader.own,
}
NOT_FINITE = {"inf": "Infinity", "-inf": "-Infinity"}


def _key_text(key: Any) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool) or key is None:
        return {True: "true", False: "false", None: "null"}[key]
    return str(key)


# -- time.Time ----------------------------------------------------------------------------------------

_TIMES = frozenset({"Time", ""})
"""The name of the type; behind a pointer Go may write none."""

_UNIX = 62_135_596_800
"""Seconds from the year 1 to 1970."""

_YEARS = range(-_UNIX, 253_402_300_800)
"""The Unix seconds that RFC 3339 can write."""

_NANOSECONDS = range(10**9)


def _time(data: bytes) -> str | None:
    """RFC 3339 of what `Time.MarshalBinary` wrote: version, seconds, nanoseconds, minutes of offset."""
    if len(data) not in (15, 16) or data[0] not in (1, 2):
        return None
    seconds, nanoseconds = struct.unpack(">qi", data[1:13])
    return _rfc3339(seconds - _UNIX, nanoseconds)


def _rfc3339(seconds: int, nanoseconds: int) -> str | None:
    from datetime import datetime, timedelta

    if seconds not in _YEARS or nanoseconds not in _NANOSECONDS:
        return None
    moment = (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat()  # noqa: DTZ001 - its Z follows
    fraction = f".{nanoseconds:09d}".rstrip("0").rstrip(".")
    return f"{moment}{fraction}Z"
