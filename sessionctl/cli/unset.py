"""`sessionctl unset`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.writing import change


@click.command("unset")
@click.argument("words", nargs=-1, metavar="COOKIE KEY ...")
@options.output_options
@options.target_options
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Remove values from a session, and print the text of its cookie.

    \b
    COOKIE=$(sessionctl unset "$COOKIE" cart)
    sessionctl unset --ref 3f2a9c41d07e userId role -s redis://localhost/0
    """
    from sessionctl import editing

    change(
        words,
        params,
        lambda target, setup, rest: editing.change(target, setup, unset=rest),
        wants="a KEY",
    )
