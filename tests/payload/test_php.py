"""PHP's serialized texts and session records are read as PHP reads them, and made into nothing."""

from __future__ import annotations

import base64
import math
import shutil
import subprocess
from typing import Any

import pytest

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload import php, php_session, php_writer
from tests.cases import rows

RECORDS = [
    pytest.param(row, id=row["id"])
    for row in [*rows("php-session"), *rows("symfony")]
    if row.get("value_b64")
]
GOOD = [case for case in RECORDS if not case.values[0].get("store_expect")]
BAD = [case for case in RECORDS if case.values[0].get("store_expect") == "malformed"]


def session_of(values: Any) -> Any:
    """What the corpus has as `session_data`."""
    return values.get("_sf2_attributes", values) if isinstance(values, dict) else values


@pytest.mark.parametrize("row", GOOD)
def test_record(row: dict[str, Any]) -> None:
    """A record says the same with its handler named and with the handler read off the bytes."""
    data = base64.b64decode(row["value_b64"])
    named = php_session.loads(data, row["params"]["serialize_handler"])
    assert php_session.loads(data) == named
    if "var_export" not in row:
        assert session_of(named) == row["session_data"]


@pytest.mark.parametrize("row", BAD)
def test_broken_record(row: dict[str, Any]) -> None:
    """A record that PHP cannot decode is malformed."""
    with pytest.raises(MalformedError):
        php_session.loads(base64.b64decode(row["value_b64"]))


@pytest.mark.parametrize("row", [case for case in GOOD if "types" not in case.id])
def test_record_again(row: dict[str, Any]) -> None:
    """A record without references is written back byte for byte."""
    data = base64.b64decode(row["value_b64"])
    handler = row["params"]["serialize_handler"]
    values = php_session.loads(data, handler)
    assert php_writer.dumps_session(values, handler) == data if values else values == []


VALUES: list[tuple[str, bytes, Any]] = [
    ("null", b"N;", None),
    ("booleans", b"a:2:{i:0;b:1;i:1;b:0;}", [True, False]),
    ("integers", b"a:2:{i:0;i:-7;i:1;i:9223372036854775807;}", [-7, 2**63 - 1]),
    ("a whole float", b"d:2;", 2.0),
    ("a large float", b"d:1.0E+25;", 1e25),
    ("a small float", b"d:1.0E-7;", 1e-07),
    ("infinity", b"d:-INF;", {"__type__": "float", "value": "-Infinity"}),
    ("not a number", b"d:NAN;", {"__type__": "float", "value": "NaN"}),
    ("text by its bytes", 's:2:"é";'.encode(), "é"),
    ("text with quotes", b's:3:"";"";', '";"'),
    ("an empty array", b"a:0:{}", []),
    ("keys from 0 make a list", b"a:2:{i:0;N;i:1;N;}", [None, None]),
    ("keys out of order make an object", b"a:2:{i:1;N;i:0;N;}", {"1": None, "0": None}),
    ("numbers as keys", b'a:2:{i:42;i:1;s:1:"a";i:2;}', {"42": 1, "a": 2}),
    ("an object", b'O:1:"A":1:{s:1:"x";i:1;}', {"__type__": "A", "x": 1}),
    ("a protected member", b'O:1:"A":1:{s:4:"\0*\0x";i:1;}', {"__type__": "A", "x:protected": 1}),
    ("a private member", b'O:1:"A":1:{s:4:"\0B\0x";i:1;}', {"__type__": "A", "x:B:private": 1}),
    (
        "a member with the type's name",
        b'O:1:"A":1:{s:8:"__type__";i:1;}',
        {"__type__": "A", "__type__:public": 1},
    ),
    ("an enum case", b'E:6:"Suit:H";', {"__type__": "Suit", "__case__": "H"}),
    ("an object that writes itself", b'C:1:"A":3:{x;}}', {"__type__": "A", "__data__": "x;}"}),
]


@pytest.mark.parametrize(("data", "value"), [pytest.param(d, v, id=name) for name, d, v in VALUES])
def test_value(data: bytes, value: Any) -> None:
    """Each kind of value comes out as JSON and goes back to the same bytes."""
    assert php.loads(data) == value
    assert php_writer.dumps(value) == data


READ_ONLY: list[tuple[str, bytes, Any]] = [
    ("bytes that are no UTF-8", b's:2:"\xff\x00";', "/wA="),
    ("escaped text", rb'S:2:"\00a";', "\0a"),
    ("escapes close together", rb'S:4:"\5c\22\3b\00";', '\\";\0'),
    ("a float past the largest", b"d:1e999;", {"__type__": "float", "value": "Infinity"}),
    ("a reference", b"a:2:{i:0;i:5;i:1;R:2;}", [5, 5]),
    ("R takes no place of its own", b"a:4:{i:0;i:5;i:1;R:2;i:2;i:6;i:3;R:3;}", [5, 5, 6, 6]),
    ("r takes a place", b'a:4:{i:0;O:1:"A":0:{}i:1;r:2;i:2;i:6;i:3;R:4;}', [{"__type__": "A"}] * 2 + [6, 6]),
    ("a value that holds itself", b"a:1:{i:0;R:1;}", [{"__ref__": 1}]),
]


@pytest.mark.parametrize(("data", "value"), [pytest.param(d, v, id=name) for name, d, v in READ_ONLY])
def test_read_only(data: bytes, value: Any) -> None:
    """What JSON cannot tell apart is read all the same."""
    assert php.loads(data) == value


def test_references_count_through_the_record() -> None:
    """In the handlers `php` and `php_binary` references count over all variables, without an array around."""
    assert php_session.loads(b"a|i:7;b|R:1;") == {"a": 7, "b": 7}
    assert php_session.loads(b'a:2:{s:1:"a";i:7;s:1:"b";R:2;}') == {"a": 7, "b": 7}


BROKEN = [
    b"", b"x", b"i:", b"i:;", b"i:1", b"i:0x1;", b"i:1.5;", b"i:-+5;", b"i:99999999999999999999;", b"b:2;", b"d:;",
    b"d:1e;", b"d:nan;", b's:1:"ab";', b's:-1:"";', b's:5:"a";', b"s:1:a;", b"a:1:{}", b"a:1:{i:0;N;",
    b"a:2:{i:0;N;}", b"a:1:{N;N;}", b"a:-1:{}", b"a:99999999:{}", b'O:1:"A":1:{i:0;}', b'O:1:"A";',
    b'C:1:"A":9:{x}', b'E:4:"Suit";', b"R:0;", b"R:1;", b"r:9;", rb'S:1:"\zz";', b'S:3:"a";', b"N;N;",
    b"a:1:{i:0;N;}}",
]  # fmt: skip


@pytest.mark.parametrize("data", BROKEN)
def test_broken(data: bytes) -> None:
    """What PHP would not take is malformed, and so is what follows the value."""
    with pytest.raises(MalformedError):
        php.loads(data)


def doubling(levels: int) -> bytes:
    """An array in which each list holds the one before it twice."""
    lists = (b"i:%d;a:2:{i:0;r:%d;i:1;r:%d;}" % (n, 3 * n - 1, 3 * n - 1) for n in range(1, levels))
    return b"a:%d:{i:0;a:2:{i:0;i:1;i:1;i:2;}" % levels + b"".join(lists) + b"}"


LONG_TEXT = b'a:40000:{i:0;s:300000:"%s";%s}' % (
    b"x" * 300_000,
    b"".join(b"i:%d;r:2;" % n for n in range(1, 40_000)),
)
HOSTILE = {
    "nested": b"a:1:{i:0;" * 100_000,
    "many values": b"a|i:1;" * 100_000,
    "a count without values": b"a:1000000:{" + b"i:0;i:0;" * 100_000,
    "references that double": doubling(30),
    "references to long text": LONG_TEXT,
    "escapes that overlap": b'S:9:"' + b"\\a" * 500_000 + b'";',
    "digits": b"i:" + b"9" * 500_000 + b";",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile(data: bytes) -> None:
    """Depth, number and repetition are bounded, so that an answer comes at once (see test_hostile.py)."""
    with pytest.raises(MalformedError):
        php_session.loads(data)


UNWRITABLE: list[tuple[str, Any]] = [
    ("an integer past 64 bits", {"a": 2**63}),
    ("a lone surrogate", {"a": ["\ud800"]}),
    ("a value that holds itself", {"a": {"__ref__": 1}}),
    ("a type that PHP has not", {"a": b""}),
    ("a key that is no text", {"a": {1: 2}}),
]


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in UNWRITABLE])
def test_unwritable(value: Any) -> None:
    """What PHP cannot have is refused, and the message names the place."""
    with pytest.raises(UnserializableValueError, match=r"^a|^1"):
        php_writer.dumps(value)


@pytest.mark.parametrize(("name", "handler"), [("a|b", "php"), ("n" * 128, "php_binary")])
def test_unwritable_name(name: str, handler: str) -> None:
    """A variable's name that its handler could not read back is refused."""
    with pytest.raises(UnserializableValueError):
        php_writer.dumps_session({name: 1}, handler)


def test_deep_value_is_refused() -> None:
    """Writing stops at the depth at which reading does."""
    value: Any = None
    for _ in range(150):
        value = [value]
    with pytest.raises(UnserializableValueError):
        php_writer.dumps(value)


def test_string_alone() -> None:
    """`loads_string` gives the bytes of one text and takes nothing else."""
    assert php.loads_string(b's:2:"\xff\x00";') == b"\xff\x00"
    for data in (b"i:1;", b's:1:"a";N;', b's:2:"a";'):
        with pytest.raises(MalformedError):
            php.loads_string(data)


FLOATS = [
    0.0,
    -0.0,
    0.1,
    1e15,
    1e16,
    1e17,
    1e18,
    1.5e300,
    5e-324,
    0.0001,
    0.00001,
    123456789012345678.0,
    -2.5,
]


@pytest.mark.parametrize("number", FLOATS)
def test_float_comes_back(number: float) -> None:
    """A float is read back as the same, its sign included."""
    again = php.loads(php_writer.dumps(number))
    assert again == number
    assert math.copysign(1, again) == math.copysign(1, number)


@pytest.mark.interop
@pytest.mark.slow
def test_php_writes_the_same() -> None:
    """PHP reads what is written here and writes the same bytes."""
    program = shutil.which("php")
    if not program:
        pytest.skip("no PHP here")
    data = php_writer.dumps(
        {"floats": FLOATS, "text": "é😀\0", "keys": {"42": 1, "01": 2, "-0": 3}, "n": None}
    )
    code = "echo serialize(unserialize(stream_get_contents(STDIN)));"
    done = subprocess.run([program, "-r", code], input=data, capture_output=True, check=True)
    assert done.stdout == data
