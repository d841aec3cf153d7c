"""What Rack::Session::Encryptor makes of a session.

Version 2, standard base64 with padding, URL-safe after 2.1.2:

    02 | salt 32 | nonce 12 | tag 16 | ciphertext        AES-256-GCM

    key              HMAC-SHA256(first 32 bytes of the secret, salt)
    associated data  02 | salt | purpose

Version 1, URL-safe base64:

    01 | salt 32 | IV 16 | ciphertext | HMAC 32          AES-256-CTR

    key   HMAC-SHA256(first 32 bytes of the secret, salt)
    HMAC  HMAC-SHA256(the rest of the secret, all before | purpose)

Both: plaintext = length of the padding (2 bytes, little-endian) | padding | payload; the purpose is the
cookie's name. Source: rack-session lib/rack/session/encryptor.rb, as of 2.1.2 and of 7acef42 (April 2026).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from sessionctl.encoding import b64decode, b64encode, to_standard, to_urlsafe
from sessionctl.errors import MalformedCookieError, WrongKeyTypeError
from sessionctl.signing.aes import TAG, Gcm, counter_mode
from sessionctl.signing.mac import Hmac
from sessionctl.signing.ruby_text import strict_b64decode
from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

_ALGORITHMS: Final = {1: "AES-256-CTR HMAC-SHA256", 2: "AES-256-GCM"}

BLOCK: Final = 32
"""Plaintext is padded to a multiple of it, unless `pad_size` was changed."""

_SHORTEST_SECRET: Final = {1: 64, 2: 32}
_OVERHEAD: Final = {1: 81, 2: 61}
"""Bytes of a text beside its plaintext."""
_SALTED: Final = 33
"""Where the salt ends."""
_V1_TAG: Final = 32


class Sealed(NamedTuple):
    """An encrypted text: its version and its bytes."""

    version: int
    data: bytes

    @property
    def algorithm(self) -> str:
        """What encrypts."""
        return _ALGORITHMS[self.version]

    @property
    def plain_size(self) -> int:
        """Bytes of the plaintext."""
        return len(self.data) - _OVERHEAD[self.version]


def split(plain: str) -> Sealed:
    """The bytes of a text. Raises `MalformedCookieError`, and `BadSignatureError` for broken base64."""
    head = b64decode(to_standard(plain[:4]), "the version")
    version = head[0] if head else 0
    if version not in _ALGORITHMS:
        raise MalformedCookieError(f"an encrypted cookie of version {version}; Rack writes 1 and 2")
    if len(plain) * 3 // 4 <= _OVERHEAD[version]:
        raise MalformedCookieError("too short for an encrypted cookie: it was cut")
    if version == 1 or "-" in plain or "_" in plain:
        plain = to_standard(plain)
        if not plain.endswith("="):  # as `urlsafe_decode64` does
            plain += "=" * (-len(plain) % 4)
    return Sealed(version, strict_b64decode(plain, "the cookie"))


def unlock(sealed: Sealed, secret: Secret, purpose: bytes) -> bytes | None:
    """The payload, or None where the key does not fit. Raises `WrongKeyTypeError` for a short secret."""
    key = _message_key(sealed.version, secret, sealed.data[1:_SALTED])
    plain = (_unlock_v1 if sealed.version == 1 else _unlock_v2)(sealed.data, secret, key, purpose)
    return None if plain is None else plain[2 + int.from_bytes(plain[:2], "little") :]


def _message_key(version: int, secret: Secret, salt: bytes) -> bytes:
    if len(secret.bytes) < _SHORTEST_SECRET[version]:
        raise WrongKeyTypeError(
            f"the secret has {counted(len(secret.bytes), 'byte')}; Rack asks for {_SHORTEST_SECRET[version]} or more"
        )
    return Hmac(secret.bytes[:32]).digest(salt)


def _unlock_v1(data: bytes, secret: Secret, key: bytes, purpose: bytes) -> bytes | None:
    body, tag = data[:-_V1_TAG], data[-_V1_TAG:]
    if not Hmac(secret.bytes[32:]).verify(body + purpose, tag):
        return None
    return counter_mode(key, body[_SALTED:49], body[49:])


def _unlock_v2(data: bytes, _secret: Secret, key: bytes, purpose: bytes) -> bytes | None:
    return Gcm(key).open(data[_SALTED:45], data[61:] + data[45:61], data[:_SALTED] + purpose)


def seal(version: int, payload: bytes, secret: Secret, purpose: bytes) -> str:
    """An encrypted text, with random salt, nonce and padding. Raises `WrongKeyTypeError`."""
    head = bytes((version,)) + os.urandom(32)
    key = _message_key(version, secret, head[1:])
    padding = BLOCK - (2 + len(payload)) % BLOCK
    plain = padding.to_bytes(2, "little") + os.urandom(padding) + payload
    if version == 1:
        iv = os.urandom(16)
        body = head + iv + counter_mode(key, iv, plain)
        return to_urlsafe(b64encode(body + Hmac(secret.bytes[32:]).digest(body + purpose)))
    nonce = os.urandom(12)
    sealed = Gcm(key).seal(nonce, plain, head + purpose)
    return b64encode(head + nonce + sealed[-TAG:] + sealed[:-TAG])
