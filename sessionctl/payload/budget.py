"""What a reader of serialized payloads may spend, so that a small text cannot stand for an endless one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sessionctl.encoding import b64encode
from sessionctl.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 100
MAX_ITEMS: Final = 100_000
"""How many values a payload may have; what takes long to show (a date, an object, bytes) counts for some more."""
_KEY_ITEMS: Final = 3
MAX_CHARACTERS: Final = 1 << 24
MAX_INTEGER_BITS: Final = 8192
"""More would take Python long to print, or be refused (`sys.set_int_max_str_digits`)."""


def items_of(size: int, each: int = 2) -> int:
    """How many values may stand in so many bytes, of which each stands for some."""
    return min(MAX_ITEMS, 1000 + each * size)


class Budget:
    """What is left of the limits for a payload of so many values; past them, `MalformedError` is raised.

    The outermost value is paid for; a container pays for what it holds before that is read.
    """

    __slots__ = ("_characters", "_kind", "left")

    def __init__(self, kind: str, items: int) -> None:
        self._kind = kind
        self.left = items - 1
        self._characters = MAX_CHARACTERS

    def spend(self, items: int) -> None:
        """So many values."""
        self.left -= items
        if self.left < 0:
            raise self.exceeded()

    def exceeded(self) -> MalformedError:
        """The error for more values than are left."""
        return MalformedError(f"{self._kind} that stands for more values than are shown")

    def enter(self, depth: int, items: int) -> None:
        """A container of so many values, `depth` levels inside."""
        if depth >= MAX_DEPTH and items:
            raise MalformedError(f"{self._kind} nested deeper than {MAX_DEPTH} levels, or holding itself")
        self.spend(items)

    def text(self, text: str) -> str:
        """The text itself."""
        self._characters -= len(text)
        if self._characters < 0:
            raise MalformedError(f"{self._kind} that stands for more than {MAX_CHARACTERS} characters")
        return text

    def shown(self, data: bytes) -> str:
        """Bytes as `text_or_base64` has them; those that are no text count for two values more."""
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.spend(2)
            return b64encode(data)

    def key(self, key: Any, show: Callable[[Any], str]) -> str:
        """The key of a map as text; one that is neither text nor an integer counts for some values more."""
        if type(key) is not int:
            self.spend(_KEY_ITEMS)
        return show(key)

    def integer(self, value: int) -> int:
        """The integer itself."""
        if value.bit_length() > MAX_INTEGER_BITS:
            raise MalformedError(f"{self._kind} with a number of {value.bit_length()} bits")
        return value


def text_or_base64(data: bytes) -> str:
    """Bytes as JSON holds them: text where they are UTF-8, else standard base64."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return b64encode(data)


def float_or_name(value: float) -> float | str:
    """A float; of those that JSON has not, the name that JavaScript gives them."""
    if value - value == 0:
        return value
    return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")


def key_text(key: Any) -> str:
    """The key of a map as text: text as it is, anything else as its JSON."""
    if isinstance(key, str):
        return key
    if type(key) is int:
        return str(key)
    from sessionctl import jsontext

    return jsontext.dumps(key)
