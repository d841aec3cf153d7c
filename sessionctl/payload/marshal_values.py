"""What a Marshal payload is made of, and how JSON shows it.

An object of a class that sessions hold (dates, ranges, sets, decimals, a Rack session's ID) is shown as the
value that it stands for, every other as `{"__type__": "Class", member: value, ...}`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from sessionctl.errors import MalformedError
from sessionctl.payload.budget import Budget, float_or_name, items_of, text_or_base64
from sessionctl.payload.ruby_values import date_text, datetime_text, range_text, ruby_key, time_text

if TYPE_CHECKING:
    from collections.abc import Callable

KIND: Final = "a Marshal payload"

_OBJECT_ITEMS: Final = 3
"""Values that an object counts for, beside its members."""
_BYTES_PER_ITEM: Final = 16
"""Bytes of a text from which a date or number is made that count for one value more."""

_ENCODINGS: Final = (
    "iso-8859-",
    "windows-125",
    "shift_jis",
    "euc-",
    "utf-16",
    "utf-32",
    "gb",
    "big5",
    "koi8",
)
"""How the names of those of Ruby's encodings begin that Python reads too."""


class String:
    """Bytes, the encoding that follows them, and the instance variables which say that."""

    __slots__ = ("data", "encoding", "members")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.encoding = "utf-8"
        self.members: list[tuple[str, Any]] | None = None


class Hash:
    """Pairs whose keys may be anything, in the order in which they were written."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []


class Object:
    """An instance of a class: its members, and what its own dump method gave. `kind` is its byte of type."""

    __slots__ = ("content", "kind", "members", "name")

    def __init__(self, kind: int, name: str) -> None:
        self.kind = kind
        self.name = name
        self.members: list[tuple[str, Any]] = []
        self.content: Any = None

    def member(self, name: str, default: Any = None) -> Any:
        """The value of an instance variable, with or without its `@`."""
        return next((value for key, value in self.members if key.lstrip("@") == name), default)


class Verbatim(str):
    """Text that is shown as it is: the name of a symbol or class, the source of a regular expression."""

    __slots__ = ()


class Symbol(Verbatim):
    """The name of a symbol."""

    __slots__ = ()


# -- as JSON ------------------------------------------------------------------------------------------


class Rendering:
    """From what was read in `size` bytes to JSON; links may make it far more than was read."""

    __slots__ = ("_budget",)

    def __init__(self, size: int) -> None:
        self._budget = Budget(KIND, items_of(size))

    def show(self, value: Any, depth: int) -> Any:
        """One value, `depth` levels inside, for which the container around it has paid."""
        show = _SHOWN.get(type(value))
        return value if show is None else show(self, value, depth)

    def _verbatim(self, value: str, _depth: int) -> str:
        return self._budget.text(str(value))

    def _string(self, value: String, _depth: int) -> str:
        if value.encoding == "utf-8":
            return self._budget.text(self._budget.shown(value.data))
        self._budget.spend(1)
        return self._budget.text(_text(value))

    def _float(self, value: float, _depth: int) -> float | str:
        if value - value == 0:
            return value
        self._budget.spend(1)
        return float_or_name(value)

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        if not value:
            return []
        self._budget.enter(depth, len(value))
        return [self.show(item, depth + 1) for item in value]

    def _hash(self, value: Hash, depth: int) -> dict[str, Any]:
        if not value.pairs:
            return {}
        self._budget.enter(depth, 2 * len(value.pairs))
        found = {}
        for item, member in value.pairs:
            key = self.show(item, depth + 1)
            if type(key) is not str:
                key = self._budget.key(key, ruby_key)
            found[key] = self.show(member, depth + 1)
        return found

    def _object(self, value: Object, depth: int) -> Any:
        self._budget.enter(depth, _OBJECT_ITEMS + len(value.members))
        known = _KNOWN.get(value.name)
        if known is not None:
            return self._known(known, value, depth)
        shown: dict[str, Any] = {"__type__": str(value.name)}
        if value.content is not None:
            shown["data"] = self.show(value.content, depth + 1)
        for name, member in value.members:
            shown[self._budget.text(name.lstrip("@"))] = self.show(member, depth + 1)
        return shown

    def _known(self, known: Callable[[Object], Any], value: Object, depth: int) -> Any:
        """What it stands for, which takes as long as what goes into it and comes out is."""
        if isinstance(value.content, String):
            self._budget.spend(len(value.content.data) // _BYTES_PER_ITEM)
        resolved = known(value)
        if isinstance(resolved, str):
            self._budget.spend(len(resolved) // _BYTES_PER_ITEM)
        return self.show(resolved, depth + 1)


_SHOWN: Final[dict[type, Callable[[Rendering, Any, int], Any]]] = {
    str: Rendering._verbatim,  # noqa: SLF001 - its own, and below
    Verbatim: Rendering._verbatim,  # noqa: SLF001
    Symbol: Rendering._verbatim,  # noqa: SLF001
    float: Rendering._float,  # noqa: SLF001
    String: Rendering._string,  # noqa: SLF001
    list: Rendering._list,  # noqa: SLF001
    Hash: Rendering._hash,  # noqa: SLF001
    Object: Rendering._object,  # noqa: SLF001
}
"""What is none of these is shown as it is: integers, nil, booleans."""


def _text(string: String) -> str:
    if string.encoding.lower().startswith(_ENCODINGS):
        try:
            return string.data.decode(string.encoding)
        except (LookupError, ValueError):
            pass
    return text_or_base64(string.data)


# -- the classes that sessions hold -------------------------------------------------------------------


def _time(value: Object) -> str:
    """Eight bytes of `Time#_dump`: two little-endian words of bit fields, always in UTC.

    1 | utc | year - 1900 (16) | month - 1 (4) | day (5) | hour (5)
    minute (6) | second (6) | microsecond (20)
    """
    if not isinstance(value.content, String) or len(value.content.data) < 8:  # noqa: PLR2004
        raise MalformedError(f"{KIND} with a broken Time")
    from datetime import datetime, timezone

    high, low = struct.unpack("<II", value.content.data[:8])
    if not high & 1 << 31:
        return time_text(high, 0, utc=True)  # Ruby before 1.4: Unix seconds
    year, month, day, hour = (high >> 14 & 0xFFFF) + 1900, (high >> 10 & 15) + 1, high >> 5 & 31, high & 31
    when = datetime(year, month, day, hour, low >> 26, low >> 20 & 63, tzinfo=timezone.utc)  # noqa: UP017
    offset = value.member("offset", 0)
    if not isinstance(offset, int):
        raise MalformedError(f"{KIND} with a broken Time")
    return time_text(int(when.timestamp()), offset, utc=bool(high & 1 << 30))


def _date(value: Object) -> str:
    """`Date#marshal_dump`: [0, Julian day, second, nanosecond, offset, calendar reform], in UTC."""
    fields = value.content if isinstance(value.content, list) else []
    if len(fields) < 6 or not isinstance(fields[1], int):  # noqa: PLR2004
        raise MalformedError(f"{KIND} with a broken Date")
    if value.name == "Date":
        return date_text(fields[1])
    second, offset = fields[2], fields[4]
    if not isinstance(second, int) or not isinstance(offset, int):
        raise MalformedError(f"{KIND} with a broken DateTime")
    days, local = divmod(second + offset, 86400)
    return datetime_text(fields[1] + days, local, offset)


def _first_item(value: Object) -> Any:
    """`ActiveSupport::TimeWithZone#marshal_dump`: [time in UTC, zone's name, local time]."""
    return value.content[0] if isinstance(value.content, list) and value.content else value.content


def _range(value: Object) -> str:
    ends = [value.member(name) for name in ("begin", "end")]
    shown = [_text(end) if isinstance(end, String) else end for end in ends]
    if any(isinstance(end, (list, Hash)) for end in shown):
        raise MalformedError(f"{KIND} with a broken Range")
    first, last = map(_resolved, shown)
    return range_text(first, last, value.member("excl"))


def _resolved(value: Any) -> Any:
    """The text of a time or date that a range ends with."""
    if not isinstance(value, Object):
        return value
    return _KNOWN[value.name](value) if value.name in ("Time", "Date", "DateTime") else value.name


def _set(value: Object) -> list[Any]:
    members = value.member("hash")
    return [key for key, _ in members.pairs] if isinstance(members, Hash) else []


def _decimal(value: Object) -> str:
    """`BigDecimal#_dump`: the precision, a colon, the number."""
    content = value.content
    return _text(content).partition(":")[2] if isinstance(content, String) else ""


def _ratio(value: Object) -> str:
    parts = value.content if isinstance(value.content, list) else []
    if len(parts) != 2 or not all(isinstance(part, (int, float)) for part in parts):  # noqa: PLR2004
        raise MalformedError(f"{KIND} with a broken {value.name}")
    if value.name == "Rational":
        return f"{parts[0]}/{parts[1]}"
    return f"{parts[0]}{'+' if parts[1] >= 0 else ''}{parts[1]}i"


_KNOWN: Final[dict[str, Callable[[Object], Any]]] = {
    "Time": _time,
    "Date": _date,
    "DateTime": _date,
    "ActiveSupport::TimeWithZone": _first_item,
    "Range": _range,
    "Set": _set,
    "BigDecimal": _decimal,
    "Rational": _ratio,
    "Complex": _ratio,
    "Rack::Session::SessionId": lambda value: value.member("public_id"),
}
