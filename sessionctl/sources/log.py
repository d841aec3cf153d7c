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

_NAME = r"[!#$%&*+\-.^_|~0-9A-Za-z]+"
"""What a cookie's name is made of, but for the quotes that a log puts around it."""

LABEL = re.compile(r"(?i)(?<![a-z0-9])(?<!; )(?<!;)(set-)?cookies?(?:_header)?([\"']?)\s*(?:=>|[:=])\s*")
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"|\'((?:[^\'\\]++|\\.)*+)\'')
"""Possessive, as elsewhere: to keep the way back from each character would take a hundred times the text."""
_ANY_QUOTE = re.compile("[\"']")
_OTHER_QUOTE = {'"': re.compile("'"), "'": re.compile('"')}
_BARE = re.compile(rf"{_NAME}=[^\s;,\"]*(?:;\s*[^\s;,=\"]+(?:=(?:\w\w\w, [^;]*|[^\s;,\"]*))?)*")
_PAIR = re.compile(rf"(?:(?<=[\s\[({{<\"'`])|^)({_NAME})(?:=|:\s+)(?=(\S+))")
_ITEM = re.compile(
    r"[\"']([\w.\-]{1,80})[\"']\]?\s{0,8}(?:=>|[:,])\s{0,8}[\"']([^\"'\s]+)[\"']"
    r"|(?<![\"'\w.\-])([A-Za-z_][\w.\-]{0,79}):\s{1,8}[\"']([^\"'\s]+)[\"']"
)
_QUOTES = ("'", '"')

SURE_OF_PAIR = 0.4
SURE_OF_WORD = 0.6
"""How sure a word without a name must be: prose is full of words."""

SHORTEST = 20
"""Characters of the shortest word that may be a value: nothing that is signed is shorter."""


_CALL = re.compile(r"\s*(?:await )?fetch\(")
"""How a request begins that was copied as a call of JavaScript: its cookie stands where it belongs."""


def read_log(text: str) -> Basket | None:
    """The cookies in lines of a log; None where there are none."""
    basket = Basket()
    for line in text.splitlines():
        any(read(line, basket) for read in (_labelled, _quoted_pairs, _mapping, _pairs, _word))
    if not len(basket):
        return None
    if not _CALL.match(text):
        basket.notes.append("taken out of a line of other text")
    return basket


def read_labelled(text: str) -> Basket | None:
    """The cookies of those lines alone that name them as cookies."""
    basket = Basket()
    found = [_labelled(line, basket) for line in text.splitlines()]
    return basket if any(found) else None


def _labelled(line: str, basket: Basket) -> bool:
    found, place = False, 0
    while (match := LABEL.search(line, place)) is not None:
        before_it = line[max(match.start() - 1, 0) : match.start()]
        until = before_it if before_it in _QUOTES and not match[2] else ""
        value, place = _value(line, match.end(), until)
        if "=" not in value:
            continue
        found = True
        if match[1] or is_set_cookie(value):
            basket.add_set(value)
        else:
            basket.add_sent(value)
    return found


def _value(line: str, place: int, until: str) -> tuple[str, int]:
    """What follows a label, and where it ends: quoted, up to the quote that stands before the label, or to where the
    pairs end.
    """
    end = line.find(until, place) if until else -1
    if end >= 0:
        return line[place:end], end
    quoted = _QUOTED.match(line, place)
    if quoted is not None:
        return _unquoted(quoted), quoted.end()
    match = _BARE.match(line, place)
    return (match[0], match.end()) if match else ("", place)


def _quoted(line: str) -> Iterator[re.Match[str]]:
    """What stands in quotes, from the left. A quote that nothing closes is passed over, and with it all of its kind
    behind it, which nothing closes either: to look for each one's end would take the square of the line's length.
    """
    place, pattern = 0, _ANY_QUOTE
    while (opening := pattern.search(line, place)) is not None:
        quoted = _QUOTED.match(line, opening.start())
        if quoted is not None:
            yield quoted
            place = quoted.end()
            continue
        if pattern is not _ANY_QUOTE:
            return
        place, pattern = opening.end(), _OTHER_QUOTE[opening[0]]


def _unquoted(quoted: re.Match[str]) -> str:
    if quoted[1] is None:
        return quoted[2].replace("\\'", "'").replace("\\\\", "\\")
    try:
        return str(json.loads(quoted[0]))
    except ValueError:
        return quoted[1].replace('\\"', '"')


def _quoted_pairs(line: str, basket: Basket) -> bool:
    """Fields in quotes that hold pairs, as nginx and Apache log `$http_cookie`, `%{Cookie}i`."""
    found = False
    for quoted in _quoted(line):
        text = _unquoted(quoted)
        if "=" not in text or "://" in text.partition("=")[0]:
            continue
        if re.fullmatch(rf"{_NAME}=[^;]*(?:; ?{_NAME}(?:=[^;]*)?)*;?", text):
            (basket.add_set if is_set_cookie(text) else basket.add_sent)(text)
            found = True
    return found


def _mapping(line: str, basket: Basket) -> bool:
    """Values in quotes, as programs show a dictionary: `"name": "value"`, `'name' => 'value'`, `name: 'value'`."""
    return _add_sure(basket, ((match[1] or match[3], match[2] or match[4]) for match in _ITEM.finditer(line)))


def _pairs(line: str, basket: Basket) -> bool:
    """Names and values among other words: `name=value`, `name: value`."""
    return _add_sure(basket, ((name, value.strip("\"',;)]}>`")) for name, value in _PAIR.findall(line)))


def _add_sure(basket: Basket, pairs: Iterator[tuple[str, str]]) -> bool:
    """Put in the pairs of which it is sure that they are sessions."""
    sure = [(name, value) for name, value in pairs if sureness(value, name) >= SURE_OF_PAIR]
    for name, value in sure:
        basket.add(name, value)
    return bool(sure)


def _word(line: str, basket: Basket) -> bool:
    """A bare value among other words; it goes by the name that no cookie has."""
    words = list(_words(line))
    if not words or sureness(line.strip().replace(" ", "+")) >= SURE_OF_PAIR:
        return False  # none, or one value in which something has read + as a space
    sure = [word for word in words if sureness(word) >= SURE_OF_WORD]
    for word in sure:
        basket.add("", word)
    return bool(sure)


def _words(line: str) -> Iterator[str]:
    if len(line.split()) > 1:
        for word in line.split():
            bare = word.strip("\"',;()[]{}<>`")
            if len(bare) > SHORTEST:
                yield bare
