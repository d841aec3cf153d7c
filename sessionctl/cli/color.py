"""Whether what is printed has styles: by --color, NO_COLOR, FORCE_COLOR and the terminal, in this order."""

from __future__ import annotations

import os
from typing import IO


def is_dumb() -> bool:
    """Whether the terminal is one that knows no codes, as Emacs' shell."""
    return os.environ.get("TERM", "dumb") == "dumb"


def forced(color: str, stream: IO[str]) -> bool | None:
    """Whether styles are written, whatever the stream is; None where the stream decides."""
    if color in ("always", "never"):
        return color == "always"
    told = os.environ.get("FORCE_COLOR")
    if told in ("", "0"):
        return stream.isatty()  # rich takes 0 for a yes, and an empty one for a no at a terminal too
    return None if told is None else True


def has_styles(color: str, stream: IO[str]) -> bool:
    """Whether a line that is written without rich has styles."""
    if is_dumb() or (color == "auto" and os.environ.get("NO_COLOR")):
        return False
    told = forced(color, stream)
    return stream.isatty() if told is None else told
