"""The table of `list` on a terminal: its first row comes at once, whatever the store's size."""

from __future__ import annotations

import os
import shutil
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli.views.cells import cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sessionctl.fleet.select import Found

HEADINGS = ("REF", "SIZE", "LAST SAVED", "EXPIRES")
GIVES_WAY = (3, 1, 2)
"""Which of them are left out first where a narrow terminal has no room for what was asked for."""

LOOKED_AT = 50
"""How many rows settle the widths of the columns."""

WIDEST = 40
"""How wide a column may be that is not the last."""

GAP = 2


def table_lines(
    found: Iterable[Found], columns: list[str], color: str, *, data: bool, reveal: bool
) -> Iterator[str]:
    """The lines of the table, as the sessions come."""
    headings = [*HEADINGS, *(["KEY"] if reveal else []), *columns, *(["DATA"] if data else [])]
    rows = (_short(cells(one, columns, data=data, reveal=reveal)) for one in found)
    first = list(islice(rows, LOOKED_AT))
    if not first:
        return
    widths = [min(WIDEST, max(map(len, column))) for column in zip(headings, *first, strict=True)]
    room = shutil.get_terminal_size().columns
    kept = _kept(widths, room)
    widths = [widths[index] for index in kept]
    yield _bold(_line([headings[index] for index in kept], widths, room), color)
    for row in chain(first, rows):
        yield _line([row[index] for index in kept], widths, room)


def _short(row: list[str]) -> list[str]:
    """A row whose times are told to the minute, in UTC."""
    times = (f"{text[:10]} {text[11:16]}Z" if len(text) > 16 else text for text in row[2:4])  # noqa: PLR2004
    return [*row[:2], *times, *row[4:]]


def _kept(widths: list[int], room: int) -> list[int]:
    """The columns that are shown: what was asked for comes before what is always there."""
    kept = list(range(len(widths)))
    for index in GIVES_WAY:
        if sum(widths[one] + GAP for one in kept) - GAP > room and len(widths) > len(HEADINGS):
            kept.remove(index)
    return kept


def _line(texts: list[str], widths: list[int], room: int) -> str:
    parts = [_fitted(text, width) for text, width in zip(texts[:-1], widths[:-1], strict=True)]
    line = "  ".join([*parts, texts[-1]]).rstrip()
    return line if len(line) <= room else f"{line[: room - 1]}…"


def _fitted(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"


def _bold(line: str, color: str) -> Any:
    plain = color == "never" or (color == "auto" and os.environ.get("NO_COLOR"))
    return line if plain else click.style(line, bold=True)
