"""`sessionctl purge`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_data, print_json, say

STORAGE_FAILED = 4


@click.command("purge")
@click.option(
    "--older-than", metavar="DURATION", help="Delete what was last saved (with ttl: used) before that."
)
@click.option("--dry-run", is_flag=True, help="Delete nothing, say what would go.")
@click.option("--limit", type=click.IntRange(1), help="Delete so many at the most.")
@click.option("--max-seconds", type=click.FloatRange(0, min_open=True), help="Stop after that time.")
@click.option("--force", is_flag=True, help="Even where the directory does not look like a session store.")
@options.key_options
@options.place_options
@options.look_options
def command(**params: Any) -> None:
    """Delete old sessions, as from cron. Never one that was saved after it was judged old.

    \b
    sessionctl purge --older-than 30d -s fs:/var/lib/app/sessions --quiet
    sessionctl purge --older-than 1d12h -s fs:/var/lib/app/sessions --dry-run
    """
    ctx = click.get_current_context()
    from sessionctl import fleet
    from sessionctl.duration import parse_duration

    look = options.look_of(params)
    if params["older_than"] is None:
        raise click.UsageError("purge needs --older-than DURATION (30d, 12h)")
    seconds = parse_duration(params.pop("older_than"))
    chosen = {name: params.pop(name) for name in ("dry_run", "limit", "max_seconds", "force")}
    setup = options.setup_of(params)
    result = fleet.purge(setup.storage, older_than=seconds, now=setup.now, **chosen)
    for problem in result.problems:
        say(problem)
    if look.json:
        print_json(result.as_json())
    elif not look.quiet:
        print_data(_line(result))
    if result.interrupted:
        ctx.exit(130)
    ctx.exit(STORAGE_FAILED if result.failed else 0)


def _line(result: Any) -> str:
    verb = "would delete" if result.dry_run else "deleted"
    count = result.matched if result.dry_run else result.deleted
    rest = "" if result.complete else ", not complete"
    failed = f", {result.failed} failed" if result.failed else ""
    return f"{verb} {count} of {result.scanned} sessions, {result.bytes} bytes, in {result.seconds:.1f} s{failed}{rest}"
