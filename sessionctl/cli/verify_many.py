"""`sessionctl verify -`: one cookie a line from standard input, an answer a line, in order."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from sessionctl.errors import MalformedError, SessionctlError

if TYPE_CHECKING:
    from sessionctl.cli.options import Look
    from sessionctl.identify import Identified, Setup

MAX_LINE = 1 << 20
MALFORMED = 3


def verify_lines(setup: Setup, look: Look) -> int:
    """Judge every line, and the worst exit status: 0 only if all are genuine."""
    from sessionctl.cli.verify import status

    worst = 0
    write = sys.stdout.write
    tell = _teller(look)
    for text in _lines():
        try:
            known = _judge(text, setup)
        except SessionctlError as error:
            write(_failure(error, look))
            worst = max(worst, error.exit_status)
            continue
        write(tell(known))
        worst = max(worst, status(known))
    return worst


def _lines() -> Iterator[str]:
    stream = sys.stdin.buffer
    if stream.isatty():
        click.echo("sessionctl: reading cookies, one a line; end with Ctrl-D", err=True)
    while line := stream.readline(MAX_LINE):
        text = line.decode(errors="surrogateescape").strip()
        if text:
            yield text


def _judge(text: str, setup: Setup) -> Identified:
    from sessionctl.identify import identify
    from sessionctl.sources import read_cookie

    name = setup.cookie_name
    if text.startswith("{") and '"cookie"' in text:
        text, name = _from_json(text, name)
    return identify(read_cookie(text, name), setup)


def _from_json(text: str, name: str | None) -> tuple[str, str | None]:
    """The cookie of a JSON line: its `cookie`, with its `cookie_name` where it has one."""
    from sessionctl import jsontext

    try:
        value = jsontext.loads(text)
        cookie = value["cookie"]
    except (MalformedError, KeyError):
        return text, name
    return (cookie, value.get("cookie_name") or name) if isinstance(cookie, str) else (text, name)


def _teller(look: Look) -> Callable[[Identified], str]:
    from sessionctl.cli.output import json_text, visible
    from sessionctl.cli.verify import answer, line

    if look.json:
        return lambda known: f"{json_text(answer(known))}\n"
    return lambda known: f"{visible(line(known))}\n"


def _failure(error: SessionctlError, look: Look) -> str:
    from sessionctl.cli.output import visible

    if not look.json:
        return f"{visible(str(error))}\n"
    answer: dict[str, Any] = {"error": {"code": error.code, "message": str(error)}}
    return f"{json.dumps(answer)}\n"
