"""MessagePack, read and written with a hook for extension types.

One byte of type, then a length where the type has one, then the content; numbers are big-endian.

    00-7f integer            80-8f map              90-9f array          a0-bf text
    c0 nil   c2 false   c3 true                     c4 c5 c6 bytes       c7 c8 c9 extension
    ca cb float              cc cd ce cf unsigned   d0 d1 d2 d3 signed   d4-d8 extension
    d9 da db text            dc dd array            de df map            e0-ff integer

    extension: length, one signed byte that says which, content

Source: the MessagePack specification (github.com/msgpack/msgpack, spec.md).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload.budget import MAX_DEPTH, Budget, base64_text, float_or_name, key_text, text_or_base64

Extension = Callable[[int, bytes, Callable[[bytes], list[Any]]], Any]
"""Gives the value of an extension: its number, its content, and a reader of content that is MessagePack."""

_KIND = "a MessagePack payload"

_TIMESTAMP: Final = -1
"""The one extension of the specification."""


def loads(
    data: bytes,
    *,
    extension: Extension | None = None,
    binary: Callable[[bytes], str] = base64_text,
    key: Callable[[Any], str] = key_text,
) -> Any:
    """The value of a MessagePack payload as JSON can hold it; nothing may follow.

    `binary` shows bytes (as standard base64), `key` the keys of maps, `extension` what the specification
    does not know (as `{"__type__": "extension 5", "data": base64}`); timestamps are ISO 8601 in UTC.
    Raises `MalformedError`.
    """
    reader = _Reader(data, extension or unknown_extension, binary, key)
    try:
        value = reader.value(0)
    except (IndexError, struct.error):
        raise MalformedError(f"{_KIND} that is cut short") from None
    if reader.at != len(data):
        raise MalformedError(f"{_KIND} with {len(data) - reader.at} bytes after its end")
    return value


def unknown_extension(code: int, data: bytes, _values: Callable[[bytes], list[Any]]) -> Any:
    """An extension that nobody knows."""
    return {"__type__": f"extension {code}", "data": base64_text(data)}


class _Reader:
    """How far the payload has been read."""

    __slots__ = ("at", "binary", "budget", "data", "depth", "extension", "key")

    def __init__(
        self, data: bytes, extension: Extension, binary: Callable[[bytes], str], key: Callable[[Any], str]
    ) -> None:
        self.data = data
        self.at = 0
        self.depth = 0
        self.extension = extension
        self.binary = binary
        self.key = key
        self.budget = Budget(_KIND, len(data))

    def value(self, depth: int) -> Any:
        """The next value. Raises `IndexError` and `struct.error` too, for what is cut short."""
        self.budget.spend(depth)
        kind = self.data[self.at]
        self.at += 1
        if kind < 0x80:  # noqa: PLR2004 - the specification's numbers, here and below
            return kind
        if kind >= 0xE0:  # noqa: PLR2004
            return kind - 256
        if kind < 0x90:  # noqa: PLR2004
            return self.map(kind & 15, depth)
        if kind < 0xA0:  # noqa: PLR2004
            return self.array(kind & 15, depth)
        if kind < 0xC0:  # noqa: PLR2004
            return self.text(kind & 31)
        return self._long(kind, depth)

    def _long(self, kind: int, depth: int) -> Any:
        if kind in _CONSTANTS:
            return _CONSTANTS[kind]
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind in _FIXED_EXTENSIONS:
            return self._extension(_FIXED_EXTENSIONS[kind], depth)
        if kind not in _SIZED:
            raise MalformedError(f"{_KIND} with an unknown type at byte {self.at - 1}")
        layout, read = _SIZED[kind]
        return read(self, self._number(layout), depth)

    def _number(self, layout: str) -> Any:
        (number,) = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return float_or_name(number) if isinstance(number, float) else number

    def take(self, size: int) -> bytes:
        """The next bytes, all of them."""
        end = self.at + size
        if end > len(self.data):
            raise MalformedError(f"{_KIND} that is cut short")
        found = self.data[self.at : end]
        self.at = end
        return found

    def text(self, size: int, _depth: int = 0) -> str:
        """Text of `size` bytes; base64 where they are no UTF-8."""
        return text_or_base64(self.take(size))

    def binary_text(self, size: int, _depth: int = 0) -> str:
        """Bytes, as they are to be shown."""
        return self.binary(self.take(size))

    def array(self, count: int, depth: int) -> list[Any]:
        """An array of `count` values."""
        return [self.value(depth + 1) for _ in range(count)]

    def map(self, count: int, depth: int) -> dict[str, Any]:
        """A map of `count` pairs."""
        found: dict[str, Any] = {}
        for _ in range(count):
            key = self.key(self.value(depth + 1))
            found[key] = self.value(depth + 1)
        return found

    def _extension(self, size: int, depth: int) -> Any:
        code = int.from_bytes(self.take(1), "big", signed=True)
        content = self.take(size)
        if code == _TIMESTAMP:
            return _timestamp(content)
        return self.extension(code, content, lambda inner: self._inside(inner, depth + 1))

    def _inside(self, content: bytes, depth: int) -> list[Any]:
        """The values of an extension that is itself MessagePack."""
        inner = _Reader(content, self.extension, self.binary, self.key)
        inner.budget = self.budget
        found = []
        while inner.at < len(content):
            found.append(inner.value(depth))
        return found


_CONSTANTS: Final = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS: Final = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
_FIXED_EXTENSIONS: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_SIZED: Final[dict[int, tuple[str, Callable[[_Reader, int, int], Any]]]] = {
    0xC4: (">B", _Reader.binary_text),
    0xC5: (">H", _Reader.binary_text),
    0xC6: (">I", _Reader.binary_text),
    0xC7: (">B", _Reader._extension),  # noqa: SLF001 - its own
    0xC8: (">H", _Reader._extension),  # noqa: SLF001
    0xC9: (">I", _Reader._extension),  # noqa: SLF001
    0xD9: (">B", _Reader.text),
    0xDA: (">H", _Reader.text),
    0xDB: (">I", _Reader.text),
    0xDC: (">H", _Reader.array),
    0xDD: (">I", _Reader.array),
    0xDE: (">H", _Reader.map),
    0xDF: (">I", _Reader.map),
}


def _timestamp(content: bytes) -> str:
    """4 bytes of seconds; 30 bits of nanoseconds, 34 of seconds; or 4 bytes of nanoseconds, 8 of seconds."""
    from datetime import datetime, timedelta, timezone

    if len(content) == 4:  # noqa: PLR2004
        seconds, nanoseconds = int.from_bytes(content, "big"), 0
    elif len(content) == 8:  # noqa: PLR2004
        both = int.from_bytes(content, "big")
        seconds, nanoseconds = both & (1 << 34) - 1, both >> 34
    elif len(content) == 12:  # noqa: PLR2004
        nanoseconds, seconds = struct.unpack(">Iq", content)
    else:
        raise MalformedError(f"{_KIND} with a timestamp of {len(content)} bytes")
    try:
        when = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(  # noqa: UP017
            seconds=seconds, microseconds=nanoseconds // 1000
        )
    except OverflowError:
        raise MalformedError(f"{_KIND} with a time that is not on the calendar") from None
    return when.isoformat().replace("+00:00", "Z")


# -- writing ------------------------------------------------------------------------------------------


def dumps(value: Any, *, large_integer: Callable[[int], tuple[int, bytes]] | None = None) -> bytes:
    """The MessagePack payload of a value that JSON can hold, each part in its shortest form.

    `large_integer` gives the extension, number and content, of an integer over 64 bits. Raises
    `UnserializableValueError`.
    """
    out = bytearray()
    _write(out, value, large_integer, 0)
    return bytes(out)


def _write(out: bytearray, value: Any, large: Callable[[int], tuple[int, bytes]] | None, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UnserializableValueError("", f"nested deeper than {MAX_DEPTH} levels")
    if value is None or isinstance(value, bool):
        out += {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    elif isinstance(value, int):
        out += _integer(value, large)
    elif isinstance(value, float):
        out += b"\xcb" + struct.pack(">d", value)
    elif isinstance(value, str):
        data = _utf8(value)
        out += _head(len(data), (0xA0, 32), (0xD9, 0xDA, 0xDB)) + data
    elif isinstance(value, dict):
        out += _head(len(value), (0x80, 16), (None, 0xDE, 0xDF))
        for key, item in value.items():
            _write(out, str(key), large, depth + 1)
            _write(out, item, large, depth + 1)
    elif isinstance(value, (list, tuple)):
        out += _head(len(value), (0x90, 16), (None, 0xDC, 0xDD))
        for item in value:
            _write(out, item, large, depth + 1)
    else:
        raise UnserializableValueError("", f"MessagePack has no form here for {type(value).__name__}")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnserializableValueError("", "a lone surrogate is no text in MessagePack") from None


def _integer(value: int, large: Callable[[int], tuple[int, bytes]] | None) -> bytes:
    if -32 <= value < 128:  # noqa: PLR2004 - what fits in one byte
        return struct.pack(">b", value) if value < 0 else bytes((value,))
    kinds = ((0xCC, ">B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q"))
    if value < 0:
        kinds = ((0xD0, ">b"), (0xD1, ">h"), (0xD2, ">i"), (0xD3, ">q"))
    for kind, layout in kinds:
        try:
            return bytes((kind,)) + struct.pack(layout, value)
        except struct.error:
            continue
    if large is None:
        raise UnserializableValueError("", "MessagePack has no integers over 64 bits")
    code, content = large(value)
    return extension(code, content)


def extension(code: int, content: bytes) -> bytes:
    """An extension of that number and content."""
    fixed = {size: kind for kind, size in _FIXED_EXTENSIONS.items()}
    head = bytes((fixed[len(content)],)) if len(content) in fixed else b""
    return (head or _head(len(content), (0, 0), (0xC7, 0xC8, 0xC9))) + struct.pack(">b", code) + content


def _head(size: int, short: tuple[int, int], long: tuple[int | None, int, int]) -> bytes:
    """The type and length of what is `size` long: in one byte under a limit, else in 1, 2 or 4 more."""
    base, limit = short
    if size < limit:
        return bytes((base + size,))
    if long[0] is not None and size < 1 << 8:
        return struct.pack(">BB", long[0], size)
    if size < 1 << 16:
        return struct.pack(">BH", long[1], size)
    return struct.pack(">BI", long[2], size)
