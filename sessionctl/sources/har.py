"""A recorded visit: HTTP Archive 1.2, as Chrome, Firefox, Playwright and proxies write it.

The headers are asked first: Firefox's `cookies` hold values that it has percent-decoded, and Chrome joins several
Set-Cookie headers with line breaks. Where a file has no headers of cookies, its `cookies` are taken.
"""

from __future__ import annotations

import re
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from sessionctl import jsontext
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.sources.base import Source, parse_sent, sent_together, settle, split_set_cookies
from sessionctl.sources.basket import Basket
from sessionctl.sources.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NO_HAR = "the file is no HAR: it has no log.entries with requests and responses"
_NO_COOKIES = (
    "the HAR has no cookies; browsers leave them out unless asked: in Chrome, export 'with sensitive data'"
)


_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_LOGIN = re.compile(r"(?i)(?<![a-z])(log|sign)[-_]?in(?![a-z]|[\"']?\s*[:=])")  # no field of that name
_PASSWORD = re.compile(r"(?i)passw(or)?d|passphrase")


class Exchange(NamedTuple):
    """One request and its response. `started` is in Unix seconds; `set_cookies` are Set-Cookie texts, raw.

    Of a name that was sent twice `sent` holds the first value, and `sent_twice` all where they differ.
    """

    method: str
    url: str
    status: int
    started: float | None
    sent: dict[str, str]
    set_cookies: tuple[str, ...]
    sent_twice: Mapping[str, list[str]] = MappingProxyType({})
    went_out: bool = True
    """False where the browser answered itself (a cache, a block): such a request tells nothing about cookies."""
    shows_page: bool = False
    """Whether the answer is a page, such as the form again, and not the word or two that a script is answered."""
    sent_login: bool = False
    """Whether the body of the request names a log-in and a password, as one of GraphQL does."""
    sent_password: bool = False
    """Whether the body of the request names a password."""

    def taken(self, name: str) -> dict[str, str]:
        """As `sent`, but of this cookie and what belongs to it the values that the framework takes."""
        settled = (settle(Source(other, self.sent[other]), values)
                   for other, values in self.sent_twice.items() if other.startswith(name))  # fmt: skip
        return self.sent | {found.name or "": found.value or "" for found in settled}


def read_visit(content: bytes) -> list[Exchange]:
    """The exchanges of a HAR file, in the order of their start. Raises `MalformedCookieError`."""
    text = decode_text(content)
    try:
        archive = jsontext.loads(text)
    except MalformedError as error:
        raise MalformedCookieError(f"the file is no HAR: {error}") from None
    return visit_of(archive)


def visit_in(text: str) -> list[Exchange] | None:
    """As `read_visit`, of a text; None where it is no HAR."""
    if '"log"' not in text[:200]:
        return None
    try:
        return visit_of(jsontext.loads(text.lstrip("\ufeff")))
    except MalformedError:
        return None


def visit_of(archive: Any) -> list[Exchange]:
    """As `read_visit`, of the JSON value."""
    try:
        exchanges = [_exchange(entry) for entry in archive["log"]["entries"]]
    except (KeyError, TypeError, AttributeError, ValueError):
        raise MalformedCookieError(_NO_HAR) from None
    return sorted(exchanges, key=lambda exchange: exchange.started or 0.0)


def gather(visit: Iterable[Exchange]) -> Basket:
    """All cookies of a visit, the last value of each. Raises `MalformedCookieError` where it has none."""
    basket = Basket()
    for exchange in visit:
        basket.add_together(exchange.sent, exchange.sent_twice)
        for text in exchange.set_cookies:
            basket.add_set(text)
    if not len(basket):
        raise MalformedCookieError(_NO_COOKIES)
    return basket


def _exchange(entry: Any) -> Exchange:
    request, response = entry["request"], entry["response"]
    body = _body(request.get("postData"))
    sent, several = parse_sent("; ".join(_headers(request, "cookie")))
    if not sent:
        sent, several = sent_together((name, value) for name, value, _ in _cookies(request))
    texts = [
        line
        for header in _headers(response, "set-cookie")
        for line in split_set_cookies(header)
        if "=" in line
    ]
    return Exchange(
        str(request.get("method", "GET")),
        _url(request.get("url")),
        int(response.get("status") or 0),
        _time(entry.get("startedDateTime")),
        sent,
        tuple(texts) or tuple(_set_cookie(*cookie) for cookie in _cookies(response)),
        {name: values for name, values in several.items() if any(values[1:])},
        _went_out(entry),
        _shows_page(request, response),
        _names_login(body) and _names_password(body),
        _names_password(body),
    )


def _media_type(response: Any) -> str:
    told = _headers(response, "content-type") or [str((response.get("content") or {}).get("mimeType") or "")]
    return told[0].partition(";")[0].strip().lower()


def _shows_page(request: Any, response: Any) -> bool:
    """Whether a browser is shown a page: HTML with elements in it, and with fields for an answer to JSON, which no form
    sends. Express calls any text HTML. Of HTML that was not recorded only that to JSON is taken for none.
    """
    if _media_type(response) not in _PAGES:
        return False
    from_script = "json" in str((request.get("postData") or {}).get("mimeType") or "")
    content = response.get("content") or {}
    text = content.get("text")
    if not isinstance(text, str) or content.get("encoding"):
        return not from_script
    return ("<input" if from_script else "<") in text


def _body(data: Any) -> str:
    """What the body of a request says. Forms stand in `params`, in `text`, or in both."""
    if not isinstance(data, dict):
        return ""
    fields = [item for item in data.get("params") or () if isinstance(item, dict)]
    return " ".join(
        [str(data.get("text") or ""), *(f"{item.get('name')}={item.get('value')}" for item in fields)]
    )


def _names_login(body: str) -> bool:
    return _LOGIN.search(body) is not None


def _names_password(body: str) -> bool:
    return _PASSWORD.search(body) is not None


def _went_out(entry: Any) -> bool:
    """Whether a server was asked. Chrome's DevTools and Firefox's netmonitor record answers of the cache too:
    with `_fromCache`, and with an `afterRequest` in `cache` (Log.ts, har-builder.js).
    """
    if entry.get("_fromCache") or "afterRequest" in (entry.get("cache") or {}):
        return False
    return bool(entry["response"].get("status") or entry["response"].get("headers"))


def _headers(message: Any, name: str) -> list[str]:
    return [str(header["value"]) for header in message.get("headers") or () if header["name"].lower() == name]


def _cookies(message: Any) -> list[tuple[str, str, dict[str, Any]]]:
    found = [(cookie.get("name"), cookie.get("value"), cookie) for cookie in message.get("cookies") or ()]
    return [item for item in found if isinstance(item[0], str) and isinstance(item[1], str)]


def _set_cookie(name: str, value: str, cookie: dict[str, Any]) -> str:
    """A Set-Cookie text of the object that a HAR keeps."""
    parts = [f"{name}={value}"]
    parts += [f"{key}={cookie[word]}" for word, key in _NAMED.items() if cookie.get(word)]
    parts += [key for word, key in _FLAGS.items() if cookie.get(word)]
    return "; ".join(parts)


_NAMED = {"path": "Path", "domain": "Domain", "sameSite": "SameSite", "expires": "Expires"}
_FLAGS = {"httpOnly": "HttpOnly", "secure": "Secure"}


def _url(text: Any) -> str:
    """The URL; empty where it is none, so that nothing is told of its place."""
    try:
        urlsplit(str(text))
    except ValueError:
        return ""
    return str(text) if text else ""


def _time(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
