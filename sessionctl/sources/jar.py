"""Netscape's cookie file, as curl, wget, yt-dlp and browser extensions write it.

A line is `domain, subdomains, path, secure, expires, name, value`, with tabs, which a terminal copies as spaces;
`#HttpOnly_` in front of the domain marks a cookie that scripts cannot see (curl, lib/cookie.c). The file keeps no
SameSite, so no attributes are taken from it: what it leaves out would look like what the application left out.
"""

from __future__ import annotations

import re

from sessionctl.errors import MalformedCookieError
from sessionctl.sources.basket import Basket

FIELDS = 7
_FLAGS = ("TRUE", "FALSE")
_TITLE = re.compile(r"# (?:Netscape )?HTTP Cookie File")


def read_jar(text: str) -> Basket | None:
    """The cookies of a jar; None where no line is one of a jar."""
    basket = Basket()
    for line in text.splitlines():
        if line.startswith("#") and not line.startswith("#HttpOnly_"):
            continue
        fields = line.split("\t") if "\t" in line else line.split(None, FIELDS - 1)
        if len(fields) == FIELDS and fields[1].upper() in _FLAGS and fields[3].upper() in _FLAGS:
            basket.add(fields[5], fields[6])
    if not len(basket) and _TITLE.match(text):
        raise MalformedCookieError("this cookie jar has no cookies; curl -c FILE writes what it gets into it")
    return basket if len(basket) else None
