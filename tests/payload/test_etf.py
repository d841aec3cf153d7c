"""Erlang terms are read as Erlang writes them, whichever release, and never make anything."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload import etf

READ = {
    "a byte": (b"a\xff", 255),
    "a negative integer": (b"b\xff\xff\xff\xff", -1),
    "a small big integer": (b"n\x02\x01\x00\x01", -256),
    "a large big integer": (b"o\x00\x00\x00\x02\x00\x00\x01", 256),
    "a float": (b"F\x3f\xf8" + bytes(6), 1.5),
    "a float of old": (b"c" + b"1.50000000000000000000e+00".ljust(31, b"\0"), 1.5),
    "an atom": (b"w\x02ok", "ok"),
    "a long atom": (b"v\x00\x02ok", "ok"),
    "an atom in Latin-1": (b"d\x00\x01\xe9", "\xe9"),
    "a short atom in Latin-1": (b"s\x01\xe9", "\xe9"),
    "nil": (b"w\x03nil", None),
    "true": (b"d\x00\x04true", True),
    "false": (b"w\x05false", False),
    "a binary": (b"m\x00\x00\x00\x02hi", "hi"),
    "a binary that is no text": (b"m\x00\x00\x00\x03\x00\x01\xff", "AAH/"),
    "a bit string": (b"M\x00\x00\x00\x01\x03\xe0", "4A=="),
    "the empty list": (b"j", []),
    "a list": (b"l\x00\x00\x00\x01a\x01j", [1]),
    "an improper list": (b"l\x00\x00\x00\x01a\x01a\x02", [1, 2]),
    "a charlist": (b"k\x00\x03abc", [97, 98, 99]),
    "a tuple": (b"h\x02a\x01w\x01a", [1, "a"]),
    "a large tuple": (b"i\x00\x00\x00\x01a\x01", [1]),
    "a map with any keys": (
        b"t\x00\x00\x00\x03w\x03nila\x01a\x02a\x03h\x01a\x01j",
        {"nil": 1, "2": 3, "[1]": []},
    ),
    "a pid": (
        b"Xw\x04node\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03",
        {"__type__": "pid", "node": "node", "id": "000000010000000200000003"},
    ),
    "a reference": (
        b"Z\x00\x01w\x04node\x00\x00\x00\x01\x00\x00\x00\x02",
        {"__type__": "reference", "node": "node", "id": "0000000100000002"},
    ),
}


@pytest.mark.parametrize(("term", "value"), READ.values(), ids=READ)
def test_loads(term: bytes, value: Any) -> None:
    """Every type that a session may hold is read."""
    assert etf.loads(b"\x83" + term) == value


def test_compressed() -> None:
    """A compressed term is read, within a bound."""
    term = b"m\x00\x00\x03\xe8" + b"x" * 1000
    data = b"\x83P\x00\x00\x03\xed" + zlib.compress(term)
    assert etf.loads(data) == "x" * 1000
    with pytest.raises(MalformedError, match="max-size"):
        etf.loads(data, max_size=500)


PLAIN = [
    *(None, True, False, 0, 255, 256, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**64, -(2**3000)),
    *(1.5, 1e-7, "", "\u017c", [], [1, [2]], {}, {"a": {"b": [None, "x"]}}),
]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:40])
def test_round_trip(value: Any) -> None:
    """What JSON can hold comes back as it was."""
    assert etf.loads(etf.dumps(value)) == value


def test_tuples_and_atoms_are_written() -> None:
    """What only Erlang has can be written: a token is a tuple, its age may be an atom."""
    assert etf.dumps(("a", 1, etf.Atom("infinity"))) == b"\x83h\x03m\x00\x00\x00\x01aa\x01w\x08infinity"


BROKEN = {
    "nothing": b"",
    "another version": b"\x82j",
    "no term": b"\x83",
    "an unknown type": b"\x83\x01",
    "a binary that is cut": b"\x83m\x00\x00\x00\x05ab",
    "a length that is cut": b"\x83m\x00",
    "a list longer than the payload": b"\x83l\xff\xff\xff\xffj",
    "nested 10,000 levels": b"\x83" + b"h\x01" * 10_000 + b"j",
    "a number of eight million bits": b"\x83o\x00\x0f\x00\x00\x00" + b"\xff" * 983_040,
    "a float that is none": b"\x83F\x7f\xf8" + bytes(6),
    "an old float that is none": b"\x83c" + b"x" * 31,
    "an atom that is no UTF-8": b"\x83w\x01\xff",
    "a broken zlib stream": b"\x83P\x00\x00\x00\x01abc",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes) -> None:
    """What Erlang would not read is malformed, whatever is wrong."""
    with pytest.raises(MalformedError):
        etf.loads(data)


@pytest.mark.parametrize("kind", [b"p", b"q", b"u"])
def test_functions_are_refused(kind: bytes) -> None:
    """A term that could run is refused, as Plug does."""
    with pytest.raises(MalformedError, match="function"):
        etf.loads(b"\x83" + kind + bytes(40))


@pytest.mark.parametrize("value", ["\ud800", float("inf"), {1}], ids=repr)
def test_dumps_refuses(value: Any) -> None:
    """A value that Erlang has no form for is refused."""
    with pytest.raises(UnserializableValueError):
        etf.dumps(value)
