"""`sessionctl help`."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_json
from sessionctl.cli.page import Command
from sessionctl.cli.pager import show
from sessionctl.cli.wrapping import LEAST_ROOM, columns_of, fitted
from sessionctl.errors import UsageError
from sessionctl.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDEST, _NAMES = 100, 32
"""Columns of the page of options, and of the options' names in it."""


@click.command("help", cls=Command)
@click.argument("words", nargs=-1, metavar="[TOPIC]", shell_complete=options.completes("topics"))
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Print a page of the manual: a topic or a command. Without TOPIC it lists them.

    \b
    sessionctl help
    sessionctl help storages
    """
    from sessionctl.cli import manual

    look = options.look_of(params)
    name = " ".join(words)
    if not name:
        text = _list()
    elif name == "options":
        text = _options()
    elif name in manual.TOPICS:
        text = manual.topic(name).removeprefix("# ")
    else:
        text = _command(name)
    if look.json:
        print_json({"topic": name or None, "text": text})
    else:
        show(_on_screen(text.rstrip("\n")))


def _on_screen(text: str) -> Iterator[str]:
    """The lines of a page; on a terminal narrower than they are, paragraphs are filled anew.

    What is set in are commands, which stay whole, or a name with a text beside it.
    """
    lines = text.split("\n")
    if not sys.stdout.isatty() or max(map(len, lines)) <= columns_of(sys.stdout):
        yield from lines
        return
    for is_paragraph, group in groupby(lines, lambda line: line != "" and not line.startswith(" ")):
        if is_paragraph:
            yield from fitted(" ".join(group), sys.stdout, 0)
            continue
        for line in group:
            beside = re.match(r" *\S+(?: \S+)* {2,}", line)
            yield from fitted(line, sys.stdout, beside.end()) if beside else [line]


def _list() -> str:
    from sessionctl.cli import manual

    lines = [
        f"  {name:<14} {manual.title(name).partition(': ')[2] or manual.title(name)}"
        for name in manual.TOPICS
    ]
    lines.append("  options        the options that mean the same on every command")
    return "\n".join(
        ["sessionctl help TOPIC prints one of:", "", *lines, "", "sessionctl COMMAND --help: a command."]
    )


def _options() -> str:
    from sessionctl.cli import manual

    width = min(_WIDEST, columns_of(sys.stdout)) if sys.stdout.isatty() else _WIDEST
    formatter = click.HelpFormatter(width=width)
    formatter.write_dl(manual.shared_options(), col_max=_NAMES if width - _NAMES >= LEAST_ROOM else 0)
    return f"Options that mean the same on every command, with their environment variables\n\n{formatter.getvalue()}"


def _command(name: str) -> str:
    from sessionctl.cli import manual

    known = {words: (found, context) for words, found, context in manual.commands()}
    if name not in known:
        hint = (
            did_you_mean(name, [*manual.TOPICS, "options", *known]) or "; 'sessionctl help' lists the topics"
        )
        raise UsageError(f"there is no topic and no command {name!r}{hint}")
    found, context = known[name]
    context.terminal_width = click.get_current_context().terminal_width  # as wide as with --help
    return found.get_help(context)
