"""Lines that break between words at a terminal's edge. Into a pipe they are whole, and so is what people copy."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

INDENT = 2
"""Columns that the lines after the first are set in where nothing else says so."""

LEAST_ROOM = 28
"""Columns that a line needs beside its indent."""

_COLUMNS = 80
_COMMAND = r"(?<![\w'])'[^']+'(?!\w)|(?<=: )(?:sessionctl|chmod) [^;)]+|(?<![^ (])--?[A-Za-z][\w-]* [^ (]+"
"""What is to be copied whole: a command in quotes or behind a colon, or an option with its value."""


def fitted(text: str, stream: IO[str], indent: int = INDENT) -> list[str]:
    """The lines of a text for a stream: broken on a terminal, with all but the first set in."""
    return fold(text, columns_of(stream), indent) if stream.isatty() else [text]


def columns_of(stream: IO[str]) -> int:
    """The width of the terminal that a stream is."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS


def fold(text: str, columns: int, indent: int = INDENT) -> list[str]:
    """The lines of a text, those after the first set in. Where that leaves too little room, what stands beside each
    other in it moves together.
    """
    if columns - indent < LEAST_ROOM:
        text = re.sub(r"(?<=\S) {2,}", "  ", text)
        indent = len(text) - len(text.lstrip(" ")) + INDENT
    starts = [0, *breaks(text, columns, indent), len(text)]
    lines = [text[start:end].rstrip(" ") for start, end in pairwise(starts)]
    return [lines[0], *(" " * indent + line for line in lines[1:])]


def breaks(text: str, columns: int, indent: int = 0, taken: int = 0) -> list[int]:
    """Where lines begin after the first, which are set in by the indent; of the first some columns are taken.

    A command is not broken. A word that is longer than a line is left for the terminal to break, which still copies it
    whole; it begins a line of its own, unless nothing but a name stands before it in the columns of the indent.
    """
    starts: list[int] = []
    for match in re.finditer(rf"( *)({_COMMAND}|[^ ])+", text):
        gap, word = cells_of(match[1]), cells_of(match[0].lstrip(" "))
        is_long = indent + word > columns
        if match.start() and taken + gap + word > columns and (not is_long or taken + gap > indent):
            starts.append(match.end(1))
            taken = indent + word
        else:
            taken += gap + word
        if is_long:
            taken %= columns
    return starts


def cells_of(text: str) -> int:
    """The columns that a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
