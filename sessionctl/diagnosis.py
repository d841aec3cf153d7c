"""Why a signature does not match: what people get wrong, tried one by one.

A fit is a hint and never a verdict: it says what to mend, and the cookie stays refused.
"""

from __future__ import annotations

import codecs
import re
import shlex
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from sessionctl.encoding import b64decode, b64encode, to_standard
from sessionctl.errors import MalformedCookieError, SecretError, SessionctlError
from sessionctl.formats.judging import says_unopened
from sessionctl.signing.keys import KeyRing, Secret
from sessionctl.signing.macs import says_misfit
from sessionctl.verdict import Verdict, Warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.formats.base import Format
    from sessionctl.identify import Identified, Setup

_UNREAD = Verdict(valid=False, reason="malformed")

_MOST = 3
"""Hints that are told."""

_RIVALS = 2
"""Other formats whose settings are tried."""

_LONGEST = 1 << 16
"""Characters of the longest text that hints are looked for: no server takes as much, and each is judged anew."""

_MARK = "\ufeff"
"""The byte order mark, which editors of Windows write at the beginning of a file."""

_ASSIGNED = re.compile(r"(?:export )?[A-Za-z_]\w{2,40} ?= ?", re.ASCII)
"""How a line of a .env file begins, which somebody may have given with the secret in it."""


def hints(known: Identified, setup: Setup) -> list[Warn]:
    """The mistakes that would make the cookie genuine, each with what to do; else what is likely where none would.

    Empty without keys, and where the cookie was not refused for its signature or its form.
    """
    return mistakes(known, setup) or _otherwise(known, setup)


def mistakes(known: Identified, setup: Setup) -> list[Warn]:
    """As `hints`, but only what was tried and makes the cookie genuine."""
    if known.context.keys and known.verdict.reason == "unsigned" and known.twins:
        return [*islice((Warn("hint", text) for text, mended in _twins(known) if mended.settled), 1)]
    if not known.context.keys or known.verdict.reason not in ("bad-signature", "malformed", "wrong-key-type"):
        return []
    if len(known.text) > _LONGEST:
        return []
    if told := [warning for warning in known.verdict.warnings if warning.code == "hint"]:
        return told  # what made the format known at all
    from sessionctl.identify import confuses

    likely = chain(
        _twins(known),
        _texts(known, setup),
        _keys(known),
        _names(known),
        _options(known),
        _formats(known, setup),
    )
    for tried in (likely, _settings(known)):
        found = (Warn("hint", text) for text, mended in tried if mended.settled and not confuses(mended))
        if told := [*islice(found, _MOST)]:
            return told
    return []


def _mended(known: Identified, **changed: Any) -> Identified:
    """The cookie judged anew with something else in it or about it."""
    again = known._replace(**changed)
    try:
        return again._replace(verdict=again.format.judge(again.text, again.context))
    except SessionctlError:
        return again._replace(verdict=_UNREAD)


def _twins(known: Identified) -> Iterator[tuple[str, Identified]]:
    """The other cookies of the name: a browser sends those of several paths and domains in one header."""
    name, form = known.context.cookie_name, known.format
    took = f"{form.name} takes the {'last' if form.takes_last_cookie else 'first'}"
    hint = f"another value of {name} in that header fits, but {took}: the browser has two, of different Path or Domain"
    for text in known.twins:
        yield hint, _mended(known, text=text)


def _texts(known: Identified, setup: Setup) -> Iterator[tuple[str, Identified]]:
    text = known.text
    name = known.context.cookie_name
    changes = [
        ("the text fits once it is percent-decoded: it was encoded once too often", once := unquote(text)),
        ("the text fits once it is percent-decoded: it was encoded twice too often", unquote(once)),
        (
            "the text fits once it is percent-encoded: it was decoded on the way",
            quote(text, "*~", errors="replace"),
        ),
        (
            "the text fits with a '.' in front: its beginning was not copied",
            f".{text}" if text[:1] == "e" else "",
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
    if name:
        changes.append(
            (
                f"the text fits with {name}= in front, which is no name but part of it: give it as NAME={name}=...",
                f"{name}={text}",
            )
        )
    tried = {text, ""}
    for hint, changed in changes:
        if changed not in tried:
            tried.add(changed)
            same = _mended(known, text=changed)
            if same.settled or setup.format is not None:
                yield hint, same
            elif (other := _identified(same, setup)) is not None:
                yield f"as {other.format.name}, {hint}", other  # the damage hid the format


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
        which = f"key {index}" if len(known.context.keys) > 1 else "the secret"
        for hint, changed in _variants(secret):
            ring = KeyRing([changed])
            yield f"{which} fits {hint}", _mended(known, context=known.context._replace(keys=ring))


def _variants_of_bytes(key: bytes) -> Iterator[tuple[str, Secret]]:
    if key[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        with suppress(UnicodeDecodeError):
            text = key.decode("utf-16").removesuffix("\n").removesuffix("\r")
            yield "once its file is read as UTF-16: save the file as UTF-8", Secret(text)
    yield "as the hexadecimal text itself: give it without hex:", Secret(key.hex())
    yield "as the base64 text itself: give it with text:", Secret(b64encode(key))


def _without_what_is_around(text: str) -> Iterator[tuple[str, Secret]]:
    if text[:1] == _MARK and len(text) > 1:
        yield "without the byte order mark with which its file begins", Secret(text[1:])
    if text.strip() and text != text.strip():
        yield "without the white space around it", Secret(text.strip())
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        yield "without the quotes around it", Secret(text[1:-1])


def _variants(secret: Secret) -> Iterator[tuple[str, Secret]]:
    text = secret.text
    if text is None:
        yield from _variants_of_bytes(secret.bytes)
        return
    yield (
        "with a line break at its end: the application reads its file without stripping it",
        Secret(f"{text}\n"),
    )
    yield from _without_what_is_around(text)
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
        if decoded := b64decode(to_standard(text)):
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
                _mended(known, context=context),
            )


def _options(known: Identified, lead: str = "it fits with") -> Iterator[tuple[str, Identified]]:
    """Other settings of the same format, one or several at a time."""
    for ways in known.format.trials(known.text):
        try:
            form = known.format.altered(ways)
        except SessionctlError:
            continue
        told = " ".join(f"-O {name}={shlex.quote(value)}" for name, value in ways.items())
        yield f"{lead} {told}", _mended(known, format=form)


def _formats(known: Identified, setup: Setup) -> Iterator[tuple[str, Identified]]:
    """The other formats that the text may be of, where one was asked for; else all were tried."""
    if setup.format is not None:
        for form in _rivals(known):
            yield f"as {form.name} it is genuine: -f {form.name}", _mended(known, format=form)


def _settings(known: Identified) -> Iterator[tuple[str, Identified]]:
    """Other settings of the other formats that the text may be of."""
    for form in _rivals(known)[:_RIVALS]:
        if _usual(form):
            lead = f"as {form.name} it is genuine: -f {form.name}"
            yield from _options(known._replace(format=form), lead)


def _rivals(known: Identified) -> list[Format]:
    from sessionctl import formats

    found = formats.detect(known.text, cookie_name=known.context.cookie_name)
    return [formats.get(name) for name, _ in found if name != known.format.name]


def _usual(form: Format) -> list[str]:
    """The options that applications choose freely, such as a salt."""
    return [option.name for option in form.options if option.usual]


def _otherwise(known: Identified, setup: Setup) -> list[Warn]:
    """What a whole text that nothing fits comes from: another secret, or a salt that only the application knows."""
    verdict = known.verdict
    unopened = says_unopened(verdict.detail)
    if verdict.reason != "bad-signature" or not (unopened or says_misfit(verdict.detail)):
        return []
    if any(warning.code == "cut" for warning in verdict.warnings) or "name=value" in verdict.detail:
        return []  # the rest of the text, or the cookie's name, is to be given first
    if not setup.keys:
        return [Warn("hint", "only the default secret was tried: --secret gives the application's")]
    done = "encrypted" if unopened else "signed"
    causes = "it changed at a deployment, is made anew at each start, or differs between machines"
    names = [name for name in _usual(known.format) if not known.format.given(name)]
    or_its_own = "".join(f"; or the application has its own {name}: -O {name}=... gives it" for name in names)
    return [Warn("hint", f"perhaps another secret {done} it: {causes}{or_its_own}")]
