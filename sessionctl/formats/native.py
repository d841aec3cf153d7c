"""sessionctl's own cookies: itsdangerous, URL-safe, timed, HMAC-SHA256.

    payload "." timestamp "." signature

The layout, and the lines of bare itsdangerous that read it, stand in `sessionctl.signing.native`. The value
inside is what Remix 3 would have: JSON `{"i":id,"d":[values,flash]}`, or the ID.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl import jsontext
from sessionctl.encoding import b64decode_urlsafe, decompress
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.formats.base import (
    Content,
    Context,
    Decoded,
    Format,
    Option,
    Verdict,
    first_fit,
    genuine_within,
)
from sessionctl.formats.remix import decode_value, looks_like_id, session_of, value_of

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

_SIGNATURE = 43
_EARLIEST, _LATEST = 946_684_800, 4_102_444_800  # the years 2000 and 2100


class Native(Format):
    """The session cookie of sessionctl."""

    name = "native"
    summary = "sessionctl itself: itsdangerous, timed, HMAC-SHA256"
    cookie_names = ("session",)
    flash_apart = True
    options = (Option("salt", "sessionctl.cookie", "what the key is derived with"),)
    example = (
        "eyJpIjoibWoiLCJkIjpbeyJ1c2VySWQiOjQyfSx7fV19.awP70w.nZUmgiElPc3xVeE_8p6sQeVPHBMIj0LIV7Z7DrPwHQg"
    )

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - any name will do
        payload, stamp, signature = _split(text)
        if len(signature) != _SIGNATURE or not _EARLIEST < _time(stamp) < _LATEST:
            return 0.0
        value = _value(payload, 1 << 16)
        if session_of(value) is not None:
            return 0.98
        return 0.9 if looks_like_id(value) else 0.3

    def _decode(self, text: str, context: Context) -> Decoded:
        payload, stamp, _ = _split(text)
        return decode_value(
            _value(payload, context.max_size), issued_at=_time(stamp), signed=True, algorithm="HMAC-SHA256"
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        payload, stamp, signature = _split(text)
        body, given = text[: -len(signature) - 1].encode("ascii"), signature.encode("ascii")
        salt = self.option("salt")
        index = first_fit(context, lambda secret: self.kept(_derived, secret, salt).fits(body, given))
        value, issued_at = _value(payload, context.max_size), _time(stamp)
        limit = context.age_limit(self.default_max_age)
        return genuine_within(context, limit, index, issued_at, algorithm="HMAC-SHA256", value=value)

    def _encode(self, content: Content, context: Context) -> str:
        from sessionctl.signing.native import NativeSigner

        return NativeSigner(context.keys[:1], self.option("salt")).sign(value_of(content), context.now)


class _Derived:
    """The key that is derived from a secret and the salt, and the text of its signatures."""

    __slots__ = ("_mac",)

    def __init__(self, secret: Secret, salt: str) -> None:
        from sessionctl.signing.mac import Hmac

        self._mac = Hmac(Hmac(secret.bytes).digest(salt.encode()))

    def fits(self, body: bytes, signature: bytes) -> bool:
        """Whether the signature is the one text of the body's tag, in constant time."""
        from sessionctl.signing.mac import b64encode_urlsafe_tag, compare_digest

        return compare_digest(b64encode_urlsafe_tag(self._mac.digest(body)), signature)


def _derived(secret: Secret, salt: str) -> _Derived:
    return _Derived(secret, salt)


def _split(text: str) -> tuple[str, str, str]:
    if not text.isascii():
        raise MalformedCookieError("a native cookie is ASCII alone")
    body, _, signature = text.rpartition(".")
    payload, dot, stamp = body.rpartition(".")
    if not dot or not payload or not signature:
        raise MalformedCookieError("a native cookie has a payload, a time and a signature, with dots between")
    return payload, stamp, signature


def _time(stamp: str) -> float:
    data = b64decode_urlsafe(stamp, "the time")
    if not 1 <= len(data) <= 8:  # noqa: PLR2004 - 64 bits
        raise MalformedCookieError("the time is no number of seconds")
    return float(int.from_bytes(data, "big"))


def _value(payload: str, max_size: int) -> str:
    if payload.startswith("."):
        data = decompress(b64decode_urlsafe(payload[1:]), max_size)
    else:
        data = b64decode_urlsafe(payload)
    try:
        text = jsontext.decode_utf8(data)
        value = jsontext.loads(text) if text.startswith('"') else text
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None
    assert isinstance(value, str)  # noqa: S101 - JSON that begins with a quote is a string
    return value
