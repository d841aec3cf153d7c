"""`sessionctl completion`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_json
from sessionctl.cli.page import Command


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@options.look_options
def command(shell: str, **params: Any) -> None:
    """Print the completion script of a shell, the same that the package installs.

    bash reads ~/.local/share/bash-completion/completions/sessionctl at the first TAB press.

    \b
    sessionctl completion fish > ~/.config/fish/completions/sessionctl.fish
    sessionctl completion zsh > ~/.zfunc/_sessionctl
    """
    from sessionctl.cli.completion.scripts import script

    if options.look_of(params).json:
        print_json({"shell": shell, "script": script(shell)})
    else:
        click.echo(script(shell), nl=False)
