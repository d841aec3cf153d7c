"""Cookies as JSON: HAR, Playwright's storageState, Puppeteer's and the browser extensions' lists, our own answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.errors import MalformedError
from sessionctl.sources.basket import Basket

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_json(text: str) -> Basket | None:
    """The cookies of a JSON text; None where it is none, or none that holds cookies."""
    if text[0] not in "{[":
        return None
    try:
        value = jsontext.loads(text)
    except MalformedError:
        return None
    if isinstance(value, dict):
        return _from_object(value)
    return _from_list(value)


def _from_object(value: dict[str, Any]) -> Basket | None:
    if isinstance(value.get("log"), dict):
        from sessionctl.sources.har import gather, visit_of

        return gather(visit_of(value))
    if isinstance(value.get("request"), dict) and isinstance(value.get("response"), dict):
        return _from_entries([value])
    if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
        return _from_list([value])
    if isinstance(value.get("cookies"), list):
        return _from_list(value["cookies"])
    if isinstance(value.get("cookie"), str):
        name = value.get("cookie_name")
        basket = Basket()
        basket.add(name if isinstance(name, str) else "session", value["cookie"])
        return basket
    headers = value.get("headers")
    return _from_headers(headers if isinstance(headers, dict) else value)


def _from_entries(entries: list[Any]) -> Basket:
    """Entries of a HAR that were copied without what is around them."""
    from sessionctl.sources.har import gather, visit_of

    return gather(visit_of({"log": {"entries": entries}}))


def _from_headers(headers: Mapping[str, Any]) -> Basket | None:
    """Headers as an object, as Node's and Python's frameworks log them."""
    basket = Basket()
    for key, given in headers.items():
        for text in given if isinstance(given, list) else [given]:
            if isinstance(text, str) and key.lower() == "cookie":
                basket.add_sent(text)
            elif isinstance(text, str) and key.lower() == "set-cookie":
                basket.add_set(text)
    return basket if len(basket) else None


def _from_list(cookies: list[Any]) -> Basket | None:
    """A list of objects with name and value (storageState's `cookies`, Puppeteer's `page.cookies()`)."""
    if cookies and isinstance(cookies[0], dict) and "request" in cookies[0] and "response" in cookies[0]:
        return _from_entries(cookies)
    basket = Basket()
    for cookie in cookies:
        if not isinstance(cookie, dict):
            return None
        name, value = cookie.get("name"), cookie.get("value")
        if isinstance(name, str) and isinstance(value, str) and name.lower() == "cookie" and "=" in value:
            basket.add_sent(value)  # a list of headers
        elif isinstance(name, str) and isinstance(value, str) and name.lower() == "set-cookie":
            basket.add_set(value)
        elif isinstance(name, str) and isinstance(value, str):
            basket.add(name, value, _attributes(cookie))
    return basket if len(basket) else None


_SAME_SITE = {"no_restriction": "None", "none": "None", "lax": "Lax", "strict": "Strict"}


def _attributes(cookie: Mapping[str, Any]) -> dict[str, str] | None:
    """The attributes of an object that tells them, as a Set-Cookie header would name them."""
    if "httpOnly" not in cookie:
        return None
    found = {name.lower(): "" for name in ("httpOnly", "secure") if cookie.get(name)}
    same_site = _SAME_SITE.get(str(cookie.get("sameSite")).lower())
    if same_site:
        found["samesite"] = same_site
    for name in ("path", "domain"):
        if isinstance(cookie.get(name), str):
            found[name] = cookie[name]
    return found
