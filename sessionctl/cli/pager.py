"""A pager for what is longer than the screen: on a terminal alone, as git and man do it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from itertools import chain
from typing import IO, TYPE_CHECKING

import click

from sessionctl.cli.color import is_dumb

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator

OFF = "sessionctl.no_pager"
"""Where `--no-pager` leaves its word, in `click.Context.meta`, which all contexts of a run share."""

LESS = "FRX"
"""git's: end where all fits, let colours through, leave the text on the screen. Where the user has set options,
only the second is added to them.
"""


def show(lines: Iterable[str]) -> None:
    """Print lines as they come; on a terminal with fewer rows than they take, through the pager."""
    program = _program() if sys.stdout.isatty() else None
    if program is None:
        _print(lines)
        return
    rest = iter(lines)
    screen, is_all = _screenful(rest)
    if is_all:
        _print(screen)
    else:
        _page(program, screen, rest)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line, color=True)


def _program() -> str | None:
    """The pager's command line; None where none is wanted or there is none."""
    context = click.get_current_context(silent=True)
    if is_dumb() or (context is not None and OFF in context.meta):
        return None
    names = (os.environ.get(name) for name in ("SESSIONCTL_PAGER", "PAGER"))
    named = next((name for name in names if name is not None), None)
    if named is not None:
        return None if named.strip() in ("", "cat") else named
    from shutil import which

    return which("less")


def _screenful(lines: Iterator[str]) -> tuple[list[str], bool]:
    """Lines until the screen is full, with a row left for the prompt, and whether those were all."""
    from shutil import get_terminal_size

    columns, rows = get_terminal_size()
    taken: list[str] = []
    left = rows - 1
    for line in lines:
        taken.append(line)
        left -= sum(max(1, -(-len(click.unstyle(part)) // columns)) for part in line.split("\n"))
        if left < 0:
            return taken, False
    return taken, True


def _page(program: str, screen: list[str], rest: Iterator[str]) -> None:
    """Feed the pager and wait for it. A Ctrl-C is its own affair, but it ends what is still being read."""
    import subprocess

    # `trap :` keeps the shell alive at Ctrl-C; the pager itself gets the signal as ever.
    process = subprocess.Popen(  # noqa: S603 - the user's own choice of a program
        ["/bin/sh", "-c", f"trap : INT; {program}"],
        stdin=subprocess.PIPE,
        text=True,
        encoding=sys.stdout.encoding,
        errors="backslashreplace",
        env=_environment(),
    )
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    try:
        lines = chain(screen, rest)
        _feed(process.stdin, map(click.unstyle, lines) if _shows_codes(program) else lines)
    except BrokenPipeError:
        pass  # quit before the end: enough was seen
    finally:
        _wait(process, process.stdin)


def _environment() -> dict[str, str]:
    """What the pager is told beside its command line: less and lv to let colours through."""
    own = os.environ.get("LESS")
    return {"LV": "-c", **os.environ, "LESS": LESS if own is None else f"R {own}"}


def _shows_codes(program: str) -> bool:
    """Whether a pager may show the codes of colours: where `more` is less by another name it does."""
    return os.path.basename(program.split(maxsplit=1)[0]) == "more"


def _feed(stream: IO[str], lines: Iterable[str]) -> None:
    for line in lines:
        stream.write(f"{line}\n")
    stream.flush()


def _wait(process: subprocess.Popen[str], stream: IO[str]) -> None:
    import signal

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with suppress(BrokenPipeError):
            stream.close()
        process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
