"""`sessionctl set`."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from sessionctl.cli import many, options, selecting
from sessionctl.cli.page import Command
from sessionctl.cli.words import assignments
from sessionctl.cli.writing import change, writing_options
from sessionctl.errors import UsageError


@click.command("set", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE K=V ...", shell_complete=options.completes("at_files"))
@writing_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **params: Any) -> None:
    """Set values of a session, print its cookie. K may be a path (cart.0.sku); V is JSON where it parses, else
    text; K:=V demands JSON; null unsets.

    \b
    COOKIE=$(sessionctl set "$COOKIE" userId=42 'cart:=["apple"]')
    sessionctl set --id "$ID" role=admin -s fs:/var/lib/app/sessions
    sessionctl set --where role=editor role=admin -s fs:/var/lib/app/sessions
    """
    if selecting.means_many(params):
        many.act_on_many(ctx, params, "set", partial(_change_many, words))
    from sessionctl import editing

    many.take_away(params)
    change(
        words,
        params,
        lambda target, setup, rest: editing.change(target, setup, values=assignments(rest)),
        wants="K=V",
    )


def _change_many(words: tuple[str, ...], setup: Any, selection: Any, dry_run: bool) -> Any:
    from sessionctl import fleet

    if not words:
        raise UsageError("K=V is missing")
    return fleet.change(setup.storage, selection, values=assignments(words), now=setup.now, dry_run=dry_run)
