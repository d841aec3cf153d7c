"""Cookies in lines of a log: after the word cookie, as pairs in quotes, or as anything that looks like a session."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from sessionctl.sources.base import is_set_cookie
from sessionctl.sources.basket import Basket
from sessionctl.sources.likeliest import sureness

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
LABEL = re.compile(r"(?i)(?<![a-z0-9])(?<!; )(?<!;)(set-)?cookies?(?:_header)?[\"']?\s*(?:=>|[:=])\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')
_PAIR = re.compile(rf"(?:(?<=[\s\[({{<])|^)({_NAME})=(\S+)")
_ITEM = re.compile(r"[\"']([\w.\-]{1,80})[\"']\]?\s{0,8}(?:=>|:)\s{0,8}[\"']([^\"'\s]+)[\"']")
_QUOTES = ("'", '"')

SURE_OF_PAIR = 0.4
SURE_OF_WORD = 0.6
"""How sure a word without a name must be: prose is full of words."""


def read_log(text: str) -> Basket | None:
    """The cookies in lines of a log; None where there are none."""
    basket = Basket()
    for line in text.splitlines():
        any(read(line, basket) for read in (_labelled, _quoted_pairs, _mapping, _pairs, _word))
    if not len(basket):
        return None
    basket.notes.append("taken out of a line of other text")
    return basket


def _labelled(line: str, basket: Basket) -> bool:
    before = len(basket)
    for match in LABEL.finditer(line):
        before_it = line[max(match.start() - 1, 0) : match.start()]
        value = _value(line[match.end() :], until=before_it if before_it in _QUOTES else "")
        if "=" not in value:
            continue
        if match[1] or is_set_cookie(value):
            basket.add_set(value)
        else:
            basket.add_sent(value)
    return len(basket) > before


def _value(rest: str, until: str) -> str:
    """What follows the label: quoted, up to the quote that stands before the label, or to where the pairs end."""
    if until and until in rest:
        return rest.partition(until)[0]
    quoted = _QUOTED.match(rest)
    if quoted is not None:
        return _unquoted(quoted)
    match = re.match(rf"{_NAME}=[^\s;,\"]*(?:;\s*[^\s;,=\"]+(?:=(?:\w\w\w, [^;]*|[^\s;,\"]*))?)*", rest)
    return match[0] if match else ""


def _unquoted(quoted: re.Match[str]) -> str:
    if quoted[1] is None:
        return quoted[2].replace("\\'", "'").replace("\\\\", "\\")
    try:
        return str(json.loads(quoted[0]))
    except ValueError:
        return quoted[1].replace('\\"', '"')


def _quoted_pairs(line: str, basket: Basket) -> bool:
    """Fields in quotes that hold pairs, as nginx and Apache log `$http_cookie`, `%{Cookie}i`."""
    before = len(basket)
    for quoted in _QUOTED.finditer(line):
        text = _unquoted(quoted)
        if re.fullmatch(rf"{_NAME}=[^;]*(?:; ?{_NAME}=[^;]*)*", text) and "://" not in text.partition("=")[0]:
            basket.add_sent(text)
    return len(basket) > before


def _mapping(line: str, basket: Basket) -> bool:
    """Names and values in quotes, as programs show a dictionary: `"name": "value"`, `'name' => 'value'`."""
    before = len(basket)
    for match in _ITEM.finditer(line):
        if sureness(match[2], match[1]) >= SURE_OF_PAIR:
            basket.add(match[1], match[2])
    return len(basket) > before


def _pairs(line: str, basket: Basket) -> bool:
    before = len(basket)
    for name, value in _PAIR.findall(line):
        bare = value.strip("\"',;)]}>")
        if sureness(bare, name) >= SURE_OF_PAIR:
            basket.add(name, bare)
    return len(basket) > before


def _word(line: str, basket: Basket) -> bool:
    """A bare value among other words; it goes by the name that no cookie has."""
    before = len(basket)
    words = list(_words(line))
    if not words or sureness(line.strip().replace(" ", "+")) >= SURE_OF_PAIR:
        return False  # none, or one value in which something has read + as a space
    for word in words:
        if sureness(word) >= SURE_OF_WORD:
            basket.add("", word)
    return len(basket) > before


def _words(line: str) -> Iterator[str]:
    if len(line.split()) > 1:
        for word in line.split():
            bare = word.strip("\"',;()[]{}<>")
            if len(bare) > 20:  # noqa: PLR2004 - nothing that is signed is shorter
                yield bare
