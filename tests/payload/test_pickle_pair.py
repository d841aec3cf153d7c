"""The quick look at a pickle of a name and a value, beside the machine that reads any pickle."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

from sessionctl.payload.pickle import loads
from sessionctl.payload.pickle_pair import name_of_pair

USUAL: list[Any] = [
    "text", "é€", "x" * 300, "", None, True, False, 0, 255, 65_535, -1, 1.5, [], {}, [1], [1, "two"], {"a": 1},
    {"a": {"b": [None, {"c": "d"}]}, "e": [[]]}, [{"only": "one"}, {"a": 1, "b": 2}],
]  # fmt: skip
OTHER: list[Any] = [b"bytes", (1, 2), {3: "a number as key"}, {1, 2}, 1 << 80, ["name", "name"]]
INSTRUCTIONS = b"]}X\x8c(.aesuq\x94\x95NK\x88\x89MJG\x8ahr0t\x85\x86\x87R\x93c2"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", USUAL, ids=repr)
def test_usual(value: Any, protocol: int) -> None:
    """The shapes that sessions have are told at a look."""
    assert name_of_pair(pickle.dumps(["name", value], protocol)) == "name"


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80", id="a protocol that is cut"),
        pytest.param(b"\x80\x06](X\x01\x00\x00\x00aNe.", id="a protocol of the future"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00aNNe.", id="three values"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00ae.", id="one value"),
        pytest.param(b"\x80\x02](NX\x01\x00\x00\x00ae.", id="the name comes last"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00aNe", id="no end"),
        pytest.param(b"\x80\x02](X\xff\x00\x00\x00aNe.", id="a text that is cut"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00\xffNe.", id="not UTF-8"),
        pytest.param(b"\x80\x02](q\x00X\x01\x00\x00\x00aNe.", id="nothing to remember"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00a}NNse.", id="a key that is no text"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00a}(X\x01\x00\x00\x00aue.", id="a key without a value"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00a](Na.", id="into nothing since the mark"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00a}Nae.", id="appended to a dict"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00aNX\x01\x00\x00\x00bNse.", id="set in a number"),
        pytest.param(b"\x80\x02](X\x01\x00\x00\x00a" + b"]" * 300 + b"a" * 299 + b"e.", id="deep"),
        pytest.param(pickle.dumps(["name", "x" * 5000]), id="large"),
        *(pytest.param(pickle.dumps(["name", value]), id=repr(value)) for value in OTHER[:-1]),
    ],
)
def test_left_to_the_machine(program: bytes) -> None:
    """What is broken, deep, large or of rarer types is not told at a look."""
    assert name_of_pair(program) is None


def test_as_the_machine() -> None:
    """Whatever is told of pickles with other instructions in them, the machine reads the same name."""
    chance = random.Random(11)
    originals = [
        pickle.dumps(["name", value], protocol) for value in USUAL + OTHER for protocol in range(1, 6)
    ]
    told = 0
    for _ in range(20_000):
        damaged = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randrange(2)] = bytes(
                chance.choices(INSTRUCTIONS, k=chance.randrange(2))
            )
        name = name_of_pair(bytes(damaged))
        if name is not None:
            told += 1
            value = loads(bytes(damaged))
            assert type(value) is list
            assert value[:1] == [name]
            assert len(value) == 2
    assert told > 500
