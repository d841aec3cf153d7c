"""`sessionctl flash`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.writing import change


@click.command("flash")
@click.argument("words", nargs=-1, metavar="COOKIE K=V ...")
@options.output_options
@options.target_options
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Leave a message for the next request, and for that alone; print the text of the cookie.

    On another framework's cookie it uses that framework's own layout (Flask, Django, Rails, ...).

    \b
    COOKIE=$(sessionctl flash "$COOKIE" notice="Back in five minutes")
    sessionctl flash --id "$ID" 'error:={"code": 7}'
    """
    from sessionctl import editing

    change(
        words,
        params,
        lambda target, setup, rest: editing.change(target, setup, flash=options.assignments(rest)),
        wants="K=V",
    )
