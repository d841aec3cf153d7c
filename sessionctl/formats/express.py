"""Express: express-session, and every cookie that `res.cookie(..., {signed: true})` makes.

    encodeURIComponent("s:" V "." S)     signed
    encodeURIComponent("j:" JSON)        unsigned JSON; signed it is "s:" "j:" JSON "." S

    V  express-session: the session's ID, 24 random bytes in URL-safe base64 (32 characters), unless `genid`
       makes others; cookie-parser: any text, or "j:" and JSON
    S  HMAC-SHA256(UTF-8 of the secret, V), standard base64 without padding (43 characters), compared as text

There is no time in it. With an empty `prefix` it is what `cookie-signature` alone writes, V "." S, which is
not percent-encoded. JSON counts where it parses to something true: of `j:null` and `j:0` the text is kept.
Sources: express-session 1.19.0, index.js (getcookie, setcookie); cookie-parser 1.4.7, index.js;
express 5.3.0, lib/response.js (res.cookie); cookie-signature 1.2.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.encoding import b64encode_tag, utf8
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.formats import cookie_signature
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict
from sessionctl.formats.judging import genuine, refused
from sessionctl.signing.mac import HMAC_SHA256
from sessionctl.signing.macs import Macs
from sessionctl.verdict import Warn

if TYPE_CHECKING:
    from collections.abc import Mapping

_JSON = "j:"
_SIGNED_STARTS = ("s:", "s%3A", "s%3a")
_ID = 32
_MOST = 4096
"""Characters of a cookie that a browser keeps."""


class Express(Format):
    """The signed cookie of express-session and cookie-parser."""

    name = "express"
    summary = "Express: express-session, cookie-parser, cookie-signature"
    cookie_names = ("connect.sid",)
    options = (Option("prefix", "s:", "what stands before the value; empty for bare cookie-signature"),)
    holds_session = False
    example = "s%3Acpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx.GkROtRRiwVq8PRjeg%2F3HNCczOPK%2Bs3itCuMFawWFK38"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._prefix = self.option("prefix")
        self._macs = Macs(cookie_signature.mac_of)

    def _detect(self, text: str, cookie_name: str | None) -> float:
        plain = cookie_signature.header_text(text)
        if plain.startswith(_JSON):
            return 0.95 if plain[2:3] in ("{", "[") and _json(plain) is not plain else 0.0
        if self.given("prefix"):
            return self._with_prefix(plain)
        if not plain.startswith("s:"):
            return _unprefixed(plain) if cookie_name in self.cookie_names else 0.0
        value, signature = cookie_signature.split(plain[2:])
        if not cookie_signature.looks_signed(signature):
            return 0.0
        return 1.0 if cookie_name in self.cookie_names or len(value) == _ID else 0.97

    def _with_prefix(self, plain: str) -> float:
        """The sureness where the application has chosen another prefix, or none."""
        signature = cookie_signature.split(plain)[1]
        return 0.5 if self._is_signed(plain) and cookie_signature.looks_signed(signature) else 0.0

    def _decode(self, text: str, context: Context) -> Decoded:
        plain = self._plain(text, context)
        signed = self._is_signed(plain)
        value = cookie_signature.split(plain[len(self._prefix) :])[0] if signed else _bare(plain)
        data = _json(value)
        return Decoded(
            data=data,
            id=data if isinstance(data, str) and data else None,
            signed=signed,
            payload_type="text" if isinstance(data, str) else "json",
            algorithm=HMAC_SHA256 if signed else None,
            is_value=cookie_signature.is_value(data, context.cookie_name, self.cookie_names),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        plain = self._plain(text, context)
        if not self._is_signed(plain) and not plain.startswith(_JSON):
            return self._unprefixed(context)
        if not self._is_signed(plain):
            return refused(
                "unsigned", "cookie-parser takes a value that begins with j: for unsigned JSON", context
            )
        value, signature = cookie_signature.split(plain[len(self._prefix) :])
        if signature is None:
            return cookie_signature.unsigned(context, "the cookie carries no signature")
        message, given = utf8(value), utf8(signature)
        index = self._macs.find(context.keys, message, given, b64encode_tag)
        return genuine(context, index, algorithm=HMAC_SHA256, value=value)

    def _unprefixed(self, context: Context) -> Verdict:
        detail = f"{self._prefix} is missing in front: express-session takes it for unsigned, and begins a new session"
        notes = () if context.keys else (Warn("no-prefix", detail),)
        return refused("malformed" if context.keys else "unsigned", detail, context, warnings=notes)

    def _encode(self, content: Content, context: Context) -> str:
        signed = cookie_signature.sign(self._macs.of(context.keys)[0], _value_of(content))
        if not self._prefix:
            return signed
        return cookie_signature.encode_uri_component(self._prefix + signed)

    def _plain(self, text: str, context: Context) -> str:
        """The value that the framework sees.

        A bare cookie-signature value may hold percent signs of its own: its signature tells whether it is
        encoded. Raises `MalformedCookieError` where the value is neither signed nor JSON, unless by its name
        it is express-session's.
        """
        literal = not self._prefix and "%" not in (cookie_signature.split(text)[1] or "")
        plain = text if literal else cookie_signature.header_text(text)
        by_name = context.cookie_name in self.cookie_names
        if not by_name and not self._is_signed(plain) and not plain.startswith(_JSON):
            raise MalformedCookieError(
                f"the value does not begin with {self._prefix!r}: Express takes it for an unsigned cookie"
            )
        return plain

    def remarks(self, data: Any, flash: Mapping[str, Any]) -> tuple[Warn, ...]:  # noqa: ARG002 - part of the interface
        """express-session 1.19.0, index.js (getcookie): what the cookie holds is an ID, whatever it looks like."""
        if not isinstance(data, (dict, list)):
            return ()
        text = (
            "express-session reads an ID alone from its cookie, and finds no session by this one: "
            "it is the signed JSON of cookie-parser (req.signedCookies)"
        )
        return (Warn("not-express-session", text),)

    def _is_signed(self, plain: str) -> bool:
        return plain.startswith(self._prefix)


def _unprefixed(plain: str) -> float:
    """For a text under express-session's own name that has no prefix: an ID, with its signature or without."""
    if plain.startswith(("s%3A", "s%25")):
        return 0.0  # the prefix is there, but was encoded too often, which the report tells
    value, signature = cookie_signature.split(plain)
    if cookie_signature.looks_signed(signature):
        return 0.9
    return 0.0 if signature is not None or cookie_signature.is_value(value, None, ()) else 0.6


def _bare(plain: str) -> str:
    """The value in a text without its prefix: without the signature, where one follows."""
    value, signature = cookie_signature.split(plain)
    return value if cookie_signature.looks_signed(signature) else plain


def is_begun(text: str, cookie_name: str | None) -> bool:
    """Whether a text is the beginning of a signed cookie: `s:`, what was signed, and no whole signature."""
    if not text.startswith(_SIGNED_STARTS) or len(text) > _MOST:
        return False
    from urllib.parse import unquote  # which reads a percent sign that was cut too

    value, signature = cookie_signature.split(unquote(text)[2:])
    if signature is None:
        return cookie_name in Express.cookie_names or len(value) == _ID
    return len(signature) < cookie_signature.LENGTH


def _json(value: str) -> Any:
    """The JSON after `j:` as cookie-parser reads it, else the text itself."""
    if not value.startswith(_JSON):
        return value
    try:
        data = jsontext.loads(value[len(_JSON) :])
    except MalformedError:
        return value
    return value if data in (None, False, 0, "") else data


def _value_of(content: Content) -> str:
    """The text that `res.cookie` makes of a value: `String(value)`, but objects and null as JSON."""
    data = content.id if content.data is None and content.id else content.data
    if isinstance(data, str):
        return data
    written = jsontext.dumps(data)
    return written if isinstance(data, (bool, int, float)) else _JSON + written
