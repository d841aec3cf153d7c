"""Netscape's cookie file, as curl, wget, yt-dlp and browser extensions write it.

A line is `domain, subdomains, path, secure, expires, name, value`, with tabs; `#HttpOnly_` in front of the domain
marks a cookie that scripts cannot see (curl, lib/cookie.c).
"""

from __future__ import annotations

from sessionctl.sources.basket import Basket

FIELDS = 7
HTTP_ONLY = "#HttpOnly_"


def read_jar(text: str) -> Basket | None:
    """The cookies of a jar; None where no line is one of a jar."""
    if "\t" not in text:
        return None
    basket = Basket()
    for line in text.splitlines():
        if line.startswith("#") and not line.startswith(HTTP_ONLY):
            continue
        fields = line.removesuffix("\r").split("\t")
        if len(fields) == FIELDS and fields[1].upper() in ("TRUE", "FALSE") and fields[3].upper() in ("TRUE", "FALSE"):
            basket.add(fields[5], fields[6], _attributes(fields))
    return basket if len(basket) else None


def _attributes(fields: list[str]) -> dict[str, str] | None:
    """The attributes that a jar keeps; it knows no SameSite, so none are told that could mislead."""
    domain, subdomains, path, secure, expires = fields[:5]
    found = {"path": path}
    if subdomains.upper() == "TRUE":
        found["domain"] = domain.removeprefix(HTTP_ONLY)
    if domain.startswith(HTTP_ONLY):
        found["httponly"] = ""
    if secure.upper() == "TRUE":
        found["secure"] = ""
    if expires.isdecimal() and int(expires):
        found["expires"] = expires
    return found if "samesite" in found else None
