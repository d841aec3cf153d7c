"""Fastify: signed cookies of @fastify/cookie, and the session ID of @fastify/session.

    encodeURIComponent(prefix V "." S)

    V  any text; of @fastify/session the ID, 24 random bytes in URL-safe base64 (32 characters)
    S  HMAC(UTF-8 of the secret, V), SHA-256 unless `algorithm` says otherwise, standard base64 without
       padding (43 characters), compared as text

There is no prefix unless @fastify/session's `cookiePrefix` sets one (`s:`, to share cookies with Express),
and no time. Releases from 11.1.1 on percent-encode only what a cookie cannot hold; either is read.
Sources: @fastify/cookie 11.1.5 and 8.3.0, signer.js; @fastify/session 11.1.3, index.js.
"""

from __future__ import annotations

from sessionctl.encoding import b64encode_tag, utf8
from sessionctl.errors import MalformedCookieError
from sessionctl.formats import cookie_signature, remix
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import genuine
from sessionctl.signing.mac import ALGORITHMS
from sessionctl.signing.macs import Macs

_ID = 32
_LENGTHS = (43, 64, 86)  # of SHA-256, SHA-384, SHA-512

_EXPRESS_NAME = (
    Warn("no-prefix", "s: is missing in front: Express, whose cookie has this name, takes it for unsigned"),
)
_EXPRESS = ("s:", "s%3A")
"""How express' cookies begin, once decoded; the second was encoded once too often."""


class FastifyCookie(Format):
    """The signed cookie of Fastify."""

    name = "fastify-cookie"
    summary = "Fastify: signed cookies of @fastify/cookie, session IDs of @fastify/session"
    cookie_names = ("sessionId",)
    options = (
        Option("prefix", "", "@fastify/session's cookiePrefix"),
        Option("digest", "sha256", "the hash of the HMAC", cookie_signature.DIGESTS),
    )
    holds_session = False
    surest = 0.95
    example = "7ix9Ll-0Qgg5S83FO3mN7w-t-67KNbF3.qkrbRTP9BF0gAYifsQGhKy8QeE4x9GAsR%2BQTIXeZC3c"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._prefix = self.option("prefix")
        self._algorithm = ALGORITHMS[self.option("digest")]
        self._macs = Macs(
            lambda secret: cookie_signature.mac_of(secret, self.option("digest")), cookie_signature.DIGESTS
        )

    def _detect(self, text: str, cookie_name: str | None) -> float:
        plain = cookie_signature.header_text(text)
        value, signature = cookie_signature.split(plain)
        if signature is None or len(signature) not in _LENGTHS or not plain.startswith(self._prefix):
            return 0.0
        if plain.startswith(_EXPRESS) and not self._prefix:
            return 0.0
        if not cookie_signature.looks_signed(signature, len(signature)):
            return 0.0
        if remix.undone(text) is not None:
            return 0.0  # Remix's own, encoded on the way: the key fits, but no Fastify has written it
        if "." in value or value.startswith(
            ("eyJ", "eyI", "e30", "Ij", "Il", "Im")
        ):  # JWT, Flask, Remix, ...
            return 0.2
        named = cookie_name in self.cookie_names
        if len(value) == _ID and value.replace("-", "").replace("_", "").isalnum():
            return 0.95 if named else 0.88
        if len(signature) != cookie_signature.LENGTH:
            return 0.2
        return 0.85 if named else 0.5

    def _decode(self, text: str, context: Context) -> Decoded:
        value, signature = self._split(text)
        return Decoded(
            data=value,
            id=value or None,
            signed=signature is not None,
            payload_type="text",
            algorithm=None if signature is None else self._algorithm,
            is_value=cookie_signature.is_value(value, context.cookie_name, self.cookie_names),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        value, signature = self._split(text)
        if not signature:
            return cookie_signature.unsigned(context, "the cookie carries no signature")
        message, given = utf8(value), utf8(signature)
        index = self._macs.find(context.keys, message, given, b64encode_tag)
        notes = _EXPRESS_NAME if context.cookie_name == "connect.sid" and not self._prefix else ()
        return genuine(context, index, algorithm=self._algorithm, value=value, warnings=notes)

    def _encode(self, content: Content, context: Context) -> str:
        value = cookie_signature.text_of(content)
        return cookie_signature.encode_uri_component(
            self._prefix + cookie_signature.sign(self._macs.of(context.keys)[0], value)
        )

    def _split(self, text: str) -> tuple[str, str | None]:
        plain = cookie_signature.header_text(text)
        if not plain.startswith(self._prefix):
            raise MalformedCookieError(f"the value does not begin with the prefix {self._prefix!r}")
        return cookie_signature.split(plain[len(self._prefix) :])
