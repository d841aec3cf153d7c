"""What goes to stdout and stderr: data as JSON or text, messages, nothing that a terminal would obey."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import Any

import click

from sessionctl import jsontext
from sessionctl.cli.wrapping import INDENT, fitted

LONGEST_SHOWN = 24
"""Characters of an argument that a message repeats."""

# Control characters (Unicode Cc), and what changes the direction or hides text: UAX #9 and zero-width. It is
# compiled at the first text that has any, since most have none.
_OBEYED = "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"


def visible(text: str) -> str:
    """Text with every character that a terminal would obey, or that hides others, shown as an escape."""
    return text if text.isprintable() else re.sub(_OBEYED, lambda match: _escape(match[0]), text)


def _escape(char: str) -> str:
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return known.get(char) or (f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}")  # noqa: PLR2004


def json_text(value: Any) -> str:
    """One line of JSON in which nothing is left that a terminal would obey; still the same JSON."""
    text = jsontext.dumps(value)
    return text if text.isprintable() else re.sub(_OBEYED, lambda match: f"\\u{ord(match[0]):04x}", text)


def print_json(value: Any) -> None:
    """One JSON object on a line of stdout."""
    click.echo(json_text(value))


def print_data(text: str) -> None:
    """Text for stdout: as it is into a pipe, visible on a terminal."""
    if sys.stdout.isatty():
        click.echo(visible(text))
        return
    try:
        click.echo(text)
    except UnicodeEncodeError:
        click.echo(text.encode(errors="surrogatepass") + b"\n", nl=False)


def print_file(text: str) -> None:
    """What is meant for a file of several lines: as `print_data`, but its line ends and tabs are no odd characters."""
    if not sys.stdout.isatty():
        print_data(text)
        return
    for line in text.split("\n"):
        click.echo("\t".join(map(visible, line.split("\t"))))


def print_words(text: str, indent: int = INDENT) -> None:
    """An answer in words for people, on stdout; its lines after the first are set in by so much on a terminal."""
    for line in fitted(visible(text), sys.stdout, indent):
        print_data(line)


def print_cells(*texts: str) -> None:
    """Texts that hold nothing odd in one line: parted by a tab into a pipe, on a terminal by blanks."""
    click.echo(("  " if sys.stdout.isatty() else "\t").join(texts))


def drawn(sign: str, plain: str) -> str:
    """A sign, or a plain one where the encoding of standard output lacks it."""
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return plain
    return sign


def shown(word: str) -> str:
    """A word of the command line in a message: a long one may be a cookie, an ID or a secret, and stays out."""
    return repr(word) if len(word) <= LONGEST_SHOWN else f"a text of {len(word)} characters"


def value_text(value: Any) -> str:
    """A value for plain stdout: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json_text(value)


def say(message: str, *, quiet: bool = False) -> None:
    """A message for people, on stderr: a line, broken between words on a terminal.

    That nobody can read it, as on a full disk, stops nothing.
    """
    if not quiet and sys.stderr is not None:
        with suppress(OSError):
            click.echo("\n".join(fitted(f"sessionctl: {visible(message)}", sys.stderr)), err=True)
