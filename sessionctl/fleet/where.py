"""Conditions on what a session holds, as `--where` takes them.

    K            there is such a value
    K=V          it is V: `K=42` means the number and the text
    K:=JSON      it is precisely that JSON value: `K:=42` means the number alone
    K!=V         what `K=V` is not, sessions without K included; `K!:=JSON` likewise

K is a name, a path with dots (`cart.0.sku`), or `flash.NAME`. One that begins or ends with a
blank, or holds `=` or what looks like an operator, is written as JSON writes a text: `"a > b"=1`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.errors import MalformedError, UsageError
from sessionctl.keypaths import find_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.records import Record

_OPERATORS = ("!:=", ":=", "!=", "=")
"""Longest first: each ends at the condition's first equals sign."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NO_NAME = re.compile(
    r"""\s* ([<>!]+)             # an operator that others have, wherever it stands ...
      | ([~^$*+|&%]+) (?= = )   # ... or only where `=` follows it
      | \s* (~+) (?! .*= )      # ... or only where no `=` follows at all
      | ^\s | \s=$              # a blank before or after the name
      | \s (?! .*= )            # a blank inside, where no `=` tells that it is a name: `first name=V`""",
    re.VERBOSE,
)
"""What is no part of a name unless it is quoted; searched in a name with the `=` of its operator."""

_OTHERS_OPERATOR = re.compile(r"[<>~^]=?")
_WILD = re.compile(r"[*%]")
_FORMS = "K, K=V, K!=V, K:=JSON or K!:=JSON"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: a path, and the values that it may have; `choices=None` asks only that it is there."""

    path: str
    choices: tuple[Any, ...] | None = None
    negated: bool = False
    text: str = ""
    """As it was written, for messages."""

    def holds(self, record: Record) -> bool:
        """Whether a session fulfils it."""
        found, value = look_up(record, self.path)
        same = found and (self.choices is None or any(equal(value, choice) for choice in self.choices))
        return same is not self.negated

    @property
    def doubt(self) -> str | None:
        """What to say where no session meets it: its value begins with another tool's operator, or has a wildcard."""
        value = next((choice for choice in self.choices or () if isinstance(choice, str)), "")
        if sign := _OTHERS_OPERATOR.match(value):
            odd = f"and there is no operator '={sign[0]}'"
        elif sign := _WILD.search(value):
            odd = f"in which {sign[0]!r} is no wildcard"
        else:
            return None
        return f"{self.text[:40]!r} is about the text {value[:40]!r}, {odd}; there are {_FORMS}"


def parse_where(text: str) -> Condition:
    """The condition of a text. Raises `UsageError`."""
    path, operator, value = _quoted_parts(text) if text.startswith('"') else _parts(text)
    if not path:
        raise UsageError(f"{text[:40]!r} is no condition; write K, K=V, K!=V or K:=JSON")
    if not operator:
        return Condition(path, text=text)
    if value.startswith("=") and not operator.endswith(":="):
        raise _no_operator(text, "==")
    return Condition(path, _choices(path, operator, value), operator.startswith("!"), text)


def _parts(text: str) -> tuple[str, str, str]:
    """Path, operator and value; where there is no operator the last two are empty."""
    head, equals, value = text.partition("=")
    operator = next((operator for operator in _OPERATORS if f"{head}{equals}".endswith(operator)), "")
    path = f"{head}{equals}".removesuffix(operator)
    sign = _NO_NAME.search(f"{path}{equals}")
    if sign is not None:
        other = sign[1] or sign[2] or sign[3] or ""
        raise _no_operator(text, f"{other}=" if other and sign.end() == len(path) and equals else other)
    return path, operator, value


def _quoted_parts(text: str) -> tuple[str, str, str]:
    """As `_parts`, for a path in double quotes."""
    quoted = _QUOTED.match(text)
    rest = "" if quoted is None else text[quoted.end() :]
    operator = next((operator for operator in _OPERATORS if rest.startswith(operator)), "")
    if quoted is None or (rest and not operator):
        raise _no_operator(text, "")
    try:
        return str(jsontext.loads(quoted[0])), operator, rest.removeprefix(operator)
    except MalformedError as error:
        raise UsageError(f"{text[:40]!r}: the name in quotes is {error}") from None


def _no_operator(text: str, operator: str) -> UsageError:
    what = (
        f"there is no operator {operator!r}" if operator else "a name ends at its operator, without a blank"
    )
    return UsageError(f"{text[:40]!r}: {what}; write {_FORMS}, and a name with such signs in double quotes")


def all_hold(conditions: Iterable[Condition], record: Record) -> bool:
    """Whether a session fulfils every condition."""
    return all(condition.holds(record) for condition in conditions)


def look_up(record: Record, path: str) -> tuple[bool, Any]:
    """Whether there is a value under a path, and the value; `flash.NAME` is the pending message."""
    found, value = find_path(record.values, path)
    if not found and path.startswith("flash."):
        return find_path(record.flash, path.removeprefix("flash."))
    return found, value


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 42 is 42.0, and neither is `True`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def _choices(path: str, operator: str, value: str) -> tuple[Any, ...]:
    try:
        parsed = jsontext.loads(value)
    except MalformedError as error:
        if operator.endswith(":="):
            raise UsageError(f"{path}:= demands JSON, and its value is {error}") from None
        return (value,)
    return (parsed,) if operator.endswith(":=") else (parsed, value)
