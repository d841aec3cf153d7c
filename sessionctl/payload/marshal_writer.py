"""Ruby's Marshal format (see `sessionctl.payload.marshal`), written for values that JSON can hold.

What the reader made of another payload is written as it was there. Links to objects are not made: what was one
object at two places becomes two.
"""

from __future__ import annotations

from typing import Any

from sessionctl.errors import UnserializableValueError
from sessionctl.payload.budget import MAX_DEPTH
from sessionctl.payload.marshal_values import Hash, Object, String, Symbol


def dumps(value: Any) -> bytes:
    """The Marshal payload of a value that JSON can hold: hashes with string keys, strings in UTF-8.

    In it may be what `sessionctl.payload.marshal.dumps_like` kept. Raises `UnserializableValueError`.
    """
    writer = _Writer()
    writer.write(value, 0)
    return b"\x04\x08" + bytes(writer.out)


class _Writer:
    __slots__ = ("_symbols", "out")

    def __init__(self) -> None:
        self.out = bytearray()
        self._symbols: dict[str, int] = {}

    def write(self, value: Any, depth: int) -> None:
        """Append one value."""
        if depth > MAX_DEPTH:
            raise UnserializableValueError("", f"nested deeper than {MAX_DEPTH} levels")
        if value is None or isinstance(value, bool):
            self.out += {None: b"0", True: b"T", False: b"F"}[value]
        elif isinstance(value, int):
            self._integer(value)
        elif isinstance(value, float):
            self._sized(b"f", _float_text(value).encode())
        elif isinstance(value, str):
            self._text(value)
        elif isinstance(value, (list, tuple)):
            self.out += b"[" + _packed(len(value))
            for item in value:
                self.write(item, depth + 1)
        else:
            self._node(value, depth)

    def _node(self, value: Any, depth: int) -> None:
        """An object of JSON, or what the reader made."""
        if isinstance(value, (dict, Hash)):
            pairs = value.pairs if isinstance(value, Hash) else list(value.items())
            self.out += b"{" + _packed(len(pairs))
            for key, item in pairs:
                self.write(key, depth + 1)
                self.write(item, depth + 1)
        elif isinstance(value, String):
            self._bytes(value, depth)
        elif isinstance(value, Object):
            self._object(value, depth)
        else:
            raise UnserializableValueError("", f"Marshal has no form here for {type(value).__name__}")

    def _sized(self, kind: bytes, data: bytes) -> None:
        self.out += kind + _packed(len(data)) + data

    def _integer(self, value: int) -> None:
        if -(1 << 30) <= value < 1 << 30:
            self.out += b"i" + _packed(value)
            return
        half_words = (abs(value).bit_length() + 15) // 16
        self.out += b"l" + (b"-" if value < 0 else b"+") + _packed(half_words)
        self.out += abs(value).to_bytes(2 * half_words, "little")

    def _text(self, value: str) -> None:
        """A symbol; or `I"`, text and the instance variable `E: true`, which says that it is UTF-8."""
        if isinstance(value, Symbol):
            self._symbol(value)
            return
        try:
            data = value.encode()
        except UnicodeEncodeError:
            raise UnserializableValueError("", "a lone surrogate is no text in Ruby") from None
        self._sized(b'I"', data)
        self._is_utf8()

    def _is_utf8(self) -> None:
        self.out += _packed(1)
        self._symbol("E")
        self.out += b"T"

    def _symbol(self, name: str) -> None:
        """A symbol, or a link to it where it was written before (marshal.c, `w_symbol`)."""
        index = self._symbols.get(name)
        if index is not None:
            self.out += b";" + _packed(index)
            return
        self._symbols[name] = len(self._symbols)
        data = name.encode()
        self._sized(b":" if data.isascii() else b"I:", data)
        if not data.isascii():
            self._is_utf8()

    def _bytes(self, value: String, depth: int) -> None:
        self._sized(b'"' if value.members is None else b'I"', value.data)
        if value.members is not None:
            self._members(value.members, depth)

    def _members(self, members: list[tuple[str, Any]], depth: int) -> None:
        self.out += _packed(len(members))
        for name, member in members:
            self._symbol(name)
            self.write(member, depth + 1)

    def _object(self, value: Object, depth: int) -> None:
        """What is made of members, by `_dump` or by `marshal_dump`."""
        if value.kind == ord("u") and value.members:
            self.out += b"I"
        self.out.append(value.kind)
        self._symbol(value.name)
        if value.kind == ord("u"):
            self._sized(b"", value.content.data)
            if value.members:
                self._members(value.members, depth)
        elif value.kind in b"oS":
            self._members(value.members, depth)
        else:
            self.write(value.content, depth + 1)


def _packed(number: int) -> bytes:
    """A packed number (marshal.c, `w_long`)."""
    if number == 0:
        return b"\0"
    if 0 < number < 123:  # noqa: PLR2004 - what fits in the one byte
        return bytes((number + 5,))
    if -124 < number < 0:  # noqa: PLR2004
        return bytes((number - 5 + 256,))
    size = next(size for size in range(1, 5) if -(1 << 8 * size) <= number < 1 << 8 * size)
    data = (number & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    return bytes((size if number > 0 else 256 - size,)) + data


def _float_text(value: float) -> str:
    if value - value != 0:
        raise UnserializableValueError("", f"a session has no {value}")
    mantissa, e, exponent = repr(value).removesuffix(".0").partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa
