"""`sessionctl flash`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.page import Command
from sessionctl.cli.words import assignments
from sessionctl.cli.writing import change_one_or_many, writing_options


@click.command("flash", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE K=V ...", shell_complete=options.completes("at_files"))
@writing_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **params: Any) -> None:
    """Leave a message for the next request alone, and print the text of the cookie.
    Another framework's cookie gets it in that framework's own layout.

    \b
    COOKIE=$(sessionctl flash "$COOKIE" notice="Back in five minutes")
    sessionctl flash --id "$ID" 'error:={"code": 7}'
    sessionctl flash --where userId=42 notice="Closed at 8" -s redis://cache/0
    """
    change_one_or_many(ctx, words, params, "flash", lambda rest: {"flash": assignments(rest)}, wants="K=V")
