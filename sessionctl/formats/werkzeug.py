r"""Werkzeug's SecureCookie, its own package secure-cookie, and Flask 0.9's session, which was one.

    signature "?" key "=" value "&" key "=" value ...

    signature  28 characters: base64 of HMAC-SHA1
    message    "|" key "=" value, one after the other as they stand: without "?" and "&"
    key        URL-quoted UTF-8, "+" for a space; the items are sorted by it
    value      base64 of JSON (secure-cookie) or of a pickle (Werkzeug, Flask), each on its own

The HMAC's key is the secret. `_expires` holds the moment in Unix seconds past which the session is empty; no
other time is in it. The framework takes `_expires` out before the application sees the session.
Sources: secure-cookie 0.2.0 cookie.py; Werkzeug 0.16.1 contrib/securecookie.py; Flask 0.9 session.py.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Any, NamedTuple

from sessionctl.encoding import b64encode, quote, unquote, utf8
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    MalformedError,
    UnserializableValueError,
)
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import expire, genuine
from sessionctl.payload import pickle_or_json, python_json
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES, Hmac
from sessionctl.signing.macs import Macs

EXPIRES = "_expires"

_LENGTHS = frozenset((size + 2) // 3 * 4 for size in DIGEST_SIZES.values())
_LATEST = 253_402_300_799  # the end of the year 9999, past which Python has no dates
_ODD_EXPIRY = Warn("odd-expiry", "_expires is no moment in Unix seconds")

_NON_CANONICAL = Warn(
    "non-canonical",
    "the base64 is not what Werkzeug writes, but it reads it: '|' for '&' changes no signature",
)


class Werkzeug(Format):
    """The SecureCookie of Werkzeug and secure-cookie."""

    name = "werkzeug"
    summary = "Werkzeug's and secure-cookie's SecureCookie; Flask up to 0.9"
    cookie_names = ("session",)
    options = (
        Option("digest", "sha1", "hash of the signature: the class's `hash_method`", tuple(DIGEST_SIZES)),
        Option("serializer", "json", "how new values are written; reading sees it", ("json", "pickle")),
    )
    example = '"F7rIoSHN1d8D3KDRFcACCyIvazM=?user_id=NDI=&username=ImFsaWNlIg=="'

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._algorithm = ALGORITHMS[self.option("digest")]
        self._macs = Macs(lambda secret: Hmac(secret.bytes, self.option("digest")), DIGEST_SIZES)

    def _detect(self, text: str, cookie_name: str | None) -> float:
        parts = _split(text)
        if len(parts.signature) not in _LENGTHS:
            return 0.0
        a2b_base64(parts.signature, strict_mode=True)
        if not parts.items:  # a session that is empty
            return 0.9 if cookie_name in self.cookie_names else 0.5
        _read(parts)
        return 0.98 if cookie_name in (None, *self.cookie_names) else 0.95

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - needs no key
        parts = _split(text)
        data, payload_type, canonical = _read(parts)
        return Decoded(
            data=data,
            expires_at=_expiry(data),
            payload_type=payload_type,
            algorithm=self._algorithm,
            warnings=_odd(data, canonical=canonical and _is_canonical(parts.signature)),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        parts = _split(text)
        if not context.keys:
            _read(parts)  # what cannot be read is told before the want of a key
        try:
            given = a2b_base64(parts.signature)
        except (Base64Error, ValueError):
            raise BadSignatureError("the signature is not base64") from None
        message = b"".join(b"|" + item for item in parts.items)
        index = self._macs.find(context.keys, message, given)
        data, _, canonical = _read(parts)
        expires_at = _expiry(data)
        odd = _odd(data, canonical=canonical and b2a_base64(given, newline=False) == parts.signature)
        verdict = genuine(context, index, expires_at=expires_at, algorithm=self._algorithm, warnings=odd)
        if expires_at is not None and context.now > expires_at:
            return expire(verdict, expires_at, context)
        return verdict

    def _encode(self, content: Content, context: Context) -> str:
        if not isinstance(content.data, dict):
            raise UnserializableValueError("", "a SecureCookie is an object")
        items = [
            f"{_quote_key(key)}={b64encode(self._dump(value))}" for key, value in sorted(content.data.items())
        ]
        message = "".join(f"|{item}" for item in items).encode("ascii")
        signature = b64encode(self._macs.of(context.keys)[0].digest(message))
        return quote(f"{signature}?{'&'.join(items)}")

    def _ways(self, text: str, context: Context) -> dict[str, str]:  # noqa: ARG002 - needs no key
        values = [item.partition(b"=")[2] for item in _split(text).items]
        kinds = [pickle_or_json.kept(a2b_base64(value), envelope=False) for value in values]
        return {"serializer": kinds[-1]} if kinds else {}

    def _dump(self, value: Any) -> bytes:
        if self.option("serializer") == "json":
            return python_json.dumps(value).encode("ascii")
        from sessionctl.payload import pickle

        return pickle.dumps(value)


class _Parts(NamedTuple):
    signature: bytes
    items: list[bytes]


def _split(text: str) -> _Parts:
    raw = utf8(unquote(text))
    signature, mark, items = raw.partition(b"?")
    if not mark:
        raise MalformedCookieError("a SecureCookie has a signature and its items, with '?' between them")
    return _Parts(signature, items.split(b"&") if items else [])


def _read(parts: _Parts) -> tuple[dict[str, Any], str, bool]:
    """The items, how the last one was serialized, and whether Werkzeug writes the base64 of all just so.

    Raises `MalformedCookieError`.
    """
    data: dict[str, Any] = {}
    payload_type, canonical = "json", True
    for item in parts.items:
        key, equals, value = item.partition(b"=")
        if not equals:
            raise MalformedCookieError("an item of the SecureCookie has no '='")
        name = _unquote_key(key)
        try:
            raw = a2b_base64(value)
            data[name], payload_type = pickle_or_json.loads(raw)
        except Base64Error:
            raise MalformedCookieError("a value of the SecureCookie is not base64") from None
        except MalformedError as error:
            raise MalformedCookieError(f"a value of the SecureCookie is {error}") from None
        canonical = canonical and b2a_base64(raw, newline=False) == value
    return data, payload_type, canonical


def _unquote_key(key: bytes) -> str:
    if b"%" not in key and b"+" not in key:
        return key.decode("utf-8", "replace")
    from urllib.parse import unquote_plus

    return unquote_plus(key.decode("latin-1"), errors="replace")


def _quote_key(key: str) -> str:
    from urllib.parse import quote_plus

    try:
        return quote_plus(key)
    except UnicodeEncodeError:
        raise UnserializableValueError("", "a key holds half of a surrogate pair") from None


def _expiry(data: dict[str, Any]) -> float | None:
    moment = data.get(EXPIRES)
    if isinstance(moment, bool) or not isinstance(moment, (int, float)) or not 0 <= moment <= _LATEST:
        return None
    return float(moment)


def _odd(data: dict[str, Any], *, canonical: bool) -> tuple[Warn, ...]:
    odd = (_ODD_EXPIRY,) if EXPIRES in data and _expiry(data) is None else ()
    return odd if canonical else (*odd, _NON_CANONICAL)


def _is_canonical(text: bytes) -> bool:
    try:
        return b2a_base64(a2b_base64(text), newline=False) == text
    except (Base64Error, ValueError):
        return False
