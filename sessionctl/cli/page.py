"""The help page of a command: one screen of 80 columns, with the names of what other pages tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sessionctl.cli.pager import OFF, show

F = TypeVar("F", bound=Callable[..., Any])

EXIT_STATUS = "Exit: 0 yes, 1 no, 2 usage, 3 unreadable, 4 storage failed, 130 interrupted."

MAX_SENTENCE = 200
"""Characters of the longest sentence that tells what a command does."""


class SharedOption(click.Option):
    """An option that means the same on every command: a command's help only names it, `help options` tells."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:  # noqa: ARG002 - click's interface
        """No line of its own in a command's help."""
        return None


def told(
    *names: str,
    help: str,  # noqa: A002 - click's name
    tell: Callable[[click.Context], str],
) -> Callable[[F], F]:
    """An option that prints a text and ends. click's own ones load gettext for their help, which takes 2 ms."""

    def print_it(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001
        if value and not ctx.resilient_parsing:
            show(tell(ctx).split("\n"))
            ctx.exit()

    return click.option(
        *names,
        cls=SharedOption,
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=print_it,
        help=help,
    )


def no_pager(function: F) -> F:
    """--no-pager, with its environment variable."""

    def remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001
        if value:
            ctx.meta[OFF] = True

    return click.option(
        "--no-pager",
        cls=SharedOption,
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=remember,
        envvar="SESSIONCTL_NO_PAGER",
        help="No pager for long answers; else $SESSIONCTL_PAGER, $PAGER or less.",
    )(function)


class Command(click.Command):
    """A command whose help ends with its shared options and the exit statuses."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Names of options are kept whole, which click's own text would break at their hyphens."""
        from textwrap import wrap

        names = [min(param.opts, key=len) for param in self.params if isinstance(param, SharedOption)]
        also = f"Also ('sessionctl help options'): {' '.join(names)}" if names else ""
        formatter.write_paragraph()
        for text in filter(None, (also, EXIT_STATUS)):
            lines = wrap(text, formatter.width - 2, break_on_hyphens=False)
            formatter.write("".join(f"  {line}\n" for line in lines))


class Group(Command, click.Group):
    """A group of such commands."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click, which would cut the first sentence of a command's help to a line."""
        rows = [
            (name, command.get_short_help_str(MAX_SENTENCE))
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
