"""Conditions mean what DESIGN.md section 6 says of `--where`."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import UsageError
from sessionctl.fleet import parse_where
from sessionctl.records import Record

VALUES: dict[str, Any] = {
    "n": 42, "text": "42", "f": 42.0, "yes": True, "none": None, "list": [1, {"a": "b"}], "name": "a=b",
    "user": {"id": 7, "tags": ["x"]}, "dotted.key": 1, "empty": "", "!odd": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("n", True),
        ("absent", False),
        ("none", True),
        ("n=42", True),
        ("text=42", True),
        ("f=42", True),
        ("n=43", False),
        ("n:=42", True),
        ("text:=42", False),
        ('text:="42"', True),
        ('text="42"', True),
        ("n:=42.0", True),
        ("yes=true", True),
        ("yes:=true", True),
        ("yes=1", False),
        ("n!=42", False),
        ("n!=43", True),
        ("absent!=42", True),
        ("text!:=42", True),
        ("n!:=42", False),
        ("none=null", True),
        ("name=a=b", True),
        ("empty=", True),
        ("user.id=7", True),
        ("user.tags.0=x", True),
        ("user.tags.1=x", False),
        ("user.tags.-1=x", False),
        ("dotted.key=1", True),
        ("!odd=1", True),
        ('list:=[1,{"a":"b"}]', True),
        ('list:=[true,{"a":"b"}]', False),
        ('user:={"tags":["x"],"id":7}', True),
        ("flash.notice=hi", True),
        ("flash.notice.x", False),
        ("notice", False),
        ("flash.absent", False),
    ],
)
def test_condition(text: str, *, holds: bool) -> None:
    """A condition holds for just the sessions that its form says."""
    assert parse_where(text).holds(Record(VALUES, {"notice": "hi"})) is holds


@pytest.mark.parametrize("text", ["", "=1", ":=1", "!=1", "k:=text", "k!:=", "k:="])
def test_wrong_condition(text: str) -> None:
    """What has no name, or no JSON where that is demanded, is wrong usage."""
    with pytest.raises(UsageError):
        parse_where(text)
