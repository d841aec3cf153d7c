"""Bytes and clipboards as text: what editors, terminals and Windows put around a cookie, taken off and told."""

from __future__ import annotations

import codecs

_MARKS = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
"""Characters that nobody sees: byte order marks, zero-width spaces and joiners, soft hyphens."""

_CURLY = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})


def decode_text(content: bytes) -> str:
    """The text of a file or of standard input: UTF-8, or UTF-16 as Windows' clipboard and PowerShell write it.

    What is neither is kept byte by byte.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if len(content) > 1 and not content[1:64:2].strip(b"\0"):
        return content.decode("utf-16-le", errors="replace")
    return content.removeprefix(codecs.BOM_UTF8).decode(errors="surrogateescape")


def tidy(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without what a clipboard has put around it, and a note on what was taken off."""
    bare = text.strip()
    if bare.isascii() and not bare.endswith(","):
        return bare, ()
    tidied = bare.strip(_MARKS + " \t\r\n")
    if tidied[:1] in "\u201c\u201e\u2018":
        tidied = tidied.translate(_CURLY)
    if tidied.endswith(",") and not tidied.startswith(("{", "[")):
        tidied = tidied.rstrip(", ")
    return tidied, () if tidied == bare else ("what copying has put around it was taken off",)
