"""A block of request or response headers, as browsers, curl -v, proxies and bug reports show them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sessionctl.sources.base import Source
from sessionctl.sources.basket import Basket

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_HEADER = re.compile(rf"(:?{_NAME}):(?:[ \t]+(.*))?$")
_START = re.compile(rf"HTTP/\d|{_NAME} \S+ HTTP/\d|(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S+$")
_CARRIERS = ("cookie", "set-cookie")
_MARKS = re.compile(r"^[<>*] ?", re.MULTILINE)
_JOINED = "a line break inside the cookie was taken out"


def read_block(text: str) -> Basket | None:
    """The cookies of a block of headers; None where no line is a header that carries cookies.

    Several Cookie headers count as requests in turn. Where there is no cookie but an `Authorization: Bearer`,
    its token is taken.
    """
    if "\n" not in text and not text[:14].lower().startswith("authorization:"):
        return None
    if re.match(r"[<>*] ", text) or re.search(r"\n[<>] (?:[Ss]et-)?[Cc]ookie:", text):
        text = _MARKS.sub("", text)
    basket, bearer = Basket(), None
    for name, value, broken in _headers(text):
        if name == "cookie":
            basket.add_sent(value)
        elif name == "set-cookie" and "=" in value:
            basket.add_set(value)
        elif name == "authorization" and value[:7].lower() == "bearer ":
            bearer = value[7:].strip()
        if broken and name in _CARRIERS and _JOINED not in basket.notes:
            basket.notes.append(_JOINED)
    if not len(basket) and bearer is not None:
        return _Bearer(bearer)
    return basket if len(basket) else None


class _Bearer(Basket):
    """A token that came in an Authorization header, where it has no name."""

    def __init__(self, token: str) -> None:
        super().__init__("there is no cookie; this is the token of the Authorization header")
        self._token = token

    def source(self, name: str | None, *, whole: bool = False) -> Source:  # noqa: ARG002 - of one value
        return Source(name, self._token, notes=tuple(self.notes))


def _headers(text: str) -> Iterator[tuple[str, str, bool]]:
    """Name in lower case, value, and whether it was put together from several lines.

    DevTools copies a name and its value on lines of their own, with or without a colon (without one, a line each);
    what else is no header goes on with the one before it.
    """
    name, value, broken, alone = "", "", False, False
    for line in text.splitlines():
        bare = line.strip()
        match = _HEADER.match(bare)
        starts_header = match is not None and not (line[:1].isspace() and name and name not in _CARRIERS)
        starts_header = starts_header or (alone and bool(value))
        if not bare or _START.match(bare) or starts_header or bare.lower() in _CARRIERS:
            if name:
                yield name, value, broken
            name, value, broken, alone = "", "", False, False
            if match is not None:
                name, value = match[1].lower(), match[2] or ""
            elif bare.lower() in _CARRIERS:
                name, alone = bare.lower(), True
        elif name and not value:
            value = bare
        elif name:
            value, broken = f"{value} {bare}" if value.endswith(";") else f"{value}{bare}", True
    if name:
        yield name, value, broken
