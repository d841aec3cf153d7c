"""What the arguments come to: the session that is meant, standard input, `K=V`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from sessionctl.cli.conflicts import ONE_SESSION, is_said, refuse_two_sessions
from sessionctl.cli.output import shown
from sessionctl.cli.setup import settings_of
from sessionctl.errors import UsageError
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sessionctl.cli.options import Look
    from sessionctl.identify import Target
    from sessionctl.sources import Source
    from sessionctl.sources.har import Exchange


def target_of(params: dict[str, Any], words: tuple[str, ...]) -> tuple[Target, tuple[str, ...]]:
    """The session that is meant, and the arguments that are left: the first is the COOKIE, but with
    --id, --ref, --har or --cookie-jar.
    """
    from sessionctl.identify import Target

    refuse_two_sessions(params)
    session_id, ref = params.pop("session_id", None), params.pop("ref", None)
    if session_id is not None or ref is not None:
        _no_files(params)
        return Target(id=session_id, ref=ref), words
    source, rest = source_of(params, words, _name_of(params))
    return Target(source=source), rest


def source_in(text: str, params: dict[str, Any]) -> Source:
    """The cookie that is meant in a text."""
    from sessionctl import sources

    return _named(sources.read_cookie, text, _name_of(params))


def source_in_visit(visit: Sequence[Exchange], params: dict[str, Any], *, whole: bool = False) -> Source:
    """The cookie that is meant in a recorded visit: its last value, or the `whole` of its story."""
    from sessionctl.sources.har import gather

    return _named(lambda given, name: gather(given).source(name, whole=whole), visit, _name_of(params))


def _name_of(params: dict[str, Any]) -> str | None:
    name: str | None = params.get("cookie_name") or settings_of(params).get("cookie_name")
    return name


def _no_files(params: dict[str, Any]) -> None:
    params.pop("har", None)
    params.pop("cookie_jar", None)


def source_of(
    params: dict[str, Any], words: tuple[str, ...], name: str | None
) -> tuple[Source, tuple[str, ...]]:
    """The cookie that is meant, and the arguments that are left."""
    from sessionctl import sources

    refuse_two_sessions(params)
    har, jar = params.pop("har", None), params.pop("cookie_jar", None)
    if har is not None:
        return _named(sources.read_har, content_of_file(har), name), words
    if jar is not None:
        return _named(sources.read_cookie_jar, content_of_file(jar), name), words
    if not words:
        raise UsageError("a COOKIE is missing: a text, name=value, a header, @FILE, or - for standard input")
    return _named(sources.read_cookie, text_of(words[0]), name), words[1:]


def _named(read: Callable[[Any, str | None], Source], content: Any, name: str | None) -> Source:
    """The cookie of that name. A name that only a profile gives is let go where there is no such cookie.

    Without a name, of several cookies the one is meant that -f or the layout of -s has a name for.
    """
    if name is None:
        from sessionctl.sources import choose

        return choose(lambda wanted: read(content, wanted), _usual_names)
    found = read(content, name)
    context = click.get_current_context(silent=True)
    asked = context is None or context.params.get("cookie_name") is not None
    if found.value is not None or asked:
        return found
    found = read(content, None)
    return found._replace(notes=(f"there is no cookie {name!r}, as the profile calls it", *found.notes))


def _usual_names() -> list[str]:
    """The names that the framework gives its cookie which -f, the layout of -s or the profile names."""
    from sessionctl.stores.layouts import cookie_names

    context = click.get_current_context()
    settings = settings_of(dict(context.params))
    name = context.params.get("format_name") or settings.get("format")
    return cookie_names(name, context.params.get("storage") or settings.storage_url())


def text_of(word: str) -> str:
    """The text of a COOKIE: itself, the content of `@FILE`, or standard input."""
    if word != "-" and not (word.startswith("@") and len(word) > 1):
        return word
    from sessionctl.sources import decode_text

    path = os.path.expanduser(word.removeprefix("@"))  # no shell does it behind the @
    return decode_text(content_of_file(path))


def content_of_file(path: str) -> bytes:
    """The content of a file, or of standard input for `-`. Raises `UsageError`."""
    from sessionctl.sources import read_file

    return _read_stdin() if path == "-" else read_file(path)


def tell_notes(source: Source | None, look: Look) -> None:
    """Say on stderr how a cookie was got out of what was given."""
    from sessionctl.cli.output import say

    for note in source.notes if source is not None else ():
        say(note, quiet=look.quiet or look.json)


def assignments(words: tuple[str, ...]) -> dict[str, Any]:
    """`K=V` and `K:=JSON`: V is JSON where it parses as JSON, else text. Raises `UsageError`."""
    return dict(_assignment(word) for word in words)


def _assignment(word: str) -> tuple[str, Any]:
    from sessionctl import jsontext
    from sessionctl.errors import MalformedError

    key, equals, text = word.partition("=")
    if not equals or key in ("", ":"):
        raise UsageError(f"{shown(word)} is no K=V")
    try:
        value = jsontext.loads(text)
    except MalformedError as error:
        if key.endswith(":"):
            raise UsageError(f"{key[:-1]}:= demands JSON, and its value is {error}") from None
        value = text
    return key.removesuffix(":"), value


def refuse_rest(words: tuple[str, ...]) -> None:
    """Raise `UsageError` for arguments that a command has no use for."""
    if words:
        said = next((option for name, option in ONE_SESSION.items() if is_said(name)), None)
        why = f"{said} stands in place of a COOKIE" if said else "a text with blanks or ';' goes in quotes"
        raise UsageError(f"{counted(len(words), 'more argument')} than this command takes; {why}")


def _read_stdin() -> bytes:
    """Standard input as it is. Raises `UsageError` where there is none, too much, or it was read already."""
    from sessionctl.sources import MAX_FILE

    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get("sessionctl.stdin"):
        raise UsageError("standard input is read once, and - stands there twice: give one as a text or @FILE")
    if context is not None:
        context.meta["sessionctl.stdin"] = True
    content = stdin().read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise UsageError(f"more than {MAX_FILE >> 20} MiB on standard input: give the part that is meant")
    return content


def stdin() -> BinaryIO:
    """Standard input. Raises `UsageError` where it is closed, or a terminal, since nothing prompts."""
    if sys.stdin is None:
        raise UsageError("- reads standard input, which is closed")
    if sys.stdin.isatty():
        raise UsageError(
            "- reads standard input, which is a terminal here, and that cuts long lines: give the text in "
            "quotes, or @FILE"
        )
    return sys.stdin.buffer
