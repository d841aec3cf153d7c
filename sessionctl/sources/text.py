"""Bytes and clipboards as text: what editors, terminals and Windows put around a cookie, taken off and told."""

from __future__ import annotations

import codecs
import re

from sessionctl.errors import MalformedCookieError

_MARKS = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
"""Characters that nobody sees: byte order marks, zero-width spaces and joiners, soft hyphens."""

_LINE_END = re.compile(r"(?:\\r)?\\n(?=[ \t]{0,40}$)", re.MULTILINE)
"""A line's end that was printed as the escape for it, as Wireshark does."""

_BINARY = {
    b"\x1f\x8b": "is compressed by gzip: unpack it first, as with gunzip",
    b"PK\x03\x04": "is a zip archive: unpack it first",
    b"SQLite format 3\0": "is a database; a browser's own is not read: copy the cookie from its developer tools",
}
"""How files begin that are no text, and what is to be done with them."""

_LOOKED_AT = 4096
"""Bytes of a file that tell whether it is text."""

_CURLY = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})


def decode_text(content: bytes) -> str:
    """The text of a file or of standard input: UTF-8, or UTF-16 as Windows' clipboard and PowerShell write it.

    What is neither is kept byte by byte. Raises `MalformedCookieError` for a binary file.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if len(content) > 1 and not content[1:64:2].strip(b"\0"):
        return content.decode("utf-16-le", errors="replace")
    _refuse_binary(content[:_LOOKED_AT])
    return content.removeprefix(codecs.BOM_UTF8).decode(errors="surrogateescape")


def _refuse_binary(start: bytes) -> None:
    for magic, words in _BINARY.items():
        if start.startswith(magic):
            raise MalformedCookieError(f"this {words}")
    if b"\0" in start:
        raise MalformedCookieError("this is a binary file: it has no text in which a cookie could stand")


def tidy(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without what a clipboard has put around it, and a note on what was taken off."""
    bare = text.strip()
    if bare.isascii() and not bare.endswith((",", ";", "\\n")):
        return bare, ()
    tidied = _LINE_END.sub("", bare).strip(_MARKS + " \t\r\n")
    if tidied[:1] in "\u201c\u201e\u2018":
        tidied = tidied.translate(_CURLY)
    if tidied.endswith(",") and not tidied.startswith(("{", "[")):
        tidied = tidied.rstrip(", ")
    if tidied.endswith(";") and tidied.count(";") == 1:  # as it stands in a Set-Cookie header
        tidied = tidied.rstrip("; ")
    return tidied, () if tidied == bare else ("what copying has put around it was taken off",)
