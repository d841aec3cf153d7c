"""MessagePack as Rails 7.1 and later writes it: a signature, then one value with Rails' extension types.

    cc 80 value        (cc 80 is the number 128)

     0 Symbol       1 Integer over 64 bits   2 BigDecimal     3 Rational     4 Complex     5 DateTime
     6 Date         7 Time                   8 TimeWithZone   9 TimeZone    10 Duration   11 Range
    12 Set         13 URI                   14 IPAddr        15 Pathname    16 Regexp     17 a Hash
    18 SafeBuffer

They are shown as `sessionctl.payload.ruby_values` says. Sources: Rails 7.2
activesupport/lib/active_support/message_pack/serializer.rb and extensions.rb; msgpack-ruby 1.7
lib/msgpack/bigint.rb.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from sessionctl.errors import MalformedError, NotSupportedError
from sessionctl.payload import msgpack
from sessionctl.payload.budget import MAX_INTEGER_BITS, text_or_base64
from sessionctl.payload.ruby_values import date_text, datetime_text, range_text, ruby_key, time_text

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE: Final = b"\xcc\x80"

_LARGE_INTEGER: Final = 1
_TEXTS: Final = frozenset({0, 9, 13, 15, 16})
"""Extensions whose content is text."""


def loads(data: bytes) -> Any:
    """The value as JSON can hold it: symbols as their names. Raises `MalformedError`."""
    if data[:2] != SIGNATURE:
        raise MalformedError("not a MessagePack payload of Rails")
    return msgpack.loads(data[2:], extension=_extension, binary=text_or_base64, key=ruby_key)


def dumps(value: Any) -> bytes:
    """The payload of a value that JSON can hold. Raises `UnserializableValueError`."""
    return SIGNATURE + msgpack.dumps(value, large_integer=_write_large)


def check_plain(data: bytes) -> None:
    """Raise `NotSupportedError` for a payload that `dumps` could not write again without a loss."""
    msgpack.loads(data[2:], extension=_plain_extension, binary=_refuse, key=_plain_key)


def _refuse(*_found: Any) -> NoReturn:
    raise NotSupportedError(
        "the MessagePack holds what JSON has not (a symbol, a time, bytes), and a change would lose it"
    )


def _plain_extension(code: int, data: bytes, _values: Callable[[bytes], list[Any]]) -> int:
    return _read_large(data) if code == _LARGE_INTEGER else _refuse()


def _plain_key(key: Any) -> str:
    return key if isinstance(key, str) else _refuse()


def _extension(code: int, data: bytes, values: Callable[[bytes], list[Any]]) -> Any:
    if code in _TEXTS:
        return text_or_base64(data)
    if code == _LARGE_INTEGER:
        return _read_large(data)
    if code == 2:  # noqa: PLR2004 - BigDecimal, "precision:number"
        return text_or_base64(data).partition(":")[2]
    read = _RECURSIVE.get(code)
    if read is None:
        return msgpack.unknown_extension(code, data, values)
    try:
        return read(*values(data))
    except (TypeError, ValueError):
        raise MalformedError(f"a MessagePack payload with a broken extension {code}") from None


def _read_large(data: bytes) -> int:
    """A byte of sign (1: negative), then groups of 32 bits, the lowest first, each big-endian."""
    if len(data) % 4 != 1 or len(data) * 8 > MAX_INTEGER_BITS:
        raise MalformedError("a MessagePack payload with a broken large integer")
    groups = [data[at : at + 4] for at in range(1, len(data), 4)]
    value = int.from_bytes(b"".join(reversed(groups)), "big")
    return -value if data[0] else value


def _write_large(value: int) -> tuple[int, bytes]:
    size = (abs(value).bit_length() + 31) // 32 * 4
    whole = abs(value).to_bytes(size, "big")
    groups = [whole[at : at + 4] for at in range(size - 4, -1, -4)]
    return _LARGE_INTEGER, bytes((value < 0,)) + b"".join(groups)


def _rational(numerator: int, denominator: int = 1) -> str:
    return f"{numerator}/{denominator}"


def _complex(real: Any, imaginary: Any) -> str:
    return f"{real}{'' if str(imaginary).startswith('-') else '+'}{imaginary}i"


def _datetime(day: int, hour: int, minute: int, second: int, *fractions: int) -> str:
    """`fractions` are two rationals, part of a second and offset; one that is zero has no denominator."""
    rest = list(fractions)
    if rest and rest[0]:
        rest.pop(0)
    offset = rest[1:]
    seconds = round(86400 * offset[0] / offset[1]) if offset and offset[0] else 0
    return datetime_text(day, hour * 3600 + minute * 60 + second, seconds)


def _time(seconds: int, _nanoseconds: int, offset: int | None) -> str:
    return time_text(seconds, offset or 0, utc=not offset)


def _time_with_zone(seconds: int, nanoseconds: int, offset: int, _zone: str) -> str:
    return _time(seconds, nanoseconds, offset)


def _only(value: Any) -> Any:
    return value


_RECURSIVE: Final[dict[int, Callable[..., Any]]] = {
    3: _rational,
    4: _complex,
    5: _datetime,
    6: date_text,
    7: _time,
    8: _time_with_zone,
    10: lambda value, _parts: value,
    11: range_text,
    12: _only,
    14: _only,
    17: _only,
    18: _only,
}
