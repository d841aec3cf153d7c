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
LOOKED_AT = 50
"""How many rows settle the widths of the columns."""

WIDEST = 40
"""How wide a column may be that is not the last."""


def table_lines(
    found: Iterable[Found], columns: list[str], color: str, *, data: bool, reveal: bool
) -> Iterator[str]:
    """The lines of the table, as the sessions come."""
    headings = [*HEADINGS, *(["KEY"] if reveal else []), *columns, *(["DATA"] if data else [])]
    rows = (cells(one, columns, data=data, reveal=reveal) for one in found)
    first = list(islice(rows, LOOKED_AT))
    if not first:
        return
    widths = [min(WIDEST, max(map(len, column))) for column in zip(headings, *first, strict=True)]
    room = shutil.get_terminal_size().columns
    yield _bold(_line(headings, widths, room), color)
    for row in chain(first, rows):
        yield _line(row, widths, room)


def _line(texts: list[str], widths: list[int], room: int) -> str:
    parts = [_fitted(text, width) for text, width in zip(texts[:-1], widths[:-1], strict=True)]
    line = "  ".join([*parts, texts[-1]]).rstrip()
    return line if len(line) <= room else f"{line[: room - 1]}…"


def _fitted(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"


def _bold(line: str, color: str) -> Any:
    plain = color == "never" or (color == "auto" and os.environ.get("NO_COLOR"))
    return line if plain else click.style(line, bold=True)
