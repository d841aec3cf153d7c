"""A cookie in the form that another program takes."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from sessionctl.editing import Made

KINDS = (
    "value", "pair", "header", "set-cookie", "curl", "wget", "cookie-jar", "playwright", "httpie", "requests", "httpx",
    "env", "json",
)  # fmt: skip

PLACED = ("curl", "wget", "cookie-jar", "playwright", "httpie", "requests", "httpx")
"""The kinds that need a URL."""


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
    try:
        parts = urlsplit(url if "//" in url else f"https://{url}")
    except ValueError:
        raise UsageError("--url is no URL") from None
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise UsageError("--url is http:// or https:// and a host")
    return Place(url, parts.hostname, parts.path or "/", parts.scheme == "https")


def pairs(made: Made) -> dict[str, str]:
    """The cookies to send: the session's, and its companions (`NAME.sig`)."""
    return {made.cookie_name: made.cookie or "", **made.companions}


def render(made: Made, kind: str, url: str | None) -> str:
    """The cookie as one of `KINDS`, but `value` and `json`. Raises `UsageError` where a place is missing."""
    joined = "; ".join(f"{name}={value}" for name, value in pairs(made).items())
    if kind == "pair":
        return joined
    if kind == "header":
        return f"Cookie: {joined}"
    if kind == "set-cookie":
        return f"Set-Cookie: {made.set_cookie}"
    if kind == "env":
        return _env(made)
    place = place_of(url)
    if kind == "curl":
        return f"curl -b {shlex.quote(joined)} {shlex.quote(place.url)}"
    if kind == "wget":
        return f"wget --header {shlex.quote(f'Cookie: {joined}')} {shlex.quote(place.url)}"
    if kind in ("requests", "httpx"):
        return _python(made, place, kind)
    return {"cookie-jar": _netscape, "httpie": _httpie, "playwright": _playwright}[kind](made, place)


def _env(made: Made) -> str:
    """Lines of a `.env` file, as docker compose, python-dotenv and Node's --env-file read it; nothing is evaluated."""
    return "\n".join(f"{_variable(name)}={_env_quoted(value)}" for name, value in pairs(made).items())


def _variable(cookie_name: str) -> str:
    """A cookie's name as that of a variable: `connect.sid` is CONNECT_SID."""
    name = re.sub(r"[^A-Z0-9_]", "_", cookie_name.upper())
    return f"_{name}" if name[:1].isdigit() else name


def _env_quoted(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.:/+=%@,-]*", value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def _python(made: Made, place: Place, library: str) -> str:
    """A snippet for requests or httpx. The cookie is sent as it is; both would quote or refuse some of a jar's."""
    header = "; ".join(f"{name}={value}" for name, value in pairs(made).items())
    session = "requests.Session()" if library == "requests" else "httpx.Client(follow_redirects=True)"
    return "\n".join([
        f"import {library}",
        "",
        f"client = {session}",
        f'client.headers["Cookie"] = {header!r}',
        f"response = client.get({place.url!r})",
        "print(response.status_code, response.url)",
    ])  # fmt: skip


def _netscape(made: Made, place: Place) -> str:
    """The Netscape cookie file that curl, wget and Python's `http.cookiejar` read; session cookies expire at 0."""
    secure = "TRUE" if place.secure else "FALSE"
    lines = [
        f"#HttpOnly_{place.domain}\tFALSE\t/\t{secure}\t0\t{name}\t{value}"
        for name, value in pairs(made).items()
    ]
    return "\n".join(["# Netscape HTTP Cookie File", *lines])


def _httpie(made: Made, place: Place) -> str:
    """A session file of HTTPie 3.1 and later: `http --session=./FILE URL` (httpie/sessions.py)."""
    cookies = [
        {
            "name": name,
            "value": value,
            "domain": place.domain,
            "path": "/",
            "secure": place.secure,
            "expires": None,
        }
        for name, value in pairs(made).items()
    ]
    about = {"about": "HTTPie session file", "help": "https://httpie.io/docs#sessions", "httpie": "3.1.0"}
    return _json({"__meta__": about, "auth": {"type": None, "username": None, "password": None}, "cookies": cookies,
                  "headers": []})  # fmt: skip


def _playwright(made: Made, place: Place) -> str:
    """Playwright's storageState: `browser.new_context(storage_state=...)` reads it."""
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
    return _json({"cookies": cookies, "origins": []})


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
