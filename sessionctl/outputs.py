"""A cookie in the form that another program takes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from sessionctl.editing import Made

YEAR = 365 * 86400


class Place(NamedTuple):
    """Where a cookie is for."""

    url: str
    domain: str
    path: str
    secure: bool


def place_of(url: str | None) -> Place:
    """The domain, path and security of a URL. Raises `UsageError`."""
    if not url:
        raise UsageError("this output needs a place: --url https://example.com/")
    parts = urlsplit(url if "//" in url else f"https://{url}")
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise UsageError("--url is http:// or https:// and a host")
    return Place(url, parts.hostname, parts.path or "/", parts.scheme == "https")


def pairs(made: Made) -> dict[str, str]:
    """The cookies to send: the session's, and its companions (`NAME.sig`)."""
    return {made.cookie_name: made.cookie or "", **made.companions}


def render(made: Made, kind: str, url: str | None) -> str:
    """The cookie as `pair`, `header`, `set-cookie`, `curl`, `cookie-jar` (Netscape) or `playwright`."""
    joined = "; ".join(f"{name}={value}" for name, value in pairs(made).items())
    if kind == "pair":
        return joined
    if kind == "header":
        return f"Cookie: {joined}"
    if kind == "set-cookie":
        return f"Set-Cookie: {made.set_cookie}"
    place = place_of(url)
    if kind == "curl":
        return f"curl -b {shlex.quote(joined)} {shlex.quote(place.url)}"
    if kind == "cookie-jar":
        return _netscape(made, place)
    return _playwright(made, place)


def _netscape(made: Made, place: Place) -> str:
    """The Netscape cookie file that curl, wget and Python's `http.cookiejar` read; session cookies expire at 0."""
    secure = "TRUE" if place.secure else "FALSE"
    lines = [
        f"#HttpOnly_{place.domain}\tFALSE\t/\t{secure}\t0\t{name}\t{value}"
        for name, value in pairs(made).items()
    ]
    return "\n".join(["# Netscape HTTP Cookie File", *lines])


def _playwright(made: Made, place: Place) -> str:
    """Playwright's storageState: `browser.new_context(storage_state=...)` reads it."""
    import json

    cookies = [
        {
            "name": name,
            "value": value,
            "domain": place.domain,
            "path": "/",
            "expires": -1,
            "httpOnly": True,
            "secure": place.secure,
            "sameSite": "Lax",
        }
        for name, value in pairs(made).items()
    ]
    return json.dumps({"cookies": cookies, "origins": []}, ensure_ascii=False)
