"""A curl command as browsers copy it: for bash (`'...'`, `$'...'`) and for Windows (`^"...^"`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sessionctl.errors import MalformedCookieError
from sessionctl.sources.basket import Basket

if TYPE_CHECKING:
    from collections.abc import Iterator

_CARET = re.compile(r'\^["%&|<>!\\]|[ "]\^\r?\n')
_COMMAND = re.compile(r"(?i)(?:\$ )?curl(?:\.exe)?[\s^]")
_JOINED = re.compile(r"-[#0146GINORSZafgijklnpqsv]*([bH])(.*)", re.DOTALL)
"""Short options in one word: flags, then one that takes a value, which may follow without a space."""
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}


def read_curl(text: str) -> Basket | None:
    """The cookies of `-b` and of Cookie headers in one or more curl commands; None where it is no curl command.

    Raises `MalformedCookieError` where the command has no cookie, or takes it from a file.
    """
    if not _COMMAND.match(text):
        return None
    words = list(_windows_words(text) if _CARET.search(text) else _shell_words(text))
    basket, files = Basket(), list[str]()
    for option, value in _options(words):
        if option == "cookie" and "=" in value:
            basket.add_sent(value)
        elif option == "cookie":
            files.append(value)
        elif option == "header" and value.partition(":")[0].strip().lower() == "cookie":
            basket.add_sent(value.partition(":")[2])
    if not len(basket):
        if files:
            raise MalformedCookieError(
                f"this curl command takes its cookies from the file {files[0][:80]!r}: give that"
            )
        raise MalformedCookieError(
            "this curl command sends no cookie; was it copied from a request without one?"
        )
    return basket


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """The options that may carry cookies, with their values."""
    names = {"-b": "cookie", "--cookie": "cookie", "-H": "header", "--header": "header"}
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if word in names:
            yield names[word], next(rest, "")
        elif equals and option in names and option.startswith("--"):
            yield names[option], value
        elif (match := _JOINED.fullmatch(word)) is not None:
            yield names[f"-{match[1]}"], match[2] or next(rest, "")


def _shell_words(text: str) -> Iterator[str]:
    """The words of a POSIX shell, with bash's `$'...'`."""
    word, place, inside = "", 0, False
    while place < len(text):
        char = text[place]
        if char in " \t\r\n":
            if inside:
                yield word
            word, inside, place = "", False, place + 1
            continue
        inside = True
        if text.startswith("\\\n", place) or text.startswith("\\\r\n", place):
            inside, place = bool(word), text.index("\n", place) + 1
            continue
        piece, place = _piece(text, place)
        word += piece
    if inside:
        yield word


def _piece(text: str, place: int) -> tuple[str, int]:
    """What begins at a place, without its quotes, and where it ends. An open quote reaches to the end."""
    char = text[place]
    if text.startswith("$'", place):
        return _ansi(text, place + 2)
    if char == "'":
        end = text.find("'", place + 1)
        end = len(text) if end < 0 else end
        return text[place + 1 : end], end + 1
    if char == '"':
        match = re.compile(r'"((?:[^"\\]++|\\.)*+)"?', re.DOTALL).match(text, place)
        assert match is not None  # noqa: S101 - it begins with the quote
        return re.sub(
            r'\\(["\\$`\n])', lambda found: "" if found[1] == "\n" else found[1], match[1]
        ), match.end()
    if char == "\\":
        return text[place + 1 : place + 2], place + 2
    return char, place + 1


def _ansi(text: str, place: int) -> tuple[str, int]:
    """Bash's ANSI-C quoting, from behind its `$'`."""
    match = re.compile(r"((?:[^'\\]++|\\.)*+)'?", re.DOTALL).match(text, place)
    assert match is not None  # noqa: S101 - it matches the empty text too
    return re.sub(
        r"\\(u[0-9a-fA-F]{1,4}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", _unescape, match[1], flags=re.DOTALL
    ), match.end()


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "ux" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _ANSI.get(code, code)


def _windows_words(text: str) -> Iterator[str]:
    """The words of a command for cmd.exe: carets first, then the quotes as the C runtime reads them."""
    plain = _without_carets(text)
    for found in re.finditer(r'((?:"(?:[^"\\]++|\\.|"")*+"?|[^\s"]++)++)', plain):
        yield re.sub(r'\\(["\\])|""|"', lambda part: part[1] or ('"' if part[0] == '""' else ""), found[1])


def _without_carets(text: str) -> str:
    """As cmd.exe reads it: a caret takes the next character as it is, but not inside plain quotes."""
    found, place, quoted = "", 0, False
    while place < len(text):
        char = text[place]
        if char == "^" and not quoted:
            follows = text[place + 1 : place + 3]
            if follows[:1] in "\r\n":
                place += 3 if follows == "\r\n" else 2
                found += " " if not found.endswith(" ") else ""
                continue
            found += follows[:1]
            place += 2
            continue
        if char == '"':
            quoted = not quoted
        if char in "\r\n":
            quoted, char = False, " "
        found += char
        place += 1
    return found
