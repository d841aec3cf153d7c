"""Formats by name. What is built in stands here; the rest comes from entry points."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from sessionctl import plugins
from sessionctl.errors import UnknownFormatError
from sessionctl.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

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


_SIGNED_ALIKE = (
    # A value, a dot and the HMAC-SHA256 of the value in base64, as JSON Web Signatures are too.
    {"remix", "react-router", "fastify-cookie", "hono", "jwt", "authjs", "itsdangerous"},
    {"starlette", "itsdangerous"},  # a TimestampSigner with its own salt
)
"""Formats that, with their default options, may take the signature of one another's texts for genuine."""


def names() -> list[str]:
    """The names of all formats: those built in, then those of other packages."""
    return [*_BUILT_IN, *_others()]


def get(name: str, **options: str) -> Format:
    """The format of that name, with its options set (`salt="..."`, hyphens as underscores).

    Raises `UnknownFormatError`, which names the nearest, and `UsageError` for a wrong option.
    """
    return _load(name)(**options)


def kin(name: str) -> list[str]:
    """The formats with default options whose texts the same key may fit, in the order of `names`, itself included.

    What other packages bring may sign in any way.
    """
    if name not in _BUILT_IN:
        return names()
    alike = {name}.union(*(group for group in _SIGNED_ALIKE if name in group))
    return [other for other in names() if other in alike or other not in _BUILT_IN]


def detect(
    text: str, *, cookie_name: str | None = None, among: Iterable[str] | None = None
) -> list[tuple[str, float]]:
    """The formats that the text may be of, with how sure each is (0 to 1), best first; `among` bounds them.

    A text that is no session cookie gives an empty list, or low numbers alone.
    """
    plain = _with_decoded(text)
    found = []
    for name in names() if among is None else among:
        if name not in _BUILT_IN or _BUILT_IN[name].may_be(plain, cookie_name):
            score = _usual(name).detect(text, cookie_name=cookie_name)
            if score > 0:
                found.append((name, round(score, 3)))
    return sorted(found, key=lambda item: -item[1])  # which keeps the order of the names


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
