"""Ruby's Marshal format (see `sessionctl.payload.marshal`), written for values that JSON can hold."""

from __future__ import annotations

from typing import Any

from sessionctl.errors import UnserializableValueError
from sessionctl.payload.budget import MAX_DEPTH


def dumps(value: Any) -> bytes:
    """The Marshal payload of a value that JSON can hold: hashes with string keys, strings in UTF-8.

    Raises `UnserializableValueError`.
    """
    writer = _Writer()
    writer.write(value, 0)
    return b"\x04\x08" + bytes(writer.out)


class _Writer:
    __slots__ = ("_has_encoding_symbol", "out")

    def __init__(self) -> None:
        self.out = bytearray()
        self._has_encoding_symbol = False

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
            self._string(value)
        elif isinstance(value, dict):
            self.out += b"{" + _packed(len(value))
            for key, item in value.items():
                self.write(str(key), depth + 1)
                self.write(item, depth + 1)
        elif isinstance(value, (list, tuple)):
            self.out += b"[" + _packed(len(value))
            for item in value:
                self.write(item, depth + 1)
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

    def _string(self, value: str) -> None:
        """`I"` text and the instance variable `E: true`, which says that it is UTF-8."""
        try:
            data = value.encode()
        except UnicodeEncodeError:
            raise UnserializableValueError("", "a lone surrogate is no text in Ruby") from None
        self._sized(b'I"', data)
        self.out += _packed(1) + (b";\0" if self._has_encoding_symbol else b":\x06E") + b"T"
        self._has_encoding_symbol = True


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
