"""The answer to "is it genuine?"."""

from __future__ import annotations

from typing import Final, NamedTuple

new_tuple: Final = tuple.__new__
"""Makes a named tuple of its type and all its fields in a quarter of a call's time, for what every cookie gets."""


class Warn(NamedTuple):
    """Something odd about a cookie that is no reason to refuse it: a code for programs, a text for people."""

    code: str
    message: str


class Verdict(NamedTuple):
    """Whether a cookie is genuine, as its own framework would answer.

    `reason` is None, `bad-signature`, `expired`, `not-yet-valid`, `malformed`, `unsigned`,
    `non-canonical`, `no-key` or `wrong-key-type`; `detail` says it in a sentence. `key_index` counts the
    key ring of `keys` secrets from 0, newest first; a hit on an older one, or on a scheme that the framework
    would replace, is `needs_resign`. `value` is the cookie value where the cookie is genuine. Times are Unix
    seconds.
    """

    valid: bool
    reason: str | None = None
    detail: str = ""
    key_index: int | None = None
    keys: int = 0
    needs_resign: bool = False
    issued_at: float | None = None
    expires_at: float | None = None
    expired: bool = False
    algorithm: str | None = None
    value: str | None = None
    warnings: tuple[Warn, ...] = ()

    @property
    def cleared(self) -> bool:
        """Whether the cookie is empty, so that there was nothing to verify; an empty value may be signed."""
        return self.valid and self.value == "" and self.key_index is None
