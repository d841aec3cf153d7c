"""JSON as Python's own module writes and reads it."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload import python_json


@pytest.mark.parametrize("value", [None, True, 2**70, 1.5, "ü\ud800", [1, {"a": []}], {"1": 2}])
@pytest.mark.parametrize("spaced", [False, True])
def test_round_trip(value: Any, spaced: bool) -> None:
    """What JSON can hold comes back as it was, and the text is ASCII."""
    text = python_json.dumps(value, spaced=spaced)
    assert text.isascii()
    assert python_json.loads(text) == value


def test_spaces() -> None:
    """The text is compact, or has the spaces of `json.dumps`."""
    assert python_json.dumps({"a": [1, 2]}) == '{"a":[1,2]}'
    assert python_json.dumps({"a": [1, 2]}, spaced=True) == '{"a": [1, 2]}'


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_has_not(name: str) -> None:
    """Python's own numbers are read, and told apart from text."""
    assert python_json.loads(f'[{name}, "{name}"]') == [{"__type__": "float", "value": name}, name]


@pytest.mark.parametrize("text", ["", "{", "NaN NaN", "nan", "[" * 10_000, "[NaN," + "[" * 100_000, "\x00"])
def test_malformed(text: str) -> None:
    """What is no JSON is refused."""
    with pytest.raises(MalformedError):
        python_json.loads(text)


def test_an_integer_of_too_many_digits() -> None:
    """Python's own limit on digits is told in our words, beside numbers that JSON has not too."""
    with pytest.raises(MalformedError, match=r"^JSON with an integer of more than 4300 digits$"):
        python_json.loads(f"[NaN, {'9' * 5000}]")


@pytest.mark.parametrize("value", [{1, 2}, b"x", float("nan"), object()])
def test_unserializable(value: Any) -> None:
    """What JSON has no form for is refused."""
    with pytest.raises(UnserializableValueError):
        python_json.dumps(value)
