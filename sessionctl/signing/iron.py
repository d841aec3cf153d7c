"""The seal of @hapi/iron, and of iron-session and h3, which took it over.

    "Fe26.2" "*" ID "*" SALT "*" IV "*" BOX "*" EXPIRY "*" MAC_SALT "*" MAC  [ "~2" ]

    ID        which password of a map: iron-session a number, hapi any word, often empty
    SALT      64 hexadecimal digits, used as that text, not as 32 bytes; the same for MAC_SALT. Both are empty
              where the key is bytes, which are then used as they are
    IV        16 bytes; BOX, MAC as IV: URL-safe base64 without padding
    BOX       AES-256-CBC with PKCS#7 padding (or AES-128-CTR) of JSON;
              key = PBKDF2-HMAC-SHA1(password, SALT, rounds, 32 bytes (16))
    EXPIRY    milliseconds since 1970, or empty; 60 seconds of skew are granted
    MAC       HMAC-SHA256 over the text of the first six parts;
              key = PBKDF2-HMAC-SHA1(password, MAC_SALT, rounds, 32 bytes)
    "~2"      iron-session's own; not covered by the MAC

Sources: @hapi/iron 7.0.1 lib/index.js; iron-webcrypto 2.0.0.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from sessionctl.encoding import b64decode_urlsafe, percent_decode
from sessionctl.errors import MalformedCookieError, WrongKeyTypeError
from sessionctl.signing.aes import counter_mode, open_cbc, seal_cbc
from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

PREFIX = "Fe26.2"
KEY_SIZES = {"aes-256-cbc": 32, "aes-128-ctr": 16}
"""The ciphers of the content, with the bytes of their key."""

MAC_SIZE = 32
"""Bytes of the key of the mac."""

_CTR = "aes-128-ctr"
_PARTS = 8


class Seal(NamedTuple):
    """A seal taken apart, the binary parts decoded."""

    body: str
    password_id: str
    salt: str
    iv: bytes
    box: bytes
    expires_at: float | None
    mac_salt: str
    mac: bytes
    canonical: bool
    version: str


def split(text: str) -> Seal:
    """The parts of a seal. Raises `MalformedCookieError`."""
    seal, _, version = percent_decode(text).partition("~")
    parts = seal.split("*", _PARTS)
    if len(parts) != _PARTS or not seal.isascii():
        raise MalformedCookieError("a seal has eight parts with * between them")
    prefix, password_id, salt, iv, box, expiry, mac_salt, mac = parts
    if prefix != PREFIX:
        raise MalformedCookieError("a seal begins with Fe26.2")
    return Seal(
        body=seal[: -len(mac_salt) - len(mac) - 2],
        password_id=password_id,
        salt=salt,
        iv=_sized(b64decode_urlsafe(iv, "the IV"), 16, "the IV"),
        box=b64decode_urlsafe(box, "the content"),
        expires_at=_expires_at(expiry),
        mac_salt=mac_salt,
        mac=b64decode_urlsafe(mac, "the mac"),
        canonical=len(mac) == 43 and mac[-1] in "AEIMQUYcgkosw048",  # noqa: PLR2004 - of 32 bytes
        version=version,
    )


def _sized(data: bytes, size: int, what: str) -> bytes:
    if len(data) != size:
        raise MalformedCookieError(f"{what} has {counted(len(data), 'byte')} in place of {size}")
    return data


def _expires_at(text: str) -> float | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 15:  # noqa: PLR2004 - until the year 33658
        raise MalformedCookieError("the expiry of the seal is no number of milliseconds")
    return int(text) / 1000


def derive(secret: Secret, salt: str, rounds: int, size: int) -> bytes:
    """The key of a password, by PBKDF2; bytes are the key. Raises `WrongKeyTypeError` for too few of them."""
    if secret.text is not None:
        return hashlib.pbkdf2_hmac("sha1", secret.bytes, salt.encode("ascii"), rounds, size)
    if len(secret.bytes) < size:
        raise WrongKeyTypeError(f"a key of bytes has at least {size} of them here, not {len(secret.bytes)}")
    return secret.bytes


def make_box(cipher: str, key: bytes, iv: bytes, content: bytes) -> bytes:
    """The content encrypted. Raises `WrongKeyTypeError`."""
    _check_size(cipher, key)
    return (counter_mode if cipher == _CTR else seal_cbc)(key, iv, content)


def unbox(cipher: str, key: bytes, seal: Seal) -> bytes | None:
    """The content decrypted; None where it cannot be. Raises `WrongKeyTypeError`."""
    _check_size(cipher, key)
    return (counter_mode if cipher == _CTR else open_cbc)(key, seal.iv, seal.box)


def _check_size(cipher: str, key: bytes) -> None:
    if len(key) != KEY_SIZES[cipher]:
        raise WrongKeyTypeError(f"{cipher} takes a key of {KEY_SIZES[cipher]} bytes, not {len(key)}")
