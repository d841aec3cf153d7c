"""What is longer than a header: tell what was pasted, and hand it to the module that reads it."""

from __future__ import annotations

import re
from urllib.parse import unquote

from sessionctl.errors import MalformedCookieError
from sessionctl.sources import (
    LONGEST_NAME,
    browser_json,
    curl,
    devtools,
    headers,
    jar,
    log,
    printed,
    read_line,
)
from sessionctl.sources.base import TOKEN, Source, is_name, is_set_cookie
from sessionctl.sources.likeliest import SESSION_NAME, SURE, sureness

_SOFT = 30
"""Characters of a line from which a `=` at its end is no name's, but a mail's (quoted-printable)."""

SURE_OF_JSON = 0.9
"""The sureness from which a JSON text is itself the value of a cookie, and not searched for one."""

SURE_OF_WHOLE = 0.9
"""The sureness from which lines are one cookie that was broken, and not looked at one by one."""

_ASSIGNED = re.compile(r"(?:export\s+)?(\w+)='([^']+)'")
"""A variable of a shell that was given the cookie, in the quotes that no cookie has."""

_QUOTES = "'\"`"
_IN_QUOTES = r'"(?:[^"\\]++|\\.)*+"'


def read_pasted(text: str, name: str | None) -> Source | None:
    """The cookie in a longer text; None where it turns out to be a value, a pair or a header after all."""
    inside = _without_fence(text)
    if inside != text:
        return _noted(inside, name, "the code block around it was taken off")
    if text[0] == "{" and sureness(text) >= SURE_OF_JSON:
        return None
    for read in _READERS:
        basket = read(text)
        if basket is not None:
            return basket.source(name)
    unquoted = _without_quotes(text)
    if unquoted is not None:
        return _noted(unquoted, name, "the quotes around it were taken off")
    if "\n" in text:
        return _broken_lines(text, name)
    if text[0] == text[-1] == '"' and sureness(text, name) >= SURE:
        return None
    basket = None if _is_header(text) or text.startswith(f"{name}=") else log.read_log(text)
    if basket is not None:
        return basket.source(name)
    return _decoded(text, name)


_READERS = (
    browser_json.read_json,
    curl.read_curl,
    jar.read_jar,
    devtools.read_rows,
    devtools.read_fields,
    devtools.read_powershell,
    headers.read_block,
    printed.read_printed,
)


def _without_fence(text: str) -> str:
    """The text inside a code block of Markdown."""
    first, _, rest = text.partition("\n")
    if not first.startswith("```") or not rest.endswith("```"):
        return text
    return rest.removesuffix("```").strip() or text


def _is_header(text: str) -> bool:
    """Whether a line is a header of cookies or its pairs, not a line of a log."""
    if re.match(r"(?i)(?:set-)?cookie\s*:", text):
        return True
    head, equals, rest = text.partition("=")
    if not equals or not TOKEN.issuperset(head):
        return False
    if log.LABEL.search(text):  # a cookie's own name may end in the word
        return "=" not in rest and re.fullmatch(_IN_QUOTES, rest) is not None
    return is_set_cookie(text) or ";" in rest or "=" not in rest or " " not in rest or _is_value(rest, head)


def _is_value(text: str, name: str) -> bool:
    """Whether what follows a name is one value that has spaces and `=` inside, not words of a log."""
    if sureness(text, name) >= SURE:
        return True
    if not re.fullmatch(_IN_QUOTES, text):
        return False
    head, _, value = text[1:-1].partition("=")
    is_pair = TOKEN.issuperset(head) and (SESSION_NAME.search(head) or sureness(value, head) >= SURE)
    return not is_pair


def _again(text: str, name: str | None) -> Source:
    return read_pasted(text, name) or read_line(text, name)


def _noted(text: str, name: str | None, note: str) -> Source:
    found = _again(text, name)
    return found._replace(notes=(note, *found.notes))


def _without_quotes(text: str) -> str | None:
    """The text inside the quotes of a shell or a program; None where the quotes belong to the value."""
    if (assigned := _ASSIGNED.fullmatch(text)) is not None:
        return assigned[2] if "=" in assigned[2] else f"{assigned[1]}={assigned[2]}"
    if len(text) < 3 or text[0] not in _QUOTES or text[-1] != text[0]:  # noqa: PLR2004 - quotes and something
        return None
    inner = text[1:-1].strip()
    if not inner or text[0] in inner:
        return None
    if text[0] != '"' or inner.partition(":")[0].lower() in ("cookie", "set-cookie"):
        return inner
    head = inner.partition("=")[0]
    if head != inner and TOKEN.issuperset(head) and SESSION_NAME.search(head):
        return inner
    return inner if sureness(text) < SURE <= sureness(inner) else None


def _broken_lines(text: str, name: str | None) -> Source | None:
    """Several cookies, one a line; or one that copying has broken over lines."""
    lines = [line.strip() for line in text.splitlines()]
    basket = None if _is_one(lines, name) else log.read_log(text)
    if basket is not None:
        return basket.source(name)
    if len(lines) == 2 and len(lines[0]) < _SOFT and SESSION_NAME.search(lines[0]):  # noqa: PLR2004
        pair = "=".join(lines)
        if TOKEN.issuperset(lines[0]) and sureness(lines[1], lines[0]) >= SURE:
            return read_line(pair, name)
    if all(len(line) > _SOFT and line.endswith("=") for line in lines[:-1]):
        lines = [*(line[:-1] for line in lines[:-1]), lines[-1]]  # the soft line breaks of a mail
    joined = "".join(lines)
    if any(" " in line for line in lines) and not TOKEN.issuperset(joined.partition("=")[0]):
        _refuse_prose(text, joined)
    return _noted(joined, name, "the line breaks inside it were taken out")


def _is_one(lines: list[str], name: str | None) -> bool:
    """Whether lines are surely one cookie that was broken, and the first alone is none.

    The padding of base64 at the end of a part looks like the name of a pair.
    """
    if any(" " in line or "\t" in line for line in lines):
        return False
    whole, first = (read_line(text, name) for text in ("".join(lines), lines[0]))
    if not whole.value or sureness(whole.value, whole.name) < SURE_OF_WHOLE:
        return False
    return not first.value or sureness(first.value, first.name) < SURE


def _refuse_prose(text: str, joined: str) -> None:
    """Raise `MalformedCookieError` for lines of words in which no reader has found a cookie."""
    if sureness(joined) >= SURE:
        return
    if re.match(r"(?:await )?fetch\(|\$session = New-Object|Invoke-WebRequest", text):
        raise MalformedCookieError(
            "this request has no cookie in it, as the browser adds it; copy it as cURL, or as fetch (Node.js)"
        )
    raise MalformedCookieError(
        f"there is no cookie in these {len(text.splitlines())} lines: no header, no name=value, no session"
    )


def _decoded(text: str, name: str | None) -> Source | None:
    """A pair that was percent-encoded together with its name.

    A value that was encoded twice stays as it is: what the framework would read is the answer, and a hint tells.
    """
    plain = unquote(text)
    head, equals, _ = plain.partition("=")
    if (
        "=" not in text
        and equals
        and len(head) <= LONGEST_NAME
        and is_name(head)
        and SESSION_NAME.search(head)
    ):
        return _noted(plain, name, "it was percent-encoded together with its name, and has been decoded")
    return None
