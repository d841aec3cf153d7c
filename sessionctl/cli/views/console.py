"""The terminal that views print to, and the styles that they share."""

from __future__ import annotations

import os

from rich.console import Console
from rich.table import Table
from rich.text import Text

GOOD, BAD, ODD, DIM, NAME = "bold green", "bold red", "bold yellow", "dim", "cyan"
WIDEST = 100


def console(color: str, *, stderr: bool = False) -> Console:
    """A console that obeys --color, NO_COLOR and FORCE_COLOR, and never what it prints."""
    forced = {"always": True, "never": False}.get(color)
    if forced is None and os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        forced = True
    made = Console(
        stderr=stderr,
        force_terminal=forced,
        no_color=True if color == "never" else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
    if made.width > WIDEST or not made.is_terminal:
        made.width = min(made.width, WIDEST) if made.is_terminal else WIDEST
    return made


def put(out: Console, text: Text, indent: int = 0, head: Text | None = None) -> None:
    """Print a text, set in by the indent, where the head stands if there is one: on a terminal its lines break
    between words and keep the indent, in a pipe they are whole.
    """
    head = head or Text()
    head.pad_right(indent - len(head))
    if not out.is_terminal:
        out.print(head.append_text(text), soft_wrap=True)
    elif not indent:
        out.print(text)
    else:
        line = Table.grid()
        line.add_column(width=indent, no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(head, text)
        out.print(line)
