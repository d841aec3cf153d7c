"""`sessionctl timeline`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_json
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of, tell_missing_keys
from sessionctl.cli.words import content_of_file, source_in_visit, tell_notes
from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from sessionctl.timeline import Event


@click.command("timeline", cls=Command)
@click.argument("file", metavar="HAR", required=False, shell_complete=options.completes("files"))
@options.har_option
@options.key_options
@options.place_options
@options.look_options
def command(file: str | None, har: str | None, **params: Any) -> None:
    """Tell a session's story over a recorded visit: when it was set, changed, regenerated, flashed, cleared, lost.

    HAR is a file or -, also as --har. Flagged are a session that keeps its ID at log-in, a Set-Cookie that a
    browser would refuse (and why), and two cookies of one name. With secrets each value is
    judged, and encrypted ones are opened.

    \b
    sessionctl timeline visit.har
    sessionctl timeline visit.har --cookie-name sid --json
    """
    from sessionctl.sources.base import no_such_cookie
    from sessionctl.sources.har import read_visit
    from sessionctl.timeline import story

    look = options.look_of(params)
    if (file is None) == (har is None):
        raise UsageError("timeline takes one HAR: a file, or - for standard input")
    visit = read_visit(content_of_file(file or har or "-"))
    source = source_in_visit(visit, params, whole=True)
    if source.value is None:
        raise no_such_cookie(source)
    tell_notes(source, look)
    setup = setup_of(params, text_alone=True, keys="may")
    tell_missing_keys(setup, quiet=look.quiet)
    events = story(visit, setup._replace(cookie_name=source.name))
    if look.json:
        for event in events:
            print_json(answer(event))
        return
    from sessionctl.cli.views.timeline import print_story

    print_story(events, look.color)


def answer(event: Event) -> dict[str, Any]:
    """The JSON object of an event."""
    from sessionctl.duration import iso

    return {
        "time": iso(event.time),
        "kind": event.kind,
        "cookie": event.cookie,
        "ref": event.ref,
        "method": event.method,
        "url": event.url,
        "status": event.status,
        "detail": event.detail,
        "changes": [change.as_json() for change in event.changes],
        "severity": event.severity,
        "reason": event.reason,
        "mend": event.mend,
        "source": event.source,
    }
