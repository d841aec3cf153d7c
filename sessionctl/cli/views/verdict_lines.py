"""The line that `verify -` prints of a verdict, without an object being built for it."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from sessionctl.cli.output import json_text, visible
from sessionctl.cli.views.verdicts import line
from sessionctl.cli.wrapping import fitted
from sessionctl.duration import iso

if TYPE_CHECKING:
    from sessionctl.verdict import Verdict

_LONGEST_KEPT = 1 << 12
"""Characters of the longest detail that is kept: it may have the name of a cookie in it."""

_SECONDS = [f'{second:02}Z"' for second in range(60)]
_YEAR_9999 = 253_370_764_800
_WORDS = {True: "true", False: "false"}


def plain_line(name: str | None, verdict: Verdict) -> str:
    """As `verify` of one cookie tells it, whole."""
    return f"{visible(line(name or 'no known format', verdict))}\n"


def screen_line(name: str | None, verdict: Verdict) -> str:
    """The same, broken between words where the terminal ends."""
    return "".join(
        f"{part}\n" for part in fitted(visible(line(name or "no known format", verdict)), sys.stdout)
    )


def json_line(name: str | None, verdict: Verdict) -> str:
    """As `json_text(answer(...))`, in a fifth of the time; a test holds the two together."""
    valid, reason, detail, index, keys, resign, issued_at, expires_at, expired, _, _, warns = verdict
    warnings = ",".join([json_text(warning._asdict()) for warning in warns]) if warns else ""
    start = _json_start if len(detail) <= _LONGEST_KEPT else _json_start.__wrapped__
    return (
        f'{start(name, valid, index, keys, resign, reason, detail)}"issued_at":{_moment(issued_at)},'
        f'"expires_at":{_moment(expires_at)},"expired":{_WORDS[expired]},"warnings":[{warnings}]}}\n'
    )


@lru_cache(maxsize=1024)
def _json_start(
    name: str | None, valid: bool, index: int | None, keys: int, resign: bool, reason: str | None, detail: str
) -> str:
    """What a line begins with, which few different lines do."""
    return (
        f'{{"valid":{_WORDS[valid]},"format":{_quoted(name)},"key_index":{"null" if index is None else index},'
        f'"keys":{keys},"needs_resign":{_WORDS[resign]},"reason":{_quoted(reason)},"detail":{json_text(detail)},'
    )


def _moment(seconds: float | None) -> str:
    """The JSON of `iso`, with the text of the minute kept: a log has many cookies of one minute."""
    if seconds is None:
        return "null"
    if 0 <= seconds < _YEAR_9999:
        whole = int(seconds)
        if whole == seconds:
            return _minute(whole // 60) + _SECONDS[whole % 60]
    return _quoted(iso(seconds))


@lru_cache(maxsize=1 << 15)
def _minute(minutes: int) -> str:
    """The JSON of a moment up to its seconds."""
    return f'"{(iso(minutes * 60) or "").removesuffix("00Z")}'


def _quoted(word: str | None) -> str:
    return "null" if word is None else f'"{word}"'
