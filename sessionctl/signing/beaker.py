"""What Beaker signs and encrypts a session with.

    40 hex digits of HMAC-SHA1(key, rest)  rest

    AES key   PBKDF2-HMAC-SHA1(encrypt_key, validate_key nonce, 1 iteration, 32 bytes)
    crypto    cryptography: IV (12), tag (16), AES-256-GCM; pycryptodome: AES-256-CTR from counter 0, no tag

Sources: Beaker 1.14.1, 1.8.1 and 1.6.5 session.py, util.py, crypto/.
"""

from __future__ import annotations

import os
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING

from sessionctl.errors import MalformedCookieError, NoKeyError
from sessionctl.signing.aes import TAG, Gcm, counter_mode
from sessionctl.signing.mac import Hmac

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.signing.keys import KeyRing, Secret

CIPHERS = {"cryptography": "AES-256-GCM", "pycryptodome": "AES-256-CTR", "pycrypto": "AES-256-CTR"}
"""The cipher of each module that `crypto_type` names."""

_SIGNATURE = 40  # hex digits of SHA-1
_IV = 12
_COUNTER = bytes(16)


def mac_of(secret: Secret) -> Hmac:
    """What signs with a validate_key, or with the secret of an ID."""
    return Hmac(secret.bytes, "sha1")


def split(text: str) -> tuple[str, str]:
    """The signature, and what was signed. Raises `MalformedCookieError`."""
    text = text.strip('"')
    if len(text) <= _SIGNATURE:
        raise MalformedCookieError("too short for a signature of 40 hex digits and a session")
    return text[:_SIGNATURE], text[_SIGNATURE:]


def pairs(keys: KeyRing) -> Iterator[tuple[int, Secret, Secret]]:
    """The pairs of validate_key and encrypt_key, each with the place of the first in the ring."""
    if not keys:
        raise NoKeyError("no secret was given; --secret gives the validate_key, then again the encrypt_key")
    if len(keys) % 2:
        raise NoKeyError("an encrypted session needs secrets in pairs: validate_key, then encrypt_key")
    for index in range(0, len(keys), 2):
        yield index, keys[index], keys[index + 1]


def neighbours(keys: KeyRing) -> Iterator[tuple[int, Secret, Secret]]:
    """As `pairs`, of any two secrets that follow each other: the one that signs the cookie's ID may be among them."""
    if len(keys) < 2:  # noqa: PLR2004 - a pair
        yield from pairs(keys)
    for index in range(len(keys) - 1):
        yield index, keys[index], keys[index + 1]


def aes_key(encrypt_key: bytes, salt: bytes) -> bytes:
    """The key of a cipher; the salt is the validate_key and the nonce."""
    return pbkdf2_hmac("sha1", encrypt_key, salt, 1, 32)


def decrypt(cipher: str, key: bytes, box: bytes) -> bytes | None:
    """The plaintext, or None where the tag does not fit."""
    if cipher == "AES-256-CTR":
        return counter_mode(key, _COUNTER, box)
    iv, tag, ciphertext = box[:_IV], box[_IV : _IV + TAG], box[_IV + TAG :]
    return Gcm(key).open(iv, ciphertext + tag) if len(tag) == TAG else None


def encrypt(cipher: str, key: bytes, data: bytes) -> bytes:
    """The ciphertext, with what stands before it."""
    if cipher == "AES-256-CTR":
        return counter_mode(key, _COUNTER, data)
    iv = os.urandom(_IV)
    sealed = Gcm(key).seal(iv, data)
    return iv + sealed[-TAG:] + sealed[:-TAG]
