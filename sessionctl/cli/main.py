"""The group of commands: each is imported when it is called, and every error is told in one place."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click

from sessionctl import __version__
from sessionctl.cli import page
from sessionctl.cli.page import EXIT_STATUS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

GROUPS = {
    "Cookies": {
        "inspect": "everything about a cookie",
        "decode": "what it says, without key",
        "verify": "is it genuine, by which key",
        "timeline": "its story over a visit",
    },
    "Sessions": {
        "create": "make one, print its cookie",
        "get": "print a value",
        "set": "set values",
        "unset": "remove values",
        "flash": "message for next request",
        "regenerate": "give a session a new ID",
        "destroy": "end one, or all that match",
        "diff": "what differs between two",
    },
    "Stores": {
        "list": "list stored sessions",
        "stats": "counts, sizes, ages",
        "watch": "what happens to it, live",
        "doctor": "what is wrong, how to mend",
        "purge": "delete old sessions",
        "copy": "from one store to another",
        "export": "write sessions to a file",
        "import": "store a file's sessions",
    },
    "This tool": {
        "formats": "all formats; one's options",
        "config": "show and check settings",
        "secret": "make a secret",
        "help": "print a page of the manual",
        "completion": "TAB for bash, zsh and fish",
    },
}
"""The commands as the help groups them, each in so few words that two stand in a line of 80 columns."""

COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}

OTHER_WORDS = {
    "show": "inspect", "view": "inspect", "info": "inspect", "check": "verify", "validate": "verify",
    "decrypt": "decode", "parse": "decode", "new": "create", "make": "create", "add": "create", "edit": "set",
    "delete": "destroy", "del": "destroy", "rm": "destroy", "remove": "destroy", "kill": "destroy", "end": "destroy",
    "logout": "destroy", "revoke": "destroy", "rotate": "regenerate", "renew": "regenerate", "ls": "list",
    "clean": "purge", "cleanup": "purge", "gc": "purge", "expire": "purge", "cp": "copy", "mv": "copy",
    "move": "copy", "migrate": "copy", "dump": "export", "backup": "export", "load": "import", "restore": "import",
    "follow": "watch", "monitor": "watch", "har": "timeline", "man": "help", "key": "secret", "init": "config",
}  # fmt: skip
"""Words that other tools have for these commands, for the hint at a command that is not there."""

_MODULES = {"import": "import_"}
"""The modules of commands whose name is a word of Python."""

INTERRUPTED = 130
BROKEN_PIPE = 141


WIDE = 76
"""Columns that two commands side by side take."""


NARROW = 52
"""Columns below which click would print beyond the edge."""


class Commands(click.Group):
    """Commands by name, each in the module of that name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """The names of the commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        cmd_name = _MODULES.get(cmd_name, cmd_name)
        command: click.Command = import_module(f"sessionctl.cli.commands.{cmd_name}").command
        return command

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """The commands by name, without importing any of them."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)
        ]
        return found if not incomplete.startswith("-") else super().shell_complete(ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands by their groups, two in a line where there is room."""
        for title, group in GROUPS.items():
            formatter.write(f"{title}:\n")
            cells = [f"{name:<10} {text}" for name, text in group.items()]
            half = (len(cells) + 1) // 2 if formatter.width >= WIDE else len(cells)
            for left, right in zip_longest(cells[:half], cells[half:], fillvalue=""):
                formatter.write(f"  {left:<39}{right}".rstrip() + "\n")
        formatter.write_text(EXIT_STATUS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest name where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from sessionctl.wording import did_you_mean

            word = args[0] if args else ""
            hint = did_you_mean(OTHER_WORDS.get(word.lower(), word), COMMANDS)
            hint = hint or "; 'sessionctl --help' lists the commands"
            raise click.UsageError(f"there is no command {word!r}{hint}") from None

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and end with its exit status; see `docs/exit-codes.md`."""
        arguments = list(sys.argv[1:] if args is None else args) or ["--help"]
        pressed_tab = "_SESSIONCTL_COMPLETE" in os.environ
        if pressed_tab and "COMP_WORDS" not in os.environ:  # else click's own protocol
            from sessionctl.cli.completion import shells as shells
        if pressed_tab or not standalone_mode:
            return super().main(arguments, prog_name, complete_var, standalone_mode, **extra)
        extra.setdefault("terminal_width", _narrow())
        status = _run(lambda: self._answer(arguments, prog_name or "sessionctl", extra), arguments)
        _end_messages()
        atexit.register(gc.freeze)  # all memory goes back at the end: no need to look for garbage in it
        sys.exit(status)

    def _answer(self, arguments: list[str], name: str, extra: dict[str, Any]) -> Any:
        """The exit status. click's own `main` makes 1 of a closed pipe, which here says that the answer is no."""
        try:
            with self.make_context(name, arguments, **extra) as ctx:
                return self.invoke(ctx)
        except click.exceptions.Exit as done:
            return done.exit_code


def _narrow() -> int | None:
    """The columns of a terminal that is narrower than click's help can be; None: as click does it."""
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
    except (OSError, ValueError):
        return None  # no terminal
    return columns if columns < NARROW else None


def _end_line() -> None:
    """Leave the line at which somebody pressed Ctrl-C, so that the prompt begins its own."""
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(err=True)


def _run(call: Any, arguments: list[str]) -> int:
    """Run, and turn whatever is raised into one line and an exit status."""
    try:
        if sys.stdout is None:
            raise click.UsageError("standard output is closed: there is nowhere to answer")
        _print_anything()
        status = call()
        sys.stdout.flush()
    except BrokenPipeError:
        return _broken_pipe()
    except (KeyboardInterrupt, click.Abort):
        _end_line()
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told here
        from sessionctl.cli.failure import report

        if os.environ.get("SESSIONCTL_DEBUG", "") not in ("", "0"):
            _print_traceback(error)
        try:
            failed: int = report(error, arguments)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            return _broken_pipe()
        except OSError:
            _broken_pipe()  # a full disk behind it: Python must not try again at its end
        return failed
    return status if isinstance(status, int) else 0


def _print_traceback(error: Exception) -> None:
    """Show on stderr where an error was raised; the answer and the exit status stay what they are."""
    import traceback

    from sessionctl.cli.output import visible

    if sys.stderr is not None:
        with suppress(OSError):
            for line in "".join(traceback.format_exception(error)).splitlines():
                click.echo(visible(line), err=True)


def _print_anything() -> None:
    """Have a standard output that is not UTF-8 show what it has no character for, in place of an error."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() not in ("utf-8", "utf8"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _broken_pipe() -> int:
    """Whoever took standard output is gone: say nothing more, and end as `SIGPIPE` would."""
    if sys.stdout is not None:
        _drop(sys.stdout)
    return BROKEN_PIPE


def _end_messages() -> None:
    """Have messages that cannot be written forgotten: Python would try again at its end, and make that the status."""
    if sys.stderr is not None:
        try:
            sys.stderr.flush()
        except OSError:
            _drop(sys.stderr)


def _drop(stream: TextIO) -> None:
    """Send the rest of a stream nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="",
    subcommand_metavar="COMMAND [OPTIONS] ...",
    add_help_option=False,
)
@page.told("-V", "--version", help="Print the version.", tell=lambda _: f"sessionctl {__version__}")
@page.told("-h", "--help", help="Print this page.", tell=click.Context.get_help)
def main() -> None:
    """Read, change and end the sessions of any web framework: cookies and stores.

    \b
    Begin with: sessionctl inspect "$COOKIE"    More: sessionctl COMMAND --help
    """
