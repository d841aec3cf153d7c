"""`sessionctl set`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.page import Command
from sessionctl.cli.words import assignments
from sessionctl.cli.writing import change_one_or_many, writing_options


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
    change_one_or_many(ctx, words, params, "set", lambda rest: {"values": assignments(rest)}, wants="K=V")
