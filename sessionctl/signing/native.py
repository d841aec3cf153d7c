"""The `native` signature: itsdangerous, with the derived key and the HMAC state kept.

    payload "." timestamp "." signature

    payload    URL-safe base64 without padding of JSON, or "." and the same of its zlib stream where
               that is shorter
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
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any

from itsdangerous import TimestampSigner
from itsdangerous.signer import SigningAlgorithm

from sessionctl import jsontext
from sessionctl.encoding import compress, decompress
from sessionctl.errors import MalformedCookieError, MalformedError, SecretError
from sessionctl.signing.base import Unsigned
from sessionctl.signing.keys import KeyRing
from sessionctl.signing.mac import Hmac, b64encode_urlsafe, compare_digest

SALT = "sessionctl.cookie"
MAX_SIZE = 1 << 20

_COMPRESSES_FROM = 32
"""Bytes of JSON below which zlib's own eleven bytes are never won back."""

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


class PreparedHmac(SigningAlgorithm):
    """itsdangerous' `HMACAlgorithm` with the state after the key kept for the next message."""

    def __init__(self, digest: str = "sha256") -> None:
        self._digest = digest
        self._prepared: dict[bytes, Hmac] = {}

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """The tag of `value` under the derived `key`."""
        mac = self._prepared.get(key)
        if mac is None:
            mac = self._prepared[key] = Hmac(key, self._digest)
        return mac.digest(value)


class KeptKeySigner(TimestampSigner):
    """itsdangerous' `TimestampSigner` that derives the key of its one secret once."""

    default_digest_method = staticmethod(hashlib.sha256)
    default_key_derivation = "hmac"

    def __init__(self, secret: bytes, salt: str = SALT) -> None:
        super().__init__(secret, salt=salt, algorithm=PreparedHmac())
        self._derived = super().derive_key()

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """The derived key, kept; of another secret it is derived as itsdangerous does."""
        return self._derived if secret_key is None else super().derive_key(secret_key)


class NativeSigner:
    """Signs with the newest secret and reads what any of them signed.

    Raises `SecretError` for an empty ring: this format is never unsigned.
    """

    def __init__(self, keys: KeyRing, salt: str = SALT) -> None:
        if not keys:
            raise SecretError("the native format needs a secret; there is no unsigned form of it")
        self.keys = keys
        self._signers = [KeptKeySigner(secret.bytes, salt) for secret in keys]

    def sign(self, value: str, now: float | None = None) -> str:
        """The cookie text of a value, made now or at `now` in Unix seconds."""
        signer = self._signers[0]
        stamp = signer.get_timestamp() if now is None else int(now)
        body = f"{dump(value)}.{b64encode_urlsafe(stamp.to_bytes(8, 'big').lstrip(bytes(1)))}"
        return f"{body}.{signer.get_signature(body).decode('ascii')}"

    def unsign(self, text: str) -> Unsigned:
        """What a cookie text holds, the key that signed it and when. Raises `MalformedCookieError`."""
        try:
            body, _, given = text.encode("ascii").rpartition(b".")
        except UnicodeEncodeError:
            raise MalformedCookieError("a native cookie is ASCII alone") from None
        payload, dot, stamp = body.rpartition(b".")
        if not dot:
            raise MalformedCookieError("a native cookie has three parts with dots between them")
        for index, signer in enumerate(self._signers):
            if compare_digest(signer.get_signature(body), given):
                return Unsigned(load(payload), index, float(int.from_bytes(b64(stamp), "big")))
        return Unsigned(None, None)


def dump(value: str) -> str:
    """The payload of a value."""
    data = value.encode() if _is_object(value) else jsontext.dumps_bytes(value)
    if len(data) >= _COMPRESSES_FROM:
        shorter = compress(data)
        if len(shorter) < len(data) - 1:
            return f".{b64encode_urlsafe(shorter)}"
    return b64encode_urlsafe(data)


def load(payload: bytes) -> str:
    """The value of a payload. Raises `MalformedCookieError`."""
    data = decompress(b64(payload[1:]), MAX_SIZE) if payload[:1] == b"." else b64(payload)
    try:
        text = jsontext.decode_utf8(data)
        return jsontext.loads(text) if text[:1] == '"' else text
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None


def b64(text: bytes) -> bytes:
    """Unpadded URL-safe base64, strictly. Raises `MalformedCookieError`."""
    try:
        return a2b_base64(text.translate(_TO_STANDARD) + b"=" * (-len(text) % 4), strict_mode=True)
    except (Base64Error, ValueError):
        raise MalformedCookieError("a part of the cookie is not URL-safe base64") from None


def _is_object(value: str) -> Any:
    """Whether the value is a JSON object that an exact reader gets back as the same text."""
    if value[:1] != "{":
        return False
    try:
        return isinstance(jsontext.loads(value), dict)
    except MalformedError:
        return False
