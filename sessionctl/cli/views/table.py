"""The table of `list` on a terminal: its first row comes at once, whatever the store's size."""

from __future__ import annotations

import shutil
import sys
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from sessionctl.cli.color import has_styles
from sessionctl.cli.output import drawn
from sessionctl.cli.views.cells import cells
from sessionctl.cli.wrapping import cells_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sessionctl.fleet.select import Found

HEADINGS = ("REF", "SIZE", "LAST SAVED", "EXPIRES")
GIVES_WAY = ((), (1,), (3,), (1, 3), (1, 2, 3))
"""Which of them are left out where a narrow terminal has no room: the first that is enough."""

TIMES = slice(2, 4)

LOOKED_AT = 50
"""How many rows settle the widths of the columns."""

WIDEST = 40
"""How wide a column may be that is not the last."""

DATA, LEAST_DATA = "DATA", 30
"""What the sessions hold comes last, as far as the line reaches: so many columns are enough of it."""

GAP = 2


def table_lines(
    found: Iterable[Found],
    columns: list[str],
    color: str,
    *,
    data: bool,
    reveal: bool,
    on_left_out: Callable[[Iterable[str]], object],
) -> Iterator[str]:
    """The lines of the table, as the sessions come. Where there is little room, times are told to the day.

    `on_left_out` is given the headings of the columns that there is no room for.
    """
    headings = [*HEADINGS, *(["KEY"] if reveal else []), *columns, *([DATA] if data else [])]
    rows: Iterator[list[str]] = (_short(cells(one, columns, data=data, reveal=reveal)) for one in found)
    first = list(islice(rows, LOOKED_AT))
    if not first:
        return
    room = shutil.get_terminal_size().columns
    widths = _widths(headings, first)
    if _taken(widths) > room:
        rows, first = map(_to_the_day, rows), [*map(_to_the_day, first)]
        widths = _widths(headings, first)
    kept = _kept(widths, room)
    on_left_out([heading for index, heading in enumerate(headings) if index not in kept])
    widths = [widths[index] for index in kept]
    heading = _line([headings[index] for index in kept], widths, room)
    yield click.style(heading, bold=True) if has_styles(color, sys.stdout) else heading
    for row in chain(first, rows):
        yield _line([row[index] for index in kept], widths, room)


def _short(row: list[str]) -> list[str]:
    """A row whose times are told to the minute, in UTC."""
    row[TIMES] = (f"{text[:10]} {text[11:16]}Z" if len(text) > 16 else text for text in row[TIMES])  # noqa: PLR2004
    return row


def _to_the_day(row: list[str]) -> list[str]:
    row[TIMES] = (text.partition(" ")[0] for text in row[TIMES])
    return row


def _widths(headings: list[str], rows: list[list[str]]) -> list[int]:
    widths = [min(WIDEST, max(map(cells_of, column))) for column in zip(headings, *rows, strict=True)]
    if headings[-1] == DATA:
        widths[-1] = min(widths[-1], LEAST_DATA)
    return widths


def _taken(widths: list[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _kept(widths: list[int], room: int) -> list[int]:
    """The columns that are shown: what was asked for comes before what is always there."""
    kept = list(range(len(widths)))
    for left_out in GIVES_WAY:
        kept = [index for index in range(len(widths)) if index not in left_out]
        if _taken([widths[index] for index in kept]) <= room:
            break
    return kept


def _line(texts: list[str], widths: list[int], room: int) -> str:
    parts = [_fitted(text, width) for text, width in zip(texts[:-1], widths[:-1], strict=True)]
    line = "  ".join([*parts, texts[-1]]).rstrip()
    return _fitted(line, room).rstrip()


def _fitted(text: str, width: int) -> str:
    """A text in so many columns."""
    room = width - cells_of(text)
    if room >= 0:
        return text + " " * room
    while cells_of(text) >= width:
        text = text[: max(width - 1, 0)] if cells_of(text) == len(text) else text[:-1]
    return text + drawn("…", "~") + " " * (width - 1 - cells_of(text))
