"""`sessionctl set`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.writing import change


@click.command("set")
@click.argument("words", nargs=-1, metavar="COOKIE K=V ...")
@options.output_options
@options.target_options
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Set values of a session, and print the text of its cookie.

    V is JSON where it parses as JSON, else text; K:=V demands JSON; null unsets.

    \b
    COOKIE=$(sessionctl set "$COOKIE" userId=42 'cart:=["apple"]')
    sessionctl set --id "$ID" role=admin -s fs:/var/lib/app/sessions
    """
    from sessionctl import editing

    change(
        words,
        params,
        lambda target, setup, rest: editing.change(target, setup, values=options.assignments(rest)),
        wants="K=V",
    )
