"""How long a project's sessions live, read off its settings: products and `timedelta`, worked out, never run."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sessionctl.config.projects import Found, Project

_FACTOR = r"\d[\d_]{0,18}(?:\.\d{1,9})?"
_PRODUCT = rf"{_FACTOR}(?:\s*\*\s*{_FACTOR}){{0,9}}"
_TIMEDELTA = r"(?:\w+\.)?timedelta\(([^()\n]{1,200})\)(?:\.total_seconds\(\))?"
_END = r"\s*(?:$|[,;)}\]\n#]|//[^\d\n]*$)"  # in Python // divides
_UNITS = {"days": 86400, "seconds": 1, "milliseconds": 0.001, "minutes": 60, "hours": 3600, "weeks": 604800}
_POSITIONS = ("days", "seconds")
"""The arguments of `timedelta` that people give without their names."""
_LONGEST = 1e11
"""Seconds past which a setting is no lifetime that a duration can tell."""
_SPAN = 1500
"""Characters of a call of JavaScript in which its options are looked for."""


class Lifetime(NamedTuple):
    """A setting and where it stands; `max_age` is it as `--max-age` takes it, None where it is otherwise made."""

    setting: str
    place: str
    max_age: str | None


def of_python(project: Project, setting: str) -> Lifetime | None:
    """A setting of Django or Flask in seconds, or as a `timedelta`: a variable, an argument, an item."""
    found = project.find(
        rf"(?im)^[^#\n]{{0,400}}?\b{setting}[\"'\]]*\s*(?::\s*\w+\s*=|[=:])(?!=)\s*([^\n]+)", ".py"
    )
    return None if found is None else Lifetime(setting, found.place, _text(_seconds(found.value)))


def of_javascript(project: Project, call: str, setting: str, *endings: str) -> Lifetime | None:
    """An option in milliseconds of the first call that a pattern fits."""
    called = project.find(rf"(?s){call}(.{{0,{_SPAN}}})", *endings)
    return None if called is None else _option(called, setting)


def _option(called: Found, setting: str) -> Lifetime | None:
    inside = called.value.partition("\n})")[0]
    given = re.search(rf"(?m)^(?:[^/\n]|/(?!/))*?\b{setting}\s*:\s*([^\n]+)", inside)
    if given is None or given[1].startswith(("null", "undefined")):
        return None
    file, _, line = called.place.rpartition(":")
    place = f"{file}:{int(line) + inside.count(chr(10), 0, given.start(1))}"
    milliseconds = _product(given[1])
    return Lifetime(setting, place, None if milliseconds is None else _text(milliseconds / 1000))


def _seconds(value: str) -> float | None:
    """Seconds of a product, or of a `timedelta`; None of anything else."""
    written = re.match(_TIMEDELTA + _END, value)
    return _product(value) if written is None else _of_timedelta(written[1])


def _of_timedelta(arguments: str) -> float | None:
    total = 0.0
    for position, argument in enumerate(arguments.rstrip(", ").split(",")):
        name, equals, value = argument.rpartition("=")
        unit = name.strip() if equals else "".join(_POSITIONS[position : position + 1])
        number = _product(value.strip())
        if unit not in _UNITS or number is None:
            return None
        total += number * _UNITS[unit]
    return total


def _product(value: str) -> float | None:
    written = re.match(rf"({_PRODUCT}){_END}", value)
    if written is None:
        return None
    return math.prod(float(factor.replace("_", "")) for factor in re.findall(_FACTOR, written[1]))


def _text(seconds: float | None) -> str | None:
    """A duration in the largest unit that it is whole in."""
    if not seconds or seconds > _LONGEST:
        return None
    for name, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds % size == 0:
            return f"{seconds / size:.0f}{name}"
    return f"{seconds * 1000:.0f}ms"
