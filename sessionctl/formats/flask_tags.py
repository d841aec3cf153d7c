"""Flask's tags: how its JSON holds what JSON has not, and what they stand for.

An object with one key, and that key one of these, is a value of another type; see `sessionctl.formats.flask`.
Source: Flask 3.1.3 json/tag.py.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import TYPE_CHECKING, Any

from sessionctl.encoding import as_text
from sessionctl.errors import MalformedCookieError

if TYPE_CHECKING:
    from collections.abc import Callable

TUPLE = " t"


def resolve(value: Any) -> Any:
    """The value with every tag resolved, from the inside out, as JSON can hold it.

    Tuples are lists, bytes the text that they are or base64, UUIDs and dates text. Raises
    `MalformedCookieError` for a tag that Flask could not resolve.
    """
    try:
        return _resolve(value)
    except RecursionError:
        raise MalformedCookieError("the payload is nested too deep") from None


def _resolve(value: Any) -> Any:
    if isinstance(value, list):
        return [_resolve(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _resolve(item) for key, item in value.items()}
    if len(value) != 1:
        return value
    ((key, item),) = value.items()
    meaning = _TAGS.get(key)
    if meaning is None:
        return value
    try:
        return meaning(item)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise MalformedCookieError(f"the payload has a tag {key!r} whose value is not of its type") from None


def _dict(item: Any) -> Any:
    key = next(iter(item), "")
    return {key[:-2]: item[key]}


def _tuple(item: Any) -> Any:
    return list(item)


def _bytes(item: Any) -> str:
    return as_text(a2b_base64(item.encode("ascii") if isinstance(item, str) else item))[0]


def _markup(item: Any) -> str:
    return str(item)


def _uuid(item: Any) -> str:
    import uuid

    return str(uuid.UUID(item))


def _datetime(item: Any) -> str | None:
    """An HTTP date (RFC 9110, 5.6.7) in UTC; Flask reads None where it is none."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(item)
    except (TypeError, ValueError, IndexError):
        return None
    return when.replace(tzinfo=when.tzinfo or UTC).isoformat().replace("+00:00", "Z")


_TAGS: dict[str, Callable[[Any], Any]] = {
    " di": _dict,
    TUPLE: _tuple,
    " b": _bytes,
    " m": _markup,
    " u": _uuid,
    " d": _datetime,
}
