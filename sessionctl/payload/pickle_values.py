"""What a pickle builds, and how JSON shows it.

`Global` and `Instance` stand for what a real machine would import or call. The classes that frameworks put
into sessions (dates, UUIDs, decimals, sets, Markup) are resolved to the JSON that people expect; every other
is `{"__type__": "module.Class", "args": [...], member: value, ...}`.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from sessionctl.encoding import b64encode
from sessionctl.errors import MalformedError
from sessionctl.payload.budget import MAX_ITEMS, Budget, items_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_OBJECT_ITEMS: Final = 5
"""Values that one of a class counts for, beside what it holds."""
_RENAMED: Final = {"__builtin__": "builtins", "copy_reg": "copyreg"}
"""Modules of Python 2 by their names in Python 3."""


class Python2Str(bytes):
    """Python 2's `str`: text where it is UTF-8."""


class Set(list[Any]):
    """A set, in the order in which it was written."""


class Mapping:
    """A dict whose keys may be anything, in the order in which it was written."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = ()) -> None:
        self.pairs = list(pairs)


class Global:
    """A class or function that a pickle names."""

    __slots__ = ("name",)

    def __init__(self, module: str, name: str) -> None:
        module = _RENAMED.get(module, module)
        self.name = f"{module}.{name}"


class Instance:
    """What a call would give: the callable, its arguments, and what was set on the result afterwards."""

    __slots__ = ("arguments", "called", "items", "pairs", "state")

    def __init__(self, called: Any, arguments: Any) -> None:
        if not isinstance(arguments, tuple):
            raise MalformedError("not a pickle: the arguments of a call are no tuple")
        self.called = called
        self.arguments = arguments
        self.items: list[Any] = []
        self.pairs: list[tuple[Any, Any]] = []
        self.state: Any = None
        if (
            type(called) is Global and called.name == "copyreg._reconstructor" and len(arguments) == 3  # noqa: PLR2004 - its signature
        ):
            self.called, _, base = arguments
            self.arguments = () if base is None else (base,)

    def extend(self, items: Iterable[Any]) -> None:
        """Items of a list or a set, or of a class that is one."""
        self.items.extend(items)


def to_json(value: Any, size: int = MAX_ITEMS) -> Any:
    """The value of a pickle of `size` bytes as JSON can hold it.

    Raises `MalformedError` where it is too large or too deep.
    """
    return _Rendering(Budget("a pickle", items_of(size, each=4))).render(value, 0)


def _name(called: Any) -> str:
    """The dotted name of what was called; a method of a class comes as `getattr(class, name)`."""
    if type(called) is Global:
        return called.name
    if (
        type(called) is Instance
        and type(called.called) is Global
        and called.called.name == "builtins.getattr"
    ):
        owner = called.arguments[0] if len(called.arguments) == 2 else None  # noqa: PLR2004 - its signature
        if type(owner) is Global:
            attribute = called.arguments[1]
            return f"{owner.name}.{_bytes_text(attribute) if isinstance(attribute, bytes) else attribute}"
    return "?"


class _Rendering:
    """One way from what a pickle builds to JSON."""

    __slots__ = ("budget", "text")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.text = budget.text  # for every text: a look less

    def render(self, value: Any, depth: int) -> Any:
        """One value, `depth` levels inside, for which the container around it has paid."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        show = _SHOWN.get(kind)
        return value if show is None else show(self, value, depth)

    def _number(self, value: float, _depth: int) -> int | float | dict[str, str]:
        """A number; those that JSON has not look as they do from `sessionctl.payload.python_json`."""
        if isinstance(value, int):
            return self.budget.integer(value)
        if value - value != 0:
            name = {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
            return {"__type__": "float", "value": name}
        return value

    def _bytes(self, value: bytes, depth: int) -> Any:
        return self.render(_bytes_text(value), depth)

    def _python2_text(self, value: Python2Str, depth: int) -> Any:
        try:
            return self.render(value.decode(), depth)
        except UnicodeDecodeError:
            return self._bytes(value, depth)

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        if not value:
            return []
        self.budget.enter(depth, len(value))
        return [self.render(item, depth + 1) for item in value]

    def _mapping(self, value: Mapping, depth: int) -> dict[str, Any]:
        if not value.pairs:
            return {}
        self.budget.enter(depth, 2 * len(value.pairs))
        return self._members(value.pairs, depth + 1)

    def _global(self, value: Global, depth: int) -> dict[str, Any]:
        self.budget.enter(depth, 1)
        return {"__type__": value.name}

    def _members(self, pairs: list[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        """Pairs, paid for, whose values are `depth` levels inside."""
        return {
            key if type(key) is str else self._key(key, depth): self.render(value, depth)
            for key, value in pairs
        }

    def _key(self, key: Any, depth: int) -> str:
        shown = self.render(key, depth)
        if type(shown) is str:
            return shown
        if type(shown) is int:
            return str(shown)
        from sessionctl import jsontext

        self.budget.spend(_OBJECT_ITEMS)
        return jsontext.dumps(shown)

    def _instance(self, value: Instance, depth: int) -> Any:
        held = len(value.arguments) + len(value.items) + len(value.pairs)
        if type(value.state) is Mapping:
            held += len(value.state.pairs)
        self.budget.enter(depth, _OBJECT_ITEMS + held)
        known = _KNOWN.get(_name(value.called))
        if known is None:
            return self._unknown(value, depth + 1)
        try:
            resolved = known(value)
        except (ValueError, TypeError, IndexError, AttributeError, OverflowError, KeyError):
            return self._unknown(value, depth + 1)  # not as that class writes itself
        return self.render(resolved, depth + 1)

    def _unknown(self, value: Instance, depth: int) -> dict[str, Any]:
        """Its members are paid for, but the slots that it may have beside them."""
        shown: dict[str, Any] = {"__type__": _name(value.called)}
        if type(value.called) is not Global:
            shown["called"] = self.render(value.called, depth)
        if value.arguments:
            shown["args"] = self.render(value.arguments, depth)
        if value.items:
            shown["items"] = self.render(value.items, depth)
        for state in value.state if _is_slotted(value.state) else (value.state,):
            if type(state) is Mapping:
                self.budget.spend(len(state.pairs))
                shown |= self._members(state.pairs, depth) | {"__type__": shown["__type__"]}
            elif state is not None:
                shown["state"] = self.render(state, depth)
        self.budget.spend(len(value.pairs))
        return shown | self._members(value.pairs, depth) if value.pairs else shown


_SHOWN: Final[dict[type, Callable[[_Rendering, Any, int], Any]]] = {
    int: _Rendering._number,  # noqa: SLF001 - its own, and below
    float: _Rendering._number,  # noqa: SLF001
    bytes: _Rendering._bytes,  # noqa: SLF001
    Python2Str: _Rendering._python2_text,  # noqa: SLF001
    list: _Rendering._list,  # noqa: SLF001
    tuple: _Rendering._list,  # noqa: SLF001
    Set: _Rendering._list,  # noqa: SLF001
    Mapping: _Rendering._mapping,  # noqa: SLF001
    Instance: _Rendering._instance,  # noqa: SLF001
    Global: _Rendering._global,  # noqa: SLF001
}
"""What is none of these is shown as it is: text, None, booleans."""


def _is_slotted(state: Any) -> bool:
    """Whether the state is `(__dict__, __slots__)` as CPython's `object.__reduce_ex__` gives it."""
    return (
        isinstance(state, tuple)
        and len(state) == 2  # noqa: PLR2004 - its definition
        and all(part is None or isinstance(part, Mapping) for part in state)
    )


def _bytes_text(value: bytes) -> str:
    if isinstance(value, Python2Str):
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    return b64encode(value)


# -- the classes that sessions hold -------------------------------------------------------------------


def _only(instance: Instance) -> Any:
    (argument,) = instance.arguments
    return argument


def _text_of(instance: Instance) -> str:
    """The argument of a class that is a text (Markup) or writes itself as one (Decimal)."""
    argument = _only(instance)
    if isinstance(argument, Python2Str):
        return _bytes_text(argument)
    if not isinstance(argument, str):
        raise TypeError
    return argument


def _list_of(instance: Instance) -> list[Any]:
    arguments = instance.arguments[0] if instance.arguments else []
    if not isinstance(arguments, (list, tuple)):
        raise TypeError
    return [*arguments, *instance.items]


def _dict_of(instance: Instance) -> Mapping:
    """A dict, OrderedDict, defaultdict or Counter; Python 2's OrderedDict takes its pairs as an argument."""
    pairs: list[tuple[Any, Any]] = []
    for argument in instance.arguments:
        if isinstance(argument, Mapping):
            pairs.extend(argument.pairs)
        elif isinstance(argument, list):
            pairs.extend((key, value) for key, value in argument)
        elif not isinstance(argument, Global):
            raise TypeError
    return Mapping([*pairs, *instance.pairs])


def _encoded(instance: Instance) -> bytes:
    """`_codecs.encode(text, "latin1")`: how Python 3 writes bytes in protocols 0 to 2."""
    text, codec = instance.arguments
    if codec not in ("latin1", "latin-1"):
        raise ValueError
    return bytes(text.encode("latin-1"))


def _byte_array(instance: Instance) -> bytes:
    return _as_bytes(instance.arguments[0]) if instance.arguments else b""


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, Instance) and _name(value.called) == "_codecs.encode":
        return _encoded(value)
    if isinstance(value, str):
        return value.encode("latin-1")
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _packed(value: Any, size: int) -> bytes:
    """So many bytes, which a date or time is."""
    text = value.arguments[0] if isinstance(value, Instance) and len(value.arguments) > 1 else value
    if len(text) != size:
        raise ValueError
    return _as_bytes(value)


def _uuid(instance: Instance) -> str:
    state = {
        key.decode() if isinstance(key, Python2Str) else key: value for key, value in instance.state.pairs
    }
    if not 0 <= state["int"] < 1 << 128:
        raise ValueError
    digits = f"{state['int']:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _datetime(instance: Instance) -> str:
    """Ten bytes: year (2), month, day, hour, minute, second, microsecond (3), big-endian.

    A time zone that is known by its name alone follows in brackets (RFC 9557).
    """
    packed = _packed(instance.arguments[0], 10)
    year, micro = int.from_bytes(packed[:2], "big"), int.from_bytes(packed[7:10], "big")
    month, day, hour, minute, second = packed[2] & 0x7F, packed[3], packed[4], packed[5], packed[6]
    when = datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001 - its zone follows
    if len(instance.arguments) == 1:
        return when.isoformat()
    zone = _zone(instance.arguments[1])
    if isinstance(zone, str):
        return f"{when.isoformat()}[{zone}]"
    if not zone:
        return f"{when.isoformat()}Z"
    return when.replace(tzinfo=timezone(timedelta(seconds=zone))).isoformat()


def _time(instance: Instance) -> str:
    packed = _packed(_only(instance), 6)
    return time(packed[0] & 0x7F, packed[1], packed[2], int.from_bytes(packed[3:6], "big")).isoformat()


def _date(instance: Instance) -> str:
    packed = _packed(_only(instance), 4)
    return date(int.from_bytes(packed[:2], "big"), packed[2], packed[3]).isoformat()


_DAY: Final = 86400

_UTC = frozenset(
    {
        "datetime.timezone.utc",
        "pytz._UTC",
        "django.utils.timezone.UTC",
        "dateutil.tz.tz.tzutc",
        "iso8601.iso8601.Utc",
    }
)


def _zone(zone: Any) -> float | str:
    """Seconds east of UTC, or the zone's name; raises `ValueError` for what is not known as a zone."""
    name = _name(zone.called) if isinstance(zone, Instance) else _name(zone)
    if name in _UTC or _name(zone) in _UTC:
        return 0.0
    if name == "datetime.timezone":
        days, seconds = zone.arguments[0].arguments[:2]
        return _seconds(days) * 86400 + _seconds(seconds)
    if name == "pytz._p" and len(zone.arguments) > 1:
        return _seconds(zone.arguments[1])
    if name == "zoneinfo.ZoneInfo._unpickle":
        key = zone.arguments[0]
        return 0.0 if key in ("UTC", "Etc/UTC") else _bytes_text(key) if isinstance(key, bytes) else str(key)
    raise ValueError


def _seconds(value: Any) -> float:
    """A number that is no larger than those of a time zone; raises `ValueError` for anything else."""
    if type(value) not in (int, float) or not abs(value) <= _DAY:
        raise ValueError
    return float(value)


_KNOWN: Final[dict[str, Callable[[Instance], Any]]] = {
    "builtins.set": _list_of,
    "builtins.frozenset": _list_of,
    "builtins.list": _list_of,
    "builtins.tuple": _list_of,
    "collections.deque": _list_of,
    "builtins.dict": _dict_of,
    "collections.OrderedDict": _dict_of,
    "collections.defaultdict": _dict_of,
    "collections.Counter": _dict_of,
    "_codecs.encode": _encoded,
    "builtins.bytes": _byte_array,
    "builtins.bytearray": _byte_array,
    "datetime.datetime": _datetime,
    "datetime.date": _date,
    "datetime.time": _time,
    "uuid.UUID": _uuid,
    "decimal.Decimal": _text_of,
    "markupsafe.Markup": _text_of,
    "jinja2.utils.Markup": _text_of,
    "jinja2._markupsafe.Markup": _text_of,
    "django.utils.safestring.SafeString": _text_of,
    "django.utils.safestring.SafeText": _text_of,
    "django.utils.safestring.SafeBytes": _text_of,
    "django.utils.safestring.SafeUnicode": _text_of,
}
