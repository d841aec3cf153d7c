"""Completion scripts as static text."""

from __future__ import annotations

from sessionctl.errors import UsageError

PROGRAM = "sessionctl"
VARIABLE = "_SESSIONCTL_COMPLETE"


def script(shell: str) -> str:
    """The completion script of `bash`, `zsh` or `fish`."""
    from click.shell_completion import get_completion_class

    from sessionctl.cli.completion import shells as shells
    from sessionctl.cli.main import main

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"no completion for {shell!r}")
    return f"{kind(main, {}, PROGRAM, VARIABLE).source().strip()}\n"
