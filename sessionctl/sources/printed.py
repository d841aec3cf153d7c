"""Cookies as programs print objects: PHP's print_r and var_dump, Python's http.cookiejar, PowerShell's lists."""

from __future__ import annotations

import re

from sessionctl.sources.basket import Basket

_PHP_ARRAY = re.compile(r"(?m)^[ \t]{0,40}(?:\$\w{1,40} ?= ?)?array\s?\(|^Array\b", re.IGNORECASE)
_PHP = re.compile(r"\[[\"']?([^\]\"']{1,80})[\"']?\]\s*=>\s*(?:string\(\d+\) \"([^\"]*)\"|([^\s(\"]\S*))")
_OBJECT = re.compile(
    r"\bname[\"']?\s?[:=]\s?[\"']([^\"']{1,80})[\"'][^{}]{0,400}?\bvalue[\"']?\s?[:=]\s?[\"']([^\"']*)[\"']"
)
_FIELD = re.compile(r"(?im)^[ \t]{0,40}(?:- )?(name|value)[ \t]{0,40}:[ \t](.*)$")


def read_printed(text: str) -> Basket | None:
    """The cookies of a printed object or array; None where it is none."""
    return _read_php(text) or _read_objects(text) or _read_fields(text)


def _read_php(text: str) -> Basket | None:
    """`[NAME] => VALUE` of print_r, `["NAME"]=>` and `string(5) "VALUE"` of var_dump."""
    if not _PHP_ARRAY.search(text):
        return None
    basket = Basket()
    for name, dumped, printed in _PHP.findall(text):
        basket.add(name, dumped or printed)
    return basket if len(basket) else None


def _read_objects(text: str) -> Basket | None:
    """`name='NAME', value='VALUE'` of http.cookiejar's Cookie; `'name': 'NAME', ..., 'value': 'VALUE'` of Selenium."""
    if "value" not in text:
        return None
    basket = Basket()
    for name, value in _OBJECT.findall(text):
        basket.add(name, value)
    return basket if len(basket) else None


def _read_fields(text: str) -> Basket | None:
    """Lines `Name : NAME` and `Value : VALUE`, as PowerShell lists an object, and YAML."""
    basket, name = Basket(), ""
    for word, given in _FIELD.findall(text):
        if word.lower() == "name":
            name = given.strip()
        elif name:
            basket.add(name, given.strip().strip("\"'"))
    return basket if len(basket) else None
