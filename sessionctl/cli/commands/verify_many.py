"""`sessionctl verify -`: one cookie a line from standard input, an answer a line, in order.

A log has millions of cookies, so this path is lean: formats and what they derive from the keys are made once, a
format that a key settled is tried first for the next cookie of that name, and the answer is written without
building an object for it.
"""

from __future__ import annotations

import re
import sys
import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sessionctl import jsontext
from sessionctl.cli.output import json_text, say, visible
from sessionctl.cli.views.verdicts import line, status_of, unread
from sessionctl.cli.wrapping import fitted
from sessionctl.duration import iso
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.formats import registry
from sessionctl.formats.base import Context
from sessionctl.formats.timed_token import EARLIEST, LATEST
from sessionctl.identify import Setup, identify, judge_like, opened
from sessionctl.sources import Source, read_cookie
from sessionctl.sources.base import no_such_cookie
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

_NAMES = 1 << 10
"""Names of cookies for which it is kept what settled the last one."""
_LONGEST_KEPT = 1 << 12
"""Characters of the longest name, or detail that has one in it, that is kept: browsers send no longer ones."""
_CHUNK = 1 << 16

_SECONDS = [f'{second:02}Z"' for second in range(60)]
_YEAR_9999 = 253_370_764_800
_is_plain = re.compile(
    r"""
    (?![=_])            # padding of the name, and `__chunked__`
    [!-:<-\[\]-~]*      # printable ASCII without spaces, semicolons and backslashes
    [!-+\--:<-\[\]-~]   # no comma at the end
    """,
    re.VERBOSE,
).fullmatch
_USUAL_VALUES = ("v", ".v", "v%3D", "v" * 60, "." + "v" * 60)
_WORDS = {True: "true", False: "false"}


class _Told(NamedTuple):
    """The line to print, the exit status, and whether a cookie of a known format was refused."""

    line: str
    status: int
    refuses: bool


def verify_lines(setup: Setup, look: Look) -> int:
    """Judge every line, and the worst exit status: 0 only if all are genuine."""
    tell = _json_line if look.json else _screen_line if sys.stdout.isatty() else _plain_line
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
    from sessionctl.diagnosis import hints

    told: set[str] = set()
    for number, text in refused.items():
        known = identify(_source(text, setup.cookie_name), setup)
        for hint in hints(known, setup):
            if hint.message not in told:
                told.add(hint.message)
                say(f"hint for line {number}: {hint.message}")


def _answer_of(
    setup: Setup, forms: dict[str, Format], tell: Callable[[str | None, Verdict], str]
) -> Callable[[str], _Told]:
    """What gives the answer to a line, as of now."""
    judge = _named(setup, opened(setup.format, setup, forms)) if setup.format else _detected(setup, forms)

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


def _detected(setup: Setup, forms: dict[str, Format]) -> Callable[[str], tuple[str, Verdict]]:
    """What gives the name of the format that a line turns out to be of, and the verdict.

    The format that a key settled for a cookie is tried first for the next of its name: where a key fits, no other
    can be meant, but for those that sign in the same way, and among these the looks decide as ever. A text that is
    not as the format writes it is judged from the start: by its looks it may be of none.
    """
    likely: dict[str, Callable[[str, str, str], tuple[str, Verdict] | None]] = {}

    def detected(text: str) -> tuple[str, Verdict]:
        head, equals, value = text.partition("=")
        head = head if equals and len(head) <= _LONGEST_KEPT and _is_usual_value(value) else ""
        if head in likely:
            found = likely[head](text, head, value)
            if found is not None and _is_usual(found[1]):
                return found
        known = identify(_source(text, setup.cookie_name), setup, forms=forms)
        if known.settled and not setup.options and (head in likely or len(likely) < _NAMES):
            likely[head] = _like(known.format, setup, forms)
        return known.format.name, known.verdict

    return detected


def _like(
    form: Format, setup: Setup, forms: dict[str, Format]
) -> Callable[[str, str, str], tuple[str, Verdict] | None]:
    """What judges a line, and the pair that it is if it has a usual value, by the format of the one before.

    None where the line is no usual cookie of it, or one of a format that signs like this one.
    """
    name, judge, named = form.name, form.judge, _named(setup, form)
    context, context_of = _contexts(setup, form)
    has_kin = registry.has_kin(name)

    def of_pair(text: str, head: str, value: str) -> tuple[str, Verdict] | None:
        looks: tuple[str, str | None]
        known = context_of(head, "") if head else None
        if known is not None:
            looks = (value, head)
        elif not has_kin:
            return named(text)
        else:
            source = _source(text, setup.cookie_name)
            looks = (source.value or "", source.name)
            known = context._replace(cookie_name=source.name or setup.cookie_name, cookies=source.cookies)
        verdict = judge_like(name, looks, known, setup, forms) if has_kin else judge(value, known)
        return None if verdict is None else (name, verdict)

    return of_pair


def _is_usual(verdict: Verdict) -> bool:
    """Whether a key fits a text that its format writes, at a time at which it may have been written."""
    return (
        verdict.key_index is not None
        and (verdict.issued_at is None or EARLIEST < verdict.issued_at < LATEST)
        and not (verdict.warnings and any(warning.code == "non-canonical" for warning in verdict.warnings))
    )


def _named(setup: Setup, form: Format) -> Callable[[str], tuple[str, Verdict]]:
    name, judge = form.name, form.judge
    context, context_of = _contexts(setup, form)
    keys, _, _, now, max_age, max_size = context

    def named(text: str) -> tuple[str, Verdict]:
        head, equals, value = text.partition("=")
        if equals and _is_usual_value(value):
            known = context_of(head, "")
            if known is not None:
                return name, judge(value, known)
        elif ";" in value:
            value, _, rest = value.partition("; ")
            other, _, second = rest.partition("=")
            known = context_of(head, other)
            if (
                known is not None
                and _is_usual_value(value)
                and _is_usual_value(second)
                and '"' not in text
                and "'" not in text
            ):
                cookies = {head: value, other: second}
                return name, judge(value, Context(keys, head, cookies, now, max_age, max_size))
        source = _source(text, setup.cookie_name)
        if source.value is None:
            raise no_such_cookie(source)
        if source.name is None and not source.cookies:
            return name, judge(source.value, context)
        told = context._replace(cookie_name=source.name or setup.cookie_name, cookies=source.cookies)
        return name, judge(source.value, told)

    return named


def _contexts(setup: Setup, form: Format) -> tuple[Context, Callable[[str, str], Context | None]]:
    """The context of a value alone, and what gives that of a usual name, perhaps with another beside it."""
    context = setup.context(form.name)

    @lru_cache(maxsize=64)
    def context_of(head: str, other: str) -> Context | None:
        usual = _is_usual_name(head, other, setup.cookie_name)
        return context._replace(cookie_name=head) if usual else None  # one pair brings no other cookies along

    return context, context_of


def _is_usual_name(head: str, other: str, wanted: str | None) -> bool:
    """Whether `head=VALUE` is a pair to `read_cookie` for any usual value, as examples of each kind tell.

    With `other`, whether that and `other=VALUE` after it are two: the signature that goes along with a cookie.
    """
    if other not in ("", f"{head}.sig"):
        return False
    if not head.replace("_", "a").replace("-", "a").replace(".", "a").isalnum():
        return False
    for value in _USUAL_VALUES:
        cookies = {head: value, other: value} if other else {head: value}
        text = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if read_cookie(text, wanted) != Source(head, value, cookies):
            return False
    return True


def _is_usual_value(value: str) -> bool:
    """Whether nothing in the value makes more of the line than a pair: no space, semicolon, label of a log, nor
    what a clipboard puts around a text.
    """
    return _is_plain(value) is not None and ("%3D" not in value or "cookie" not in value.lower())


def _source(text: str, name: str | None) -> Source:
    """The cookie of a line: as a COOKIE argument, or a JSON object with `cookie`, perhaps `cookie_name`."""
    if text[:1] == "{" and '"cookie"' in text:
        try:
            value = jsontext.loads(text)
            if isinstance(value["cookie"], str):
                return read_cookie(value["cookie"], value.get("cookie_name") or name)
        except (MalformedError, KeyError):
            pass
    return read_cookie(text, name)


def _plain_line(name: str | None, verdict: Verdict) -> str:
    return f"{visible(line(name or 'no known format', verdict))}\n"


def _screen_line(name: str | None, verdict: Verdict) -> str:
    return "".join(
        f"{part}\n" for part in fitted(visible(line(name or "no known format", verdict)), sys.stdout)
    )


def _json_line(name: str | None, verdict: Verdict) -> str:
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
