"""Durations and times as people write them (`30d`, `1d12h`, Unix seconds, ISO 8601) and read them (`3 days`)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from sessionctl.errors import UsageError
from sessionctl.wording import counted

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_PART = rf"({_NUMBER})(ms|[smhdw])"


def parse_age(text: str) -> float:
    """As `parse_duration`, but a number needs its unit: an age of 30 days that was meant is not one of 30 seconds."""
    number = text.strip()
    if re.fullmatch(_NUMBER, number) and float(number):
        raise UsageError(f"{number!r} has no unit; write {number}s, or {number}d for days")
    return parse_duration(text)


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `15m`, `12h`, `30d`, `4w`, or several together; a bare number is seconds.

    Raises `UsageError`.
    """
    text = text.strip().lower()
    if re.fullmatch(_NUMBER, text):
        return float(text)
    if not re.fullmatch(rf"(?:{_PART})+", text):
        raise UsageError(f"{text[:40]!r} is no duration; write 90s, 15m, 12h, 30d, 4w, or 1d12h")
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))


def seconds_of(name: str, value: float | str | timedelta) -> float:
    """Seconds of a duration as a program has it: a number of them, text, or a `timedelta`. Raises `UsageError`."""
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"{name} is seconds, a text such as 30d, or a timedelta, not {type(value).__name__}")
    return value


def parse_time(text: str) -> float:
    """Unix seconds of a number of them, or of an ISO 8601 time (UTC unless it says otherwise).

    Raises `UsageError`.
    """
    text = text.strip()
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
            return datetime.fromtimestamp(float(text), UTC).timestamp()
        moment = datetime.fromisoformat(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        seconds = -1.0
    if seconds < 0:
        raise UsageError(
            f"{text[:40]!r} is no time; write Unix seconds or ISO 8601, as 2026-01-31T12:00:00Z"
        ) from None
    return seconds


def human_seconds(seconds: float) -> str:
    """A duration in the largest unit that fits, rounded to the nearest: `3 days`, `1 hour`."""
    seconds = abs(seconds)
    if not math.isfinite(seconds):
        return "a very long time"
    if seconds < 1:
        return "less than a second"
    name, size = "second", 1
    for larger, unit in (("minute", 60), ("hour", 3600), ("day", 86400), ("year", 86400 * 365)):
        if _nearest(seconds / size) * size < unit:
            break
        name, size = larger, unit
    return counted(_nearest(seconds / size), name)


def _nearest(number: float) -> int:
    return math.floor(number + 0.5)


def iso(seconds: float | None) -> str | None:
    """The ISO 8601 text in UTC of Unix seconds; None stays None, as does a time past the year 9999."""
    if seconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")
