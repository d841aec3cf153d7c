"""sessionctl's own cookies: itsdangerous, URL-safe, timed, HMAC-SHA256.

    payload "." timestamp "." signature

The layout, and the lines of bare itsdangerous that read it, stand in `sessionctl.signing.native`. The value
inside is what Remix 3 would have: JSON `{"i":id,"d":[values,flash]}`, or the ID.
"""

from __future__ import annotations

from sessionctl import jsontext
from sessionctl.encoding import b64decode_urlsafe, b64encode_urlsafe_tag, decompress
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict
from sessionctl.formats.judging import genuine_within
from sessionctl.formats.remix import decode_value, looks_like_id, session_of, value_of
from sessionctl.signing.mac import HMAC_SHA256, Hmac
from sessionctl.signing.macs import Macs

SKEW = 60.0
"""Seconds that the clocks of two servers may differ, where an age limit is asked for."""

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

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._macs = Macs(lambda secret: Hmac(Hmac(secret.bytes).digest(self.option("salt").encode())))

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
            _value(payload, context.max_size), issued_at=_time(stamp), signed=True, algorithm=HMAC_SHA256
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        payload, stamp, signature = _split(text)
        body, given = text[: -len(signature) - 1].encode("ascii"), signature.encode("ascii")
        index = self._macs.find(context.keys, body, given, b64encode_urlsafe_tag)
        value, issued_at = _value(payload, context.max_size), _time(stamp)
        limit = context.age_limit(None)
        verdict = genuine_within(context, limit, index, issued_at, algorithm=HMAC_SHA256, value=value)
        if limit is not None and issued_at - context.now > SKEW:
            detail = "genuine, but its time lies in the future: do the clocks agree?"
            return verdict._replace(valid=False, reason="not-yet-valid", detail=detail)
        return verdict

    def _encode(self, content: Content, context: Context) -> str:
        from sessionctl.signing.native import NativeSigner

        return NativeSigner(context.keys[:1], self.option("salt")).sign(value_of(content), context.now)


def _split(text: str) -> tuple[str, str, str]:
    if not text.isascii():
        raise MalformedCookieError("a native cookie is ASCII alone")
    try:
        payload, stamp, signature = text.rsplit(".", 2)
    except ValueError:
        payload = stamp = signature = ""
    if not payload or not signature:
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
