"""What a signer is, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from sessionctl.signing.keys import KeyRing


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
        if self.stamp is None:
            return None
        from sessionctl.signing.native import seconds

        return seconds(self.stamp)


class Signer(Protocol):
    """Turns a cookie value into cookie text and back, strictly: one text for one value and key."""

    keys: KeyRing

    def sign(self, value: str) -> str:
        """The cookie text of a value."""

    def unsign(self, text: str) -> Unsigned:
        """What the text holds. Raises `MalformedCookieError` for what cannot be one of its texts."""
