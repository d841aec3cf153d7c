"""A session's story for people: a line for each event, what changed below it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from rich.text import Text

from sessionctl.cli.output import visible
from sessionctl.cli.pager import show
from sessionctl.cli.views.console import BAD, DIM, GOOD, NAME, ODD, console, put
from sessionctl.cli.views.diff import change_line
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from sessionctl.timeline import Event
    from sessionctl.watch import Seen

_STYLES = {
    "set": GOOD, "regenerated": GOOD, "flashed": NAME, "changed": NAME, "refreshed": DIM, "sent": DIM, "cleared": ODD,
    "replaced": ODD, "lost": ODD, "not-sent": ODD, "two-cookies": ODD, "refused": BAD, "same-id-at-login": BAD,
}  # fmt: skip
_CHANGES_SHOWN = 6
BELOW = 10
"""Columns that what belongs to an event is set in: as wide as the time."""


def print_story(events: Sequence[Event], color: str) -> None:
    """Print the events; times are those of the visit, in UTC."""
    out = console(color)
    several = len({urlsplit(event.url).netloc for event in events}) > 1
    with out.capture() as capture:
        for event in events:
            _print_event(out, event, with_host=several)
        if not events:
            out.print(Text("nothing happened to the session cookie"))
    show(line.rstrip() for line in capture.get().splitlines())


def _print_event(out: Console, event: Event, *, with_host: bool) -> None:
    put(out, _headline(event, with_host=with_host), BELOW, Text(_clock(event.time), style=DIM))
    if event.detail:
        put(out, Text(visible(event.detail)), BELOW)
    if event.mend:
        put(out, Text(f"mend: {visible(event.mend)}", style=DIM), BELOW)
    for change in event.changes[:_CHANGES_SHOWN]:
        put(out, change_line(change), BELOW)
    if len(event.changes) > _CHANGES_SHOWN:
        put(out, Text(f"and {counted(len(event.changes) - _CHANGES_SHOWN, 'more change')}", style=DIM), BELOW)


def _clock(moment: float | None) -> str:
    return "--:--:--" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S")


def _headline(event: Event, *, with_host: bool) -> Text:
    parts = urlsplit(event.url)
    place = visible(f"{parts.netloc if with_host else ''}{parts.path or '/'}")
    return Text.assemble(
        (f"{event.kind:<16}", BAD if event.reason else _STYLES[event.kind]), f" {visible(event.cookie)}",
        (f"  ref {event.ref}" if event.ref else ""), (f"  {visible(event.method)} {place} {event.status}", DIM),
    )  # fmt: skip


_SEEN = {
    "created": GOOD,
    "changed": NAME,
    "ended": ODD,
    "left": ODD,
    "found": DIM,
}


def print_seen(seen: Seen, color: str) -> None:
    """Print one thing that happened to a stored session."""
    out = console(color)
    told = Text.assemble((f"{seen.kind:<11}", _SEEN[seen.kind]), f" ref {seen.ref}")
    with out.capture() as capture:
        put(out, told, BELOW, Text(_clock(seen.time), style=DIM))
        for change in seen.changes[:_CHANGES_SHOWN]:
            put(out, change_line(change), BELOW)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()), color=True)
