r"""Litestar's sessions in the cookie itself: `CookieBackendConfig`.

    nonce (12)  ciphertext  tag (16)  "additional_authenticated_data="  {"expires_at":1796634010}

All of it is standard base64 with padding, in double quotes where that holds `=` or `/`. The cipher is
AES-GCM under the secret itself: 16, 24 or 32 bytes. The JSON at the end is its additional data, without the
text before it, and is read where that text first occurs. The session is compact JSON in UTF-8.

Over 4,032 characters the text is cut into cookies `session-0`, `session-1`, ...; Litestar sorts the names as
text, so it cannot read its own cookies from eleven parts on: here they are joined by number. It has no issue
time: one is reckoned back from `expires_at` by the age limit. A cleared cookie is `null`.
Source: Litestar 2.25.0 middleware/session/client_side.py.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.encoding import b64encode, quote
from sessionctl.errors import (
    MalformedCookieError,
    MalformedError,
    UnserializableValueError,
    WrongKeyTypeError,
)
from sessionctl.formats.base import CLEARED, Content, Context, Decoded, Format, Verdict, Warn
from sessionctl.formats.judging import expire, first_opened, genuine
from sessionctl.signing.aes import Gcm

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

MARK = b"additional_authenticated_data="
FOURTEEN_DAYS = 14 * 86400
"""Litestar's `max_age`, which a new cookie gets."""

_NON_CANONICAL = Warn("non-canonical", "the base64 is not the text that Litestar writes, but it reads it")
_NONCE, _TAG = 12, 16
_KEYS = (16, 24, 32)
_CHUNK = 4032  # characters of one cookie
_PARTS_READ = 10  # cookies that sort alike as text and by number
_MARK_IN_BASE64 = (
    "YWRkaXRpb25hbF9hdXRoZW50aWNhdGVkX2RhdGE9",
    "FkZGl0aW9uYWxfYXV0aGVudGljYXRlZF9kYXRhP",
    "hZGRpdGlvbmFsX2F1dGhlbnRpY2F0ZWRfZGF0YT",
)
"""What the mark is in base64 at each of the three offsets, but for what its neighbours change."""


class Sealed(NamedTuple):
    """A cookie in its parts."""

    nonce: bytes
    box: bytes
    aad: bytes
    expires_at: float


class Litestar(Format):
    """The session cookie of Litestar's `CookieBackendConfig`."""

    name = "litestar"
    takes_last_cookie = True
    chunks = True
    summary = "Litestar: CookieBackendConfig, AES-GCM"
    cookie_names = ("session",)
    example = (
        '"Qiar3rRUlYIf6Unpf547KgbYuVIff+i6XM2POE8Fb8ciKHv4YiYmdjutWwsx04O1TZrQCU2+vsGc1T5lXmFkZGl0aW9uYWx'
        'fYXV0aGVudGljYXRlZF9kYXRhPXsiZXhwaXJlc19hdCI6MTc5NjYzNDAxMH0="'
    )

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - any name will do
        text = _percent_decoded(text).replace('"', "")  # a mark may lie across the quotes of two chunks
        if not any(mark in text for mark in _MARK_IN_BASE64):
            return 0.0
        _split(text)
        return 0.99

    def _decode(self, text: str, context: Context) -> Decoded:
        if text == "null":
            return Decoded(data=None, signed=False, warnings=(CLEARED,))
        sealed = _split(text)
        _, plain = _open(sealed, context)
        data = _load(plain)
        return Decoded(
            data=data,
            issued_at=_issued_at(sealed, context),
            expires_at=sealed.expires_at,
            encrypted=True,
            algorithm="AES-GCM",
            warnings=_odd(text, data),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        if text == "null":
            return genuine(context, None, value="", warnings=(CLEARED,))
        sealed = _split(text)
        index, plain = _open(sealed, context)
        verdict = genuine(
            context,
            index,
            issued_at=_issued_at(sealed, context),
            expires_at=sealed.expires_at,
            algorithm=f"AES-{len(context.keys[index].bytes) * 8}-GCM",
            value=plain.decode("utf-8", "replace"),
            warnings=_odd(text, _load(plain)),
        )
        return (
            verdict if sealed.expires_at > round(context.now) else expire(verdict, sealed.expires_at, context)
        )

    def without_key(self, text: str) -> Decoded:
        """The additional data say when it expires."""
        return super().without_key(text)._replace(expires_at=_split(text).expires_at)

    def _encode(self, content: Content, context: Context) -> str:
        if not isinstance(content.data, dict):
            raise UnserializableValueError("", "a Litestar session is an object")
        import os

        limit = context.age_limit(FOURTEEN_DAYS)
        expires_at = round(context.now) + round(FOURTEEN_DAYS if limit is None else limit)
        aad = b'{"expires_at":%d}' % expires_at
        nonce = os.urandom(_NONCE)
        box = _cipher(context.keys.newest).seal(nonce, jsontext.dumps_bytes(content.data), aad)
        return quote(b64encode(nonce + box + MARK + aad))


def _percent_decoded(text: str) -> str:
    """As Litestar reads every cookie (`_parsers.py`), though it writes none so: what is no escape stays."""
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)


def _split(text: str) -> Sealed:
    """The parts of a cookie. Raises `MalformedCookieError`.

    Python's base64 reader drops what is foreign to it, so the quotes of joined chunks do no harm.
    """
    try:
        data = a2b_base64(_percent_decoded(text).encode("ascii", "ignore"))
    except Base64Error:
        raise MalformedCookieError("the text is not base64, or has lost its padding") from None
    start = data.find(MARK)
    if start < _NONCE + _TAG:
        raise MalformedCookieError("the text has no additional data, or too few bytes before them")
    aad = data[start:].replace(MARK, b"")
    return Sealed(data[:_NONCE], data[_NONCE:start], aad, _expires_at(aad))


def _expires_at(aad: bytes) -> float:
    try:
        value = jsontext.loads_bytes(aad)
        expires_at = value["expires_at"] if isinstance(value, dict) else None
    except (MalformedError, KeyError):
        expires_at = None
    if isinstance(expires_at, bool) or not isinstance(expires_at, (int, float)) or abs(expires_at) > 1 << 62:
        raise MalformedCookieError("the additional data do not say when the session ends")
    return float(expires_at)


def _issued_at(sealed: Sealed, context: Context) -> float | None:
    limit = context.age_limit(FOURTEEN_DAYS)
    return None if limit is None else sealed.expires_at - limit


def _open(sealed: Sealed, context: Context) -> tuple[int, bytes]:
    """The index of the key that fits, and the plaintext. Raises as `first_opened` does."""
    return first_opened(context, lambda secret: _cipher(secret).open(sealed.nonce, sealed.box, sealed.aad))


def _cipher(secret: Secret) -> Gcm:
    """AES-GCM under a secret. Raises `WrongKeyTypeError` for one of another size."""
    if len(secret.bytes) not in _KEYS:
        raise WrongKeyTypeError(
            f"a secret of Litestar is 16, 24 or 32 bytes, not {len(secret.bytes)} (hex:... gives bytes)"
        )
    return Gcm(secret.bytes)


def _load(plain: bytes) -> Any:
    try:
        return jsontext.loads_bytes(plain)
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None


def _odd(text: str, data: Any) -> tuple[Warn, ...]:
    warnings = []
    if not isinstance(data, dict):
        warnings.append(Warn("no-session", "the payload is no object: Litestar would fail to read a session"))
    bare = _percent_decoded(text).replace('"', "")  # of joined chunks
    if b64encode(a2b_base64(bare.encode("ascii", "ignore"))) != bare:
        warnings.append(_NON_CANONICAL)
    if len(text) > _CHUNK * _PARTS_READ + 2 * _PARTS_READ:
        warnings.append(
            Warn(
                "too-many-parts", "more than ten cookies: Litestar sorts them as text, so it cannot read them"
            )
        )
    return tuple(warnings)
