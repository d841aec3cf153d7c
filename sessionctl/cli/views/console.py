"""The terminal that views print to, and the styles that they share."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.segment import Segment, Segments
from rich.text import Text
from rich.theme import Theme

from sessionctl.cli.color import forced
from sessionctl.cli.wrapping import breaks, columns_of

GOOD, BAD, ODD, DIM, NAME = "good", "bad", "odd", "dim", "name"
"""The styles that views share, by their meaning."""

COLORS = {GOOD: "bold color(28)", BAD: "bold color(196)", ODD: "bold color(130)", NAME: "color(31)"}
"""Of middle brightness: each stands out from white and from black by 4 to 1 (WCAG 2.2, 1.4.3)."""

FEW_COLORS = {GOOD: "green", BAD: "bold red", ODD: "magenta", NAME: "bold"}
"""For a terminal of 8 or 16 colours, without yellow and cyan, which are often too bright for white."""

WIDEST = 100
_ROWS = 25
"""Rich believes a width only together with a height, which nothing here depends on."""


def console(color: str, *, stderr: bool = False) -> Console:
    """A console that obeys --color, NO_COLOR and FORCE_COLOR, in this order, and never what it prints."""
    made = Console(
        stderr=stderr,
        force_terminal=forced(color, sys.stderr if stderr else sys.stdout),
        no_color={"always": False, "never": True}.get(color),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        height=_ROWS,
    )
    made.width = min(columns_of(made.file), WIDEST) if made.file.isatty() else WIDEST
    made.push_theme(Theme(FEW_COLORS if made.color_system == "standard" else COLORS))
    return made


def put(out: Console, text: Text, indent: int = 0, head: Text | None = None) -> None:
    """Print a text, set in by the indent, where the head stands if there is one: on a terminal its lines break
    between words and keep the indent, in a pipe they are whole.
    """
    head = head or Text()
    head.pad_right(indent - head.cell_len)
    on_terminal = out.file.isatty()
    if not on_terminal and not out.is_terminal:  # nor styled: rich would take some three times as long
        whole = f"{head.plain}{text.plain.rstrip()}\n"
        # not to the file: what is captured keeps its order
        out.print(Segments([Segment(whole)]), soft_wrap=True)
        return
    starts = breaks(text.plain, out.width, indent, indent) if on_terminal else []
    for line in text.divide(starts):
        line.rstrip()
        out.print(Text.assemble(head, line), soft_wrap=True)
        head = Text(" " * indent)
