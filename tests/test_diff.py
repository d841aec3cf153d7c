"""Two values or sessions are compared place by place, exactly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionctl import formats
from sessionctl.diff import compare, compare_flash, compare_values
from sessionctl.identify import Setup
from sessionctl.inspection import Report, inspect
from sessionctl.signing.keys import KeyRing
from sessionctl.sources import read_cookie

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("changed", "a", 1, 2)]),
        ({"a": 1}, {}, [("removed", "a", 1, None)]),
        ({}, {"a": None}, [("added", "a", None, None)]),
        (
            {"a": {"b": [1, 2]}},
            {"a": {"b": [1, 3, 4]}},
            [("changed", "a.b.1", 2, 3), ("added", "a.b.2", None, 4)],
        ),
        ({"a": [1, 2]}, {"a": [1]}, [("removed", "a.1", 2, None)]),
        ({"a": 1}, {"a": True}, [("changed", "a", 1, True)]),
        ({"a": 1}, {"a": 1.0}, [("changed", "a", 1, 1.0)]),
        ({"a": []}, {"a": {}}, [("changed", "a", [], {})]),
        ("id-1", "id-2", [("changed", "", "id-1", "id-2")]),
        ("id-1", {"a": 1}, [("changed", "", "id-1", {"a": 1})]),
    ],
)
def test_changes(before: Any, after: Any, changes: list[tuple[str, str, Any, Any]]) -> None:
    """The deepest place that differs is told, with both values."""
    assert [(c.kind, c.path, c.before, c.after) for c in compare_values(before, after)] == changes


@given(JSON)
def test_equal_values_do_not_differ(value: Any) -> None:
    """A value and itself have no differences."""
    assert list(compare_values(value, value)) == []


@given(JSON, JSON)
def test_what_is_told_one_way_is_told_the_other(one: Any, other: Any) -> None:
    """Swapping the sides swaps added and removed, and leaves the places."""
    there = {(c.path, c.kind) for c in compare_values(one, other)}
    swap = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(c.path, swap[c.kind]) for c in compare_values(other, one)} == there


def test_no_flash_is_an_empty_one() -> None:
    """None, an empty list and an empty object all mean that nothing is flashed."""
    assert list(compare_flash(None, [])) == list(compare_flash({}, None)) == []
    assert [change.kind for change in compare_flash({}, ["hi"])] == ["added"]


def report(form: str, data: Any, *, key: str = "k" * 32, known: bool = True) -> Report:
    """The report on a cookie of a format, with its key or without."""
    text = formats.get(form).encode(data, [key], now=1.8e9)
    return inspect(read_cookie(text), Setup(keys=KeyRing([key] if known else []), format=form, now=1.8e9))


def test_what_is_encrypted_is_untold() -> None:
    """Two sealed sessions are the same only where a key opens them, or where their texts are."""
    shut = report("iron", {"a": 1}, known=False)
    assert compare(shut, shut).same
    untold = compare(shut, report("iron", {"a": 1}, known=False))
    assert (untold.untold, untold.same, untold.recoded) == (True, False, False)
    opened = compare(report("iron", {"a": 1}), report("iron", {"a": 1}))
    assert (opened.untold, opened.same, opened.recoded) == (False, True, True)


def test_comparison_as_json() -> None:
    """Its JSON has every change, with times in ISO 8601."""
    before = report("flask", {"a": 1})
    later = inspect(
        read_cookie(formats.get("flask").encode({"a": 2}, ["k" * 32], now=1.8e9 + 1)),
        Setup(keys=KeyRing(["k" * 32]), format="flask", now=1.8e9 + 1),
    )
    told = compare(before, later).as_json()
    assert told["same"] is False
    by_part = {change["part"]: (change["before"], change["after"]) for change in told["changes"]}
    assert by_part["data"] == (1, 2)
    assert by_part["issued_at"] == ("2027-01-15T08:00:00Z", "2027-01-15T08:00:01Z")
