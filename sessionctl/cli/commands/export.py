"""`sessionctl export`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options, selecting
from sessionctl.cli.output import json_text, print_json, say
from sessionctl.cli.page import Command
from sessionctl.cli.problems import Problems, tell_doubts, tell_nothing
from sessionctl.cli.setup import setup_of
from sessionctl.wording import counted


@click.command("export", cls=Command)
@click.argument("file", metavar="[FILE]", default="-", shell_complete=options.completes("files"))
@click.option(
    "--redact", multiple=True, metavar="K", help="Hide this value, and all IDs; '*' hides every value."
)
@selecting.selection_options
@selecting.finding_options
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, file: str, **params: Any) -> None:
    """Write stored sessions as NDJSON, .gz or .zst compressed.

    Without FILE, or with - for it, they go to standard output. Whoever has the file has the sessions:
    its mode is 0600. --redact takes the IDs out.

    \b
    sessionctl export sessions.ndjson.gz -s redis://cache/0?ttl=30d
    sessionctl export - -s fs:/var/lib/app/sessions --redact email
    """
    from sessionctl import fleet
    from sessionctl.fleet.compressed import writing

    look = options.look_of(params)
    redact, setup = params.pop("redact"), setup_of(params, keys="store")
    problems, selection = Problems(), selecting.selection_of(params, setup.now)
    with writing(file) as out:
        result = fleet.export(
            setup.storage, out, selection, redact=redact, now=setup.now, dumps=json_text, on_problem=problems
        )
    if look.json and file != "-":
        print_json(result.as_json())
    else:
        failed = f", {result.failed} failed" if result.failed else ""
        say(f"exported {counted(result.sessions, 'session')}{failed}", quiet=look.quiet)
    if not result.sessions and not tell_nothing(setup.storage, look, given=setup.storage_given):
        tell_doubts(selection.where, look)
    ctx.exit(problems.end())
