"""Every error as one line on stderr, or as an object under --json, with its exit status."""

from __future__ import annotations

import os
import sys

import click

from sessionctl.cli.output import LONGEST_SHOWN, json_text, say
from sessionctl.errors import MalformedCookieError, SessionctlError

YES = frozenset({"1", "true", "t", "yes", "y", "on"})
"""The words that click takes for yes."""

_FILE_OPTIONS = frozenset({"--har", "--cookie-jar", "--secret-file"})

USAGE = 2
STORAGE = 4


def report(error: Exception, arguments: list[str]) -> int:
    """Tell an error and give the exit status; raises what is no error of a user's making."""
    code, message, status = _explain(error, arguments)
    if not _wants_json(arguments):
        say(message)
        return status
    extra = getattr(error, "json_fields", {})
    try:
        print(json_text({"error": {"code": code, "message": message}, **extra}), flush=True)  # noqa: T201
    except BrokenPipeError:
        raise
    except OSError:
        say(message)  # the disk behind standard output is full
        return STORAGE
    return status


def _wants_json(arguments: list[str]) -> bool:
    """Whether the answer is JSON; the command line may be one that click could not read."""
    asked = os.environ.get("SESSIONCTL_JSON", "").lower() in YES
    return sys.stdout is not None and ("--json" in arguments or asked)


def _explain(error: Exception, arguments: list[str]) -> tuple[str, str, int]:
    if isinstance(error, SessionctlError):
        message = f"{error}{_file_hint(arguments)}" if isinstance(error, MalformedCookieError) else f"{error}"
        return error.code, _one_line(message), error.exit_status
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return "usage", _missing(error.ctx), USAGE
    if isinstance(error, click.ClickException):
        return "usage", _one_line(_without_cookies(_usage(error), arguments)), error.exit_code
    if isinstance(error, OSError):
        return (
            "io",
            _one_line(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")),
            STORAGE,
        )
    if isinstance(error, RecursionError):
        return "malformed", "the input is nested too deep", 3
    message = f"internal error, {type(error).__name__}; SESSIONCTL_DEBUG=1 shows where"
    return "internal", message, 70


def _missing(ctx: click.Context | None) -> str:
    if ctx is None or not isinstance(ctx.command, click.Group):
        return "an argument is missing; --help tells"
    return f"{ctx.command_path} takes a command: {', '.join(ctx.command.list_commands(ctx))}"


def _usage(error: click.ClickException) -> str:
    if (
        isinstance(error, click.BadParameter)
        and isinstance(error.param, click.Option)
        and error.param.is_flag
    ):
        return f"{error.param.envvar} is yes or no: 1, true, yes, on, or 0, false, no, off"  # no other way to be wrong
    message = error.format_message()
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is None:
        return message
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        if isinstance(ctx.command, click.Group):
            if _is_of_a_command(name, ctx.command, ctx):
                return f"{name} goes after the command: {ctx.command_path} COMMAND {name} ..."
        elif _looks_like_cookie(name) and _takes_cookie(ctx):
            return f"{message} (a COOKIE that begins with '-' goes after '--')"
    return f"{message} ('{ctx.command_path} --help' tells more)"


def _without_cookies(message: str, arguments: list[str]) -> str:
    """The message without long arguments, which may be a cookie, an ID or a secret."""
    for word in sorted(arguments, key=len, reverse=True):
        for part in {word, *word.split("=", 1)}:
            if len(part) > LONGEST_SHOWN:
                message = message.replace(part, f"a text of {len(part)} characters")
    return message


def _file_hint(arguments: list[str]) -> str:
    """How to read the file that an argument names where a cookie was wanted."""
    if arguments[:1] == ["timeline"]:  # it has read the file
        return ""
    for before, word in zip(["", *arguments], arguments, strict=False):
        if "." in word and before not in _FILE_OPTIONS and os.path.isfile(word):
            return f"; {word} is a file: {'--har ' if word.endswith('.har') else '@'}{word} reads it"
    return ""


def _is_of_a_command(option: str, group: click.Group, ctx: click.Context) -> bool:
    """Whether a command has the option that its group has not."""
    commands = filter(None, (group.get_command(ctx, name) for name in group.list_commands(ctx)))
    return any(option in param.opts for command in commands for param in command.params)


def _takes_cookie(ctx: click.Context) -> bool:
    return any(
        "COOKIE" in (param.metavar or "") for param in ctx.command.params if isinstance(param, click.Argument)
    )


def _looks_like_cookie(name: str) -> bool:
    return len(name) < 3 or len(name) > 20 or "." in name  # noqa: PLR2004 - -x of a cookie -xyz.abc


def _one_line(text: str) -> str:
    return " ".join(text.split())
