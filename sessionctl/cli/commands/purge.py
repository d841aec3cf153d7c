"""`sessionctl purge`."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options, selecting
from sessionctl.cli.output import print_cells, print_json, print_words, say
from sessionctl.cli.page import Command
from sessionctl.cli.problems import STORAGE_FAILED, tell, tell_doubts, tell_nothing
from sessionctl.cli.setup import setup_of
from sessionctl.wording import counted, human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.fleet.sweep import Purged
    from sessionctl.storage.base import Entry

INTERRUPTED = 130

TELL_EVERY = 10.0
"""Seconds between two lines of -v where there is no terminal."""


@click.command("purge", cls=Command)
@click.option("--older-than", metavar="DURATION", help="Last saved (with ttl: used) before it.")
@click.option("--expired", is_flag=True, help="Expired, by the store's ttl or lifetime.")
@selecting.where_option
@click.option("--dry-run", is_flag=True, help="Delete nothing, say what would go.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="So many at the most.")
@click.option(
    "--max-seconds", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Stop after that time."
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Look at so many a second at the most.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    metavar="N",
    help="By so many processes; for files.",
)
@click.option("--empty-dirs", is_flag=True, help="Remove the directories that are left empty too.")
@click.option("--force", is_flag=True, help="Even where it does not look like a session store.")
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> None:
    """Delete old sessions, but none saved after it was judged old. -v tells how
    far it is, and with --dry-run or --json a line for each that goes.

    \b
    sessionctl purge --older-than 30d -s fs:/var/lib/app/sessions --quiet
    sessionctl purge --older-than 1d --where role=guest -s redis://cache?ttl=7d
    """
    from sessionctl import fleet
    from sessionctl.duration import parse_age

    look = options.look_of(params)
    names = ("expired", "dry_run", "limit", "max_seconds", "rate", "jobs", "empty_dirs", "force")
    chosen = {name: params.pop(name) for name in names}
    age, where = params.pop("older_than"), selecting.conditions_of(params)
    setup = setup_of(params, keys="store")
    with _progress(look) as on_progress:
        result = fleet.purge(
            setup.storage,
            older_than=None if age is None else parse_age(age),
            where=where,
            now=setup.now,
            on_match=_match_teller(look, dry_run=chosen["dry_run"]),
            on_progress=on_progress,
            **chosen,
        )
    _tell(result, look)
    if result.scanned == 0:
        tell_nothing(setup.storage, look, given=setup.storage_given, changes=True)
    elif result.matched == 0:
        tell_doubts(where, look)
    ctx.exit(INTERRUPTED if result.interrupted else STORAGE_FAILED if result.failed else 0)


def _tell(result: Purged, look: options.Look) -> None:
    tell(result)
    if result.foreign:
        names = ", ".join(result.foreign_names if look.verbose else result.foreign_names[:3])
        what = "is no session of it, and was" if result.foreign == 1 else "are no sessions of it, and were"
        say(f"{result.foreign} in this store {what} left alone: {names}", quiet=look.quiet)
    if look.json:
        print_json(result.as_json())
    elif not look.quiet:
        print_words(_line(result))


def _line(result: Purged) -> str:
    from sessionctl.duration import iso

    verb = "would delete" if result.dry_run else "deleted"
    count = result.matched if result.dry_run else result.deleted
    span = "" if result.oldest is None else f", last saved {iso(result.oldest)} to {iso(result.newest)}"
    rest = "" if result.complete else ", not complete"
    failed = f", {result.failed} failed" if result.failed else ""
    litter = f", {counted(result.litter, 'temporary file')}" if result.litter else ""
    return (
        f"{verb} {count} of {counted(result.scanned, 'session')}, {human_bytes(result.bytes)}{span}{litter}, "
        f"in {result.seconds:.1f} s{failed}{rest}"
    )


def _match_teller(look: options.Look, *, dry_run: bool) -> Callable[[Entry], object] | None:
    """What prints a session that goes, where that was asked for."""
    from sessionctl.duration import iso

    if not look.verbose or not (look.json or dry_run):
        return None

    def tell(entry: Entry) -> None:
        if look.json:
            print_json({"ref": entry.ref, "size": entry.size, "modified_at": iso(entry.modified_at)})
        else:
            print_cells(entry.ref, str(entry.size), iso(entry.modified_at) or "-")

    return tell


def _progress(look: options.Look) -> Any:
    """A context that gives what is called after each batch, or None."""
    if look.quiet:
        return nullcontext()
    if sys.stderr.isatty():
        from sessionctl.cli.views.progress import purge_progress

        return purge_progress(look.color)
    return nullcontext(_line_teller()) if look.verbose else nullcontext()


def _line_teller() -> Callable[[Purged], object]:
    told = 0.0

    def tell(result: Purged) -> None:
        nonlocal told
        if result.seconds - told >= TELL_EVERY:
            told = result.seconds
            say(f"{result.scanned} looked at, {result.matched} old, {result.failed} failed, {told:.0f} s")

    return tell
