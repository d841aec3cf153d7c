"""`sessionctl unset`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.page import Command
from sessionctl.cli.writing import change_one_or_many, writing_options


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
    change_one_or_many(ctx, words, params, "unset", lambda rest: {"unset": rest}, wants="a KEY")
