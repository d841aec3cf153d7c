"""`sessionctl verify -`: one cookie a line from standard input, an answer a line, in order."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from sessionctl.cli.output import say
from sessionctl.cli.views.verdict_lines import json_line, plain_line, screen_line
from sessionctl.cli.views.verdicts import status_of, unread
from sessionctl.errors import MalformedCookieError
from sessionctl.identify import Setup, identify
from sessionctl.lines import judge_of, source_of
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    from sessionctl.cli.options import Look
    from sessionctl.formats.base import Format
    from sessionctl.verdict import Verdict

MAX_LINE = 1 << 20
_EXPLAINED = 3
"""Refused lines of a known format that are looked at for what would mend them, which takes a while."""

_CHUNK = 1 << 16


class _Told(NamedTuple):
    """The line to print, the exit status, and whether a cookie of a known format was refused."""

    line: str
    status: int
    refuses: bool


def verify_lines(setup: Setup, look: Look) -> int:
    """Judge every line, and the worst exit status: 0 only if all are genuine."""
    tell = json_line if look.json else screen_line if sys.stdout.isatty() else plain_line
    forms: dict[str, Format] = {}
    worst, made, before = 0, None, 0
    answers: list[str] = []
    refused: dict[int, str] = {}
    for lines in _lines():
        if made is None or (setup.now is None and time.monotonic() - made >= 1):  # time goes on in `tail -f`
            answer, made = _answer_of(setup, forms, tell), time.monotonic()
        known: dict[str, _Told] = {}  # a user sends the same cookie with each request
        try:
            for text in lines:
                told = known.get(text)
                if told is None:
                    told = known[text] = answer(text)
                    worst = max(worst, told.status)
                answers.append(told.line)
                if told.refuses and len(refused) < _EXPLAINED:
                    refused[before + len(answers)] = text
        finally:
            sys.stdout.write("".join(answers))
            sys.stdout.flush()
            before += len(answers)
            answers.clear()
    if made is None:
        raise MalformedCookieError("standard input is empty: no cookie was judged")
    if not (look.quiet or look.json):
        _explain(refused, setup)
    return worst


def _explain(refused: dict[int, str], setup: Setup) -> None:
    """What would mend the first lines that were refused, by their numbers, as `verify` of one cookie tells it."""
    from sessionctl.diagnosis import mistakes

    told: set[str] = set()
    for number, text in refused.items():
        known = identify(source_of(text, setup.cookie_name), setup)
        for hint in mistakes(known, setup):
            if hint.message not in told:
                told.add(hint.message)
                say(f"hint for line {number}: {hint.message}")


def _answer_of(
    setup: Setup, forms: dict[str, Format], tell: Callable[[str | None, Verdict], str]
) -> Callable[[str], _Told]:
    """What gives the answer to a line, as of now."""
    judge = judge_of(setup, forms)

    def answer(text: str) -> _Told:
        name: str | None
        try:
            name, verdict = judge(text)
        except MalformedCookieError as error:
            name, verdict = None, unread(setup, str(error))
        if verdict.valid:
            return new_tuple(_Told, (tell(name, verdict), 0, False))
        return _Told(tell(name, verdict), status_of(verdict), refuses=name is not None)

    return answer


def _lines() -> Iterator[list[str]]:
    """The lines that have come, as soon as they have: many at a time from a file, one from `tail -f`.

    Of a line that is too long to be a cookie the first part is judged.
    """
    if sys.stdin is None:
        return
    stream: BufferedReader = sys.stdin.buffer  # type: ignore[assignment]
    if stream.isatty():
        say("reading cookies, one a line; end with Ctrl-D")
    rest = b""
    while data := stream.read1(_CHUNK):
        if len(rest) == MAX_LINE and b"\n" not in data:
            continue
        if len(rest) == MAX_LINE:
            data = data[data.index(b"\n") :]
        whole, newline, rest = (rest + data).rpartition(b"\n")
        rest = rest[:MAX_LINE]
        if newline:
            yield _texts(whole)
    if rest:
        yield _texts(rest)


def _texts(data: bytes) -> list[str]:
    return [text.strip() for text in data.decode(errors="surrogateescape").split("\n")]
