"""Cookies as JSON: HAR, Playwright's storageState, Puppeteer's and the browser extensions' lists, our own answers.

What is none of these is searched for one of them inside: what Firefox's "Copy All" puts around a table, an event of
Sentry, a collection of Postman, a request of AWS Lambda, a log of Docker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.sources.base import TOKEN, is_padded_base64, is_set_cookie
from sessionctl.sources.basket import Basket

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEEPEST = 12
"""Levels down to which a text is searched."""


def read_json(text: str) -> Basket | None:
    """The cookies of a JSON text; None where it is none, or none that holds cookies."""
    if text[0] not in "{[":
        return None
    try:
        value = jsontext.loads(text)
    except MalformedError:
        return None
    if isinstance(value, dict) and isinstance(value.get("log"), dict):
        from sessionctl.sources.har import gather, visit_of

        return gather(visit_of(value))
    return _known(value) or _inside(value)


def _inside(value: Any) -> Basket | None:
    """The cookies of all that is known inside of something that is not."""
    basket = Basket("taken out of a larger JSON text")
    for found in _search(value, 0):
        basket.add_all(found)
    return basket if len(basket) else None


def _search(value: Any, depth: int) -> Iterator[Basket]:
    if isinstance(value, str) and "=" in value:
        from sessionctl.sources.log import read_labelled

        found = read_labelled(value)
        if found is not None:
            yield found
    if not isinstance(value, (dict, list)) or depth == DEEPEST:
        return
    for item in value.values() if isinstance(value, dict) else value:
        found = _known(item)
        if found is not None:
            yield found
        else:
            yield from _search(item, depth + 1)


def _known(value: Any) -> Basket | None:
    if isinstance(value, dict):
        return _from_object(value)
    return _from_list(value) if isinstance(value, list) else None


def _from_object(value: dict[str, Any]) -> Basket | None:
    if isinstance(value.get("request"), dict) and isinstance(value.get("response"), dict):
        return _from_entries([value])
    if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
        return _from_list([value])
    cookies = value.get("cookies")
    if isinstance(cookies, list):
        if not cookies and "origins" in value:
            raise MalformedCookieError("this storageState has no cookies: it was saved before the log-in")
        return _from_list(cookies) or _from_headers(value)
    text, name = value.get("cookie"), value.get("cookie_name")
    if isinstance(text, str) and ("cookie_name" in value or "=" not in text or is_padded_base64(text)):
        basket = Basket()
        basket.add(name if isinstance(name, str) else "session", text)
        return basket
    return _from_headers(value) or _from_table(value)


def _from_entries(entries: list[Any]) -> Basket:
    """Entries of a HAR that were copied without what is around them."""
    from sessionctl.sources.har import gather, visit_of

    return gather(visit_of({"log": {"entries": entries}}))


def _from_headers(value: Mapping[str, Any]) -> Basket | None:
    """Headers as an object, as Node's and Python's frameworks log them, or what has them as its `headers`."""
    basket = Basket()
    headers = value.get("headers")
    for key, given in (headers if isinstance(headers, dict) else value).items():
        for text in given if isinstance(given, list) else [given]:
            if isinstance(text, str):
                _add_header(basket, key, text)
    return basket if len(basket) else None


def _add_header(basket: Basket, name: str, text: str) -> bool:
    """Put in what a header carries. False where it carries no cookies."""
    name = name.lower().replace("_", "-")
    if name in ("cookie", "http-cookie") and "=" in text:
        basket.add_sent(text)
    elif name == "set-cookie" and "=" in text:
        basket.add_set(text)
    else:
        return False
    return True


def _from_table(value: Mapping[str, Any]) -> Basket | None:
    """Cookies by name, each an object with its value, as Firefox's netmonitor copies them."""
    basket = Basket()
    for name, cookie in value.items():
        if not isinstance(cookie, dict) or not isinstance(cookie.get("value"), str):
            return None
        basket.add(name, cookie["value"], _attributes(cookie, kept=False))
    return basket if len(basket) else None


def _from_list(items: list[Any]) -> Basket | None:
    """A list of cookies or of headers, whatever each is written as; of headers only those that carry cookies count."""
    if items and isinstance(items[0], dict) and "request" in items[0] and "response" in items[0]:
        return _from_entries(items)
    pairs = [_pair(item) for item in items]
    if None in pairs:
        return None
    headers, cookies = Basket(), Basket()
    for item, pair in zip(items, pairs, strict=True):
        name, value = pair or ("", "")
        if _add_header(headers, name, value):
            continue
        if isinstance(item, str) and is_set_cookie(item):
            cookies.add_set(item)
        else:
            cookies.add(name, value, _attributes(item) if isinstance(item, dict) else None)
    return headers if len(headers) else cookies if len(cookies) else None


def _pair(item: Any) -> tuple[str, str] | None:
    """Name and value of an item: an object with both (storageState's `cookies`, Puppeteer's `page.cookies()`; Postman
    says key), a list of two (Sentry), or a text (AWS Lambda). None where it is none of these.
    """
    if isinstance(item, str):
        name, equals, value = item.partition("=")
        return (name, value) if equals and value and TOKEN.issuperset(name) else None
    if isinstance(item, dict):
        item = [item.get("name", item.get("key")), item.get("value")]
    if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 - name and value
        return None
    name, value = item
    return (name, value) if isinstance(name, str) and isinstance(value, str) else None


_SAME_SITE = {"no_restriction": "None", "none": "None", "lax": "Lax", "strict": "Strict"}


def _attributes(cookie: Mapping[str, Any], *, kept: bool = True) -> dict[str, str] | None:
    """The attributes of an object that tells them, as a Set-Cookie header would name them.

    The domain of a cookie that a browser has `kept` is one only with a dot in front; without, it is the host's name.
    """
    if "httpOnly" not in cookie:
        return None
    found = {name.lower(): "" for name in ("httpOnly", "secure") if cookie.get(name)}
    same_site = _SAME_SITE.get(str(cookie.get("sameSite") or "").lower())
    if same_site:
        found["samesite"] = same_site
    path, domain = cookie.get("path"), cookie.get("domain")
    if isinstance(path, str):
        found["path"] = path
    if isinstance(domain, str) and (domain.startswith(".") or not kept):
        found["domain"] = domain
    return found
