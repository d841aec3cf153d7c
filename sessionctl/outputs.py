"""A cookie in the form that another program takes."""

from __future__ import annotations

import re
import shlex
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from sessionctl.cookie import can_be_sent, set_cookie_like
from sessionctl.errors import UsageError
from sessionctl.refusals import is_local

if TYPE_CHECKING:
    from sessionctl.editing import Made

KINDS = (
    "value", "pair", "header", "set-cookie", "curl", "wget", "cookie-jar", "playwright", "httpie", "requests", "httpx",
    "env", "json",
)  # fmt: skip

PLACED = ("curl", "wget", "cookie-jar", "playwright", "httpie", "requests", "httpx")
"""The kinds that need a URL."""


_PATH_SAFE = "%/:=&?#+!$,;'@()*[]~"
"""What stays as it is in a path and a query (RFC 3986); the rest is percent-encoded, as browsers do it."""

LATEST = 2**31 - 1
"""An expiry that every program takes for the future. 0 would be a session's end to curl, and long ago to Python."""


class Place(NamedTuple):
    """Where a cookie is for. `domain` is in ASCII, as browsers keep it; that of IPv6 is in brackets."""

    url: str
    domain: str
    secure: bool


def place_of(url: str | None) -> Place:
    """The place of a URL; without a scheme it is https, or http on this machine. Raises `UsageError`."""
    if not url:
        raise UsageError("this output needs a place: --url https://example.com/")
    if not url.isprintable():
        raise UsageError("--url has a character that no URL has")
    try:
        parts = urlsplit(url if "://" in url.partition("?")[0] else f"//{url}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"--url is no URL: {error}") from None
    scheme = parts.scheme or ("http" if is_local(host) else "https")
    if not host or scheme not in ("http", "https"):
        raise UsageError("--url is http:// or https:// and a host")
    domain = f"[{host}]" if ":" in host else ".".join(map(_label, host.split(".")))
    user = parts.netloc.rpartition("@")[0]
    netloc = (f"{user}@" if user else "") + domain + (f":{port}" if port else "")
    path, query = quote(parts.path, _PATH_SAFE), quote(parts.query, _PATH_SAFE)
    return Place(urlunsplit((scheme, netloc, path, query, "")), domain, scheme == "https")


def _label(label: str) -> str:
    """A label of a host's name in ASCII (RFC 5891, with the mapping that browsers do before)."""
    if label.isascii():
        return label
    return "xn--" + unicodedata.normalize("NFKC", label.lower()).encode("punycode").decode()


def pairs(made: Made) -> dict[str, str]:
    """The cookies to send: the session's, and its companions (`NAME.sig`)."""
    return {made.cookie_name: made.cookie or "", **made.companions}


def render(made: Made, kind: str, url: str | None) -> str:
    """The cookie as one of `KINDS`, but `value` and `json`.

    Raises `UsageError` where a place is missing, and for what cannot be told in that form.
    """
    if not all(map(can_be_sent, pairs(made).values())):
        raise UsageError(
            "the text has ';' or a control character, which no cookie can have; --output value prints it as it is"
        )
    joined = "; ".join(f"{name}={value}" for name, value in pairs(made).items())
    if kind == "pair":
        return joined
    if kind == "header":
        return f"Cookie: {joined}"
    if kind == "set-cookie":
        if made.set_cookie is None:
            raise UsageError("the cookie is too large for one Set-Cookie; its framework cuts it over several")
        beside = (set_cookie_like(name, text, made.attributes) for name, text in made.companions.items())
        return "\n".join(f"Set-Cookie: {text}" for text in (made.set_cookie, *beside))
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
    """The Netscape cookie file that curl and Python's `http.cookiejar` read; wget takes `#HttpOnly_` for a comment."""
    domain = place.domain.strip("[]")
    lines = ["# Netscape HTTP Cookie File"]
    for name, value in pairs(made).items():
        secure = "TRUE" if _is_secure(name, place) else "FALSE"
        lines.append("\t".join((f"#HttpOnly_{domain}", "FALSE", "/", secure, str(LATEST), name, value)))
    return "\n".join(lines)


def _httpie(made: Made, place: Place) -> str:
    """A session file of HTTPie 3.1 and later: `http --session=./FILE URL` (httpie/sessions.py).

    It goes by Python's `http.cookiejar`, which puts `.local` behind a host without a dot, and sends nothing that is
    Secure to localhost.
    """
    domain = place.domain if "." in place.domain else f"{place.domain}.local"
    cookies = [
        {"name": name, "value": value, "domain": domain, "path": "/", "secure": place.secure, "expires": None}
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
            "secure": _is_secure(name, place),
            "sameSite": "Lax",
        }
        for name, value in pairs(made).items()
    ]
    return _json({"cookies": cookies, "origins": []})


def _is_secure(cookie_name: str, place: Place) -> bool:
    """Whether a cookie is Secure: set over https, or bound to it by its name's prefix (RFC 6265bis, 4.1.3)."""
    return place.secure or cookie_name.lower().startswith(("__secure-", "__host-", "__http-", "__host-http-"))


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
