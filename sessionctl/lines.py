"""The cookies of a log, judged a line each.

A log has millions of them, so this path is lean: what the formats derive from the keys is made once, a format that a
key settled is tried first for the next cookie of that name, and a line that is nothing but a pair is not looked at for
anything else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sessionctl import jsontext
from sessionctl.errors import MalformedError
from sessionctl.formats import registry
from sessionctl.formats.base import Context
from sessionctl.formats.timed_token import EARLIEST, LATEST
from sessionctl.identify import Setup, identify, judge_like, opened
from sessionctl.sources import Source, read_cookie
from sessionctl.sources.base import CLEARING, no_such_cookie

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.formats.base import Format
    from sessionctl.verdict import Verdict

_NAMES = 1 << 10
"""Names of cookies for which it is kept what settled the last one."""
_LONGEST_NAME = 1 << 12
"""Characters of the longest name that is kept: browsers send no longer ones."""

_is_plain = re.compile(
    r"""
    (?![=_])            # padding of the name, and `__chunked__`
    [!-:<-\[\]-~]*      # printable ASCII without spaces, semicolons and backslashes
    [!-+\--:<-\[\]-~]   # no comma at the end
    """,
    re.VERBOSE,
).fullmatch
_USUAL_VALUES = ("v", ".v", "v%3D", "v" * 60, "." + "v" * 60)


def judge_of(setup: Setup, forms: dict[str, Format]) -> Callable[[str], tuple[str, Verdict]]:
    """What gives the name of the format that a line is of, and the verdict, as of now.

    `forms` keeps the formats that were opened. What it gives raises `MalformedCookieError`.
    """
    return judge_as(setup, opened(setup.format, setup, forms)) if setup.format else _detected(setup, forms)


def _detected(setup: Setup, forms: dict[str, Format]) -> Callable[[str], tuple[str, Verdict]]:
    """What gives the name of the format that a line turns out to be of, and the verdict.

    The format that a key settled for a cookie is tried first for the next of its name: where a key fits, no other
    can be meant, but for those that sign in the same way, and among these the looks decide as ever. A text that is
    not as the format writes it is judged from the start: by its looks it may be of none.
    """
    likely: dict[str, Callable[[str, str, str], tuple[str, Verdict] | None]] = {}

    def detected(text: str) -> tuple[str, Verdict]:
        head, equals, value = text.partition("=")
        head = head if equals and len(head) <= _LONGEST_NAME and _is_usual_value(value) else ""
        if head in likely:
            found = likely[head](text, head, value)
            if found is not None and _is_usual(found[1]):
                return found
        known = identify(source_of(text, setup.cookie_name), setup, forms=forms)
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
    name, judge, named = form.name, form.judge, judge_as(setup, form)
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
            source = source_of(text, setup.cookie_name)
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


def judge_as(setup: Setup, form: Format) -> Callable[[str], tuple[str, Verdict]]:
    """What judges a line as one of a format, and gives its name too."""
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
        source = source_of(text, setup.cookie_name)
        if source.value is None:
            raise no_such_cookie(source)
        value = "" if source.clears else source.value
        if source.name is None and not source.cookies:
            return name, judge(value, context)
        told = context._replace(cookie_name=source.name or setup.cookie_name, cookies=source.cookies)
        return name, judge(value, told)

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
    what a clipboard puts around a text; and it is none with which a session is ended.
    """
    if value in CLEARING or _is_plain(value) is None:
        return False
    return "%3D" not in value or "cookie" not in value.lower()


def source_of(text: str, name: str | None) -> Source:
    """The cookie of a line: as a COOKIE argument, or a JSON object with `cookie`, perhaps `cookie_name`."""
    if text[:1] == "{" and '"cookie"' in text:
        try:
            value = jsontext.loads(text)
            cookie, own_name = value["cookie"], value.get("cookie_name")
            if isinstance(cookie, str):
                return read_cookie(cookie, own_name if own_name and isinstance(own_name, str) else name)
        except (MalformedError, KeyError):
            pass
    return read_cookie(text, name)
