"""Every error as one line on stderr, or as an object under --json, with its exit status."""

from __future__ import annotations

import os
import sys

import click

from sessionctl.cli.output import json_text, visible
from sessionctl.errors import SessionctlError

USAGE = 2
STORAGE = 4


def report(error: Exception, arguments: list[str]) -> int:
    """Tell an error and give the exit status; raises what is no error of a user's making."""
    code, message, status = _explain(error)
    if "--json" in arguments or os.environ.get("SESSIONCTL_JSON", "") not in ("", "0"):
        extra = getattr(error, "json_fields", {})
        print(json_text({"error": {"code": code, "message": message}, **extra}))  # noqa: T201 - stdout is the answer
        sys.stdout.flush()
    else:
        print(f"sessionctl: {visible(message)}", file=sys.stderr)  # noqa: T201
    return status


def _explain(error: Exception) -> tuple[str, str, int]:
    if isinstance(error, SessionctlError):
        return error.code, _one_line(str(error)), error.exit_status
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return "usage", _one_line("a command or an argument is missing; --help tells"), USAGE
    if isinstance(error, click.ClickException):
        return "usage", _one_line(_usage(error)), error.exit_code
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


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and _looks_like_cookie(error.option_name):
        message += " (a COOKIE that begins with '-' goes after '--')"
    elif isinstance(error, click.UsageError) and error.ctx is not None:
        message += f" ('{error.ctx.command_path} --help' tells more)"
    return message


def _looks_like_cookie(name: str) -> bool:
    return len(name) < 3 or len(name) > 20 or "." in name  # noqa: PLR2004 - -x of a cookie -xyz.abc


def _one_line(text: str) -> str:
    return " ".join(text.split())
