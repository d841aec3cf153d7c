"""What Plug.Crypto's MessageVerifier and MessageEncryptor make of a payload.

    SFMyNTY "." P "." S                      signed (SFMyNTY: base64 of "HS256"; also HS384, HS512)

    P  the payload       S  HMAC over the text "SFMyNTY.P"

    XCP "." base64( nonce 24 | tag 16 | ciphertext )          encrypted, plug_crypto 2.1 and later

    XChaCha20-Poly1305, associated data "A128GCM"

    QTEyOEdDTQ "." W "." N "." C "." T       encrypted before (the first part: base64 of "A128GCM")

    C, T  AES-128-GCM under a random key, nonce N (12 bytes), tag T (16), associated data "A128GCM"
    W     that key (16) | tag (16) | nonce (12): AES-GCM under the encryption key; associated data is the
          signing key of a session, nothing for tokens and cookies

Base64 is URL-safe without padding; Elixir reads stray low bits too, and padding that is whole. Keys are
PBKDF2(secret_key_base, salt, 1000 iterations, 32 bytes).
Sources: plug_crypto 2.1.1 and 1.2.5 lib/plug/crypto/message_verifier.ex, message_encryptor.ex,
key_generator.ex; Elixir 1.14 and 1.21 lib/elixir/lib/base.ex.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionctl.encoding import b64decode_urlsafe, b64encode_urlsafe, is_canonical_b64
from sessionctl.errors import MalformedCookieError, MissingExtraError, UsageError
from sessionctl.signing.aes import TAG, Gcm
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES, Hmac

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

DIGESTS: Final = {"SFMyNTY": "sha256", "SFMzODQ": "sha384", "SFM1MTI": "sha512"}
"""The first part of a signed text, and its digest."""

_XCHACHA: Final = "XCP"
_AES: Final = "QTEyOEdDTQ"
_NONCE: Final = {_XCHACHA: 24, _AES: 12}
_ASSOCIATED: Final = b"A128GCM"
_WRAPPED_SIZES: Final = (44, 52, 60)
"""A wrapped key of 16, 24 or 32 bytes, with its tag and nonce."""


class Signed(NamedTuple):
    """A signed text in parts: what was signed, with which digest, the texts of payload and signature."""

    message: bytes
    digest: str
    payload_text: str
    tag_text: str

    @property
    def algorithm(self) -> str:
        """What signs."""
        return ALGORITHMS[self.digest]

    @property
    def payload(self) -> bytes:
        """The bytes. Raises `MalformedCookieError`."""
        return b64decode_urlsafe(self.payload_text)

    @property
    def tag(self) -> bytes:
        """The bytes of the signature. Raises `MalformedCookieError`."""
        return b64decode_urlsafe(self.tag_text, "the signature")

    @property
    def is_whole(self) -> bool:
        """Whether the tag has the size of its digest."""
        return len(self.tag) == DIGEST_SIZES[self.digest]

    def is_canonical(self) -> bool:
        """Whether the signature is the one text that Plug writes for its bytes."""
        return _is_canonical(self.tag_text)


class Sealed(NamedTuple):
    """An encrypted text in parts, the tag behind the ciphertext; `wrapped` is there in old ones."""

    nonce: bytes
    sealed: bytes
    texts: tuple[str, ...]
    wrapped: bytes = b""

    @property
    def algorithm(self) -> str:
        """What encrypts."""
        return "AES-128-GCM" if self.wrapped else "XChaCha20-Poly1305"

    def is_canonical(self) -> bool:
        """Whether the parts are the texts that Plug writes for their bytes."""
        return all(map(_is_canonical, self.texts))


def split(text: str) -> Signed | Sealed:
    """The parts of a text, decoded. Raises `MalformedCookieError`."""
    if not text.isascii():
        raise MalformedCookieError("the cookie is ASCII alone")
    head, *parts = text.split(".")
    if head in DIGESTS:
        return _split_signed(head, parts)
    if head == _XCHACHA and len(parts) == 1:
        data = b64decode_urlsafe(parts[0])
        if len(data) < _NONCE[_XCHACHA] + TAG:
            raise MalformedCookieError("too short for an encrypted cookie: it was cut")
        return Sealed(data[:24], data[40:] + data[24:40], tuple(parts))
    if head == _AES and len(parts) == 4:  # noqa: PLR2004 - as drawn above
        wrapped, nonce, ciphertext, tag = map(b64decode_urlsafe, parts)
        if len(nonce) != _NONCE[_AES] or len(tag) != TAG or len(wrapped) not in _WRAPPED_SIZES:
            raise MalformedCookieError("a part of the encrypted cookie has the wrong length: it was cut")
        return Sealed(nonce, ciphertext + tag, tuple(parts), wrapped)
    raise MalformedCookieError("neither signed (SFMyNTY.) nor encrypted (XCP., QTEyOEdDTQ.), with all parts")


def _is_canonical(text: str) -> bool:
    return not text.endswith("=") and is_canonical_b64(text)


def _split_signed(head: str, parts: list[str]) -> Signed:
    if len(parts) != 2:  # noqa: PLR2004
        raise MalformedCookieError(
            "a signed cookie has three parts with dots between: header, payload, signature"
        )
    payload, tag = parts
    return Signed(
        f"{head}.{payload}".encode("ascii"),
        DIGESTS[head],
        payload,
        tag,
    )


# -- keys ---------------------------------------------------------------------------------------------


class KeyParameters(NamedTuple):
    """`key_digest`, `key_iterations` and `key_length`."""

    digest: str = "sha256"
    iterations: int = 1000
    length: int = 32


def derive(secret: Secret, salt: str, parameters: KeyParameters) -> bytes:
    """The key of a salt."""
    digest, iterations, length = parameters
    return hashlib.pbkdf2_hmac(digest, secret.bytes, salt.encode("utf-8", "replace"), iterations, length)


def make_mac(secret: Secret, salt: str, parameters: KeyParameters, digest: str) -> Hmac:
    """What signs under a salt."""
    return Hmac(derive(secret, salt, parameters), digest)


def _cipher_key(key: bytes) -> bytes:
    """The bytes that a cipher takes: 32 of a longer key. Raises `UsageError`."""
    if len(key) < 32:  # noqa: PLR2004
        raise UsageError("option 'key-length' is 32 or more for encrypted cookies")
    return key[:32]


# -- ciphers ------------------------------------------------------------------------------------------


def sign(payload: bytes, mac: Hmac) -> str:
    """A signed text, with HMAC-SHA256."""
    message = f"SFMyNTY.{b64encode_urlsafe(payload)}"
    return f"{message}.{b64encode_urlsafe(mac.digest(message.encode('ascii')))}"


def unlock(found: Sealed, key: bytes, signing_key: bytes) -> bytes | None:
    """The payload, or None where the keys do not fit. Raises `UsageError` for a short key."""
    if not found.wrapped:
        return _open_xchacha(found, _cipher_key(key))
    inner = Gcm(_cipher_key(key)).open(found.wrapped[-12:], found.wrapped[:-12], signing_key)
    return None if inner is None else Gcm(inner).open(found.nonce, found.sealed, _ASSOCIATED)


def seal(payload: bytes, key: bytes) -> str:
    """An encrypted text as plug_crypto 2.1 writes it, with a random nonce. Raises `UsageError`."""
    nonce = os.urandom(24)
    sealed: bytes = _sodium().crypto_aead_xchacha20poly1305_ietf_encrypt(
        payload, _ASSOCIATED, nonce, _cipher_key(key)
    )
    return f"XCP.{b64encode_urlsafe(nonce + sealed[-TAG:] + sealed[:-TAG])}"


def _open_xchacha(found: Sealed, key: bytes) -> bytes | None:
    bindings = _sodium()
    from nacl.exceptions import CryptoError

    try:
        opened: bytes = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            found.sealed, _ASSOCIATED, found.nonce, key
        )
    except CryptoError:
        return None
    return opened


def _sodium() -> Any:
    try:
        from nacl import bindings
    except ImportError:
        raise MissingExtraError("an encrypted cookie of Plug", "formats") from None
    return bindings
