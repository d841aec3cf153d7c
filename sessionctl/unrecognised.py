"""What a text of no known format may be: a cookie that was cut or encoded once too often, blanks in it, an ID."""

from __future__ import annotations

import re
from typing import NamedTuple

from sessionctl import formats
from sessionctl.encoding import b64decode_urlsafe
from sessionctl.errors import MalformedCookieError
from sessionctl.formats import express
from sessionctl.formats.registry import SURE
from sessionctl.sources.likeliest import purpose_of
from sessionctl.wording import counted

SURELY = 0.9
"""The confidence that a text must have with its end restored."""

_LONGEST_STAMP, _LOOKED_AT = 6, 64
"""Characters of the time in a cookie, and bytes of a session that tell whether it is JSON."""

MOST_ENCODED = 1 << 16
"""Characters of a text that is looked at as mended: all formats do so each time."""

_TIMES = ("once", "twice", "three times")
"""How often a text may have been encoded too often."""

_COMPRESSED = ("eJ", "eN", "eA", "eF")
"""How zlib's streams begin in base64, by its levels."""

_DOT_IN_FRONT = "the text fits with a '.' in front: its beginning was not copied"

_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
"""A percent sign that encodes nothing: whatever wrote the text did not encode it as a whole."""

_PAIR = re.compile(r"([\w.-]{1,64})=(.+)", re.ASCII | re.DOTALL)

LEAST_CUT, MOST_CUT, LONGEST_LOSS = 20, 4096, 26
"""Characters of a text that may have been cut, and how many of them may be missing."""

SHORTEST_ID, LONGEST_ID = 20, 128
"""Characters of a text that may be the ID of a stored session."""

_ID_SHAPES = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ("koa-redis", "flask-session")),  # the latter before 0.6
    (r"[0-9a-v]{26}", ("php",)),
    (r"[0-9a-f]{32}", ("php", "sanic", "aiohttp-redis", "starsessions")),
    (r"[0-9a-z]{32}", ("django-cache", "django-file")),
    (r"[0-9A-Za-z_-]{32}", ("connect-redis", "connect-memcached", "express-file")),
    (r"[0-9a-f]{40}", ("cherrypy", "werkzeug-file")),
    (r"[0-9a-f]{64}", ("rack-redis", "litestar")),
    (r"[0-9A-Za-z_-]{43}", ("flask-session", "scs")),
)
"""How IDs look that frameworks put into the cookie as they are, or with a signature that was lost; their layouts."""

_LEFT_OUT = re.compile(r"\[?(?:\.{3,}|\u2026)\]?|[\[(<]truncated[\])>]")
"""What programs write in place of what they do not show."""

_BEGINNINGS = (
    (r"s(:|%3A)", "express"),
    (r"Fe26\.", "iron"),
    (r"eyJ(hbGc|0eXA|raWQ)", "jwt"),
    (r"eyJpdiI6", "laravel"),
    (r"(SFMyNTY|SFMzODQ|SFM1MTI|XCP|QTEyOEdDTQ)\.", "plug"),
    (r'"?2(\||%7C)1:0', "tornado"),
    (r'"?!', "bottle"),
)
_ENDS = (
    (r"\.[\w-]{6}\.[\w-]{27}$", "flask"),
    (r"(:|%3A)[\w-]{6}(:|%3A)[\w-]{43}$", "django"),
    (r"--([0-9a-f]{40}|[0-9a-f]{64}|[\w+/%]{22,30}(==|%3D%3D))$", "rails"),
)
"""How cookies of a format begin and end, where no other does so."""

_OTHER_JSON = (b'{"alg"', b'{"typ"', b'{"kid"', b'{"iv"')
"""How the header of a JWT begins, and Laravel's envelope."""

_WITHOUT_HYPHENS = {ord("-"): None, ord("_"): None}


def why_unrecognised(text: str, cookie_name: str | None, names: list[str]) -> str:
    """The likeliest reason, and what to do about it; `names` are the formats that it might be of at a stretch."""
    return (
        _shown_in_part(text, cookie_name)
        or _encoded_twice(text, cookie_name)
        or _with_spaces(text, cookie_name)
        or _without_blanks(text, cookie_name)
        or _begun(text, cookie_name)
        or _no_name(text, cookie_name, names)
    )


def why_cut(text: str, cookie_name: str | None) -> str | None:
    """What to say of a text that is a part of a cookie; None where it does not look like one."""
    return _shown_in_part(text, cookie_name) or _begun(text, cookie_name)


def why_broken(format_name: str, cookie_name: str | None) -> str:
    """What to say of a text that looks like one of a format, or of another by its name, and cannot be read."""
    return f"it looks like a cookie of {_by_its_name(cookie_name) or format_name} that was cut or altered"


def shown_part(text: str) -> str:
    """The text up to the dots with which a log or developer tools leave out the rest."""
    found = _LEFT_OUT.search(text)
    return text if found is None else text[: found.start()]


def cut_by_showing(text: str) -> str | None:
    """What to say of a text that a program has not shown whole; None where there is no sign of it."""
    found = _LEFT_OUT.search(text)
    if found is None:
        return None
    where = "end" if found.end() == len(text) else "middle"
    return f"a program that showed it has cut it: {found[0]} stands in place of its {where}"


def lost_end(text: str, cookie_name: str | None) -> str | None:
    """The format that a text would surely be of with a few characters more, which any base64 or hex may end in."""
    if express.is_begun(text, cookie_name):
        return "express"
    if not LEAST_CUT <= len(text) <= MOST_CUT or text.isalnum():
        return None
    for missing in range(1, LONGEST_LOSS + 1):
        found = formats.detect(text + "0" * missing, cookie_name=cookie_name)
        if found and found[0][1] >= SURELY:
            return found[0][0]
    return None


def _shown_in_part(text: str, cookie_name: str | None) -> str | None:
    """What to say of a text that a program has not shown whole."""
    cut = cut_by_showing(text)
    if cut is None:
        return None
    shown = shown_part(text)
    name = (
        _begun_as(shown, cookie_name)
        or next((name for look, name in _ENDS if re.search(look, text, re.ASCII)), None)
        or next((name for look, name in _BEGINNINGS if re.match(look, shown, re.IGNORECASE)), None)
        or _by_its_name(cookie_name)
        or _by_its_json(_start_of(shown), cookie_name)
    )
    what = f"a cookie of {name}, as it seems, but " if name else ""
    return f"{what}{cut}; give the whole text"


def _by_its_json(start: bytes, cookie_name: str | None) -> str | None:
    """The formats whose payload begins so."""
    if re.match(rb"1\d{9}\|", start):
        return "gorilla"
    if not start.startswith(b'{"'):
        return None
    if start.startswith(b'{"i":"'):
        return "native or remix"
    return "starlette" if b'": ' in start else "flask or cookie-session" if cookie_name == "session" else None


def _by_its_name(cookie_name: str | None) -> str | None:
    """The format whose cookie alone has the name."""
    found = [name for name in formats.names() if cookie_name in formats.get(name).cookie_names]
    return found[0] if len(found) == 1 else None


class Mended(NamedTuple):
    """A text that is surely of a format once it is mended, and what was wrong with it; `surety` is how sure it is.

    `cookie_name` is the one that stood in front, where it was encoded with the value, else as it was given.
    """

    format: str
    text: str
    cookie_name: str | None
    surety: float
    fault: str
    mend: str


def mended(text: str, cookie_name: str | None) -> Mended | None:
    """A text whose first character was lost, or that was encoded too often, as it was before."""
    return _with_its_dot(text, cookie_name) or _undone(text, cookie_name)


def _with_its_dot(text: str, cookie_name: str | None) -> Mended | None:
    """A text with the dot in front by which Flask and Django mark a compressed payload; a double click skips it."""
    if not text.startswith(_COMPRESSED) or len(text) > MOST_ENCODED:
        return None
    found = formats.detect(f".{text}", cookie_name=cookie_name)
    if not found or found[0][1] < SURELY:
        return None
    return Mended(
        found[0][0], f".{text}", cookie_name, found[0][1], "its beginning is missing", _DOT_IN_FRONT
    )


def _undone(text: str, cookie_name: str | None) -> Mended | None:
    """A text percent-decoded, so seldom as will do."""
    if "%" not in text or len(text) > MOST_ENCODED or _BROKEN.search(text):
        return None
    from urllib.parse import unquote

    plain = text
    for times in _TIMES:
        plain, before = unquote(plain), plain
        if plain == before:
            return None
        pair = _PAIR.match(plain) if cookie_name is None else None
        ways = [(cookie_name, plain), *([(pair[1], pair[2])] if pair else [])]
        for name, value in reversed(ways):
            found = formats.detect(value, cookie_name=name)
            if found and found[0][1] >= SURE:
                fault = f"it was percent-encoded {times} too often"
                mend = f"the text fits once it is percent-decoded: it was encoded {times} too often"
                return Mended(found[0][0], value, name, found[0][1], fault, mend)
    return None


def _encoded_twice(text: str, cookie_name: str | None) -> str | None:
    """What to say of a text that would be of some format, were it percent-decoded."""
    found = _undone(text, cookie_name)
    return found and (
        f"it would be a cookie of {found.format} once it is percent-decoded: something has encoded it "
        f"{found.fault.removeprefix('it was percent-encoded ')}; decode it and ask again"
    )


def _with_spaces(text: str, cookie_name: str | None) -> str | None:
    """What to say of a text that would be of some format, had it `+` for its spaces."""
    name = _surest(text.replace(" ", "+"), cookie_name) if " " in text else None
    return name and (
        f"it would be a cookie of {name} with + where it has spaces: something has read it as a form; put them "
        "back and ask again"
    )


def _without_blanks(text: str, cookie_name: str | None) -> str | None:
    """What to say of a text that would be of some format without the white space inside."""
    bare = "".join(text.split())
    name = _surest(bare, cookie_name) if bare != text else None
    return name and (
        f"it would be a cookie of {name} without the white space inside, which came in by copying; "
        "take it out and ask again"
    )


def _surest(text: str, cookie_name: str | None) -> str | None:
    """The format that a text is surely enough of, to name it."""
    found = formats.detect(text, cookie_name=cookie_name)
    return found[0][0] if found and found[0][1] >= SURE else None


def _begun(text: str, cookie_name: str | None) -> str | None:
    """What to say of a text that is the beginning of a cookie."""
    name = _begun_as(text, cookie_name)
    return name and (
        f"{len(text)} characters that look like a cookie of {name} which was cut: its end is missing, and with "
        "it the signature; give the whole text"
    )


def _begun_as(text: str, cookie_name: str | None) -> str | None:
    """The frameworks of whose cookie a text is the beginning: a session in JSON, its time, a part of a signature.

    Flask parts payload, time and signature by dots, Django by colons.
    """
    if express.is_begun(text, cookie_name):
        return "express"
    payload, part, rest = text[1:].replace(":", ".").partition(".")
    stamp, _, signature = rest.partition(".")
    if len(text) < LEAST_CUT or len(stamp) > _LONGEST_STAMP or "." in signature:
        return None
    session = _start_of(text[0] + payload)
    if not session.startswith(b'{"') or session.startswith(_OTHER_JSON):
        return None
    if part:
        return "django" if ":" in text else "starlette" if b'": ' in session else "flask"
    if text[0] == "." or cookie_name == "sessionid":
        return {"session": "flask", "sessionid": "django"}.get(cookie_name or "", "flask or django")
    return _by_its_json(session, cookie_name)  # others write plain JSON too


def _start_of(payload: str) -> bytes:
    """The first bytes of a payload in URL-safe base64, compressed or not, that may end anywhere; else none."""
    import zlib

    bare = payload.removeprefix(".")
    try:
        data = b64decode_urlsafe(bare[: len(bare) // 4 * 4])
        return zlib.decompressobj().decompress(data, _LOOKED_AT) if bare != payload else data
    except (MalformedCookieError, zlib.error):
        return b""


def _no_name(text: str, cookie_name: str | None, names: list[str]) -> str:
    size = counted(len(text), "character that is", "characters that are")
    purpose = purpose_of(cookie_name or "")
    perhaps = f" (at a stretch: {', '.join(names[:3])})" if names else ""
    what = f": by its name it holds {purpose}" if purpose else _stored(text) or perhaps
    ways = "-f NAME reads it as one, 'sessionctl formats' lists them"
    return f"{size} no session cookie of a known format{what}; {ways}"


def _stored(text: str) -> str:
    """What to say of a text that may be an ID in a store: letters, digits and hyphens, as many as IDs have."""
    if not SHORTEST_ID <= len(text) <= LONGEST_ID or not text.isascii():
        return ""
    if not text.translate(_WITHOUT_HYPHENS).isalnum():
        return ""
    layouts = next((layouts for shape, layouts in _ID_SHAPES if re.fullmatch(shape, text)), ())
    likely = f" (by its shape: {', '.join(layouts)})" if layouts else ""
    return f"; if this is the ID of a stored session, -s URL?layout=NAME finds it{likely}"
