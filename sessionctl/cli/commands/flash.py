"""`sessionctl flash`."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from sessionctl.cli import many, options, selecting
from sessionctl.cli.page import Command
from sessionctl.cli.words import assignments
from sessionctl.cli.writing import change, writing_options
from sessionctl.errors import UsageError


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
    if selecting.means_many(params):
        many.act_on_many(ctx, params, "flash", partial(_change_many, words))
    from sessionctl import editing

    many.take_away(params)
    change(
        words,
        params,
        lambda target, setup, rest: editing.change(target, setup, flash=assignments(rest)),
        wants="K=V",
    )


def _change_many(words: tuple[str, ...], setup: Any, selection: Any, dry_run: bool) -> Any:
    from sessionctl import fleet

    if not words:
        raise UsageError("K=V is missing")
    return fleet.change(setup.storage, selection, flash=assignments(words), now=setup.now, dry_run=dry_run)
