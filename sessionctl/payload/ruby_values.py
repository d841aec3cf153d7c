"""How Ruby's own values are shown in JSON, whichever serializer wrote them: as Ruby's `to_s` prints them."""

from __future__ import annotations

from typing import Any, Final

from sessionctl.errors import MalformedError
from sessionctl.payload.budget import key_text

_JULIAN_DAY_OF_ORDINAL_ZERO: Final = 1_721_425
"""Python counts days from 0001-01-01, which is 1; the Julian Day Number of that day is one more than this."""


def time_text(seconds: int, offset: int, *, utc: bool) -> str:
    """A `Time` from Unix seconds and the zone's seconds east of UTC: `2023-11-14 22:13:20 UTC`."""
    from datetime import datetime, timedelta, timezone

    try:
        zone = timezone(timedelta(seconds=offset))
        when = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)  # noqa: UP017 - 3.11 too
        local = when.astimezone(zone)
    except (OverflowError, ValueError, TypeError):
        raise MalformedError("a time that is not on the calendar") from None
    text = local.isoformat(" ", "seconds")
    return f"{text[:19]} {'UTC' if utc else text[19:].replace(':', '')}"


def date_text(julian_day: Any) -> str:
    """A `Date` from its Julian Day Number: `2023-11-14`."""
    from datetime import date

    try:
        return date.fromordinal(julian_day - _JULIAN_DAY_OF_ORDINAL_ZERO).isoformat()
    except (OverflowError, ValueError, TypeError):
        raise MalformedError("a date that is not on the calendar") from None


def datetime_text(julian_day: Any, second: Any, offset: Any) -> str:
    """A `DateTime` from its day, second and offset, in its own zone: `2023-11-14T22:13:20+00:00`."""
    if not isinstance(second, int) or not isinstance(offset, int) or not 0 <= second < 86400:  # noqa: PLR2004
        raise MalformedError("a time that is not on the calendar")
    hours, rest = divmod(second, 3600)
    sign, minutes = "-" if offset < 0 else "+", abs(offset) // 60
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return f"{date_text(julian_day)}T{clock}{sign}{minutes // 60:02}:{minutes % 60:02}"


def range_text(first: Any, last: Any, exclusive: Any) -> str:
    """A `Range`: `1..3`, or `1...3` without its end."""
    ends = ["" if end is None else str(end) for end in (first, last)]
    return ("..." if exclusive else "..").join(ends)


def ruby_key(key: Any) -> str:
    """The key of a hash as text; that of nil is empty."""
    return "" if key is None else key_text(key)
