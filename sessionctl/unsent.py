"""Why a browser does not send a cookie that it has (RFC 6265bis, draft 22, section 5.8.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from sessionctl.duration import human_seconds
from sessionctl.refusals import RFC, is_local
from sessionctl.sources.base import kept_until

if TYPE_CHECKING:
    from collections.abc import Collection

    from sessionctl.sources.base import Source

SOURCE = f"{RFC} 5.8.3"

_SHORTEST_NAME = 4
"""Characters of a name that a firm's hosts have in common; `co` in `co.uk` is none."""


class Kept(NamedTuple):
    """A cookie that a browser keeps: where it came from, for where it is, and until when. Times are Unix seconds."""

    host: str
    domain: str
    """Of its Domain attribute, without a dot in front; empty: for its host alone."""
    path: str
    secure: bool
    set_at: float
    end: float | None

    @property
    def place(self) -> tuple[str, str]:
        """Domain and path: a cookie of the same name and place takes the place of this one."""
        return self.domain, self.path


class Unsent(NamedTuple):
    """One reason: a code (`expired`, `host`, `path`, `secure`), the same in words, and what mends it."""

    code: str
    message: str
    mend: str


def kept(cookie: Source, url: str, started: float) -> Kept:
    """What a browser keeps of a Set-Cookie that it got from this URL then."""
    attributes = cookie.attributes or {}
    path = attributes.get("path", "")
    return Kept(
        urlsplit(url).hostname or "",
        attributes.get("domain", "").lstrip(".").lower(),
        path if path.startswith("/") else default_path(url),
        "secure" in attributes,
        started,
        kept_until(attributes, started),
    )


def why_unsent(cookies: Collection[Kept], url: str, now: float) -> Unsent | None:
    """Why none of the cookies of one name goes to the URL; None where one does, or the URL is of another site."""
    reasons = [_why(cookie, url, now) for cookie in cookies]
    return None if None in reasons else next(reversed(reasons), None)


def site_of(host: str) -> str:
    """What all hosts that may share a cookie have in common: the last two parts of the name."""
    return ".".join(host.split(".")[-2:])


def default_path(url: str) -> str:
    """The path of a cookie that is set without one (RFC 6265bis, 5.1.4)."""
    return urlsplit(url).path.rpartition("/")[0] or "/"


def _why(cookie: Kept, url: str, now: float) -> Unsent | None:
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path or "/"
    if cookie.end is not None and cookie.end <= now:
        life = human_seconds(cookie.end - cookie.set_at)
        return Unsent("expired", f"it expired {life} after it was set", "set it with a longer Max-Age")
    if not _goes_to_host(cookie, host):
        return _of_another_host(cookie, host) if _akin(cookie.host, host) else None
    if not _goes_to_path(cookie.path, path):
        return Unsent("path", f"its Path={cookie.path} does not cover {path}", "set it with Path=/")
    if cookie.secure and parts.scheme in ("http", "ws") and not is_local(host):
        return Unsent(
            "secure", "it is Secure, and this request goes over plain http", "serve the site over https"
        )
    return None


def _of_another_host(cookie: Kept, host: str) -> Unsent:
    if cookie.domain:
        message = f"its Domain={cookie.domain} does not cover {host}"
    else:
        message = f"{cookie.host} set it without Domain, so that {host} does not get it"
    shared = host if cookie.host.endswith(f".{host}") else cookie.host
    if not shared.endswith(host) and not host.endswith(f".{shared}"):
        shared = shared.partition(".")[2]
    return Unsent("host", message, f"serve the site under one name, or set it with Domain={shared}")


def _goes_to_host(cookie: Kept, host: str) -> bool:
    """RFC 6265bis, 5.1.3."""
    return f".{host}".endswith(f".{cookie.domain}") if cookie.domain else cookie.host == host


def _goes_to_path(path: str, asked: str) -> bool:
    """RFC 6265bis, 5.1.4."""
    return asked == path or asked.startswith(path.rstrip("/") + "/")


def _akin(one: str, other: str) -> bool:
    """Whether two hosts are of one site by their names: one is below the other, or both below one of a firm."""
    if f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}"):
        return "." in one and "." in other
    above = one.partition(".")[2]
    return (
        above == other.partition(".")[2] and len(above.partition(".")[0]) >= _SHORTEST_NAME and "." in above
    )
