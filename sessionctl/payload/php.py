"""PHP's `serialize()`, read without making any object.

    N;                        null                  i:42;   int            d:0.5;   float (INF, -INF, NAN)
    b:1;                      bool                  s:5:"alice";           text, the length in bytes
    a:2:{key value ...}       array                 O:4:"User":1:{name value ...}   object
    E:6:"Suit:H";             enum case             C:4:"Coll":3:{...}   object that writes itself
    R:3;  r:3;                the third value again, as a reference or as the same object

As JSON: arrays with the keys 0, 1, 2 ... are lists and all others objects; bytes that are no UTF-8 become
standard base64; INF is `{"__type__": "float", "value": "Infinity"}`. An object is `{"__type__": class, ...}`
with its members named as `print_r` does (`name`, `name:protected`, `name:Class:private`), an enum case
`{"__type__": enum, "__case__": case}`, an object that writes itself `{"__type__": class, "__data__": text}`.
A reference gives its value once more; one to a value that is still open, `{"__ref__": number}`.

Values are counted for references in the order in which they begin, array keys and `R` aside, through the
whole text. Sources: PHP 8.2 ext/standard/var_unserializer.re, var.c.
"""

from __future__ import annotations

import codecs
import math
import re
from typing import TYPE_CHECKING, Any

from sessionctl.encoding import b64encode
from sessionctl.errors import MalformedError
from sessionctl.payload.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ITEMS = 50_000
"""How many values one text may hold, those that references repeat included. A container counts for one more than
it holds, an object for two; so do an enum case, an escaped text, bytes that are no UTF-8."""

_TEXT_PER_ITEM = 64
"""Characters of repeated text that count as one more value."""

_DIGITS_PER_ITEM = 16
"""Characters of a float that count as one more value."""

MIN_INT, MAX_INT = -(2**63), 2**63 - 1
_MAX_ROUNDS = 64
"""How often an escaped text may turn out longer: each time by at most two thirds of the time before."""
NOT_FINITE = {b"INF": "Infinity", b"-INF": "-Infinity", b"NAN": "NaN"}
_OPEN: Any = object()


def loads(data: bytes) -> Any:
    """The value of one serialized text. Raises `MalformedError`."""
    return Reader(data).whole()


def loads_string(data: bytes) -> bytes:
    """The bytes of a serialized string. Raises `MalformedError` for any other value."""
    reader = Reader(data)
    head = _find_text(data)
    if head is None:
        raise MalformedError("PHP serialize: not a string")
    reader.at = head.end()
    text = reader.string(head[1])
    if reader.at != len(data):
        raise MalformedError(f"PHP serialize: more bytes follow at byte {reader.at}")
    return text


# -- reading ------------------------------------------------------------------------------------------

HEAD = (
    rb"i:(?P<short>-?[0-9]{1,18});"
    rb'|s:(?P<size>[0-9]{1,18}):"(?P<plain>[^"]*+)";'
    rb'|s:(?P<text>[0-9]{1,30}):"'
    rb"|b:(?P<boolean>[01]);"
    rb"|(?P<null>N);"
    rb"|d:(?P<float>[-+0-9.eE]{1,400}|INF|-INF|NAN);"
    rb"|i:(?P<integer>[-+]?[0-9]{1,30});"
    rb"|r:(?P<reference>[-+]?[0-9]{1,30});"
    rb'|E:(?P<case>[0-9]{1,30}):"'
    rb'|C:(?P<custom>[0-9]{1,30}):"'
    rb'|S:(?P<escaped>[0-9]{1,30}):"'
    rb"|R:(?P<alias>[-+]?[0-9]{1,30});"
    rb"|a:(?P<array>[0-9]{1,30}):\{"
    rb'|O:(?P<object>[0-9]{1,30}):"'
)
"""How a value begins; the last group found names its kind. Short integers and texts up to a quote are whole."""

_find_value = re.compile(HEAD).match
_find_member = re.compile(rb'(?:i:(-?[0-9]{1,18});|s:([0-9]{1,18}):"([^"]*+)";)(?:' + HEAD + rb")").match
_find_text = re.compile(rb's:([0-9]{1,30}):"').match
_find_begin = re.compile(rb":([0-9]{1,30}):\{").match

_SHORTEST_MEMBER = 6
"""Bytes of `i:0;N;`."""


class Reader:
    """One pass over the bytes. `slots` are the values so far, as references count them."""

    __slots__ = ("at", "budget", "data", "slots", "spend")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.budget = Budget("a text of PHP", MAX_ITEMS + 1)
        self.spend = self.budget.spend
        self.restart()

    def restart(self) -> None:
        """Once more from the first byte, with what is left."""
        self.at = 0
        self.slots: list[Any] = []

    def fail(self, problem: str) -> MalformedError:
        """The error for what stands here."""
        return MalformedError(f"PHP serialize: {problem} at byte {self.at}")

    def whole(self) -> Any:
        """The value that all bytes are."""
        self.spend(1)
        value = self.value(0)
        if self.at != len(self.data):
            raise MalformedError(f"PHP serialize: more bytes follow at byte {self.at}")
        return value

    def value(self, depth: int) -> Any:
        """The value here; `depth` counts the containers around it."""
        head = _find_value(self.data, self.at)
        if head is None:
            raise self.fail("no value")
        return self.rest(head, depth)

    def rest(self, head: re.Match[bytes], depth: int) -> Any:
        """The value that the head begins."""
        self.at = head.end()
        kind = head.lastgroup or ""
        value: Any
        if kind == "short":
            value = int(head["short"])
        elif kind == "plain":
            value = self.plain_text(head)
        elif kind in _NESTED:
            return _NESTED[kind](self, head[kind], depth)
        else:
            value = _FLAT[kind](self, head[kind])
        self.slots.append(value)
        return value

    def plain_text(self, head: re.Match[bytes]) -> str:
        """A text up to the first quote, unless it is longer."""
        found = head["plain"]
        if len(found) == int(head["size"]):
            return self.shown(found)
        self.at -= len(found) + 2
        return self.text(head["size"])

    def integer(self, digits: bytes) -> int:
        """`i:42;`"""
        number = int(digits)
        if not MIN_INT <= number <= MAX_INT:
            raise self.fail("an integer past 64 bits")
        return number

    def boolean(self, digit: bytes) -> bool:
        """`b:1;`"""
        return digit == b"1"

    def null(self, _mark: bytes) -> None:
        """`N;`"""

    def real(self, text: bytes) -> Any:
        """`d:0.5;`"""
        self.spend(len(text) // _DIGITS_PER_ITEM)
        if text in NOT_FINITE:
            return _not_finite(NOT_FINITE[text])
        try:
            number = float(text)
        except ValueError:
            raise self.fail("no float") from None
        return number if math.isfinite(number) else _not_finite("Infinity" if number > 0 else "-Infinity")

    # text

    def string(self, size: bytes, end: bytes = b'";') -> bytes:
        """The bytes here, of which the head has told the size; the end mark is passed over."""
        begin = self.at
        at = begin + int(size)
        self.at = at + len(end)
        if self.data[at : self.at] != end:
            self.at = begin
            raise self.fail("a text of another length than it says")
        return self.data[begin:at]

    def text(self, size: bytes, end: bytes = b'";') -> str:
        """`s:5:"alice";`"""
        return self.shown(self.string(size, end))

    def shown(self, data: bytes) -> str:
        """Text, or standard base64 of what is no UTF-8."""
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.spend(1)
            return b64encode(data)

    def escaped(self, size: bytes) -> str:
        r"""`S:3:"a\00b";`: a backslash and two hexadecimal digits stand for one byte."""
        self.spend(1)
        begin = self.at
        self.at = self.escaped_end(int(size))
        if self.data[self.at : self.at + 2] != b'";':
            raise self.fail("a text of another length than it says")
        try:
            found = codecs.escape_decode(self.data[begin : self.at].replace(b"\\", b"\\x"))[0]
        except ValueError:
            raise self.fail("a broken escape") from None
        self.at += 2
        return self.shown(found)

    def escaped_end(self, size: int) -> int:
        """Where an escaped text of so many bytes ends: two bytes later for every backslash before there."""
        begin, end = self.at, self.at + size
        for _ in range(_MAX_ROUNDS):
            more = self.data.count(b"\\", begin, end)
            if not more:
                return end
            begin, end = end, end + 2 * more
        raise self.fail("a broken escape")

    def case(self, size: bytes) -> dict[str, Any]:
        """`E:6:"Suit:H";`"""
        self.spend(1)
        enum, colon, case = self.text(size).partition(":")
        if not colon:
            raise self.fail("no enum case")
        return {"__type__": enum, "__case__": case}

    def custom(self, size: bytes) -> dict[str, Any]:
        """`C:4:"Coll":3:{...}`"""
        self.spend(1)
        name = self.text(size, b'"')
        return {"__type__": name, "__data__": self.text(self.begin(), b"}")}

    def reference(self, digits: bytes) -> Any:
        """`r:3;`"""
        number = int(digits)
        if not 1 <= number <= len(self.slots):
            raise self.fail("a reference to no value")
        value = self.slots[number - 1]
        if value is _OPEN:
            return {"__ref__": number}
        self.spend(_weight(value, self.budget.left))
        return value

    # what takes no place, or takes it before what it holds

    def alias(self, digits: bytes, _depth: int) -> Any:
        """`R:3;`"""
        return self.reference(digits)

    def array(self, size: bytes, depth: int) -> Any:
        """`a:2:{...}`"""
        place = len(self.slots)
        keys, values = self.members(int(size), depth)
        made = values if keys == list(range(len(keys))) else dict(zip(map(str, keys), values, strict=True))
        self.slots[place] = made
        return made

    def object(self, size: bytes, depth: int) -> dict[str, Any]:
        """`O:4:"User":1:{...}`"""
        self.spend(1)
        found: dict[str, Any] = {"__type__": self.text(size, b'"')}
        count = int(self.begin())
        place = len(self.slots)
        for key, value in zip(*self.members(count, depth), strict=True):
            found[_member(key) if isinstance(key, str) else str(key)] = value
        self.slots[place] = found
        return found

    def members(self, count: int, depth: int) -> tuple[list[str | int], list[Any]]:
        """Keys and values up to the closing brace. The container has its place and pays for all of them."""
        self.budget.enter(depth, count + 1)
        data, depth = self.data, depth + 1
        if count * _SHORTEST_MEMBER > len(data) - self.at:
            raise self.fail("more values than can follow")
        self.slots.append(_OPEN)
        keys: list[str | int] = []
        values = []
        for _ in range(count):
            head = _find_member(data, self.at)
            if head is None:
                keys.append(self.key())
                values.append(self.value(depth))
                continue
            index, size, text = head.group(1, 2, 3)
            if index is not None:
                keys.append(int(index))
            elif len(text) == int(size):
                keys.append(self.shown(text))
            else:  # it goes on behind its first quote
                keys.append(self.key())
                values.append(self.value(depth))
                continue
            values.append(self.rest(head, depth))
        if data[self.at : self.at + 1] != b"}":
            raise self.fail("no '}'")
        self.at += 1
        return keys, values

    def begin(self) -> bytes:
        """The count of `:3:{`."""
        head = _find_begin(self.data, self.at)
        if head is None:
            raise self.fail("no '{'")
        self.at = head.end()
        return head[1]

    def key(self) -> str | int:
        """A key, whatever there is in it."""
        head = _find_value(self.data, self.at)
        kind = head.lastgroup if head is not None else None
        if head is None or kind not in ("plain", "text", "short", "integer"):
            raise self.fail("no key")
        self.at = head.end()
        if kind == "plain":
            return self.plain_text(head)
        return self.text(head[kind]) if kind == "text" else self.integer(head[kind])


_FLAT: dict[str, Callable[[Reader, bytes], Any]] = {
    "text": Reader.text,
    "boolean": Reader.boolean,
    "null": Reader.null,
    "float": Reader.real,
    "integer": Reader.integer,
    "reference": Reader.reference,
    "case": Reader.case,
    "custom": Reader.custom,
    "escaped": Reader.escaped,
}
_NESTED: dict[str, Callable[[Reader, bytes, int], Any]] = {
    "alias": Reader.alias,
    "array": Reader.array,
    "object": Reader.object,
}


def _not_finite(word: str) -> dict[str, str]:
    return {"__type__": "float", "value": word}


def _member(name: str) -> str:
    """A property's name as `print_r` writes it: the bytes tell its visibility between two NUL."""
    if name == "__type__":
        return "__type__:public"
    if not name.startswith("\0"):
        return name
    owner, _, bare = name[1:].partition("\0")
    return f"{bare}:protected" if owner == "*" else f"{bare}:{owner}:private"


def _weight(value: Any, limit: int) -> int:
    """How many values a repeated value holds, long text counted as several; counting ends past the limit."""
    pending, found = [value], 0
    while pending and found <= limit:
        item = pending.pop()
        found += 1
        if isinstance(item, str):
            found += len(item) // _TEXT_PER_ITEM
        elif isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return found
