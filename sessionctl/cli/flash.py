"""`sessionctl flash`."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from sessionctl.cli import many, options, selecting
from sessionctl.cli.words import assignments
from sessionctl.cli.writing import change
from sessionctl.errors import UsageError


@click.command("flash")
@click.argument("words", nargs=-1, metavar="COOKIE K=V ...")
@options.output_options
@options.target_options
@many.many_options
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **params: Any) -> None:
    """Leave a message for the next request, and for that alone; print the text of the cookie.

    On another framework's cookie it uses that framework's own layout (Flask, Django, Rails, ...).

    \b
    COOKIE=$(sessionctl flash "$COOKIE" notice="Back in five minutes")
    sessionctl flash --id "$ID" 'error:={"code": 7}'
    sessionctl flash --older-than 0s notice="Closed from 8 to 9" -s redis://cache/0?ttl=30d
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
