"""AES as the frameworks use it, by `cryptography`: GCM, CBC with PKCS 7 padding, CTR.

A module, not a class, so that `cryptography` is loaded where the first cipher is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sessionctl.errors import MissingExtraError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TAG: Final = 16
"""Bytes of a GCM tag."""


class Gcm:
    """AES-GCM under one key of 16, 24 or 32 bytes; the tag stands behind the ciphertext."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = _aesgcm(key)

    def open(self, nonce: bytes, sealed: bytes, associated: bytes = b"") -> bytes | None:
        """The plain text, or None where the tag does not fit. The nonce has 8 bytes or more."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(nonce, sealed, associated)
        except InvalidTag:
            return None

    def seal(self, nonce: bytes, plain: bytes, associated: bytes = b"") -> bytes:
        """The ciphertext and the tag behind it."""
        return self._cipher.encrypt(nonce, plain, associated)


def _aesgcm(key: bytes) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtraError("an encrypted cookie", "formats") from None
    return AESGCM(key)


def open_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes | None:
    """The plain text of AES-CBC with PKCS 7 padding, or None where the padding or a length is wrong."""
    try:
        from cryptography.hazmat.primitives.ciphers.modes import CBC
        from cryptography.hazmat.primitives.padding import PKCS7
    except ImportError:
        raise MissingExtraError("an encrypted cookie", "formats") from None
    try:
        padded = _run(key, CBC(iv), ciphertext, decrypt=True)
        unpadder = PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return None


def seal_cbc(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """The ciphertext of AES-CBC with PKCS 7 padding."""
    try:
        from cryptography.hazmat.primitives.ciphers.modes import CBC
        from cryptography.hazmat.primitives.padding import PKCS7
    except ImportError:
        raise MissingExtraError("an encrypted cookie", "formats") from None
    padder = PKCS7(128).padder()
    return _run(key, CBC(iv), padder.update(plain) + padder.finalize(), decrypt=False)


def counter_mode(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-CTR, which is its own inverse."""
    try:
        from cryptography.hazmat.primitives.ciphers.modes import CTR
    except ImportError:
        raise MissingExtraError("an encrypted cookie", "formats") from None
    return _run(key, CTR(iv), data, decrypt=False)


def _run(key: bytes, mode: Any, data: bytes, *, decrypt: bool) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES

    cipher = Cipher(AES(key), mode)
    engine = cipher.decryptor() if decrypt else cipher.encryptor()
    return engine.update(data) + engine.finalize()
