"""The session cookie of Starlette's SessionMiddleware, so FastAPI's too, and of starsessions' cookie store.

    payload "." timestamp "." signature

    payload    standard base64 with padding of JSON in ASCII, with spaces, as `json.dumps` writes it
    timestamp  6 characters: Unix seconds, URL-safe base64 without padding
    signature  27 characters: HMAC-SHA1 over "payload.timestamp", URL-safe base64 without padding
    key        SHA1("itsdangerous.Signer" + "signer" + secret_key)

The signing is drawn in `sessionctl.formats.timed_token` (TimestampSigner with its defaults). The middleware
takes one key and never compresses. A session that was cleared is the bare text `null`, unsigned. A genuine payload
that is no JSON makes the request fail. starsessions 2 keeps times of its own in `__metadata__`; the `lifetime` there
is that of its middleware when the session began, and limits the age of the signature.
Sources: Starlette 1.10.0 middleware/sessions.py; starsessions 2.2.1 stores/cookie.py, session.py.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any

from sessionctl.encoding import b64encode, unquote, utf8
from sessionctl.errors import MalformedCookieError, UnserializableValueError
from sessionctl.formats import timed_token
from sessionctl.formats.base import Content, Context, Decoded, Format, Verdict, Warn
from sessionctl.formats.django import names_session
from sessionctl.payload import python_json
from sessionctl.signing.mac import HMAC_SHA1
from sessionctl.signing.macs import Macs

_SALT = "itsdangerous.Signer"
_URLSAFE_ONLY = frozenset("-_")
_METADATA = "__metadata__"
_LIFETIME_OF_0 = 31104000.0
"""Seconds that starsessions allows a cookie whose lifetime is 0, which ends with the browser (stores/cookie.py)."""
_LAST_SECOND = 253_402_300_799

_NO_SESSION = Warn("no-session", "the payload is no object, so Starlette would fail on it")


class Starlette(Format):
    """The session cookie of Starlette and FastAPI."""

    name = "starlette"
    takes_last_cookie = True
    summary = "Starlette and FastAPI (SessionMiddleware), starsessions' cookie store"
    cookie_names = ("session",)
    default_max_age = 1209600.0  # SessionMiddleware's max_age: 14 days
    age_setting = "max_age"
    surest = 0.98
    example = "eyJ1c2VyX2lkIjogNDIsICJ1c2VybmFtZSI6ICJhbGljZSJ9.awQAmQ.e4qDJFDndpOS0asFmTIVUyexgQk"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._macs = Macs(lambda secret: timed_token.hmac_of(secret, _SALT, "django-concat", "sha1"))

    def _detect(self, text: str, cookie_name: str | None) -> float:
        token = timed_token.split(unquote(text))
        if timed_token.digest_of(token.signature) != "sha1" or len(token.value) % 4:
            return 0.0
        if not timed_token.is_plausible_time(timed_token.seconds(token.stamp)):
            return 0.0
        payload = _payload(token.value)
        session = timed_token.read_json(payload)
        if not isinstance(session, dict) or _URLSAFE_ONLY & set(token.value):
            return 0.0
        if timed_token.is_spaced(session, payload):
            return _confidence(session, cookie_name)
        return 0.9 if not session and token.value.endswith("=") else 0.1

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - needs no key
        token = _split(text)
        data = timed_token.read_json(_payload(token.value))
        issued_at = timed_token.seconds(token.stamp)
        return Decoded(
            data=data,
            issued_at=issued_at,
            algorithm=HMAC_SHA1,
            warnings=_odd(data) + timed_token.odd_time(issued_at),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        token = _split(text)
        if not context.keys:
            self._decode(text, context)  # what cannot be read is told before the want of a key
        index, odd = timed_token.find_key(token, self._macs, context.keys)
        issued_at = timed_token.seconds(token.stamp)
        payload = _payload(token.value)
        data = timed_token.read_json(payload)
        return timed_token.judge(
            context,
            context.age_limit(_lifetime(data, self.default_max_age)),
            index,
            issued_at,
            old=False,
            algorithm=HMAC_SHA1,
            value=payload.decode(),
            warnings=odd + _odd(data) + timed_token.odd_time(issued_at),
        )

    def _encode(self, content: Content, context: Context) -> str:
        if not isinstance(content.data, dict):
            raise UnserializableValueError("", "a Starlette session is an object")
        payload = b64encode(python_json.dumps(content.data, spaced=True).encode("ascii"))
        return timed_token.sign(payload, self._macs.of(context.keys)[0], issued_at=int(context.now))


def _split(text: str) -> timed_token.Token:
    if text == "null":
        raise MalformedCookieError(
            "'null' is what the middleware sends to clear a session; nothing is signed"
        )
    return timed_token.split(unquote(text))


def _payload(value: str) -> bytes:
    """The bytes under standard base64, which must be padded; characters foreign to it are dropped."""
    try:
        return a2b_base64(utf8(value))
    except Base64Error:
        raise MalformedCookieError("the payload is not base64 with padding") from None


def _lifetime(data: Any, default: float) -> float:
    """The greatest age of a signature by starsessions' own metadata, in seconds; the default where there is none."""
    metadata = data.get(_METADATA) if isinstance(data, dict) else None
    lifetime: Any = metadata.get("lifetime") if isinstance(metadata, dict) else None
    if type(lifetime) not in (int, float) or not 0 <= lifetime <= _LAST_SECOND:
        return default
    return float(lifetime) or _LIFETIME_OF_0


def _odd(data: Any) -> tuple[Warn, ...]:
    return () if isinstance(data, dict) else (_NO_SESSION,)


def _confidence(session: dict[str, Any], cookie_name: str | None) -> float:
    """For an object in spaced JSON under standard base64, signed and timed: nobody else writes that."""
    own = 0.02 if _METADATA in session else 0.0
    if cookie_name is None or names_session(cookie_name):
        return 0.96 + own
    return 0.92 + own
