"""What a stored session looks like as text, and what is done to it: pure functions, no storage.

A record is JSON, as Remix writes it (@remix-run/session 0.4.2):

    [values, flash]                      two objects
    [values, flash, {"created": ms}]     where `lifetime` is set; Remix reads the first two

A `cookie:` value is the same with the ID in front:

    {"i": id, "d": [values, flash]}                                   and, where they are needed,
    {"i": id, "d": [values, flash], "created": ms, "used": ms}        milliseconds since 1970
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.errors import MalformedError
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_TIME = 8_640_000_000_000_000
"""The last millisecond that a JavaScript date can hold, in the year 275760."""


class Record(NamedTuple):
    """One stored session. `created` and `used` are Unix seconds, None where they are not kept."""

    values: dict[str, Any]
    flash: dict[str, Any]
    created: float | None = None
    used: float | None = None
    id: str | None = None


def parse(text: bytes) -> Record:
    """The record of a store. Raises `MalformedError`, which says what is wrong with it."""
    value = jsontext.loads_bytes(text)
    if not isinstance(value, list) or not 2 <= len(value) <= 3:  # noqa: PLR2004 - values, flash, times
        raise MalformedError("not a list of values and flash")
    values, flash = _pair(value)
    if len(value) == 2:  # noqa: PLR2004 - no times, as in most
        return new_tuple(Record, (values, flash, None, None, None))
    times = value[2] if isinstance(value[2], dict) else {}
    return Record(values, flash, _seconds(times.get("created")))


def dump(values: Mapping[str, Any], flash: Mapping[str, Any], created: float | None = None) -> bytes:
    """The text of a record, of values that were checked (`jsontext.check`) or read."""
    if created is None:
        return jsontext.dumps_checked_bytes([values, flash])
    return jsontext.dumps_checked_bytes([values, flash, {"created": round(created * 1000)}])


def parse_value(text: str) -> Record:
    """The session in a `cookie:` value. Raises `MalformedError`."""
    value = jsontext.loads(text)
    pair = value.get("d") if type(value) is dict else None
    if type(pair) is not list or len(pair) < 2:  # noqa: PLR2004
        raise MalformedError("not an object with a session's values and flash")
    identity = value.get("i")
    if type(identity) is not str and identity is not None:
        raise MalformedError("no session: its ID is no text")
    values, flash = _pair(pair)
    if len(value) == 2:  # noqa: PLR2004 - the ID, the data and no times
        return new_tuple(Record, (values, flash, None, None, identity or None))
    return Record(
        values, flash, _seconds(value.get("created")), _seconds(value.get("used")), identity or None
    )


def dump_value(record: Record) -> str:
    """The `cookie:` value of a session, of values that were checked (`jsontext.check`) or read."""
    values, flash, created, used, session_id = record
    value: dict[str, Any] = {"i": session_id, "d": [values, flash]}
    if created is not None:
        value["created"] = round(created * 1000)
    if used is not None:
        value["used"] = round(used * 1000)
    return jsontext.dumps_checked(value)


def _pair(value: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    values, flash = value[0], value[1]
    if type(values) is not dict or type(flash) is not dict:
        raise MalformedError("no session: its values and flash are not both objects")
    return values, flash


def _seconds(milliseconds: Any) -> float | None:
    """Seconds of a time as JavaScript has it; None for what is none (ECMA-262, 21.4.1.1)."""
    if type(milliseconds) not in (int, float) or not 0 <= milliseconds <= MAX_TIME:
        return None
    seconds: float = milliseconds / 1000
    return seconds


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: unlike `==`, 1 is neither 1.0 nor True."""
    return jsontext.dumps(one) == jsontext.dumps(other)


def largest(
    values: Mapping[str, Any], flash: Mapping[str, Any], count: int = 3
) -> tuple[tuple[str, int], ...]:
    """The keys that take most bytes, with those bytes, largest first; flash keys as `flash.KEY`."""
    members: Iterable[tuple[str, Any]] = [
        *values.items(),
        *((f"flash.{key}", value) for key, value in flash.items()),
    ]
    sizes = [
        (key, len(jsontext.dumps_bytes(key)) + len(jsontext.dumps_bytes(value)) + 2) for key, value in members
    ]
    return tuple(sorted(sizes, key=lambda item: -item[1])[:count])
