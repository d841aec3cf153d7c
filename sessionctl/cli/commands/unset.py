"""`sessionctl unset`."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from sessionctl.cli import many, options, selecting
from sessionctl.cli.page import Command
from sessionctl.cli.writing import change, writing_options
from sessionctl.errors import UsageError


@click.command("unset", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE KEY ...", shell_complete=options.completes("at_files"))
@writing_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **params: Any) -> None:
    """Remove values from a session, and print the text of its cookie. KEY is a name, or a path (cart.0.sku).

    \b
    COOKIE=$(sessionctl unset "$COOKIE" cart)
    sessionctl unset --ref 3f2a9c41d07e userId role -s redis://localhost/0
    """
    if selecting.means_many(params):
        many.act_on_many(ctx, params, "unset", partial(_change_many, words))
    from sessionctl import editing

    many.take_away(params)
    change(
        words,
        params,
        lambda target, setup, rest: editing.change(target, setup, unset=rest),
        wants="a KEY",
    )


def _change_many(words: tuple[str, ...], setup: Any, selection: Any, dry_run: bool) -> Any:
    from sessionctl import fleet

    if not words:
        raise UsageError("KEY is missing")
    return fleet.change(setup.storage, selection, unset=words, now=setup.now, dry_run=dry_run)
