"""What `doctor` found, for people: the severity in colour, below it what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from sessionctl.cli.output import visible
from sessionctl.cli.pager import show
from sessionctl.cli.views.console import BAD, DIM, ODD, console, put
from sessionctl.fleet.findings import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl import checkup
    from sessionctl.fleet import findings

_STYLES = {"error": BAD, "warning": ODD, "note": "bold"}


def print_of_store(found: Iterable[findings.Finding], color: str) -> None:
    """What is wrong with a store, some of the sessions, and the command that mends it."""
    out = console(color)
    with out.capture() as capture:
        for one in found:
            put(out, _head(one.severity, f"{one.code} ({one.count}): {one.message}"))
            if one.examples:
                put(out, Text(visible(_where(one)), style=DIM), 2)
            if one.command:
                out.print(Text(f"  {visible(one.command)}"), soft_wrap=True)  # whole, to be copied
    show(line.rstrip() for line in capture.get().splitlines())


def print_of_cookie(found: Iterable[checkup.Finding], color: str, *, quiet: bool) -> None:
    """What is unsafe about a cookie or a visit, what mends it, and who says so."""
    out = console(color)
    with out.capture() as capture:
        for one in found:
            where = f" ({one.where})" if one.where else ""
            put(out, _head(one.severity, f"{one.code}: {one.message}{where}"))
            if not quiet:
                put(out, Text(visible(f"mend: {one.mend}")), 2)
                put(out, Text(visible(f"from: {one.source}"), style=DIM), 2)
    show(line.rstrip() for line in capture.get().splitlines())


def _where(one: findings.Finding) -> str:
    """Where a fault was met: the first places, and that there may be more."""
    more = ["..."] if EXAMPLES <= len(one.examples) < one.count else []
    return f"where: {', '.join([*one.examples, *more])}"


def _head(severity: str, text: str) -> Text:
    return Text.assemble((severity, _STYLES[severity]), f": {visible(text)}")
