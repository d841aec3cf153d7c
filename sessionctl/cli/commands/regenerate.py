"""`sessionctl regenerate`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.page import Command
from sessionctl.cli.writing import change


@click.command("regenerate", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE", shell_complete=options.completes("at_files"))
@click.option("--delete-old", is_flag=True, help="Delete the record of the old ID.")
@options.output_options
@options.target_options
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], delete_old: bool, **params: Any) -> None:
    """Give a session a new ID, and print the text of its new cookie.

    \b
    COOKIE=$(sessionctl regenerate "$COOKIE" --delete-old)
    sessionctl regenerate --id "$ID" -s redis://localhost/0
    """
    from sessionctl import editing

    change(
        words,
        params,
        lambda target, setup, _: editing.regenerate(target, setup, delete_old=delete_old),
        wants=None,
    )
