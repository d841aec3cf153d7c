"""Marshal payloads that Ruby 3.1 wrote, and what they say."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload import marshal

WRITTEN_BY_RUBY = [
    pytest.param("BAgw", None, id="nil"),
    pytest.param("BAhU", True, id="true"),
    pytest.param("BAhpBg==", 1, id="1"),
    pytest.param("BAhpAA==", 0, id="0"),
    pytest.param("BAhp+g==", -1, id="-1"),
    pytest.param("BAhpfw==", 122, id="122"),
    pytest.param("BAhpAXs=", 123, id="123"),
    pytest.param("BAhpgA==", -123, id="-123"),
    pytest.param("BAhp/4Q=", -124, id="-124"),
    pytest.param("BAhp/38=", -129, id="-129"),
    pytest.param("BAhpAf8=", 255, id="255"),
    pytest.param("BAhpAgAB", 256, id="256"),
    pytest.param("BAhp/wA=", -256, id="-256"),
    pytest.param("BAhp/v/+", -257, id="-257"),
    pytest.param("BAhpBP///z8=", 1073741823, id="1073741823"),
    pytest.param("BAhsKwcAAABA", 1073741824, id="1073741824"),
    pytest.param("BAhp/AAAAMA=", -1073741824, id="-1073741824"),
    pytest.param("BAhsLQcBAABA", -1073741825, id="-1073741825"),
    pytest.param("BAhsKwoAAAAAAAAAAAEA", 18446744073709551616, id="18446744073709551616"),
    pytest.param("BAhsLQoAAAAAAAAAAEAA", -1180591620717411303424, id="-1180591620717411303424"),
    pytest.param("BAhmCDEuNQ==", 1.5, id="1.5"),
    pytest.param("BAhmCTFlMjE=", 1e21, id="1.0e+21"),
    pytest.param("BAhmCGluZg==", "Infinity", id="Infinity"),
    pytest.param("BAhJIg3FvMOzxYLEhwY6BkVU", "żółć", id='"\\u017c\\xf3\\u0142\\u0107"'),
    pytest.param("BAgiCWJpbv8=", "Ymlu/w==", id='"bin\\xFF"'),
    pytest.param("BAhJIgphc2NpaQY6BkVG", "ascii", id='"ascii"'),
    pytest.param("BAhJIgaxBjoNZW5jb2RpbmciD0lTTy04ODU5LTI=", "ą", id='"\\xB1"'),
    pytest.param("BAhJIgmT+pZ7BjoNZW5jb2RpbmciDlNoaWZ0X0pJUw==", "日本", id='"\\x{93FA}\\x{967B}"'),
    pytest.param("BAg6CHN5bQ==", "sym", id=":sym"),
    pytest.param("BAhJOgnFvMOzBjoGRVQ=", "żó", id=":\\u017c\\xf3"),
    pytest.param(
        "BAhbClsHaQZpB0AGSSILc2hhcmVkBjoGRVRAB3sGSSILc2hhcmVkBjsAVEAG",
        [[1, 2], [1, 2], "shared", "shared", {"shared": [1, 2]}],
        id='[[1, 2], [1, 2], "shared", "shared", {"shared"=>[1, 2]}]',
    ),
    pytest.param(
        "BAh7CToGYWkGSSIGYgY6BkVUWwc7ADsAMGkHaQhpCQ==",
        {"a": 1, "b": ["a", "a"], "": 2, "3": 4},
        id='{:a=>1, "b"=>[:a, :a], nil=>2, 3=>4}',
    ),
    pytest.param(
        "BAhJdToJVGltZQ3W6R7AQOJBNQY6CXpvbmVJIghVVEMGOgZFRg==",
        "2023-11-14 22:13:20 UTC",
        id="2023-11-14 22:13:20.123456 UTC",
    ),
    pytest.param(
        "BAhJdToJVGltZQ3W6R6AAABANQc6CXpvbmUwOgtvZmZzZXRpAiAc",
        "2023-11-15 00:13:20 +0200",
        id="2023-11-15 00:13:20 +0200",
    ),
    pytest.param(
        "BAhbCUl1OglUaW1lDdbpHoAAAEA1BzoJem9uZUkiCFVUQwY6BkVGOgtvZmZzZXRpAEkiC3NoYXJlZAY7B1RACEkiCFVUQwY7B1Q=",
        ["2023-11-14 22:13:20 +0000", "shared", "shared", "UTC"],
        id='[2023-11-14 22:13:20 +0000, "shared", "shared", "UTC"]',
    ),
    pytest.param(
        "BAhVOglEYXRlWwtpAGkD0oolaQBpAGkAZgwyMjk5MTYx",
        "2024-02-29",
        id="#<Date: 2024-02-29 ((2460370j,0s,0n),+0s,2299161j)>",
    ),
    pytest.param(
        "BAhVOg1EYXRlVGltZVsLaQBpA9KKJWkDWC4BaQBpAiAcZgwyMjk5MTYx",
        "2024-02-29T23:30:00+02:00",
        id="#<DateTime: 2024-02-29T23:30:00+02:00 ((2460370j,77400s,0...",
    ),
    pytest.param("BAhvOgpSYW5nZQg6CWV4Y2xGOgpiZWdpbmkGOghlbmRpCA==", "1..3", id="1..3"),
    pytest.param("BAhvOgpSYW5nZQg6CWV4Y2xUOgpiZWdpbmkGOghlbmRpCA==", "1...3", id="1...3"),
    pytest.param("BAhvOgpSYW5nZQg6CWV4Y2xGOgpiZWdpbkkiBmEGOgZFVDoIZW5kSSIGYwY7CFQ=", "a..c", id='"a".."c"'),
    pytest.param("BAhvOgpSYW5nZQg6CWV4Y2xGOgpiZWdpbmkGOghlbmQw", "1..", id="1.."),
    pytest.param("BAhvOghTZXQGOgpAaGFzaH0HaQZUOgZiVEY=", [1, "b"], id="#<Set: {1, :b}>"),
    pytest.param("BAh1Og9CaWdEZWNpbWFsDjE4OjAuMTVlMQ==", "0.15e1", id="0.15e1"),
    pytest.param("BAhVOg1SYXRpb25hbFsHaQZpCA==", "1/3", id="(1/3)"),
    pytest.param("BAhVOgxDb21wbGV4WwdpBmn5", "1-2i", id="(1-2i)"),
    pytest.param(
        "BAhTOgZTBzoGYWkGOgZiSSIGeAY6BkVU", {"__type__": "S", "a": 1, "b": "x"}, id='#<struct S a=1, b="x">'
    ),
    pytest.param(
        "BAhvOghGb28HOgdAeGkGOgdAc0kiCHN0cgY6BkVU",
        {"__type__": "Foo", "x": 1, "s": "str"},
        id='#<Foo @x=1, @s="str">',
    ),
    pytest.param("BAhJLwhhK2IFBjoGRUY=", "/a+b/mi", id="/a+b/mi"),
    pytest.param("BAhjC1N0cmluZw==", "String", id="String"),
    pytest.param("BAhtD0NvbXBhcmFibGU=", "Comparable", id="Comparable"),
    pytest.param("BAhJQzoJU3RyMiIIc3ViBjoGRVQ=", "sub", id='"sub"'),
    pytest.param("BAh9BmkGaQdpCg==", {"1": 2}, id="{1=>2}"),
    pytest.param(
        "BAhvOgpSYW5nZQg6CWV4Y2xGOgpiZWdpbkl1OglUaW1lDSCAEcAAAAAABjoJem9uZUkiCFVUQwY6BkVGOghlbmRJdTsIDSCAEcAAABAABjsJQAY=",
        "1970-01-01 00:00:00 UTC..1970-01-01 00:00:01 UTC",
        id="1970-01-01 00:00:00 UTC..1970-01-01 00:00:01 UTC",
    ),
    pytest.param(
        "BAhbDmYIMS41QAZmDDIuNWUxMDBAB0l1OglUaW1lDSCAEcAAAFAABjoJem9uZUkiCFVUQwY6BkVGSSIHenoGOwdUQApVOglEYXRlWwtpAGkD4oQlaQBpAGkAZgwyMjk5MTYxQAo=",
        [1.5, 1.5, 2.5e100, 2.5e100, "1970-01-01 00:00:05 UTC", "zz", "zz", "2020-01-01", "zz"],
        id='[1.5, 1.5, 2.5e+100, 2.5e+100, 1970-01-01 00:00:05 UTC, "...',
    ),
]


@pytest.mark.parametrize(("text", "value"), WRITTEN_BY_RUBY)
def test_loads(text: str, value: Any) -> None:
    """Every kind of value that Ruby writes is read, and shown as Ruby prints it."""
    assert marshal.loads(base64.b64decode(text)) == value


PLAIN = [
    *(None, True, False, 0, 1, -1, 122, 123, -123, -124, 255, 256, -256, -257, 65535, -65537),
    *((1 << 30) - 1, 1 << 30, -(1 << 30), -(1 << 30) - 1, 1 << 64, -(1 << 70)),
    *(1.5, 1e21, 1e-7, "", "x" * 300, "\u017c\U0001f600", [], [[1, "a"], "a"], {}, {"a": {"b": [None]}}),
]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:40])
def test_round_trip(value: Any) -> None:
    """What JSON can hold comes back as it was."""
    assert marshal.loads(marshal.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [row.values[0] for row in WRITTEN_BY_RUBY if row.id in {"nil", "123", "-257", "1073741824", "1.0e+21"}],
)
def test_written_as_ruby_writes(text: str) -> None:
    """Plain values are written byte for byte as Ruby writes them."""
    data = base64.b64decode(text)
    assert marshal.dumps(marshal.loads(data)) == data


def test_second_string_links_the_symbol() -> None:
    """The symbol that says "UTF-8" is written once, then linked to, as Ruby does."""
    assert marshal.dumps(["a", "b"]) == b'\x04\x08[\x07I"\x06a\x06:\x06ETI"\x06b\x06;\x00T'


def test_session_id_object() -> None:
    """A Rack session's ID, an object, is shown as its public ID."""
    data = b'\x04\x08o:\x1dRack::Session::SessionId\x06:\x0f@public_idI"\x07ab\x06:\x06EF'
    assert marshal.loads(data) == "ab"


BROKEN = {
    "nothing": b"",
    "another version": b"\x04\x09i\x06",
    "an unknown type": b"\x04\x08?",
    "no value": b"\x04\x08",
    "a text that is cut": b'\x04\x08"\x0aab',
    "a negative length": b'\x04\x08"\xfaab',
    "an array longer than the payload": b"\x04\x08[\x04\xff\xff\xff\x7f",
    "a link to nothing": b"\x04\x08@\x06",
    "a link before the first": b"\x04\x08@\xfa",
    "a symbol link to nothing": b"\x04\x08;\x06",
    "an array inside itself": b"\x04\x08[\x06@\x00",
    "nested 10,000 levels": b"\x04\x08" + b"[\x06" * 10_000 + b"0",
    "a number of two million bits": b"\x04\x08l+\x03\xff\xff\x01" + b"\xff" * 262_142,
    "an object without a name": b"\x04\x08oi\x06",
    "a float that is none": b"\x04\x08f\x06x",
    "a time of four bytes": b"\x04\x08Iu:\x09Time\x09abcd\x00",
    "a date without fields": b"\x04\x08U:\x09Date[\x00",
    "a day that is not on the calendar": b"\x04\x08U:\x09Date[\x0b0i\x04\xff\xff\xff\x7f0000",
    "a ratio of texts": b'\x04\x08U:\x0dRational[\x07"\x06a"\x06b',
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    """What Ruby would not read is malformed, whatever is wrong."""
    with pytest.raises(MalformedError):
        marshal.loads(data)


def test_references_that_multiply() -> None:
    """Links that make a small payload stand for a huge value are refused in time."""
    doubling = b"\x04\x08[\x14[\x06i\x06"
    for index in range(14):
        link = b"@" + bytes((index + 6,))
        doubling += b"[\x0d" + link * 8
    with pytest.raises(MalformedError, match="more values"):
        marshal.loads(doubling)


@pytest.mark.parametrize("value", ["\ud800", float("nan"), {1, 2}, [[[print]]]], ids=repr)
def test_dumps_refuses(value: Any) -> None:
    """A value that a session cannot hold is refused, not written as something else."""
    with pytest.raises(UnserializableValueError):
        marshal.dumps(value)
