"""Where cookie text comes from: whatever a person pasted, a file, a recorded visit.

The way in is `read_cookie`: it takes a text and gives the one cookie that is meant, as the header carried it
(quotes and percent signs stay), with the cookies that came along. A bare value, a pair and a header are read
here and in `base`; the modules for what is longer are imported when such a text comes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from sessionctl.errors import MalformedCookieError, UsageError
from sessionctl.sources.base import (
    Source,
    choose,
    is_name,
    is_padded_base64,
    is_set_cookie,
    join_chunks,
    parse_cookie_header,
    parse_set_cookie,
    pick,
    pick_sent,
    split_set_cookies,
)
from sessionctl.sources.text import decode_text, tidy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Source",
    "choose",
    "decode_text",
    "join_chunks",
    "open_file",
    "parse_cookie_header",
    "read_cookie",
    "read_cookie_jar",
    "read_file",
    "read_har",
]

LONGEST_NAME = 40
"""Characters over which `TEXT=` is no name with an empty value, but a value that ends in padding."""

VARIABLES = frozenset({"COOKIE", "HTTP_COOKIE"})
"""Names of variables that hold a cookie or its header, in a shell and in CGI's environment; no cookie's own."""

MAX_FILE = 256 << 20
"""Bytes of the largest file that is read as a whole: a recorded visit may be long, a device never ends."""


def read_cookie(text: str, cookie_name: str | None = None) -> Source:
    """The cookie in whatever was pasted: a value, `name=value`, headers, a curl command, a HAR, a log line, ...

    Of several cookies it is the one named `cookie_name`, else the one that looks most like a session; chunks
    (`NAME.0`, `NAME-1`) are joined. Raises `MalformedCookieError` where there is no cookie at all.
    """
    text, notes = tidy(text)
    if not text:
        raise MalformedCookieError("the cookie is empty")
    found = None
    if _is_longer(text):
        from sessionctl.sources.pasted import read_pasted

        found = read_pasted(text, cookie_name)
    if found is None:
        found = read_line(text, cookie_name)
    if found.value is None and len(found.cookies) == 1 and _is_whole(text, found.cookies, cookie_name):
        found = Source(cookie_name, text)
    return found._replace(notes=(*notes, *found.notes)) if notes else found


def _is_whole(text: str, cookies: Mapping[str, str], cookie_name: str | None) -> bool:
    """Whether a text in which a pair of another name was found is itself a value: what stands before `=` is no name."""
    from sessionctl.sources.likeliest import SURE, sureness

    ((name, value),) = cookies.items()
    return sureness(text, cookie_name) >= SURE > sureness(value, name)


def read_line(text: str, cookie_name: str | None) -> Source:
    """The cookie in a bare value, `name=value`, a `Cookie:` or a `Set-Cookie:` header on one line, or a variable."""
    variable, _, content = text.partition("=")
    if variable in VARIABLES and content and cookie_name != variable:
        text = content.strip("\"'") if content[0] == content[-1] else content
    kind, colon, rest = text.partition(":")
    if colon and kind.strip().lower() == "set-cookie":
        return _one_of_several(rest, cookie_name) or parse_set_cookie(rest)
    if colon and kind.strip().lower() == "cookie":
        return pick_sent(rest, cookie_name)._replace(sent=True)
    name, equals, value = text.partition("=")
    name = name.rstrip()
    if not equals or not name or not is_name(name) or is_padded_base64(text):
        return Source(cookie_name, text)
    if not value.strip(" =") and len(name) > LONGEST_NAME:
        return Source(cookie_name, text)
    if ";" not in text:
        return pick({name: value.strip()}, cookie_name)
    return parse_set_cookie(text) if is_set_cookie(text) else pick_sent(text, cookie_name)


def _one_of_several(text: str, cookie_name: str | None) -> Source | None:
    """The cookie that is meant of several Set-Cookie headers that were joined into one; None where it is one."""
    if len(split_set_cookies(text)) == 1:
        return None
    from sessionctl.sources.basket import Basket

    basket = Basket()
    basket.add_set(text)
    return basket.source(cookie_name)


def _is_longer(text: str) -> bool:
    """Whether the text may be more than a value, a pair or a header: it has what these never have."""
    if (
        "\n" in text
        or "\r" in text
        or "\t" in text
        or "='" in text
        or ("%3D" in text and "=" not in text)
        or text[0] in "{[#'\"`"
    ):
        return True
    return " " in text and (
        text[:5] == "curl " or " " in text.replace("; ", "").partition(":")[2] or " " in text[:30]
    )


def read_file(path: str) -> bytes:
    """The content of a file. Raises `UsageError`."""
    with open_file(path) as file:
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise UsageError(f"{path!r} has more than {MAX_FILE >> 20} MiB")
    return content


@contextmanager
def open_file(path: str) -> Iterator[BinaryIO]:
    """A file to read from. Raises `UsageError`, also where reading fails."""
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise UsageError(f"cannot read {path!r}: {error.strerror}") from None


def read_cookie_jar(content: bytes, name: str | None) -> Source:
    """The cookie of a Netscape cookie file, the last of its name. Raises `MalformedCookieError`."""
    from sessionctl.sources.jar import read_jar

    basket = read_jar(decode_text(content))
    if basket is None:
        raise MalformedCookieError("the file has no line of a Netscape cookie jar")
    return basket.source(name)


def read_har(content: bytes, name: str | None) -> Source:
    """The last value that a cookie had in a HAR file, set or sent. Raises `MalformedCookieError`."""
    from sessionctl.sources.har import gather, read_visit

    return gather(read_visit(content)).source(name)
