"""Formats by name. What is built in stands here; the rest comes from entry points."""

from __future__ import annotations

import operator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from sessionctl import plugins
from sessionctl.errors import UnknownFormatError
from sessionctl.wording import did_you_mean

if TYPE_CHECKING:
    from sessionctl.formats.base import Format

ENTRY_POINTS = "sessionctl.formats"

SURE = 0.4
"""The confidence below which no name is given to a text."""


class _Entry(NamedTuple):
    """Where a format is, and what its texts must hold: so that few modules are imported to detect one.

    `marks` are substrings of which at least one must occur in the text, as it stands or percent-decoded;
    `never` is one that its texts cannot hold, but for JSON that stands there as it is. Under a cookie's name
    of `named` any text may be one, such as a bare ID.
    """

    target: str
    marks: tuple[str, ...] = ("",)
    never: str | None = None
    named: tuple[str, ...] = ()

    def may_be(self, text: str, cookie_name: str | None) -> bool:
        """Whether the text has what this format's texts have."""
        if cookie_name in self.named:
            return True
        if self.never is not None and self.never in text and "{" not in text:
            return False
        for mark in self.marks:  # noqa: SIM110 - `any` makes a generator for each format and text
            if mark in text:
                return True
        return False


_ALG = ("ImFsZy", "JhbGci", "iYWxnI")
"""The name `"alg"` in base64, which a token's header has, as it comes out where it begins at each third byte."""

_BUILT_IN = {
    "native": _Entry("native:Native", (".",)),
    "remix": _Entry("remix:Remix", (".", "ey", "Ilt")),
    "react-router": _Entry("react_router:ReactRouter", (".", "ey", "e30", "I", "W")),
    "flask": _Entry("flask:Flask", (".",)),
    "itsdangerous": _Entry("itsdangerous:ItsDangerous", (".",)),
    "starlette": _Entry("starlette:Starlette", (".",)),
    "django": _Entry("django:Django", (":",), named=("sessionid",)),
    "django-signed": _Entry("django_signed:DjangoSigned", (":", "$")),
    "express": _Entry("express:Express", ("s:", "j:", "."), named=("connect.sid",)),
    "cookie-session": _Entry("cookie_session:CookieSession", ("ey", "e30")),
    "iron": _Entry("iron:Iron", ("Fe26.",)),
    "jwt": _Entry("jwt:Jwt", _ALG),
    "authjs": _Entry("authjs:Authjs", _ALG),
    "fastify-cookie": _Entry("fastify_cookie:FastifyCookie", (".",)),
    "fastify-secure": _Entry("fastify_secure:FastifySecure", (";", "%3B", "%3b")),
    "hono": _Entry("hono:Hono", (".",)),
    "rails": _Entry("rails:Rails", ("--",)),
    "rack": _Entry("rack:Rack", never="."),
    "laravel": _Entry("laravel:Laravel", ("ey",), never="."),
    "php": _Entry("php:Php", never="."),
    "tornado": _Entry("tornado:Tornado", ("|",)),
    "pyramid": _Entry("pyramid:Pyramid", never="."),
    "aiohttp": _Entry("aiohttp:Aiohttp", never="."),
    "litestar": _Entry("litestar:Litestar", never="."),
    "bottle": _Entry("bottle:Bottle", ("!",)),
    "flask-login": _Entry("flask_login:FlaskLogin", ("|",)),
    "gorilla": _Entry("gorilla:Gorilla", ("MT", "Mj")),
    "plug": _Entry("plug:Plug", ("SFMyNTY", "SFMzODQ", "SFM1MTI", "XCP.", "QTEyOEdDTQ")),
    "beaker": _Entry("beaker:Beaker", never="."),
    "werkzeug": _Entry("werkzeug:Werkzeug", ("?",)),
}


class _Alike(NamedTuple):
    """Formats that, with their default options, may take the signature of one another's texts for genuine.

    So they may only in a text with so many dots, and so many characters after the last.
    """

    names: frozenset[str]
    dots: int = 1
    last: int = 0


OF_A_VALUE = frozenset({"remix", "react-router", "fastify-cookie", "hono"})
"""Formats of a value, a dot and the HMAC-SHA256 of the value in base64; Express' has `s:` in front."""
_OF_PARTS = frozenset({"jwt", "authjs", "itsdangerous"})
_SIGNED_ALIKE = (
    _Alike(OF_A_VALUE, last=43),
    _Alike(OF_A_VALUE | _OF_PARTS, 2, last=43),  # JSON Web Signatures are that too
    _Alike(_OF_PARTS, 2),
    _Alike(frozenset({"starlette", "itsdangerous"})),  # a TimestampSigner with its own salt
)


def names() -> list[str]:
    """The names of all formats: those built in, then those of other packages."""
    return [*_BUILT_IN, *_others()]


def get(name: str, **options: str) -> Format:
    """The format of that name, with its options set (`salt="..."`, hyphens as underscores).

    Raises `UnknownFormatError`, which names the nearest, and `UsageError` for a wrong option.
    """
    return _load(name)(**options)


def has_kin(name: str) -> bool:
    """Whether the key may fit some text as one of this format and of another, with default options."""
    return len(_kin(name, 2, 43)) > 1


def kin(name: str, text: str) -> tuple[str, ...]:
    """The formats with default options as whose text the same key may fit one of this format, itself included.

    What other packages bring may sign in any way. They are in the order of `names`.
    """
    many = text.count(".") > 1 or "%2E" in text or "%2e" in text or "\\" in text
    return _kin(name, 2 if many else 1, 0 if "." in text[-43:] else 43)


@cache
def _kin(name: str, dots: int, last: int) -> tuple[str, ...]:
    if name not in _BUILT_IN:
        return tuple(names())
    fitting = (group.names for group in _SIGNED_ALIKE if group.dots <= dots and group.last <= last)
    alike = {name}.union(*(group for group in fitting if name in group))
    return tuple(other for other in names() if other in alike or other not in _BUILT_IN)


def preferred(name: str, text: str, *, cookie_name: str | None = None) -> list[str] | None:
    """Those of its kin that a text looks more like than this format, or None where it looks like none of its own."""
    plain = _with_decoded(text)
    own = _score(name, text, plain, cookie_name)
    if not own:
        return None
    found, is_before = [], operator.ge
    for other in kin(name, text):
        if other == name:
            is_before = operator.gt  # of equal looks the first of the names is preferred
        elif is_before(_usual(other).surest, own) and is_before(_score(other, text, plain, cookie_name), own):
            found.append(other)
    return found


def may_be(name: str, other: str, text: str, *, cookie_name: str | None = None) -> bool:
    """Whether a text that a key fits as one of a format may be one of another that signs alike."""
    return other in kin(name, text) and _score(other, text, _with_decoded(text), cookie_name) > 0


def detect(text: str, *, cookie_name: str | None = None) -> list[tuple[str, float]]:
    """The formats that the text may be of, with how sure each is (0 to 1), best first.

    A text that is no session cookie gives an empty list, or low numbers alone.
    """
    plain = _with_decoded(text)
    scores = [(name, _score(name, text, plain, cookie_name)) for name in names()]
    return sorted(((name, score) for name, score in scores if score > 0), key=lambda item: -item[1])


def _score(name: str, text: str, plain: str, cookie_name: str | None) -> float:
    """How sure a format is, to three digits; `plain` is the text as `_with_decoded` gives it."""
    if name in _BUILT_IN and not _BUILT_IN[name].may_be(plain, cookie_name):
        return 0.0
    return round(_usual(name).detect(text, cookie_name=cookie_name), 3)


def _with_decoded(text: str) -> str:
    """The text, and after it the same with what formats are known by no longer percent-encoded."""
    if "%" not in text:
        return text
    return text + text.replace("%3A", ":").replace("%3a", ":").replace("%7C", "|").replace(
        "%21", "!"
    ).replace("%3F", "?")


@cache
def _usual(name: str) -> Format:
    """The format with its default options, made once however many texts are looked at."""
    return _load(name)()


@cache
def _load(name: str) -> type[Format]:
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].target.partition(":")
        loaded: type[Format] = getattr(import_module(f"sessionctl.formats.{module}"), attribute)
        return loaded
    if name in _others():
        return _others()[name]
    shown = repr(name) if len(name) <= 24 else f"of {len(name)} characters"  # noqa: PLR2004 - it may be a cookie
    near = did_you_mean(name, names())
    raise UnknownFormatError(f"there is no format {shown}{near} ('sessionctl formats' lists them)")


@cache
def _others() -> dict[str, type[Format]]:
    if not plugins.may_have(ENTRY_POINTS):
        return {}
    from importlib.metadata import entry_points

    return {point.name: point.load() for point in entry_points(group=ENTRY_POINTS)}
