"""Gob streams are read by the description that they carry."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload import gob, gob_writer
from tests.cases import rows

# Written by Go 1.19 from
#   type Inner struct { A int; B []string; P *Inner; Z string }
#   type Big struct { I int; U uint64; F float32; C complex128; S string; By []byte; Arr [3]byte
#                     M map[int]string; MB map[bool]float64; In Inner; Any interface{}; T time.Time
#                     Bi *big.Int; Zero int; ZS []int; ZM map[string]int; L []Inner }
BIG = (
    "/43/gQMBAQNCaWcB/4IAAREBAUkBBAABAVUBBgABAUYBCAABAUMBDgABAVMBDAABAkJ5AQoAAQNBcnIB/4QAAQFNAf+GAAECTUIB"
    "/4gAAQJJbgH/igABA0FueQEQAAEBVAH/jgABAkJpAf+QAAEEWmVybwEEAAECWlMB/5IAAQJaTQH/lAABAUwB/5YAAAAY/4MBAQEI"
    "WzNddWludDgB/4QAAQYBBgAAHv+FBAEBDm1hcFtpbnRdc3RyaW5nAf+GAAEEAQwAACD/hwQBARBtYXBbYm9vbF1mbG9hdDY0Af+I"
    "AAECAQgAAC3/iQMBAQVJbm5lcgH/igABBAEBQQEEAAEBQgH/jAABAVAB/4oAAQFaAQwAAAAW/4sCAQEIW11zdHJpbmcB/4wAAQwA"
    "ABD/jQUBAQRUaW1lAf+OAAAACv+PBQEC/5gAAAAT/5ECAQEFW11pbnQB/5IAAQQAAB7/kwQBAQ5tYXBbc3RyaW5nXWludAH/lAAB"
    "DAEEAAAb/5UCAQEMW11tYWluLklubmVyAf+WAAH/igAA/4b/ggEJAfj//////////wH++D8B/vA//8ABAsW8AQIA/wEDAQIDAQEB"
    "AW0BAQH+8P8BAQIBAQF4AQEEAAABCm1haW4uSW5uZXL/igsBAgEBAXgBAQQAAAEPAQAAAA7c5dnwAAAABQA8AQ4CAY7pD/bDc+Du"
    "Tj8K0gQCAQIBAQF4AQEEAAAAAA=="
)
MAP = (
    "Dv+ZBAEC/5oAARABEAAANv+aAAYEYm9vbAICAAEAB2Zsb2F0NjQIBAD+BEAJdGltZS5UaW1l/40FAQEEVGltZQH/jgAAADv/jhEA"
    "DwEAAAAO3OXZ8AAAAAUAPAZzdHJpbmcMAwABbA5bXWludGVyZmFjZSB7ff+bAgEC/5wAARAAAP4Cx/+cOgAECm1haW4uSW5uZXL/"
    "iQMBAQVJbm5lcgH/igABBAEBQQEEAAEBQgH/jAABAVAB/4oAAQFaAQwAAAAW/4sCAQEIW11zdHJpbmcB/4wAAQwAAP+l/4oLAQIB"
    "AQF4AQEEAAAJKm1haW4uQmln/4EDAQEDQmlnAf+CAAERAQFJAQQAAQFVAQYAAQFGAQgAAQFDAQ4AAQFTAQwAAQJCeQEKAAEDQXJy"
    "Af+EAAEBTQH/hgABAk1CAf+IAAECSW4B/4oAAQNBbnkBEAABAVQB/44AAQJCaQH/kAABBFplcm8BBAABAlpTAf+SAAECWk0B/5QA"
    "AQFMAf+WAAAAGP+DAQEBCFszXXVpbnQ4Af+EAAEGAQYAAB7/hQQBAQ5tYXBbaW50XXN0cmluZwH/hgABBAEMAAAg/4cEAQEQbWFw"
    "W2Jvb2xdZmxvYXQ2NAH/iAABAgEIAAAK/48FAQL/mAAAABP/kQIBAQVbXWludAH/kgABBAAAHv+TBAEBDm1hcFtzdHJpbmddaW50"
    "Af+UAAEMAQQAABv/lQIBAQxbXW1haW4uSW5uZXIB/5YAAf+KAAD/qv+C/4QBCQH4//////////8B/vg/Af7wP//AAQLFvAECAP8B"
    "AwECAwEBAQFtAQEB/vD/AQECAQEBeAEBBAAAAQptYWluLklubmVy/4oLAQIBAQF4AQEEAAABDwEAAAAO3OXZ8AAAAAUAPAEOAgGO"
    "6Q/2w3Pg7k4/CtIEAgECAQEBeAEBBAAAAAASbWFwW2ludF1tYWluLklubmVy/50EAQL/ngABBAH/igAAOv+eDgABAgECAQEBeAEB"
    "BAAADltdaW50ZXJmYWNlIHt9/5wXAAIHZmxvYXQ2NAgKAPgBAAAAAAD4fwAGc3RyaW5nDAMAAW0XbWFwW3N0cmluZ11pbnRlcmZh"
    "Y2Uge33/nwQBAv+gAAEMARAAAH7/oD8AAQFhF21hcFtzdHJpbmddaW50ZXJmYWNlIHt9/6AgAAEBYg5bXWludGVyZmFjZSB7ff+c"
    "CgABA2ludAQCAAIGc3RyaW5nDAMAAXUKbWFpbi5Jbm5lcv+KCwECAQEBeAEBBAAAA2ludAQCAAoGc3RyaW5nDAYABGZpdmU="
)
EMPTY = "Lf+JAwEBBUlubmVyAf+KAAEEAQFBAQQAAQFCAf+MAAEBUAH/igABAVoBDAAAABb/iwIBAQhbXXN0cmluZwH/jAABDAAAA/+KAA=="

INNER = {"A": 1, "B": ["x"], "P": {"A": 2, "B": [], "P": None, "Z": ""}, "Z": ""}
ZERO = {"A": 0, "B": [], "P": None, "Z": ""}
BIG_VALUE = {
    "I": -5,
    "U": 2**64 - 1,
    "F": 1.5,
    "C": [1.0, -2.0],
    "S": "ż",
    "By": "AP8=",
    "Arr": [1, 2, 3],
    "M": {"-1": "m"},
    "MB": {"true": {"__type__": "float", "value": "-Infinity"}},
    "In": INNER,
    "Any": INNER,
    "T": "2023-11-14T21:13:20.000000005Z",
    "Bi": {"__type__": "GobEncoder", "__data__": "AgGO6Q/2w3Pg7k4/CtI="},
    "Zero": 0,
    "ZS": [],
    "ZM": {},
    "L": [INNER, ZERO],
}
MAP_VALUE = {
    "u": INNER,
    "5": "five",
    "true": None,
    "2.5": "2023-11-14T21:13:20.000000005Z",
    "l": [INNER, BIG_VALUE, {"1": INNER}, [{"__type__": "float", "value": "NaN"}, None]],
    "m": {"a": {"b": [1]}},
}
STREAMS = [("struct", BIG, BIG_VALUE), ("interfaces", MAP, MAP_VALUE), ("zero values", EMPTY, ZERO)]


@pytest.mark.parametrize(("text", "value"), [pytest.param(t, v, id=name) for name, t, v in STREAMS])
def test_go_types(text: str, value: Any) -> None:
    """Every kind of type that Go describes comes out as JSON; a struct has all its fields."""
    data = base64.b64decode(text)
    assert gob.loads(data) == value
    assert gob.looks_whole(data)


SCS = [row for row in rows("scs") if row["expect"] == "valid"]


@pytest.mark.parametrize("row", SCS, ids=[row["id"] for row in SCS])
def test_scs_record(row: dict[str, Any]) -> None:
    """A record of scs is a struct of deadline and values; the corpus marks bytes by a word in front."""
    found = gob.loads(base64.b64decode(row["value_b64"]))
    expected = {key: str(v).removeprefix("bytes:") if key == "bytes" else v for key, v in row["data"].items()}
    assert found["Values"] == expected
    assert found["Deadline"].startswith("2026-11-24T")


VALUES: list[tuple[str, Any]] = [
    ("text", "é\0"),
    ("integers", {"a": [0, -1, 63, 64, -65, 2**63 - 1, -(2**63)]}),
    ("past 63 bits", {"a": 2**64 - 1}),
    ("floats", {"a": [0.0, -2.5, 1e21, 5e-324]}),
    (
        "not finite",
        {"a": [{"__type__": "float", "value": word} for word in ("NaN", "Infinity", "-Infinity")]},
    ),
    ("nil", {"a": None, "b": [None]}),
    ("nested", {"a": {"b": [{"c": True}, [], {}]}}),
    ("empty", {}),
    ("a list", ["a", 1]),
    ("a boolean", True),
]


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES])
def test_round_trip(value: Any) -> None:
    """What is written is read as the same."""
    data = gob_writer.dumps(value)
    assert gob.loads(data) == value
    assert gob.looks_whole(data)


def test_bytes_as_go_writes_them() -> None:
    """A session of gorilla/sessions is written as Go writes it, the number of the type aside."""
    row = next(row for row in rows("gorilla") if row["id"] == "gorilla-sessions-filesystem-small")
    cookie = base64.urlsafe_b64decode(base64.b64decode(row["value_b64"]))
    theirs = base64.urlsafe_b64decode(cookie.split(b"|")[1])
    assert gob_writer.dumps(row["session_data"]) == theirs.replace(b"\xff\x8b", b"\xff\x83").replace(
        b"\xff\x8c", b"\xff\x84"
    )


UNWRITABLE: list[tuple[str, Any]] = [
    ("past 64 bits", {"a": 2**64}),
    ("below 64 bits", {"a": -(2**63) - 1}),
    ("a lone surrogate", {"a": ["\ud800"]}),
    ("a key with a lone surrogate", {"a": {"\ud800": 1}}),
    ("bytes", {"a": b""}),
    ("nil alone", None),
    ("no float", {"a": {"__type__": "float", "value": "x"}}),
    ("a key that is no text", {"a": {1: 2}}),
]


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in UNWRITABLE])
def test_unwritable(value: Any) -> None:
    """What Go could not have is refused."""
    with pytest.raises(UnserializableValueError):
        gob_writer.dumps(value)


def test_deep_value_is_refused() -> None:
    """Writing stops at a depth."""
    value: Any = None
    for _ in range(150):
        value = [value]
    with pytest.raises(UnserializableValueError):
        gob_writer.dumps({"a": value})


@pytest.mark.parametrize("text", [BIG, MAP, EMPTY], ids=["struct", "interfaces", "zero values"])
def test_every_cut_and_flip(text: str) -> None:
    """A stream that was cut is malformed; one with a changed byte is read or malformed, and nothing else."""
    data = base64.b64decode(text)
    for place in range(len(data)):
        with pytest.raises(MalformedError):
            gob.loads(data[:place])
        for flip in (0x01, 0x80, 0xFF):
            try:
                gob.loads(data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :])
            except MalformedError:
                continue


LISTS = bytes.fromhex("0cff830201 02ff84 00 01ff84 0000".replace(" ", ""))  # a list of lists of itself
HOSTILE = {
    "a number past 64 bits": b"\xf0" + b"\xff" * 16,
    "a length without bytes": b"\x09\x0c\x00\xf8\x7f" + b"\xff" * 7,
    "a count without values": LISTS + b"\x0b\xff\x84\x00\xfc\x7f\xff\xff\xff",
    "nested": LISTS + b"\xfe\xff\xff\xff\x84\x00" + b"\x01" * 100_000,
    "many values": LISTS + b"\xfe\xff\xff\xff\x84\x00\xfd\x01\x00\x00" + b"\x00" * 100_000,
    "a type that was not defined": b"\x05\xff\x84\x00\x01\x00",
    "a type defined twice": LISTS + LISTS,
    "more bytes": b"\x05\x0c\x00\x02hi\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile(data: bytes) -> None:
    """Depth, number and length are bounded, so that an answer comes at once (see test_hostile.py)."""
    with pytest.raises(MalformedError):
        gob.loads(data)


@pytest.mark.parametrize("text", ['{"user":"' + "a" * n + '"}' for n in range(105, 130)])
def test_json_does_not_look_whole(text: str) -> None:
    """JSON is not taken for gob, of whatever length it is."""
    assert not gob.looks_whole(text.encode())
    assert not gob.looks_whole(b"{\n" + text[1:].encode())
