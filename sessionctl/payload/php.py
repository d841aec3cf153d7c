"""PHP's `serialize()` and the three handlers of its session records, read without making any object.

    N;                        null                  i:42;   int            d:0.5;   float (INF, -INF, NAN)
    b:1;                      bool                  s:5:"alice";           text, the length in bytes
    a:2:{key value ...}       array                 O:4:"User":1:{name value ...}   object
    E:6:"Suit:H";             enum case             C:4:"Coll":3:{...}   object that writes itself
    R:3;  r:3;                the third value again, as a reference or as the same object

    php             name "|" value, again and again, nothing between (a name has no "|")
    php_binary      one byte: length of the name, name, value, again and again
    php_serialize   one array

As JSON: arrays with the keys 0, 1, 2 ... are lists and all others objects; bytes that are no UTF-8 become
standard base64; INF is `{"__type__": "float", "value": "Infinity"}`. An object is `{"__type__": class, ...}`
with its members named as `print_r` does (`name`, `name:protected`, `name:Class:private`), an enum case
`{"__type__": enum, "__case__": case}`, an object that writes itself `{"__type__": class, "__data__": text}`.
A reference gives its value once more; one to a value that is still open, `{"__ref__": number}`.

Values are counted for references in the order in which they begin, array keys and `R` aside, through the
whole record. Sources: PHP 8.2 ext/standard/var_unserializer.re, var.c; ext/session/session.c.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sessionctl.errors import MalformedError, UnserializableValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_DEPTH = 100
MAX_ITEMS = 40_000
"""How many values one text may hold, those that references repeat included."""

_TOO_MANY = f"over {MAX_ITEMS} values"

HANDLERS = ("php", "php_serialize", "php_binary")

_NUMBER = 32
"""Characters that a number may have."""

_TEXT_PER_ITEM = 64
"""Characters of repeated text that count as one more value."""

_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_MAX_NAME = 127
_NOT_FINITE = {b"INF": "Infinity", b"-INF": "-Infinity", b"NAN": "NaN"}
_OPEN: Any = object()


def loads(data: bytes) -> Any:
    """The value of one serialized text. Raises `MalformedError`."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise MalformedError(f"PHP serialize: more bytes follow at byte {reader.at}")
    return value


def loads_string(data: bytes) -> bytes:
    """The bytes of a serialized string. Raises `MalformedError` for any other value."""
    reader = _Reader(data)
    if data[:2] != b"s:":
        raise MalformedError("PHP serialize: not a string")
    reader.at = 2
    text = reader.string(b";")
    if reader.at != len(data):
        raise MalformedError(f"PHP serialize: more bytes follow at byte {reader.at}")
    return text


# -- session records ----------------------------------------------------------------------------------


def loads_session(data: bytes, handler: str | None = None) -> Any:
    """The variables of a session record; `[]` for none, as PHP has it. Line ends at the end do not count.

    Without a handler the bytes tell which one wrote them. Raises `MalformedError`.
    """
    data = data.rstrip(b"\r\n")
    if not data:
        return []
    if handler is not None:
        return _HANDLERS[handler](data)
    first: MalformedError | None = None
    for name in _likely(data):
        try:
            return _HANDLERS[name](data)
        except MalformedError as error:
            first = first or error
    raise first or MalformedError("not a PHP session record")


def _likely(data: bytes) -> tuple[str, ...]:
    if data[:2] == b"a:":
        return ("php_serialize", "php", "php_binary")
    return ("php_binary", "php") if data[0] < ord(" ") else ("php", "php_binary")


def _loads_array(data: bytes) -> Any:
    if data[:2] != b"a:":
        raise MalformedError("PHP session: not an array")
    return loads(data)


def _loads_variables(data: bytes) -> Any:
    reader = _Reader(data)
    found: dict[str, Any] = {}
    while reader.at < len(data):
        name = reader.until(b"|", len(data))
        found[_as_text(name)] = reader.value(1)
    return found


def _loads_binary(data: bytes) -> Any:
    reader = _Reader(data)
    found: dict[str, Any] = {}
    while reader.at < len(data):
        size = data[reader.at]
        name = data[reader.at + 1 : reader.at + 1 + size]
        if size > _MAX_NAME or len(name) != size:
            raise MalformedError(f"PHP session: no name at byte {reader.at}")
        reader.at += 1 + size
        found[_as_text(name)] = reader.value(1)
    return found


_HANDLERS = {"php": _loads_variables, "php_serialize": _loads_array, "php_binary": _loads_binary}


# -- reading ------------------------------------------------------------------------------------------


class _Reader:
    """One pass over the bytes. `slots` are the values so far, as references count them."""

    __slots__ = ("at", "data", "left", "slots")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.left = MAX_ITEMS
        self.slots: list[Any] = []

    def fail(self, problem: str) -> MalformedError:
        return MalformedError(f"PHP serialize: {problem} at byte {self.at}")

    def spend(self, items: int) -> None:
        self.left -= items
        if self.left < 0:
            raise self.fail(_TOO_MANY)

    def value(self, depth: int) -> Any:
        """The value here; `depth` counts the containers around it."""
        self.left -= 1
        if self.left < 0:
            raise self.fail(_TOO_MANY)
        data, at = self.data, self.at
        kind = data[at : at + 2]
        self.at = at + 2
        if kind == b"s:":
            value: Any = _as_text(self.string(b";"))
        elif kind == b"i:":
            value = self.integer(b";")
        elif kind in _CONTAINERS:
            if depth >= MAX_DEPTH:
                raise self.fail(f"nested deeper than {MAX_DEPTH} levels")
            return self.container(kind, depth + 1)
        elif kind == b"R:":
            return self.reference()
        else:
            value = self.rare(kind)
        self.slots.append(value)
        return value

    def rare(self, kind: bytes) -> Any:
        if kind == b"N;":
            return None
        if kind == b"b:":
            return self.boolean()
        if kind == b"d:":
            return self.real()
        if kind == b"r:":
            return self.reference()
        if kind == b"E:":
            return self.case()
        if kind == b"C:":
            return self.custom()
        if kind == b"S:":
            return _as_text(self.escaped())
        self.at -= 2
        raise self.fail("no value")

    def until(self, mark: bytes, limit: int = _NUMBER) -> bytes:
        """The bytes up to the mark, which is passed over."""
        end = self.data.find(mark, self.at, self.at + limit)
        if end < 0:
            raise self.fail(f"no {mark.decode()!r}")
        found = self.data[self.at : end]
        self.at = end + 1
        return found

    def integer(self, mark: bytes) -> int:
        digits = self.until(mark)
        if not digits.isdigit() and not digits.removeprefix(b"-").removeprefix(b"+").isdigit():
            raise self.fail("no integer")
        number = int(digits)
        if not _MIN_INT <= number <= _MAX_INT:
            raise self.fail("an integer past 64 bits")
        return number

    def size(self) -> int:
        digits = self.until(b":")
        if not digits.isdigit():
            raise self.fail("no length")
        return int(digits)

    def boolean(self) -> bool:
        digit = self.until(b";")
        if digit not in (b"0", b"1"):
            raise self.fail("no boolean")
        return digit == b"1"

    def real(self) -> Any:
        text = self.until(b";", 400)
        if text in _NOT_FINITE:
            return _not_finite(_NOT_FINITE[text])
        if text.strip(b"+-0123456789.eE"):
            raise self.fail("no float")
        try:
            number = float(text)
        except ValueError:
            raise self.fail("no float") from None
        return number if math.isfinite(number) else _not_finite("Infinity" if number > 0 else "-Infinity")

    def string(self, end: bytes) -> bytes:
        """`5:"alice"` and the end mark."""
        size = self.size()
        begin = self.at + 1
        self.at = begin + size + 1 + len(end)
        if self.data[begin - 1 : begin] != b'"' or self.data[begin + size : self.at] != b'"' + end:
            self.at = begin - 1
            raise self.fail("a text of another length than it says")
        return self.data[begin : begin + size]

    def escaped(self) -> bytes:
        r"""`S:3:"a\00b";`: a backslash and two hexadecimal digits stand for one byte."""
        size = self.size()
        if self.until(b'"', 1):
            raise self.fail("no text")
        found = bytearray()
        while len(found) < size and self.at < len(self.data):
            if self.data[self.at] != ord("\\"):
                found.append(self.data[self.at])
                self.at += 1
                continue
            try:
                found += bytes.fromhex(self.data[self.at + 1 : self.at + 3].decode("ascii"))
            except ValueError:
                raise self.fail("a broken escape") from None
            self.at += 3
        if self.data[self.at : self.at + 2] != b'";':
            raise self.fail("a text of another length than it says")
        self.at += 2
        return bytes(found)

    def reference(self) -> Any:
        number = self.integer(b";")
        if not 1 <= number <= len(self.slots):
            raise self.fail("a reference to no value")
        value = self.slots[number - 1]
        if value is _OPEN:
            return {"__ref__": number}
        self.spend(_weight(value, self.left))
        return value

    def case(self) -> dict[str, Any]:
        enum, colon, case = _as_text(self.string(b";")).partition(":")
        if not colon:
            raise self.fail("no enum case")
        return {"__type__": enum, "__case__": case}

    def custom(self) -> dict[str, Any]:
        name = _as_text(self.string(b":"))
        size = self.size()
        begin = self.at + 1
        self.at = begin + size + 1
        if self.data[begin - 1 : begin] != b"{" or self.data[begin + size : self.at] != b"}":
            raise self.fail("an object of another length than it says")
        return {"__type__": name, "__data__": _as_text(self.data[begin : begin + size])}

    def container(self, kind: bytes, depth: int) -> Any:
        place = len(self.slots)
        self.slots.append(_OPEN)
        made = self.object(depth) if kind == b"O:" else self.array(depth)
        self.slots[place] = made
        return made

    def array(self, depth: int) -> Any:
        count = self.begin()
        found: dict[str, Any] = {}
        plain = True
        for number in range(count):
            key = self.key()
            plain = plain and key == number and type(key) is int
            found[key if isinstance(key, str) else str(key)] = self.value(depth)
        self.end()
        return list(found.values()) if plain else found

    def object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {"__type__": _as_text(self.string(b":"))}
        for _ in range(self.begin()):
            key = self.key()
            found[_member(key) if isinstance(key, str) else str(key)] = self.value(depth)
        self.end()
        return found

    def begin(self) -> int:
        count = self.size()
        if self.data[self.at : self.at + 1] != b"{":
            raise self.fail("no '{'")
        self.at += 1
        if count > self.left:
            raise self.fail("more values than can follow")
        return count

    def end(self) -> None:
        if self.data[self.at : self.at + 1] != b"}":
            raise self.fail("no '}'")
        self.at += 1

    def key(self) -> str | int:
        kind = self.data[self.at : self.at + 2]
        self.at += 2
        if kind == b"i:":
            return self.integer(b";")
        if kind == b"s:":
            return _as_text(self.string(b";"))
        self.at -= 2
        raise self.fail("no key")


_CONTAINERS = frozenset({b"a:", b"O:"})


def _as_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        from sessionctl.signing.mac import b64encode

        return b64encode(data)


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


# -- writing ------------------------------------------------------------------------------------------


def dumps(value: Any) -> bytes:
    """The serialized text of what `loads` gives. Raises `UnserializableValueError`, which names the place.

    What was base64 stays text, and a repeated value is written twice: JSON does not tell them apart.
    """
    parts: list[bytes] = []
    _write(value, parts, "", 0)
    return b"".join(parts)


def dumps_session(values: dict[str, Any], handler: str = "php") -> bytes:
    """The record of a session's variables as a handler writes it."""
    if handler == "php_serialize":
        return dumps(values)
    parts = []
    for name, value in values.items():
        key = _utf8(name, name)
        if (b"|" in key) if handler == "php" else (len(key) > _MAX_NAME):
            raise UnserializableValueError(name, f"the handler {handler!r} cannot write this name")
        parts.append(key + b"|" if handler == "php" else bytes([len(key)]) + key)
        parts.append(dumps(value))
    return b"".join(parts)


def _write(value: Any, parts: list[bytes], place: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UnserializableValueError(place[:80], f"nested deeper than {MAX_DEPTH} levels")
    if value is None:
        parts.append(b"N;")
    elif isinstance(value, bool):
        parts.append(b"b:%d;" % value)
    elif isinstance(value, str):
        parts.append(_string(value, place) + b";")
    elif isinstance(value, int):
        parts.append(b"i:%d;" % _int64(value, place))
    elif isinstance(value, float):
        parts.append(b"d:" + float_text(value).encode() + b";")
    elif isinstance(value, list):
        parts.append(b"a:%d:{" % len(value))
        _write_members(enumerate(value), parts, place, depth)
    elif isinstance(value, dict):
        _write_dict(value, parts, place, depth)
    else:
        raise UnserializableValueError(place, f"PHP has no {type(value).__name__}")


def _write_dict(value: dict[Any, Any], parts: list[bytes], place: str, depth: int) -> None:
    if "__ref__" in value:
        raise UnserializableValueError(place, "a value that holds itself cannot be written")
    kind = value.get("__type__")
    if not isinstance(kind, str):
        parts.append(b"a:%d:{" % len(value))
        _write_members(((_array_key(key), item) for key, item in value.items()), parts, place, depth)
    elif kind == "float" and (constant := _constant(value)):
        parts.append(b"d:%s;" % constant)
    elif isinstance(value.get("__case__"), str):
        parts.append(b"E:" + _string(f"{kind}:{value['__case__']}", place)[2:] + b";")
    elif isinstance(value.get("__data__"), str):
        content = _utf8(value["__data__"], place)
        parts.append(b"C:%s:%d:{%s}" % (_string(kind, place)[2:], len(content), content))
    else:
        members = [(_property(key), item) for key, item in value.items() if key != "__type__"]
        parts.append(b"O:" + _string(kind, place)[2:])
        parts.append(b":%d:{" % len(members))
        _write_members(members, parts, place, depth)


def _constant(value: dict[Any, Any]) -> bytes | None:
    """The name of a float that is not finite, as PHP writes it."""
    return next((name for name, word in _NOT_FINITE.items() if value.get("value") == word), None)


def _write_members(members: Iterable[tuple[Any, Any]], parts: list[bytes], place: str, depth: int) -> None:
    for key, item in members:
        inner = f"{place}.{key}" if place else str(key)
        parts.append(b"i:%d;" % key if isinstance(key, int) else _string(key, inner) + b";")
        _write(item, parts, inner, depth + 1)
    parts.append(b"}")


def _array_key(key: Any) -> str | int:
    """PHP takes decimal text for a number where it is one of 64 bits, written plainly."""
    if not isinstance(key, str):
        raise UnserializableValueError(str(key), f"a key of type {type(key).__name__}, not str")
    digits = key.removeprefix("-")
    if len(key) <= 20 and digits.isascii() and digits.isdigit():  # noqa: PLR2004 - "-9223372036854775808"
        number = int(key)
        if str(number) == key and _MIN_INT <= number <= _MAX_INT:
            return number
    return key


def _property(name: str) -> str:
    """The reverse of `_member`."""
    bare, colon, kind = name.rpartition(":")
    if not colon:
        return name
    if kind == "public":
        return bare
    if kind == "protected":
        return f"\0*\0{bare}"
    if kind == "private" and ":" in bare:
        bare, _, owner = bare.partition(":")
        return f"\0{owner}\0{bare}"
    return name


def _string(text: str, place: str) -> bytes:
    data = _utf8(text, place)
    return b's:%d:"%s"' % (len(data), data)


def _utf8(text: str, place: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnserializableValueError(place, "a lone surrogate has no UTF-8") from None


def _int64(number: int, place: str) -> int:
    if not _MIN_INT <= number <= _MAX_INT:
        raise UnserializableValueError(place, "an integer past 64 bits is no PHP integer")
    return number


_PLAIN = range(-3, 18)
"""Where the decimal point may stand before PHP takes to an exponent."""


def float_text(number: float) -> str:
    """A float as PHP writes it (`serialize_precision=-1`; main/snprintf.c): the shortest that reads back."""
    if not math.isfinite(number):
        return str(number).upper()
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    digits, point = _shortest(number)
    sign = "-" if number < 0 else ""
    if point in _PLAIN:
        return sign + _plain(digits, point)
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1:+d}"


def _shortest(number: float) -> tuple[str, int]:
    """The digits of the shortest decimal that reads back, and where the point stands before or after them."""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return digits.rstrip("0"), point


def _plain(digits: str, point: int) -> str:
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"
