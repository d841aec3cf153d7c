"""HMAC with the key's state prepared."""

from __future__ import annotations

from _operator import (
    _compare_digest as compare_digest,
)  # `hmac.compare_digest`, without the OpenSSL that hmac loads
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import hashlib
    from collections.abc import Callable

__all__ = [
    "ALGORITHMS",
    "DIGEST_SIZES",
    "HMAC_SHA1",
    "HMAC_SHA256",
    "Hmac",
    "compare_digest",
]

DIGEST_SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
"""Bytes of a signature by digest."""

ALGORITHMS = {digest: f"HMAC-{digest.upper()}" for digest in DIGEST_SIZES}
"""The name of the HMAC by digest."""

HMAC_SHA1, HMAC_SHA256 = ALGORITHMS["sha1"], ALGORITHMS["sha256"]

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class Hmac:
    """HMAC (RFC 2104) for many messages under one key.

    The hash state after the padded key is kept and copied, which takes less than half the time of
    `hmac.digest`.
    """

    __slots__ = ("_inner", "_outer", "digest_name")

    def __init__(self, key: bytes, digest: str = "sha256") -> None:
        import hashlib  # which loads OpenSSL: only for those who verify or sign

        make: Callable[[bytes], hashlib._Hash] = getattr(hashlib, digest)
        empty = make(b"")
        if len(key) > empty.block_size:
            key = make(key).digest()
        padded = key.ljust(empty.block_size, b"\0")
        self.digest_name = digest
        self._inner = make(padded.translate(_INNER))
        self._outer = make(padded.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        """The tag of the message."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def verify(self, message: bytes, tag: bytes) -> bool:
        """Whether the tag is that of the message, in constant time."""
        return compare_digest(self.digest(message), tag)
