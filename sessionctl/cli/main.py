"""The group of commands: each is imported when it is called, and every error is told in one place."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from sessionctl import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "create": "Make and store a session, and print its cookie.",
    "decode": "Print what a cookie says; no key needed.",
    "inspect": "Tell everything about a cookie: format, signature, age, stored record, what is odd.",
    "verify": "Is it genuine, and with which key?",
    "diff": "Tell what differs between two sessions.",
    "timeline": "Tell a session's story over a recorded visit.",
    "get": "Print a value of a session.",
    "set": "Set values, and print the cookie.",
    "unset": "Remove values, and print the cookie.",
    "flash": "Leave a message for the next request, and print the cookie.",
    "regenerate": "Give a session a new ID, and print the new cookie.",
    "destroy": "End a session, or all that match.",
    "list": "List stored sessions.",
    "watch": "Tell live what happens to stored sessions.",
    "stats": "Tell what is in a store.",
    "copy": "Copy sessions from one store to another.",
    "export": "Write stored sessions to a file.",
    "import": "Store the sessions of a file.",
    "doctor": "Tell what is wrong with a store, and how to mend it.",
    "purge": "Delete old sessions from a store.",
    "formats": "List the formats, or the options of one.",
    "config": "Show where settings come from; begin, check and trust a configuration.",
    "secret": "Make a secret.",
    "help": "Print a page of the manual: a topic or a command.",
    "completion": "Print the completion script of a shell.",
}

_MODULES = {"import": "import_"}
"""The modules of commands whose name is a word of Python."""

EXIT_STATUS = (
    "Exit: 0 done or yes, 1 no, 2 wrong usage, 3 unreadable input, 4 storage failed, 130 interrupted."
)

INTERRUPTED = 130
BROKEN_PIPE = 141


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
        command: click.Command = import_module(f"sessionctl.cli.{cmd_name}").command
        for one in (command, *getattr(command, "commands", {}).values()):
            one.epilog = one.epilog or EXIT_STATUS
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
        """List the commands with what they do."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest name where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            import difflib

            word = args[0] if args else ""
            near = difflib.get_close_matches(word, COMMANDS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else "; 'sessionctl --help' lists the commands"
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
        if not standalone_mode:
            return super().main(arguments, prog_name, complete_var, standalone_mode=False, **extra)
        name = prog_name or "sessionctl"
        sys.exit(
            _run(lambda: super(Commands, self).main(arguments, name, complete_var, False, **extra), arguments)
        )


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
        return INTERRUPTED
    except Exception as error:
        from sessionctl.cli.failure import report

        if os.environ.get("SESSIONCTL_DEBUG", "") not in ("", "0"):
            raise
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


def _print_anything() -> None:
    """Have a standard output that is not UTF-8 show what it has no character for, in place of an error."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() not in ("utf-8", "utf8"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _broken_pipe() -> int:
    """Whoever took standard output is gone: say nothing more, and end as `SIGPIPE` would."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_STATUS,
)
@click.version_option(__version__, "-V", "--version", message="sessionctl %(version)s")
def main() -> None:
    """Look into the session cookies and stores of any web framework, and change or end their sessions.

    Begin with: sessionctl inspect "$COOKIE"
    """
