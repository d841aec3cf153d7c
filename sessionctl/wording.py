"""Counts and names in sentences for people: one session, 1.5 MiB, an express cookie, did you mean 'list'?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNITS = ("byte", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """How many of a thing; its plural has an `s`, unless it is given."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def human_bytes(count: float) -> str:
    """`1.5 MiB`."""
    for unit in _UNITS[:-1]:
        if round(count, 1) < _STEP:
            return counted(round(count), unit) if unit == "byte" else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} {_UNITS[-1]}"


def any_of(count: int, noun: str) -> str:
    """What did not do it: `the key`, or `any of the 3 keys`."""
    return f"the {noun}" if count == 1 else f"any of the {count} {noun}s"


def with_article(name: str) -> str:
    """A name behind `a` or `an`; a U in front is spoken as in UUID and User."""
    return f"{'an' if name[:1].lower() in tuple('aeio') else 'a'} {name}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about a name that is not known: the nearest that is; empty where none is near."""
    import difflib

    near = difflib.get_close_matches(name, [*known], 1)
    return f"; did you mean {near[0]!r}?" if near else ""
