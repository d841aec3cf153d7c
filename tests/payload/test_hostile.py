"""Every parser of payloads answers any bytes with a value that JSON has or `MalformedError`, quickly."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionctl.errors import MalformedError
from sessionctl.payload import (
    etf,
    gob,
    laravel,
    marshal,
    msgpack,
    php_session,
    python_json,
    rails_msgpack,
)
from sessionctl.payload import pickle as pickled
from tests.limits import assert_quick, assert_small
from tests.payload import test_etf, test_gob, test_marshal, test_msgpack, test_php, test_pickle

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = 99_000
"""Values, each of few bytes, in a payload that is large: no budget refuses so many before they are read."""
FEW = MANY // 2


class _Parser(NamedTuple):
    loads: Callable[[bytes], Any]
    samples: list[bytes]
    """Payloads with every kind of value, none of them long."""
    heavy: list[bytes]
    """Payloads that are nested, long or multiply."""


def _text(data: bytes) -> Any:
    return python_json.loads(data.decode("latin-1"))


def _php_of(handler: str) -> Callable[[bytes], Any]:
    return lambda data: php_session.loads(data, handler)


_PHP_VALUES = (
    b'a:8:{i:0;N;i:1;b:1;i:2;i:-42;i:3;d:1.5E-7;s:1:"k";s:3:"\xc5\xbc!";i:5;a:1:{i:0;R:4;}'
    b'i:6;O:4:"User":2:{s:4:"name";s:1:"a";s:7:"\0User\0x";r:1;}i:7;E:6:"Suit:H";}'
)
_TERMS = [term for term, _ in test_etf.READ.values()]
_RUBY = [base64.b64decode(case.values[0]) for case in test_marshal.WRITTEN_BY_RUBY]
_PACKED = [data for data, _ in test_msgpack.READ.values()]
_JSON = rb'{"a":[1,-2.5e-7,true,null,"\u017c\ud83d\ude00"],"a":{"b":NaN},"c":1e400,"d":-Infinity}'
_PICKLED_UUID = b"\x80\x02(cuuid\nUUID\n)R}(%bubq\1%bl."
"""A UUID whose state is long, again and again."""
_PACKED_TIME = b"U\x0a\x07\xe7\1\1\1\1\1\0\0\1"
_PICKLED_TIME = (
    b"\x80\x02(cdatetime\ndatetime\n%bcdatetime\ntimezone\ncdatetime\ntimedelta\n%bK\0\x86R\x85R\x86Rq\1%bl."
)
"""A date in a zone whose offset is a text, again and again."""
_GOB_TIMES = (
    b"\x0d\xff\x81\2\1\2\xff\x82\0\1\xff\x84\0\0\x10\xff\x83\5\1\1\4Time\1\xff\x84\0\0\0"
    b"\xfd\1\xf4\6\xff\x82\0\xfe\x1f\x40" + b"\x0f\1\0\0\0\x0e\xdc\0\0\0\0\0\0\0\xff\xff" * 8_000
)
"""Eight thousand times."""
_MARSHALLED_DECIMAL = (
    b"\x04\x08[\x02\x50\xc3u:\x0fBigDecimal\x03\0\0\1" + b"1" * (1 << 16) + b"@\x06" * 49_999
)
"""A long decimal without its precision, again and again."""
_MARSHALLED_RANGE = (
    b"\x04\x08[\x02\x50\xc3o:\x0aRange\x02\x10\x27:\x06a" + b"0;\6" * 9_999 + b"0" + b"@\x06" * 49_999
)
"""A range with ten thousand members more, again and again."""
_STRANGE = b"\0\xff\xfe\x80" * 64

PARSERS = {
    "etf": _Parser(
        etf.loads,
        [b"\x83l%b%bj" % (len(_TERMS).to_bytes(4, "big"), b"".join(_TERMS))],
        [
            b"\x83l%b%bj" % (MANY.to_bytes(4, "big"), b"a\x01" * MANY),
            b"\x83l%b%bj" % (MANY.to_bytes(4, "big"), b"t\0\0\0\0" * MANY),
            b"\x83l%b%bj" % ((33_000).to_bytes(4, "big"), b"m\0\0\0\1\xff" * 33_000),
            b"\x83l%b%bj" % (FEW.to_bytes(4, "big"), b"n\5\0abcde" * FEW),
            b"\x83" + b"h\x01" * 10_000,
            b"\x83P\0\0\0\1" + zlib.compress(bytes(64 << 20)),
            b"\x83o\0\x0f\xff\xff\0" + b"\xff" * 0xFFFFF,
        ],
    ),
    "gob": _Parser(
        gob.loads,
        [base64.b64decode(text) for text in (test_gob.BIG, test_gob.MAP, test_gob.EMPTY)],
        [*test_gob.HOSTILE.values(), _GOB_TIMES],
    ),
    "marshal": _Parser(
        marshal.loads,
        _RUBY,
        [
            b"\x04\x08[\x03%b%b" % (MANY.to_bytes(3, "little"), b"i\x06" * MANY),
            b"\x04\x08[\x03%b%b" % (MANY.to_bytes(3, "little"), b"[\0" * MANY),
            b"\x04\x08[\x03%b%b" % (FEW.to_bytes(3, "little"), b'"\x06a' * FEW),
            b'\x04\x08[\x02\xc0\x5dI"\x06a\x06:\x06ET' + b'I"\x06a\x06;\0T' * 23_999,
            b"\x04\x08[\x02\xc0\x5do:\x06A\0" + b"o;\0\0" * 23_999,
            b"\x04\x08[\x02\x10\x27" + b"I" * 90 * 10_000,
            _MARSHALLED_DECIMAL,
            _MARSHALLED_RANGE,
            b"\x04\x08" + b"[\x06" * 10_000,
            b"\x04\x08l+\x03\xff\xff\x07" + b"\xff" * (1 << 20),
        ],
    ),
    "msgpack": _Parser(
        msgpack.loads,
        [b"\xdc%b%b" % (len(_PACKED).to_bytes(2, "big"), b"".join(_PACKED))],
        [
            b"\xdd%b%b" % (MANY.to_bytes(4, "big"), b"\x01" * MANY),
            b"\xdd%b%b" % (MANY.to_bytes(4, "big"), b"\x90" * MANY),
            b"\xdd%b%b" % ((33_000).to_bytes(4, "big"), b"\xa1\xff" * 33_000),
            b"\xdd%b%b" % ((11_000).to_bytes(4, "big"), b"\xd6\xff\0\0\0\1" * 11_000),
            b"\xdf%b%b"
            % (FEW.to_bytes(4, "big"), b"".join(b"\xce%b\xc0" % n.to_bytes(4, "big") for n in range(FEW))),
            b"\x91" * 10_000,
            b"\xc6\x7f\xff\xff\xff" + bytes(1 << 20),
        ],
    ),
    "rails msgpack": _Parser(
        rails_msgpack.loads,
        [b"\xcc\x80" + data for data, _ in test_msgpack.EXTENSIONS.values()],
        [
            b"\xcc\x80" + b"\xd4\x11\x91" * 10_000,
            b"\xcc\x80\xdd%b%b" % ((8_000).to_bytes(4, "big"), b"\xc7\x03\x07\1\1\1" * 8_000),
            b"\xcc\x80\xc9\0\x0f\xff\xff\x01" + b"\xff" * 0xFFFFF,
        ],
    ),
    "php_serialize": _Parser(
        _php_of("php_serialize"),
        [_PHP_VALUES],
        [
            b"a:49998:{%b}" % b"".join(b"i:%d;i:1;" % n for n in range(49_998)),
            b"a:49998:{%b}" % b"".join(b's:2:"\xff%c";s:1:"a";' % (n % 256) for n in range(49_998)),
            b"a:16666:{%b}" % b"".join(b'i:%d;O:1:"A":0:{}' % n for n in range(16_666)),
            b"a:24999:{%b}" % b"".join(b'i:%d;S:3:"a\\41b";' % n for n in range(24_999)),
            b"a:24999:{%b}" % b"".join(b"i:%d;d:1.%de-300;" % (n, 10**15 + n) for n in range(24_999)),
            b"a:1:{i:0;" * 10_000,
            b'S:500000:"%b";' % (rb"\00" * 500_000),
            b'S:500000:"%b";' % (rb"\0" * 500_000),
        ],
    ),
    "php": _Parser(
        _php_of("php"),
        [b"a|" + _PHP_VALUES + b"b|i:1;"],
        [
            *test_php.HOSTILE.values(),
            b"a|i:1;" * 50_000,
            b'a|O:1:"A":0:{}' * 50_000,
            b"a|" + b"a:1:{i:0;" * 10_000,
            b"a" * (1 << 20) + b"|i:1;",
        ],
    ),
    "php_binary": _Parser(
        _php_of("php_binary"), [b"\1a" + _PHP_VALUES + b"\1bi:1;"], [b"\1ai:1;" * 50_000, b"\0" * (1 << 20)]
    ),
    "laravel": _Parser(
        laravel.loads,
        [_PHP_VALUES, b'{"_token":"x","_flash":{"old":["a"],"new":[]},"a":1}'],
        [b'{"a":' * 10_000, b"[" * (1 << 20)],
    ),
    "pickle": _Parser(
        pickled.loads,
        [pickle.dumps([value for _, value, _ in test_pickle.VALUES], protocol) for protocol in (0, 2, 4)],
        [
            b"\x80\x02(" + b"K\x01" * FEW + b"l.",
            b"\x80\x02}(" + b"".join(b"J%bN" % n.to_bytes(4, "little") for n in range(FEW)) + b"u.",
            b"(" + b"S'a'\n" * FEW + b"l.",
            b"(" + b"L%bL\n" % (b"9" * 1200) * 10_000 + b"l.",
            b"\x80\x02(ca\nb\nq\1" + b"h\1)R" * 19_000 + b"l.",
            b"\x80\x02(cdatetime\ndatetime\nq\1" + b"h\1%b\x85R" % _PACKED_TIME * 14_000 + b"l.",
            _PICKLED_UUID % (b"X\3\0\0\0intK\1" * 10_000, b"h\1" * 20_000),
            _PICKLED_TIME % (_PACKED_TIME, b"X\0\0\x01\0" + b"a" * (1 << 16), b"h\1" * 20_000),
            b"\x80\x02cbuiltins\ngetattr\nq\1" + b"h\1N\x86R" * 10_000 + b".",
            b"\x80\x02" + b"]" * (1 << 20),
            b"\x80\x02](" * 10_000,
            b"\x8b\xff\xff\x0f\0" + b"\xff" * (1 << 20),
        ],
    ),
    "Python's JSON": _Parser(
        _text,
        [_JSON],
        [b"[" * (1 << 20), b"[NaN" + b",NaN" * 200_000 + b"]", b"9" * (1 << 20), b"[" + b"{}," * 300_000],
    ),
}


@pytest.mark.parametrize(
    ("loads", "sample"),
    [
        pytest.param(parser.loads, sample, id=f"{name} {number}")
        for name, parser in PARSERS.items()
        for number, sample in enumerate(parser.samples)
    ],
)
def test_cut_and_flipped(loads: Callable[[bytes], Any], sample: bytes) -> None:
    """Cut at every length, and with every byte flipped, a payload is a value that JSON has, or malformed."""
    loads(sample)  # whole it is read
    for at in range(len(sample)):
        _answer(loads, sample[:at])
        for bits in (0x01, 0x80, 0xFF):
            _answer(loads, sample[:at] + bytes([sample[at] ^ bits]) + sample[at + 1 :])


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=200)
@given(data=st.binary(max_size=200), places=st.lists(st.integers(0, 10_000), max_size=3))
def test_any_bytes(name: str, data: bytes, places: list[int]) -> None:
    """Whatever bytes come, alone or in the middle of a payload, there is an answer."""
    parser = PARSERS[name]
    _answer(parser.loads, data)
    for place in places:
        sample = parser.samples[place % len(parser.samples)]
        at = place % len(sample)
        _answer(parser.loads, sample[:at] + data + sample[at + len(data) :])


HEAVY = [
    pytest.param(parser.loads, heavy, id=f"{name} {number}")
    for name, parser in PARSERS.items()
    for number, heavy in enumerate((*parser.heavy, _STRANGE, b"\xff" * (1 << 20), bytes(1 << 20)))
]


@pytest.mark.parametrize(("loads", "heavy"), HEAVY)
def test_quick(loads: Callable[[bytes], Any], heavy: bytes) -> None:
    """What is nested, long, compressed or multiplies is answered in 100 ms."""
    assert_quick(lambda: loads(heavy))


@pytest.mark.parametrize(("loads", "heavy"), HEAVY)
def test_small(loads: Callable[[bytes], Any], heavy: bytes) -> None:
    """What is nested, long, compressed or multiplies takes no more than 50 MiB."""
    assert_small(lambda: loads(heavy))


def _answer(loads: Callable[[bytes], Any], data: bytes) -> None:
    try:
        value = loads(data)
    except MalformedError:
        return
    json.dumps(value)
