"""Hono: `setSignedCookie`.

    encodeURIComponent(V "." S)

    V  any text
    S  HMAC-SHA256(UTF-8 of the secret, or its bytes, V), standard base64 with padding: 44 characters that end
       in "="

Hono does not look at a cookie whose signature is not of that shape (`undefined`; a wrong one is `false`). It
compares bytes, so stray low bits pass. There is no time in it.
Source: hono 4.13.19, src/utils/cookie.ts and src/utils/url.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.encoding import b64encode, percent_decode, utf8
from sessionctl.errors import MalformedCookieError
from sessionctl.formats import cookie_signature
from sessionctl.formats.base import Content, Context, Decoded, Format, Verdict, Warn
from sessionctl.formats.judging import genuine
from sessionctl.signing.mac import HMAC_SHA256
from sessionctl.signing.macs import Macs

if TYPE_CHECKING:
    from re import Match

_LENGTH = 44
_NON_CANONICAL = Warn(
    "non-canonical", "the signature is not the text that Hono writes, though Hono accepts it"
)


class Hono(Format):
    """The signed cookie of Hono."""

    name = "hono"
    summary = "Hono: setSignedCookie of hono/cookie"
    holds_session = False
    surest = 0.9
    example = "hello.ayNlPwjHIHJVTl3%2B%2Bbcu%2FgH8%2FnJKlQaJ6ZHnvXCJ6z4%3D"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._macs = Macs(cookie_signature.mac_of)

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - it has no name of its own
        value, signature = cookie_signature.split(_plain(text))
        end = text[-4:].rstrip('"').upper()
        if not cookie_signature.looks_signed(signature, _LENGTH) or not end.endswith(("%3D", "=")):
            return 0.0
        if value.startswith(("eyJ", "eyI", "e30")):  # base64 of JSON: React Router reads such a signature too
            return 0.6
        return 0.8 if end.endswith("=") else 0.9

    def _decode(self, text: str, context: Context) -> Decoded:
        value, signature = _split(text)
        return Decoded(
            data=value,
            id=value or None,
            payload_type="text",
            algorithm=HMAC_SHA256,
            warnings=_odd(signature),
            is_value=cookie_signature.is_value(value, context.cookie_name, self.cookie_names),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        value, signature = _split(text)
        index = cookie_signature.find_key(self._macs, context, value, signature)
        return genuine(context, index, algorithm=HMAC_SHA256, value=value, warnings=_odd(signature))

    def _encode(self, content: Content, context: Context) -> str:
        value = cookie_signature.text_of(content)
        tag = self._macs.of(context.keys)[0].digest(utf8(value))
        return cookie_signature.encode_uri_component(f"{value}.{b64encode(tag)}")


def _split(text: str) -> tuple[str, str]:
    value, signature = cookie_signature.split(_plain(text))
    if signature is None:
        raise MalformedCookieError("there is no dot, so no signature: Hono does not look at such a cookie")
    if len(signature) != _LENGTH or signature[-1] != "=":
        raise MalformedCookieError(
            f"the signature has {len(signature)} characters: Hono looks only at 44 that end in '='"
        )
    return value, signature


def _plain(text: str) -> str:
    """The value as Hono decodes it: where that fails as a whole, each run of percent signs for itself."""
    plain = cookie_signature.header_text(text)
    if plain != text or "%" not in text:
        return plain
    import re

    return re.sub(r"(?:%[0-9A-Fa-f]{2})+", _decode_run, text)


def _decode_run(match: Match[str]) -> str:
    try:
        return percent_decode(match[0])
    except MalformedCookieError:
        return match[0]


def _odd(signature: str) -> tuple[Warn, ...]:
    return () if cookie_signature.is_canonical(signature[:-1]) else (_NON_CANONICAL,)
