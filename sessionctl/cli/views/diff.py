"""Changes between two sessions for people: a line each, as `diff` marks them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.text import Text

from sessionctl.cli.output import visible
from sessionctl.cli.pager import show
from sessionctl.cli.views.console import BAD, GOOD, NAME, ODD, console, put
from sessionctl.duration import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.diff import Change

_MARKS = {"added": ("+", GOOD), "removed": ("-", BAD), "changed": ("~", ODD)}
_TIMES = ("issued_at", "expires_at")


def print_changes(changes: Iterable[Change], color: str) -> None:
    """Print the changes, or that there are none."""
    out = console(color)
    lines = [change_line(change) for change in changes] or [Text("nothing differs")]
    with out.capture() as capture:
        for line in lines:
            put(out, line)
    show(line.rstrip() for line in capture.get().splitlines())


def change_line(change: Change) -> Text:
    """One change."""
    mark, style = _MARKS[change.kind]
    line = Text.assemble((f"{mark} ", style), (visible(change.place), NAME), "  ")
    if change.kind != "added":
        line.append(_shown(change.part, change.before))
    if change.kind == "changed":
        line.append(" -> ")
    if change.kind != "removed":
        line.append(_shown(change.part, change.after))
    return line


def _shown(part: str, value: Any) -> str:
    if part in _TIMES and isinstance(value, (int, float)):
        return iso(value) or "no date that exists"
    return visible(json.dumps(value, ensure_ascii=False))
