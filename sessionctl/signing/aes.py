"""AES as the frameworks use it, by `cryptography`: GCM, CBC with PKCS 7 padding, CTR.

`cryptography` is loaded where the first cipher is needed.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

from sessionctl.errors import MissingExtraError

TAG: Final = 16
"""Bytes of a GCM tag."""

_BLOCK_BITS: Final = 128


class _Library(NamedTuple):
    """What is used of `cryptography`."""

    aes: Any
    aesgcm: Any
    cbc: Any
    cipher: Any
    ctr: Any
    invalid_tag: type[Exception]
    pkcs7: Any


@cache
def _library() -> _Library:
    """Raises `MissingExtraError`. Kept: an import that is done again takes a tenth of the time that a cipher does."""
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR
        from cryptography.hazmat.primitives.padding import PKCS7
    except ImportError:
        raise MissingExtraError("AES encryption", "formats") from None
    return _Library(AES, AESGCM, CBC, Cipher, CTR, InvalidTag, PKCS7)


class Gcm:
    """AES-GCM under one key of 16, 24 or 32 bytes; the tag stands behind the ciphertext."""

    __slots__ = ("_cipher", "_invalid_tag")

    def __init__(self, key: bytes) -> None:
        library = _library()
        self._cipher = library.aesgcm(key)
        self._invalid_tag = library.invalid_tag

    def open(self, nonce: bytes, sealed: bytes, associated: bytes = b"") -> bytes | None:
        """The plain text, or None where the tag does not fit. The nonce has 8 bytes or more."""
        try:
            plain: bytes = self._cipher.decrypt(nonce, sealed, associated)
        except self._invalid_tag:
            return None
        return plain

    def seal(self, nonce: bytes, plain: bytes, associated: bytes = b"") -> bytes:
        """The ciphertext and the tag behind it."""
        sealed: bytes = self._cipher.encrypt(nonce, plain, associated)
        return sealed


def open_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes | None:
    """The plain text of AES-CBC with PKCS 7 padding, or None where the padding or a length is wrong."""
    library = _library()
    try:
        padded = _whole(library.cipher(library.aes(key), library.cbc(iv)).decryptor(), ciphertext)
        return _whole(library.pkcs7(_BLOCK_BITS).unpadder(), padded)
    except ValueError:
        return None


def seal_cbc(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """The ciphertext of AES-CBC with PKCS 7 padding."""
    library = _library()
    padded = _whole(library.pkcs7(_BLOCK_BITS).padder(), plain)
    return _whole(library.cipher(library.aes(key), library.cbc(iv)).encryptor(), padded)


def counter_mode(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-CTR, which is its own inverse."""
    library = _library()
    return _whole(library.cipher(library.aes(key), library.ctr(iv)).encryptor(), data)


def _whole(engine: Any, data: bytes) -> bytes:
    """All of the data through what works piece by piece."""
    done: bytes = engine.update(data) + engine.finalize()
    return done
