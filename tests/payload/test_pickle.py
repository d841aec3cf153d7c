"""Pickles are read as data and never run."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import decimal
import json
import pickle
import random
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

import pytest

from sessionctl.errors import MalformedError
from sessionctl.payload.pickle import dumps, load_first, loads
from tests.cases import all_rows

UTC = dt.UTC
EAST = dt.timezone(dt.timedelta(hours=2))
NOON = dt.datetime(2024, 2, 29, 12)  # noqa: DTZ001 - sessions hold such dates

VALUES: list[tuple[str, Any, Any]] = [
    ("scalars", [None, True, False, -1, 2**70, 1.5], [None, True, False, -1, 2**70, 1.5]),
    ("texts", ["", "é😀", "\ud800"], ["", "é😀", "\ud800"]),
    ("not a number", float("nan"), {"__type__": "float", "value": "NaN"}),
    ("infinity", -float("inf"), {"__type__": "float", "value": "-Infinity"}),
    ("tuples", ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]),
    ("sets", [{1}, frozenset({2}), set()], [[1], [2], []]),
    ("bytes", [b"\0\xff", b"text", bytearray(b"x")], ["AP8=", "dGV4dA==", "eA=="]),
    ("keys", {1: 0, None: 1, False: 2, (1, 2): 3}, {"1": 0, "null": 1, "false": 2, "[1,2]": 3}),
    ("dates", [NOON, NOON.date(), NOON.time()], ["2024-02-29T12:00:00", "2024-02-29", "12:00:00"]),
    ("fractions", NOON.replace(microsecond=5), "2024-02-29T12:00:00.000005"),
    ("UTC", NOON.replace(tzinfo=UTC), "2024-02-29T12:00:00Z"),
    ("an offset", NOON.replace(tzinfo=EAST), "2024-02-29T12:00:00+02:00"),
    ("UTC by name", NOON.replace(tzinfo=zoneinfo.ZoneInfo("UTC")), "2024-02-29T12:00:00Z"),
    ("a named zone", NOON.replace(tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")), "2024-02-29T12:00:00[Asia/Tokyo]"),
    ("uuid", uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ("decimal", decimal.Decimal("1.50"), "1.50"),
    ("kinds of dict", [OrderedDict(a=1), Counter("a"), defaultdict(list)], [{"a": 1}, {"a": 1}, {}]),
    ("kinds of list", deque([1, 2]), [1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(("value", "shown"), [pytest.param(v, s, id=name) for name, v, s in VALUES])
def test_values(value: Any, shown: Any, protocol: int) -> None:
    """What sessions hold is shown as JSON, the same from every protocol."""
    got = loads(pickle.dumps(value, protocol))
    assert got == shown
    json.dumps(got)


class Attack:
    """What a hostile pickle does: it names a function and its arguments."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Would delete a file."""
        import os

        return os.remove, ("/tmp/never-there",)


class Plain:
    """A class that no session library knows."""

    def __init__(self) -> None:
        self.name = "x"


def test_nothing_is_called() -> None:
    """A call is shown with its arguments and not made."""
    assert loads(pickle.dumps(Attack())) == {"__type__": "posix.remove", "args": ["/tmp/never-there"]}


@pytest.mark.parametrize("protocol", range(6))
def test_unknown_objects(protocol: int) -> None:
    """An object of an unknown class is shown with its type and members."""
    assert loads(pickle.dumps(Plain(), protocol)) == {"__type__": f"{__name__}.Plain", "name": "x"}


USER = {"__type__": "app.User"}
TIME = {"__type__": "datetime.time"}
PACKED_NOON = b"cdatetime\ndatetime\n(C\n\x07\xe8\x02\x1d\x0c\0\0\0\0\0"
PROGRAMS = [
    ("a Python 2 text", b"S'it\\'s'\n.", "it's"),
    ("a Python 2 text in UTF-8", b"U\x02\xc3\xa9.", "é"),
    ("Python 2 bytes", b"U\x02\x00\xff.", "AP8="),
    ("a Python 2 unicode text", b"Va\\u005cb\n.", "a\\b"),
    ("a Python 2 bool", b"(dS'a'\nI01\ns.", {"a": True}),
    ("a Python 2 long", b"L12L\n.", 12),
    ("Markup", b"cmarkupsafe\nMarkup\n(V<b>\ntR.", "<b>"),
    ("Flask 0.9's Markup", b"cjinja2._markupsafe\nMarkup\n(V<b>\ntR.", "<b>"),
    ("Django's SafeBytes", b"cdjango.utils.safestring\nSafeBytes\n(S'<b>'\ntR.", "<b>"),
    ("a Python 2 UUID", b"cuuid\nUUID\n)\x81}U\x03intK\x07sb.", "00000000-0000-0000-0000-000000000007"),
    ("a pytz zone", PACKED_NOON + b"cpytz\n_UTC\n)RtR.", "2024-02-29T12:00:00Z"),
    ("a pytz zone with an offset", PACKED_NOON + b"cpytz\n_p\n(NI3600\ntRtR.", "2024-02-29T12:00:00+01:00"),
    ("a zone nobody knows", b"cdatetime\ntime\n(C\0capp\nUser\ntR.", {**TIME, "args": ["", USER]}),
    ("an old-style instance", b"(iapp\nUser\np0\n(dp1\nS'id'\nI7\nsb.", {**USER, "id": 7}),
    ("a persistent ID", b"Pname\n.", {"__type__": "pickle.persistent_id", "args": ["name"]}),
    ("an extension code", b"\x82\x07.", {"__type__": "copyreg.extension", "args": [7]}),
    ("a class itself", b"capp\nUser\n.", USER),
    ("a list of a class", b"capp\nUser\n)\x81(K\x01K\x02e.", {**USER, "items": [1, 2]}),
    ("a dict of a class", b"capp\nUser\n)\x81(X\x01\0\0\0kK\x02u.", {**USER, "k": 2}),
    ("a call with names", b"capp\nUser\n)}X\x01\0\0\0kNs\x92.", {**USER, "k": None}),
    ("a member of the name of the type", b"capp\nUser\n)R}X\x08\0\0\0__type__Nsb.", USER),
    ("a broken date", b"cdatetime\ndate\n(U\x03abctR.", {"__type__": "datetime.date", "args": ["abc"]}),
]  # fmt: skip


@pytest.mark.parametrize(("program", "shown"), [pytest.param(p, s, id=name) for name, p, s in PROGRAMS])
def test_programs(program: bytes, shown: Any) -> None:
    """Opcodes that Python 3 does not write any more are read as it would read them."""
    assert loads(program) == shown


def test_more_follows() -> None:
    """Where a pickle ends is told, for stores that put something behind it."""
    text = pickle.dumps(1.5)
    assert load_first(text + b"rest") == (1.5, len(text))


def test_dumps() -> None:
    """What is written is read back, by Python itself too."""
    value = {"a": [1, None, "é"], "b": {"c": 2.5}}
    assert loads(dumps(value)) == pickle.loads(dumps(value)) == value


DOUBLING = b"](" + b"".join(b"q%c]h%ch%ca" % (i, i, i) for i in range(50)) + b"."

HOSTILE = [
    pytest.param(b"", id="empty"),
    pytest.param(b".", id="nothing on the stack"),
    pytest.param(b"N", id="no end"),
    pytest.param(b"h\x05.", id="an empty memo"),
    pytest.param(b"\x80\x06N.", id="a protocol of the future"),
    pytest.param(b"]" * 300 + b"a" * 299 + b".", id="deep"),
    pytest.param(b"]q\x00h\x00a.", id="holds itself"),
    pytest.param(DOUBLING, id="references without end"),
    pytest.param(b"N0" * 60_000 + b"N.", id="long"),
    pytest.param(b"\x8b\xff\x0f\x00\x00" + b"\x01" * 4095 + b".", id="a large number"),
    pytest.param(b"I" + b"9" * 5000 + b"\n.", id="many digits"),
    pytest.param(b"X\xff\xff\xff\xffabc.", id="cut short"),
    pytest.param(b"\x97.", id="out of band"),
    pytest.param(b"X\x01\x00\x00\x00\xff.", id="not UTF-8"),
    pytest.param(b"NNa.", id="appending to nothing"),
    pytest.param(b"}(Nu.", id="a key without a value"),
    pytest.param(b"capp\nf\nNR.", id="arguments that are none"),
    pytest.param(b"Sabc\n.", id="no quotes"),
    pytest.param(b"NNN\x93.", id="a name that is none"),
]


@pytest.mark.parametrize("program", HOSTILE)
def test_hostile(program: bytes) -> None:
    """What is broken, endless or too large is malformed."""
    with pytest.raises(MalformedError):
        loads(program)


def test_flipped_bytes() -> None:
    """A damaged pickle gives a value that JSON can hold, or is malformed."""
    chance = random.Random(7)
    originals = [pickle.dumps([v for _, v, _ in VALUES], protocol) for protocol in range(6)]
    for _ in range(5000):
        damaged = bytearray(chance.choice(originals))
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with contextlib.suppress(MalformedError):
            json.dumps(loads(bytes(damaged[: chance.randint(1, len(damaged))])))


CORPUS = [
    pytest.param(row, id=row["id"])
    for row in all_rows()
    if row.get("payload_b64")
    and base64.b64decode(row["payload_b64"])[:2] in (b"\x80\x02", b"\x80\x04", b"\x80\x05")
]


@pytest.mark.parametrize("row", CORPUS)
def test_corpus(row: dict[str, Any]) -> None:
    """The pickles that frameworks wrote hold the session that they read from them."""
    shown = loads(base64.b64decode(row["payload_b64"]))
    parts = [shown, *shown] if isinstance(shown, list) else [shown]
    assert row["data"] in parts
