"""What ActiveSupport's MessageVerifier and MessageEncryptor make of a payload, and the envelope inside.

    C "--" I "--" T          AES-256-GCM or AES-128-GCM, no associated data

    C  base64 of the ciphertext
    I  base64 of the nonce, 12 bytes: 16 characters
    T  base64 of the tag, 16 bytes: 24 characters

    B "--" H                 signed

    B  base64 of the payload
    H  HMAC over the text B, hexadecimal: SHA-1 (40 characters), SHA-256 (64), ...

    AES-256-CBC is signed text whose payload is base64(ciphertext) "--" base64(IV of 16 bytes)

    envelope  {"_rails":{"message":M,"exp":time or null,"pur":purpose or null}}, M base64

Base64 is standard, padded. Keys are PBKDF2(secret_key_base, salt, 1000 iterations).
Sources: Rails 6.1 and 7.2 activesupport/lib/active_support/message_encryptor.rb, message_verifier.rb,
messages/metadata.rb, key_generator.rb.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sessionctl import jsontext
from sessionctl.encoding import b64decode, b64encode
from sessionctl.errors import BadSignatureError, MalformedCookieError, MalformedError, UsageError
from sessionctl.signing.aes import TAG, Gcm, open_cbc, seal_cbc
from sessionctl.signing.mac import Hmac
from sessionctl.signing.ruby_text import Signed, split_signed, strict_b64decode
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

KEY_SIZES: Final = {"aes-256-gcm": 32, "aes-192-gcm": 24, "aes-128-gcm": 16, "aes-256-cbc": 32}
"""What `encrypted_cookie_cipher` may be, with the bytes of its key."""

_ITERATIONS: Final = 1000
_SIGNING_KEY_SIZE: Final = 64
_NONCE_TEXT: Final = 16
_TAG_TEXT: Final = 24
_ENVELOPE: Final = b'{"_rails":'
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-"
"""What the two texts of an AES-256-CBC message and the hyphens between them are made of."""
_BINARY: Final = (b"\x04\x08", b"\xcc\x80")
"""What Marshal 4.8 and ActiveSupport's MessagePack begin with."""
_TWO_EQUALS: Final = ("09", "PT0=", "PQ==")
"""What the base64 of a text that ends in `==` ends in."""


class Sealed(NamedTuple):
    """The three texts of an encrypted message."""

    ciphertext: str
    nonce: str
    tag: str

    def parts(self) -> tuple[bytes, bytes]:
        """The nonce, and the ciphertext with the tag. Raises `BadSignatureError`."""
        ciphertext = strict_b64decode(self.ciphertext, "the ciphertext")
        return strict_b64decode(self.nonce, "the nonce"), ciphertext + strict_b64decode(self.tag, "the tag")


class Envelope(NamedTuple):
    """The serialized value (in base64 where it is text), and the purpose and time that stand around it."""

    message: str | bytes
    purpose: str | None = None
    expires_at: float | None = None

    def content(self) -> bytes:
        """The serialized value. Raises `MalformedCookieError`."""
        return b64decode(self.message, "the message") if isinstance(self.message, str) else self.message


def split(plain: str) -> Signed | Sealed:
    """The parts of a text, found from its end as Rails finds them. Raises `MalformedCookieError`."""
    tag_at = len(plain) - _TAG_TEXT
    nonce_at = tag_at - 2 - _NONCE_TEXT
    if nonce_at > 2 and plain[tag_at - 2 : tag_at] == "--" == plain[nonce_at - 2 : nonce_at]:  # noqa: PLR2004
        return Sealed(plain[: nonce_at - 2], plain[nonce_at : tag_at - 2], plain[tag_at:])
    if plain.count("--") != 2:  # noqa: PLR2004 - as an encrypted text has
        return split_signed(plain)
    if "%" in plain:
        raise BadSignatureError("percent signs are left in the text: it was percent-encoded twice, or cut")
    raise MalformedCookieError("the text is cut: the nonce has 16 characters, the tag 24")


def is_cbc(body: str) -> bool:
    """Whether a signed text holds an encrypted one: base64, two hyphens, the base64 of 16 bytes."""
    if not body.endswith(_TWO_EQUALS):
        return False
    try:
        inner = b64decode(body)
    except MalformedError:
        return False
    return inner[-26:-24] == b"--" and inner[-2:] == b"==" and not inner.translate(None, _BASE64)


# -- keys ---------------------------------------------------------------------------------------------


def derive(secret: Secret, salt: str, key_digest: str, size: int) -> bytes:
    """A key of `size` bytes."""
    return hashlib.pbkdf2_hmac(key_digest, secret.bytes, salt.encode("utf-8", "replace"), _ITERATIONS, size)


def make_mac(secret: Secret, salt: str, key_digest: str, digest: str) -> Hmac:
    """What signs."""
    return Hmac(derive(secret, salt, key_digest, _SIGNING_KEY_SIZE), digest)


def make_gcm(secret: Secret, salt: str, key_digest: str, cipher: str) -> Gcm:
    """What encrypts and authenticates."""
    return Gcm(derive(secret, salt, key_digest, KEY_SIZES[cipher]))


# -- ciphers ------------------------------------------------------------------------------------------


def seal_gcm_text(gcm: Gcm, payload: bytes) -> str:
    """An encrypted text, with a random nonce."""
    nonce = os.urandom(12)
    sealed = gcm.seal(nonce, payload)
    return "--".join(map(b64encode, (sealed[:-TAG], nonce, sealed[-TAG:])))


def open_cbc_text(key: bytes, body: str) -> bytes:
    """The payload of a signed text whose signature fits. Raises `BadSignatureError`.

    With a wrong key the padding comes out right in one of 256 texts, so the payload must be serialized too.
    """
    ciphertext, _, iv = b64decode(body).decode("latin-1").partition("--")
    payload = open_cbc(key, strict_b64decode(iv, "the IV"), strict_b64decode(ciphertext, "the ciphertext"))
    if payload is None or not _is_serialized(payload):
        raise BadSignatureError("the signature fits, but the text does not decrypt: is the salt right?")
    return payload


def _is_serialized(payload: bytes) -> bool:
    """Whether it begins as Marshal or MessagePack does, or is UTF-8, as JSON is."""
    if payload.startswith(_BINARY):
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def seal_cbc_text(key: bytes, payload: bytes) -> bytes:
    """What is to be signed, with a random IV."""
    iv = os.urandom(16)
    return f"{b64encode(seal_cbc(key, iv, payload))}--{b64encode(iv)}".encode("ascii")


# -- the envelope -------------------------------------------------------------------------------------


def unwrap(payload: bytes) -> Envelope:
    """What the envelope holds, or the payload itself where there is none. Raises `MalformedCookieError`."""
    if not payload.startswith(_ENVELOPE):
        return Envelope(payload)
    try:
        inside = jsontext.loads_bytes(payload)["_rails"]
    except MalformedError:
        return Envelope(payload)
    if not isinstance(inside, dict) or not isinstance(inside.get("message"), str):
        return Envelope(payload)
    purpose, expiry = inside.get("pur"), inside.get("exp")
    purpose = purpose if isinstance(purpose, str) and purpose else None
    return new_tuple(Envelope, (inside["message"], purpose, None if expiry is None else _seconds(expiry)))


def wrap(serialized: bytes, purpose: str | None, expires_at: float | None) -> bytes:
    """The payload: an envelope where there is a purpose or a time."""
    if purpose is None and expires_at is None:
        return serialized
    expiry = None if expires_at is None else _iso(expires_at)
    return jsontext.dumps_bytes({"_rails": {"message": b64encode(serialized), "exp": expiry, "pur": purpose}})


def _seconds(expiry: Any) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(expiry).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise MalformedCookieError("the time of expiry is not ISO 8601") from None


def _iso(seconds: float) -> str:
    from datetime import datetime, timezone

    try:
        when = datetime.fromtimestamp(seconds, timezone.utc)  # noqa: UP017
    except (OverflowError, ValueError, OSError):
        raise UsageError("the cookie would expire after the year 9999") from None
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
