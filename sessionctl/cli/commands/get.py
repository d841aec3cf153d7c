"""`sessionctl get`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_data, print_json, say, shown, value_text
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of, tell_missing_keys
from sessionctl.cli.words import target_of, tell_notes


@click.command("get", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE KEY", shell_complete=options.completes("at_files"))
@options.target_options
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Print one value of a session; ends 1 where there is none.

    KEY is a name, flash.NAME, or a path with dots (cart.0.sku).

    \b
    sessionctl get "$COOKIE" userId
    sessionctl get --ref 3f2a9c41d07e cart.0.sku -s redis://localhost/0
    """
    ctx = click.get_current_context()
    from sessionctl import editing

    look = options.look_of(params)
    target, rest = target_of(params, words)
    tell_notes(target.source, look)
    if len(rest) != 1:
        raise click.UsageError("get takes one KEY")
    setup = setup_of(params, keys="may" if target.source else "store")
    tell_missing_keys(setup, quiet=look.quiet)
    found, value = editing.get(target, setup, rest[0])
    if look.json:
        print_json({"key": rest[0], "value": value, "found": found})
    elif found:
        print_data(value_text(value))
    else:
        say(f"the session has no {shown(rest[0])}", quiet=look.quiet)
    ctx.exit(0 if found else 1)
