"""`sessionctl secret`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_json
from sessionctl.cli.page import Group

LEAST = 16


@click.group("secret", cls=Group)
def command() -> None:
    """Make a secret."""


@command.command("new")
@click.option(
    "--bytes",
    "size",
    type=click.IntRange(LEAST, 1024),
    metavar="N",
    default=32,
    show_default=True,
    help="Random bytes.",
)
@options.look_options
def new(size: int, **params: Any) -> None:
    """Print a new random secret, as URL-safe text.

    \b
    sessionctl secret new > /etc/app/secret
    sessionctl secret new --bytes 64
    """
    from sessionctl.config import new_secret

    text = new_secret(size)
    if options.look_of(params).json:
        print_json({"secret": text, "bytes": size})
    else:
        click.echo(text)
