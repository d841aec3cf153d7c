"""What a signer is, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from sessionctl.encoding import b64decode_urlsafe
from sessionctl.errors import MalformedCookieError

if TYPE_CHECKING:
    from sessionctl.signing.keys import KeyRing

_MAX_STAMP = 11  # characters of base64 that 64 bits take


class Unsigned(NamedTuple):
    """What a cookie text holds: `value` is None where no key fits.

    `key_index` counts from 0, newest first; `stamp` is the time of issue as it stands in the text.
    """

    value: str | None
    key_index: int | None
    stamp: bytes | None = None

    @property
    def issued_at(self) -> float | None:
        """The time of issue in Unix seconds, where the text has one: read only when it is asked for."""
        return None if self.stamp is None else seconds(self.stamp)


def seconds(stamp: bytes) -> float:
    """The Unix seconds of a time as itsdangerous writes it, big-endian in base64. Raises `MalformedCookieError`."""
    if len(stamp) > _MAX_STAMP:
        raise MalformedCookieError("the time is no number of seconds")
    return float(int.from_bytes(b64decode_urlsafe(stamp.decode("ascii"), "the time"), "big"))


class Signer(Protocol):
    """Turns a cookie value into cookie text and back, strictly: one text for one value and key."""

    keys: KeyRing

    def sign(self, value: str) -> str:
        """The cookie text of a value."""

    def unsign(self, text: str) -> Unsigned:
        """What the text holds. Raises `MalformedCookieError` for what cannot be one of its texts."""
