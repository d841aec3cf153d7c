"""MessagePack is read and written as its specification says, and Rails' extensions as Rails means them."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload import msgpack, rails_msgpack

READ = {
    "positive fixint": (b"\x7f", 127),
    "negative fixint": (b"\xe0", -32),
    "nil": (b"\xc0", None),
    "false": (b"\xc2", False),
    "true": (b"\xc3", True),
    "uint 8": (b"\xcc\xff", 255),
    "uint 16": (b"\xcd\xff\xff", 65535),
    "uint 32": (b"\xce\xff\xff\xff\xff", 2**32 - 1),
    "uint 64": (b"\xcf" + b"\xff" * 8, 2**64 - 1),
    "int 8": (b"\xd0\x80", -128),
    "int 16": (b"\xd1\x80\x00", -32768),
    "int 32": (b"\xd2\x80\x00\x00\x00", -(2**31)),
    "int 64": (b"\xd3\x80" + bytes(7), -(2**63)),
    "float 32": (b"\xca\x3f\xc0\x00\x00", 1.5),
    "float 64": (b"\xcb\x3f\xf8" + bytes(6), 1.5),
    "a float that JSON has not": (b"\xcb\x7f\xf0" + bytes(6), "Infinity"),
    "fixstr": (b"\xa2hi", "hi"),
    "str 8": (b"\xd9\x02hi", "hi"),
    "str 16": (b"\xda\x00\x02hi", "hi"),
    "str 32": (b"\xdb\x00\x00\x00\x02hi", "hi"),
    "a text that is no UTF-8": (b"\xa1\xff", "/w=="),
    "bin 8": (b"\xc4\x02hi", "aGk="),
    "bin 16": (b"\xc5\x00\x02hi", "aGk="),
    "bin 32": (b"\xc6\x00\x00\x00\x02hi", "aGk="),
    "fixarray": (b"\x92\x01\x02", [1, 2]),
    "array 16": (b"\xdc\x00\x01\x01", [1]),
    "array 32": (b"\xdd\x00\x00\x00\x01\x01", [1]),
    "fixmap": (b"\x81\xa1a\x01", {"a": 1}),
    "map 16": (b"\xde\x00\x01\xa1a\x01", {"a": 1}),
    "map 32": (b"\xdf\x00\x00\x00\x01\xa1a\x01", {"a": 1}),
    "keys that are no text": (b"\x82\x01\x02\xc3\x03", {"1": 2, "true": 3}),
    "timestamp 32": (b"\xd6\xff\x65\x53\xf1\x00", "2023-11-14T22:13:20Z"),
    "timestamp 64": (b"\xd7\xff\x1d\x6f\x34\x54\x65\x53\xf1\x00", "2023-11-14T22:13:20.123456Z"),
    "timestamp 96": (b"\xc7\x0c\xff\x00\x00\x00\x00" + b"\xff" * 8, "1969-12-31T23:59:59Z"),
    "another extension": (b"\xd4\x05a", {"__type__": "extension 5", "data": "YQ=="}),
}


@pytest.mark.parametrize(("data", "value"), READ.values(), ids=READ)
def test_loads(data: bytes, value: Any) -> None:
    """Every type of the specification is read."""
    assert msgpack.loads(data) == value


def test_extension_hook() -> None:
    """An application's extensions are its own to read, also when they hold MessagePack."""
    data = b"\x92\xd5\x07\x01\x02\xd4\x08a"
    read = msgpack.loads(data, extension=lambda code, content, values: [code, values(content)])
    assert read == [[7, [1, 2]], [8, [97]]]


PLAIN = [
    *(None, True, False, 0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1),
    *(-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)),
    *(1.5, 1e-7, "", "\u017c", "x" * 31, "x" * 32, "x" * 256, "x" * 70000),
    *([], [0] * 15, [0] * 16, [0] * 70000, {}, {str(n): n for n in range(20)}, {"a": {"b": [None]}}),
]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:40])
def test_round_trip(value: Any) -> None:
    """What JSON can hold comes back as it was."""
    assert msgpack.loads(msgpack.dumps(value)) == value


BROKEN = {
    "nothing": b"",
    "a type that is never used": b"\xc1",
    "a text that is cut": b"\xa5ab",
    "a length that is cut": b"\xda\x00",
    "bytes after the end": b"\x01\x02",
    "an array longer than the payload": b"\xdd\xff\xff\xff\xff\x01",
    "nested 10,000 levels": b"\x91" * 10_000 + b"\xc0",
    "a timestamp of three bytes": b"\xc7\x03\xffabc",
    "a year that is not on the calendar": b"\xc7\x0c\xff\x00\x00\x00\x00\x7f" + b"\xff" * 7,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    """What is no MessagePack is malformed, whatever is wrong."""
    with pytest.raises(MalformedError):
        msgpack.loads(data)


@pytest.mark.parametrize("value", ["\ud800", 2**64, -(2**63) - 1, {1}], ids=repr)
def test_dumps_refuses(value: Any) -> None:
    """A value that MessagePack has no form for is refused."""
    with pytest.raises(UnserializableValueError):
        msgpack.dumps(value)


EXTENSIONS = {
    "Symbol": (b"\xd4\x00a", "a"),
    "BigDecimal": (b"\xc7\x07\x0218:0.15", "0.15"),
    "Rational": (b"\xd5\x03\x01\x03", "1/3"),
    "Rational zero": (b"\xd4\x03\x00", "0/1"),
    "Complex": (b"\xd5\x04\x01\xfe", "1-2i"),
    "DateTime": (b"\xc7\x0b\x05\xce\x00\x25\x8a\xd2\x17\x1e\x00\x00\x01\x0c", "2024-02-29T23:30:00+02:00"),
    "Date": (b"\xc7\x05\x06\xce\x00\x25\x8a\xd2", "2024-02-29"),
    "Time in UTC": (b"\xc7\x07\x07\xce\x65\x53\xf1\x00\x00\x00", "2023-11-14 22:13:20 UTC"),
    "Time with an offset": (b"\xc7\x09\x07\xce\x65\x53\xf1\x00\x00\xcd\x1c\x20", "2023-11-15 00:13:20 +0200"),
    "TimeWithZone": (b"\xc7\x0b\x08\xce\x65\x53\xf1\x00\x00\x00\xa3UTC", "2023-11-14 22:13:20 UTC"),
    "TimeZone": (b"\xc7\x03\x09UTC", "UTC"),
    "Duration": (b"\xc7\x03\x0a\x3c\x91\xc0", 60),
    "Range": (b"\xc7\x03\x0b\x01\x03\xc2", "1..3"),
    "Range without its end": (b"\xc7\x03\x0b\x01\x03\xc3", "1...3"),
    "Set": (b"\xc7\x03\x0c\x92\x01\x02", [1, 2]),
    "Regexp": (b"\xc7\x02\x10ab", "ab"),
    "a hash with indifferent access": (b"\xd6\x11\x81\xa1a\x01", {"a": 1}),
    "SafeBuffer": (b"\xc7\x03\x12\xa2hi", "hi"),
    "one that Rails has not": (b"\xd4\x20a", {"__type__": "extension 32", "data": "YQ=="}),
}


@pytest.mark.parametrize(("data", "value"), EXTENSIONS.values(), ids=EXTENSIONS)
def test_rails_extensions(data: bytes, value: Any) -> None:
    """Ruby's own values are shown as Ruby prints them."""
    assert rails_msgpack.loads(b"\xcc\x80" + data) == value


def test_rails_binary_and_keys() -> None:
    """Ruby's binary strings are text where they can be, a nil key is empty."""
    assert rails_msgpack.loads(b"\xcc\x80\x82\xc0\xc4\x02hi\x01\xc4\x01\xff") == {"": "hi", "1": "/w=="}


@pytest.mark.parametrize("value", [2**64, -(2**70), 2**500, {"a": [2**64, "x"]}], ids=repr)
def test_rails_large_integers(value: Any) -> None:
    """Integers over 64 bits, which MessagePack has not, come back as they were."""
    assert rails_msgpack.loads(rails_msgpack.dumps(value)) == value


@pytest.mark.parametrize(
    "data",
    [b"\x81", b"\xcc\x80", b"\xcc\x80\xd4\x07\x01", b"\xcc\x80\xd4\x01\x00\x01", b"\xcc\x80\xd6\x06\xa3abc"],
    ids=["no signature", "no value", "a time without its parts", "bytes too many", "a day that is text"],
)
def test_rails_broken(data: bytes) -> None:
    """What Rails would not read is malformed."""
    with pytest.raises(MalformedError):
        rails_msgpack.loads(data)
