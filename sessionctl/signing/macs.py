"""The HMACs of a key ring, and which of them a signature fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.errors import BadSignatureError
from sessionctl.signing.mac import Hmac, compare_digest
from sessionctl.wording import any_of, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.signing.keys import KeyRing, Secret

DIGEST_SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
"""Bytes of a signature by digest."""

ALGORITHMS = {digest: f"HMAC-{digest.upper()}" for digest in DIGEST_SIZES}
"""The name of the HMAC by digest."""


class Macs:
    """The HMACs of a key ring, derived once, however many texts are verified with it."""

    __slots__ = ("_derive", "_kept")

    def __init__(self, derive: Callable[[Secret], Hmac]) -> None:
        self._derive = derive
        self._kept: tuple[KeyRing | None, list[Hmac]] = (None, [])

    def of(self, keys: KeyRing) -> list[Hmac]:
        """The HMACs of a ring, in its order, kept until another ring comes. Raises `NoKeyError` if it is empty."""
        ring, macs = self._kept
        if ring is not keys:
            if ring != keys:
                macs = [self._derive(secret) for secret in (keys.newest, *keys[1:])]
            self._kept = (keys, macs)
        return macs

    def find(
        self, keys: KeyRing, message: bytes, given: bytes, write: Callable[[bytes], bytes] = bytes
    ) -> int:
        """The index of the first key whose signature of the message is the given one, in constant time.

        `write` makes the text of a signature where texts are compared. Raises `NoKeyError`, and
        `BadSignatureError`, which says what a signature of another length may be.
        """
        index = self.first(keys, message, given, write)
        if index is None:
            raise self.misfit(keys, len(given), write)
        return index

    def first(
        self, keys: KeyRing, message: bytes, given: bytes, write: Callable[[bytes], bytes] = bytes
    ) -> int | None:
        """As `find`, but None where no key fits."""
        ring, macs = self._kept
        index = 0
        for mac in macs if ring is keys else self.of(keys):
            if compare_digest(write(mac.digest(message)), given):
                return index
            index += 1  # noqa: SIM113 - `enumerate` takes longer, and nearly always the first key fits
        return None

    def misfit(
        self, keys: KeyRing, length: int, write: Callable[[bytes], bytes] = bytes
    ) -> BadSignatureError:
        """Why no key fits a signature of a length, in the bytes that `write` makes."""
        macs = self.of(keys)
        digest = macs[0].name.removeprefix("HMAC-").lower()
        wanted = len(write(bytes(DIGEST_SIZES[digest])))
        if length == wanted:
            return BadSignatureError(f"the signature does not fit {any_of(len(macs), 'key')}")
        other = [name for name, size in DIGEST_SIZES.items() if len(write(bytes(size))) == length]
        hint = (
            f"it is of {other[0]} (-O digest={other[0]}), or was cut"
            if other
            else "the text was cut or altered"
        )
        has = counted(length, "byte" if write is bytes else "character")
        return BadSignatureError(f"the signature has {has} in place of {wanted} of {digest}: {hint}")
