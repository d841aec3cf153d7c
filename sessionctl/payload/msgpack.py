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

from sessionctl.encoding import b64encode
from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload.budget import MAX_DEPTH, float_or_name, key_text
from sessionctl.payload.reader import Reader
from sessionctl.wording import counted

Extension = Callable[[int, bytes, Callable[[bytes], list[Any]]], Any]
"""Gives the value of an extension: its number, its content, and a reader of content that is MessagePack."""

_KIND = "a MessagePack payload"

_EXTENSION_ITEMS: Final = 8
"""Values that an extension counts for, beside those in it."""

_TIMESTAMP: Final = -1
"""The one extension of the specification."""


def loads(
    data: bytes,
    *,
    extension: Extension | None = None,
    binary: Callable[[bytes], str] = b64encode,
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
        raise reader.cut_short() from None
    if reader.at != len(data):
        raise MalformedError(f"{_KIND} with {counted(len(data) - reader.at, 'byte')} after its end")
    return value


def unknown_extension(code: int, data: bytes, _values: Callable[[bytes], list[Any]]) -> Any:
    """An extension that nobody knows."""
    return {"__type__": f"extension {code}", "data": b64encode(data)}


class _Reader(Reader):
    """One pass over a payload."""

    __slots__ = ("binary", "depth", "extension", "key")

    kind = _KIND

    def __init__(
        self, data: bytes, extension: Extension, binary: Callable[[bytes], str], key: Callable[[Any], str]
    ) -> None:
        super().__init__(data)
        self.depth = 0
        self.extension = extension
        self.binary = binary
        self.key = key

    def value(self, depth: int) -> Any:
        """The next value. Raises `IndexError` and `struct.error` too, for what is cut short."""
        kind = self.data[self.at]
        self.at += 1
        return _READERS[kind](self, kind, depth)

    def text(self, size: int, _depth: int = 0) -> str:
        """Text of `size` bytes; base64 where they are no UTF-8."""
        return self.budget.shown(self.take(size))

    def binary_text(self, size: int, _depth: int = 0) -> str:
        """Bytes, as they are to be shown."""
        self.budget.spend(1)
        return self.binary(self.take(size))

    def array(self, count: int, depth: int) -> list[Any]:
        """An array of `count` values."""
        self._enter(depth, count)
        data, readers, items = self.data, _READERS, []
        depth += 1
        for _ in range(count):
            kind = data[self.at]
            self.at += 1
            items.append(readers[kind](self, kind, depth))
        return items

    def map(self, count: int, depth: int) -> dict[str, Any]:
        """A map of `count` pairs."""
        self._enter(depth, 2 * count)
        found: dict[str, Any] = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if type(key) is not str:
                key = self.budget.key(key, self.key)
            found[key] = self.value(depth + 1)
        return found

    def _enter(self, depth: int, count: int) -> None:
        if count > len(self.data) - self.at:
            raise self.cut_short()
        self.budget.enter(depth, count)

    def extension_of(self, size: int, depth: int) -> Any:
        """An extension of `size` bytes."""
        code = int.from_bytes(self.take(1), "big", signed=True)
        content = self.take(size)
        self.budget.spend(_EXTENSION_ITEMS)
        if code == _TIMESTAMP:
            return _timestamp(content)
        return self.extension(code, content, lambda inner: self._inside(inner, depth + 1))

    def _inside(self, content: bytes, depth: int) -> list[Any]:
        """The values of an extension that is itself MessagePack."""
        inner = _Reader(content, self.extension, self.binary, self.key)
        inner.budget = self.budget
        found = []
        while inner.at < len(content):
            self.budget.enter(depth - 1, 1)
            found.append(inner.value(depth))
        return found


# -- one function a type ------------------------------------------------------------------------------

_Read = Callable[[_Reader, int, int], Any]
"""Reads what follows the type: gets the type and how deep it lies."""


def _constant(value: Any) -> _Read:
    return lambda _reader, _kind, _depth: value


def _number(layout: str) -> _Read:
    number = struct.Struct(layout)
    unpack, size = number.unpack_from, number.size

    def read(reader: _Reader, _kind: int, _depth: int) -> Any:
        (value,) = unpack(reader.data, reader.at)
        reader.at += size
        return value if value - value == 0 else float_or_name(value)

    return read


def _sized(layout: str, read_content: Callable[[_Reader, int, int], Any]) -> _Read:
    number = struct.Struct(layout)
    unpack, size = number.unpack_from, number.size

    def read(reader: _Reader, _kind: int, depth: int) -> Any:
        (count,) = unpack(reader.data, reader.at)
        reader.at += size
        return read_content(reader, count, depth)

    return read


def _fixed_extension(size: int) -> _Read:
    return lambda reader, _kind, depth: reader.extension_of(size, depth)


def _unknown(reader: _Reader, _kind: int, _depth: int) -> Any:
    raise MalformedError(f"{_KIND} with an unknown type at byte {reader.at - 1}")


def _short_text(reader: _Reader, kind: int, _depth: int) -> str:
    return reader.budget.shown(reader.take(kind & 31))


_FIXED_EXTENSIONS: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_READERS: Final[list[_Read]] = [
    *[lambda _reader, kind, _depth: kind] * 0x80,
    *[lambda reader, kind, depth: reader.map(kind & 15, depth)] * 0x10,
    *[lambda reader, kind, depth: reader.array(kind & 15, depth)] * 0x10,
    *[_short_text] * 0x20,
    _constant(None),
    _unknown,
    _constant(False),
    _constant(True),
    *(_sized(layout, _Reader.binary_text) for layout in (">B", ">H", ">I")),
    *(_sized(layout, _Reader.extension_of) for layout in (">B", ">H", ">I")),
    *(_number(layout) for layout in (">f", ">d", ">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q")),
    *(_fixed_extension(size) for size in _FIXED_EXTENSIONS.values()),
    *(_sized(layout, _Reader.text) for layout in (">B", ">H", ">I")),
    *(_sized(layout, _Reader.array) for layout in (">H", ">I")),
    *(_sized(layout, _Reader.map) for layout in (">H", ">I")),
    *[lambda _reader, kind, _depth: kind - 256] * 0x20,
]
"""By type, from 00 to ff."""


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
        raise MalformedError(f"{_KIND} with a timestamp of {counted(len(content), 'byte')}")
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
