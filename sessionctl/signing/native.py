"""The `native` signature: itsdangerous, with the derived key and the HMAC state kept.

    payload "." timestamp "." signature

    payload    URL-safe base64 without padding of JSON; of 512 bytes and more, "." and the same of its
               zlib stream where that is shorter
    timestamp  Unix seconds, big-endian without leading zero bytes, URL-safe base64
    signature  HMAC-SHA256 over "payload.timestamp", URL-safe base64, 43 characters; its key is
               HMAC-SHA256(secret, salt)

A value that is itself a JSON object stands as that object, any other as a JSON string. So these lines read
every cookie:

    URLSafeTimedSerializer(secret, salt="sessionctl.cookie", signer_kwargs={
        "key_derivation": "hmac", "digest_method": hashlib.sha256}).loads(text)
"""

from __future__ import annotations

import hashlib
from binascii import a2b_base64
from functools import lru_cache
from typing import TYPE_CHECKING

from itsdangerous import TimestampSigner

from sessionctl import jsontext
from sessionctl.encoding import b64encode_urlsafe_tag, compress, decompress
from sessionctl.errors import MalformedCookieError, MalformedError, SecretError
from sessionctl.signing.base import Unsigned, seconds
from sessionctl.signing.mac import Hmac, compare_digest
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from sessionctl.signing.keys import KeyRing

SALT = "sessionctl.cookie"
MAX_SIZE = 1 << 20

COMPRESSES_FROM = 512
"""Bytes of JSON from which compression is tried: below, it wins some tens of bytes for twice the time."""

_STAMP = 6  # characters of the time until 2106


class KeptKeySigner(TimestampSigner):
    """itsdangerous' `TimestampSigner` of one secret, with the HMAC state after its derived key kept."""

    default_digest_method = staticmethod(hashlib.sha256)
    default_key_derivation = "hmac"

    def __init__(self, secret: bytes, salt: str = SALT) -> None:
        super().__init__(secret, salt=salt)
        self.mac = Hmac(self.derive_key())

    def get_signature(self, value: str | bytes) -> bytes:
        """The signature of a text, which for itsdangerous takes deriving the key anew."""
        return b64encode_urlsafe_tag(self.mac.digest(value.encode() if isinstance(value, str) else value))


class NativeSigner:
    """Signs with the newest secret and reads what any of them signed.

    Raises `SecretError` for an empty ring: this format is never unsigned.
    """

    def __init__(self, keys: KeyRing, salt: str = SALT) -> None:
        if not keys:
            raise SecretError("the native format needs a secret; there is no unsigned form of it")
        self.keys = keys
        self._signers = [KeptKeySigner(secret.bytes, salt) for secret in keys]
        self._macs = [signer.mac for signer in self._signers]

    def sign(self, value: str, now: float | None = None) -> str:
        """The cookie text of a value, made now or at `now` in Unix seconds."""
        body = dump(value) + b"." + _stamp(self._signers[0].get_timestamp() if now is None else int(now))
        return (body + b"." + b64encode_urlsafe_tag(self._macs[0].digest(body))).decode("ascii")

    def unsign(self, text: str) -> Unsigned:
        """What a cookie text holds, the key that signed it and when. Raises `MalformedCookieError`."""
        try:
            body, _, given = text.encode("ascii").rpartition(b".")
        except UnicodeEncodeError:
            raise MalformedCookieError("a native cookie is ASCII alone") from None
        payload, dot, stamp = body.rpartition(b".")
        if not dot:
            raise MalformedCookieError("a native cookie has three parts with dots between them")
        for index, mac in enumerate(self._macs):
            if compare_digest(b64encode_urlsafe_tag(mac.digest(body)), given):
                if len(stamp) != _STAMP or not stamp.isalnum():
                    seconds(stamp)  # which refuses what is no time
                return new_tuple(Unsigned, (load(payload), index, stamp))
        return Unsigned(None, None)


def dump(value: str) -> bytes:
    """The payload of a value."""
    data = value.encode() if _is_object(value) else jsontext.dumps_bytes(value)
    if len(data) >= COMPRESSES_FROM:
        shorter = compress(data)
        if len(shorter) < len(data) - 1:
            return b"." + b64encode_urlsafe_tag(shorter)
    return b64encode_urlsafe_tag(data)


def load(payload: bytes) -> str:
    """The value of a payload. Raises `MalformedCookieError`."""
    data = decompress(_b64decode(payload[1:]), MAX_SIZE) if payload[:1] == b"." else _b64decode(payload)
    try:
        if data[:1] == b"{":
            return data.decode()
        text = jsontext.decode_utf8(data)
        return jsontext.loads(text) if text[:1] == '"' else text
    except UnicodeDecodeError as error:
        raise MalformedCookieError(f"the payload is not UTF-8 at byte {error.start}") from None
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None


@lru_cache(maxsize=1)
def _stamp(seconds: int) -> bytes:
    """The time as it stands in the cookie, kept for as long as the second lasts."""
    return b64encode_urlsafe_tag(seconds.to_bytes(8, "big").lstrip(b"\0"))


def _b64decode(text: bytes) -> bytes:
    """The bytes of base64 in either alphabet, padded or not: its text is signed. Raises `MalformedCookieError`.

    As `encoding.b64decode`, but of bytes: once for each request.
    """
    try:
        standard = text.replace(b"-", b"+").replace(b"_", b"/")
        return a2b_base64(standard + b"=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise MalformedCookieError("a part of the cookie is not base64") from None


def _is_object(value: str) -> bool:
    """Whether the value is a JSON object, which can stand for itself."""
    if value.startswith('{"i":') and value.endswith("}"):  # made by `records.dump_value`
        return True
    if not value.startswith("{"):
        return False
    try:
        return isinstance(jsontext.loads(value), dict)
    except MalformedError:
        return False
