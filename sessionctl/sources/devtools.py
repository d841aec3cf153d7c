"""Cookies as browsers' developer tools copy them: rows of their table, and a request for PowerShell."""

from __future__ import annotations

import re

from sessionctl.sources.base import TOKEN
from sessionctl.sources.basket import Basket
from sessionctl.sources.likeliest import SESSION_NAME

_COLUMNS = 5
"""Columns of a row at least: name, value, domain, path, expiry; what comes then differs from browser to browser."""

_POWERSHELL = re.compile(r"System\.Net\.Cookie\(\"([^\"]+)\",\s*\"((?:[^\"`]++|`.)*+)\"")
_FIELD = re.compile(r"([^\s:=]+):\"(.*)\"")
_FIREFOX = ("HostOnly:", "HttpOnly:", "Path:")


def read_rows(text: str) -> Basket | None:
    """The cookies of rows of the table, with tabs, as Chrome, Firefox and Safari copy them; None where none is one."""
    if "\t" not in text:
        return None
    basket = Basket()
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("\t")]
        if not fields[0] or not TOKEN.issuperset(fields[0]):
            continue
        whole = len(fields) >= _COLUMNS and fields[3].startswith("/")
        if whole or (len(fields) == 2 and SESSION_NAME.search(fields[0])):  # noqa: PLR2004 - name and value alone
            basket.add(fields[0], fields[1])
    return basket if len(basket) else None


def read_fields(text: str) -> Basket | None:
    """The cookie that Firefox's storage panel copies: `NAME:"VALUE"`, and its attributes on lines below."""
    lines = [line.strip() for line in text.splitlines()]
    match = _FIELD.fullmatch(lines[0])
    if (
        match is None
        or not TOKEN.issuperset(match[1])
        or not any(line.startswith(_FIREFOX) for line in lines)
    ):
        return None
    basket = Basket()
    basket.add(match[1], match[2])
    return basket


def read_powershell(text: str) -> Basket | None:
    """The cookies of Invoke-WebRequest, as Chrome copies it; a backtick quotes the next character."""
    basket = Basket()
    for name, value in _POWERSHELL.findall(text):
        basket.add(name, re.sub("`(.)", r"\1", value))
    return basket if len(basket) else None
