"""`sessionctl stats`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options, selecting
from sessionctl.cli.output import print_json
from sessionctl.cli.page import Command
from sessionctl.cli.problems import Problems, tell_doubts, tell_nothing
from sessionctl.cli.setup import setup_of


@click.command("stats", cls=Command)
@selecting.selection_options
@click.option(
    "--sample", type=click.IntRange(1), metavar="N", help="Read only so many sessions, taken at random."
)
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> None:
    """Tell what is in a store: counts, sizes, ages, when sessions expire, which values they hold.

    \b
    sessionctl stats -s fs:/var/lib/app/sessions?ttl=30d
    sessionctl stats -s redis://cache/0?ttl=30d --sample 10000 --json
    """
    from sessionctl import fleet

    look = options.look_of(params)
    sample = params.pop("sample")
    setup = setup_of(params, keys="store")
    problems = Problems()
    selection = selecting.selection_of(params, setup.now)
    result = fleet.stats(setup.storage, selection, sample=sample, now=setup.now, on_problem=problems)
    if look.json:
        print_json(result.as_json())
    else:
        from sessionctl.cli.views.stats import print_stats

        print_stats(result, look.color)
    if result.sessions == result.corrupt and not tell_nothing(setup.storage, look, given=setup.storage_given):
        tell_doubts(selection.where, look)
    ctx.exit(problems.end())
