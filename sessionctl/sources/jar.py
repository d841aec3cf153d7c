"""Netscape's cookie file, as curl, wget, yt-dlp and browser extensions write it.

A line is `domain, subdomains, path, secure, expires, name, value`, with tabs; `#HttpOnly_` in front of the domain
marks a cookie that scripts cannot see (curl, lib/cookie.c). The file keeps no SameSite, so no attributes are taken
from it: what it leaves out would look like what the application left out.
"""

from __future__ import annotations

from sessionctl.sources.basket import Basket

FIELDS = 7
_FLAGS = ("TRUE", "FALSE")


def read_jar(text: str) -> Basket | None:
    """The cookies of a jar; None where no line is one of a jar."""
    if "\t" not in text:
        return None
    basket = Basket()
    for line in text.splitlines():
        if line.startswith("#") and not line.startswith("#HttpOnly_"):
            continue
        fields = line.split("\t")
        if len(fields) == FIELDS and fields[1].upper() in _FLAGS and fields[3].upper() in _FLAGS:
            basket.add(fields[5], fields[6])
    return basket if len(basket) else None
