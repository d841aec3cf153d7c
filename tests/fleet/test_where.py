"""Conditions mean what DESIGN.md section 6 says of `--where`."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import UsageError
from sessionctl.fleet import parse_where
from sessionctl.records import Record

VALUES: dict[str, Any] = {
    "n": 42, "text": "42", "f": 42.0, "yes": True, "none": None, "list": [1, {"a": "b"}], "name": "a=b",
    "user": {"id": 7, "tags": ["x"]}, "dotted.key": 1, "empty": "", "!odd": 1, "first name": "mj",
    "a > b": [{"c d": 1}], 'say "x"': 1, "price$": 5, "x=y": 2, "é": 3,
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
        ("first name=mj", True),
        ('"!odd"=1', True),
        ('"a > b"', True),
        ('"a > b.0.c d"=1', True),
        ('"a > b.0.c d"!=1', False),
        ('"say \\"x\\""=1', True),
        ('"price$":=5', True),
        ("price$", True),
        ('"x=y"=2', True),
        ('"\\u00e9"=3', True),
        ('"a~b"', False),
        ("a~b=1", False),
        ('"n"=42', True),
        ('name:="=x"', False),
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


@pytest.mark.parametrize("text", ["", "=1", ":=1", "!=1", "k:=text", "k!:=", "k:=", '""=1', '"k'])
def test_wrong_condition(text: str) -> None:
    """What has no name, or no JSON where that is demanded, is wrong usage."""
    with pytest.raises(UsageError):
        parse_where(text)


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("n>2", ">"),
        ("n > 2", ">"),
        ("n>=2", ">="),
        ("n<=2", "<="),
        ("n <= 2", "<="),
        ("n<>2", "<>"),
        ("n==2", "=="),
        ("n===2", "=="),
        ("!n", "!"),
        ("n!", "!"),
        ("name~=a", "~="),
        ("name^=a", "^="),
        ("name*=a", "*="),
        ("name~a", "~"),
        ("name ~ a", "~"),
        ('"a > b">1', None),
        ('"a > b" = 1', None),
        ("n = 42", None),
        ("n in 42", None),
        ("n\t=42", None),
    ],
)
def test_no_operator(text: str, operator: str | None) -> None:
    """What others take for an operator is wrong usage, which names those that there are; never a part of a name."""
    with pytest.raises(UsageError) as raised:
        parse_where(text)
    message = str(raised.value)
    assert "write K, K=V, K!=V, K:=JSON or K!:=JSON, and a name with such signs in double quotes" in message
    if operator is not None:
        assert f"there is no operator '{operator}';" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("n=>2", "there is no operator '=>'"),
        ("n=<=2", "there is no operator '=<='"),
        ("name=~b", "there is no operator '=~'"),
        ("name=^b", "there is no operator '=^'"),
        ("name!=~b", "there is no operator '=~'"),
        ("name=*b", "'*' is no wildcard"),
        ("name=%b%", "'%' is no wildcard"),
        ("name=a", None),
        ("n=-2", None),
        ("n:=2", None),
        ("name", None),
    ],
)
def test_doubt(text: str, said: str | None) -> None:
    """Any text may be a value; what may have been meant otherwise is there to be asked of who met no session."""
    doubt = parse_where(text).doubt
    if said is None:
        assert doubt is None
    else:
        assert doubt is not None
        assert said in doubt
        assert doubt.endswith("; there are K, K=V, K!=V, K:=JSON or K!:=JSON")
