"""Why a signature does not match: what people get wrong, tried one by one.

A fit is a hint and never a verdict: it says what to mend, and the cookie stays refused.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from sessionctl.encoding import b64decode_urlsafe
from sessionctl.errors import MalformedCookieError, SecretError, SessionctlError
from sessionctl.signing.keys import KeyRing, Secret
from sessionctl.verdict import Warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.identify import Identified, Setup


_ASSIGNED = re.compile(r"(?:export )?[A-Za-z_]\w{2,40} ?= ?", re.ASCII)
"""How a line of a .env file begins, which somebody may have given with the secret in it."""


def hints(known: Identified, setup: Setup) -> list[Warn]:
    """The mistakes that would make the cookie genuine, each with what to do.

    Empty without keys, and where the cookie was not refused for its signature or its form.
    """
    if not known.context.keys or known.verdict.reason not in ("bad-signature", "malformed", "wrong-key-type"):
        return []
    found = [
        Warn("hint", text)
        for text, changed in (
            *_texts(known, setup),
            *_keys(known),
            *_names(known),
            *_options(known),
            *_formats(known, setup),
        )
        if _fits(changed)
    ]
    return found[:3]


def _fits(known: Identified) -> bool:
    try:
        return known.format.judge(known.text, known.context).key_index is not None
    except SessionctlError:
        return False


def _texts(known: Identified, setup: Setup) -> Iterator[tuple[str, Identified]]:
    text = known.text
    name = known.context.cookie_name
    changes = [
        ("the text fits once it is percent-decoded: it was encoded once too often", unquote(text)),
        (
            "the text fits once it is percent-encoded: it was decoded on the way",
            quote(text, "*~", errors="replace"),
        ),
        ("the text fits without the quotes around it", text.strip("'\"")),
        ("the text fits with + where it has spaces: something read it as a form", text.replace(" ", "+")),
        (
            "the text fits without the white space inside: a line break came in by copying",
            "".join(text.split()),
        ),
        ("the text fits without what follows the ';'", text.split(";")[0]),
    ]
    if name and text.startswith(f"{name}="):
        changes.append(("the text fits without the name in front", text[len(name) + 1 :]))
    elif "=" in text:
        changes.append(("the text fits without the name in front", text.partition("=")[2]))
    for hint, changed in changes:
        if changed != text and changed:
            same = known._replace(text=changed)
            other = None if setup.format is not None or _fits(same) else _identified(same, setup)
            if other is not None:
                hint = f"as {other.format.name}, {hint}"  # noqa: PLW2901 - the damage hid the format
            yield hint, other or same


def _identified(known: Identified, setup: Setup) -> Identified | None:
    """A text as the format that a key settles, where it is of another than the one it was taken for."""
    from sessionctl.identify import identify
    from sessionctl.sources import Source

    try:
        found = identify(Source(known.context.cookie_name, known.text, known.context.cookies), setup)
    except SessionctlError:
        return None
    return found if found.settled else None


def _keys(known: Identified) -> Iterator[tuple[str, Identified]]:
    for index, secret in enumerate(known.context.keys):
        for hint, changed in _variants(secret):
            ring = KeyRing([changed])
            yield f"key {index} fits {hint}", known._replace(context=known.context._replace(keys=ring))


def _variants(secret: Secret) -> Iterator[tuple[str, Secret]]:
    text = secret.text
    if text is None:
        yield "as the hexadecimal text itself: give it without hex:", Secret(secret.bytes.hex())
        encoded = binascii.b2a_base64(secret.bytes, newline=False).decode()
        yield "as the base64 text itself: give it with text:", Secret(encoded)
        return
    yield (
        "with a line break at its end: the application reads its file without stripping it",
        Secret(f"{text}\n"),
    )
    if text.strip() and text != text.strip():
        yield "without the white space around it", Secret(text.strip())
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        yield "without the quotes around it", Secret(text[1:-1])
    if (assigned := _ASSIGNED.match(text)) is not None and (given := _parsed(text[assigned.end() :])):
        yield f'without "{assigned[0]}"', given
    if (content := _content_of(text)) is not None:
        yield "as the content of the file of that name: give it as @FILE", content
    try:
        if decoded := bytes.fromhex(text):
            yield "once it is decoded from hexadecimal: give it as hex:...", Secret(decoded)
    except ValueError:
        pass
    try:
        if decoded := b64decode_urlsafe(text.translate({ord("+"): "-", ord("/"): "_"})):
            yield "once it is decoded from base64: give it as base64:...", Secret(decoded)
    except MalformedCookieError:
        pass


def _parsed(text: str) -> Secret | None:
    """The secret that a line of a .env file gives, which may stand in quotes."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    try:
        return Secret.parse(text) if text and text[0] != "@" else None
    except SecretError:
        return None


def _content_of(path: str) -> Secret | None:
    """What is in the file of that name, where there is one."""
    import os

    try:
        return Secret.read(path) if os.path.isfile(path) else None
    except (SecretError, ValueError):
        return None


def _names(known: Identified) -> Iterator[tuple[str, Identified]]:
    given = known.context.cookie_name
    for name in known.format.cookie_names:
        if name != given:
            context = known.context._replace(cookie_name=name)
            yield (
                f"it fits under the cookie name {name!r}: give it as {name}=... or with --cookie-name",
                known._replace(context=context),
            )


def _options(known: Identified) -> Iterator[tuple[str, Identified]]:
    """Other settings of the same format, one at a time."""
    for option in known.format.options:
        for choice in option.choices if option.explains else ():
            if choice != known.format.option(option.name):
                try:
                    form = known.format.altered({option.name: choice})
                except SessionctlError:
                    continue
                yield f"it fits with -O {option.name}={choice}", known._replace(format=form)


def _formats(known: Identified, setup: Setup) -> Iterator[tuple[str, Identified]]:
    """The other formats that the text may be of, where one was asked for; else all were tried."""
    if setup.format is None:
        return
    from sessionctl import formats

    for name, _ in formats.detect(known.text, cookie_name=known.context.cookie_name):
        if name != known.format.name:
            yield f"as {name} it is genuine: -f {name}", known._replace(format=formats.get(name))
