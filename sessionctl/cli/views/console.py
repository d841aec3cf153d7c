"""The terminal that views print to, and the styles that they share."""

from __future__ import annotations

import os

from rich.console import Console
from rich.text import Text

from sessionctl.cli.wrapping import breaks

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
    starts = breaks(text.plain, out.width, indent, indent) if out.is_terminal else []
    for line in text.divide(starts):
        line.rstrip()
        out.print(Text.assemble(head, line), soft_wrap=True)
        head = Text(" " * indent)
