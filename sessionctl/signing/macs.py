"""The HMACs of a key ring, and which of them a signature fits."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sessionctl.errors import BadSignatureError
from sessionctl.signing.mac import DIGEST_SIZES, Hmac, compare_digest
from sessionctl.wording import any_of, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sessionctl.signing.keys import KeyRing, Secret


@cache
def signature_lengths(write: Callable[[bytes], bytes]) -> dict[str, int]:
    """How long a signature is by digest, in the bytes that `write` makes."""
    return {digest: len(write(bytes(size))) for digest, size in DIGEST_SIZES.items()}


_MISFIT = "the signature does not fit "


def misfit(keys: int) -> BadSignatureError:
    """The refusal of a signature that fits none of so many keys."""
    return BadSignatureError(f"{_MISFIT}{any_of(keys, 'key')}")


def says_misfit(detail: str) -> bool:
    """Whether a verdict's words are that the signature is whole and fits no key."""
    return detail.startswith(_MISFIT)


def wrong_length(
    length: int, wanted: Iterable[str], write: Callable[[bytes], bytes], others: Iterable[str] = ()
) -> str:
    """What to say of a signature that has not the length of one by any of the wanted digests.

    `others` are those that the format's option `digest` takes too: it may be of one of them.
    """
    lengths = signature_lengths(write)
    other = next((digest for digest in others if lengths.get(digest) == length), None)
    hint = f"it is of {other} (-O digest={other}), or was cut" if other else "the text was cut or altered"
    if other == "md5":  # which few applications choose
        hint = "the text was cut, or is of md5 (-O digest=md5)"
    has = counted(length, "byte" if write is bytes else "character")
    sizes = " or ".join(f"{lengths[digest]} of {digest}" for digest in wanted)
    return f"the signature has {has} in place of {sizes}: {hint}"


class Macs:
    """The HMACs of a key ring, derived once, however many texts are verified with it.

    `digests` are those that the format's option `digest` takes, for what to say of a signature of another length.
    """

    __slots__ = ("_derive", "_digests", "_kept")

    def __init__(self, derive: Callable[[Secret], Hmac], digests: Iterable[str] = ()) -> None:
        self._derive = derive
        self._digests = digests
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
        digest = self.of(keys)[0].digest_name
        if length == signature_lengths(write)[digest]:
            return misfit(len(keys))
        return BadSignatureError(wrong_length(length, (digest,), write, self._digests))
