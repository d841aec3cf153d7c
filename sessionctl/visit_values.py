"""What the values of a cookie in a recorded visit say, and why the application does not take one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sessionctl.errors import SessionctlError
from sessionctl.identify import Identified, Setup, identify
from sessionctl.sources.base import Source
from sessionctl.verdict import Warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.formats.base import Decoded

_MENDED = 100
"""Values that are looked at for what was done to them, which takes a while."""

_REFUSED = frozenset({"bad-signature", "malformed", "non-canonical", "wrong-key-type"})
"""Reasons that do not go by the clock: the browser's, which gives a visit its times, may be behind."""


class Read(NamedTuple):
    """What a value says, None where it cannot be told; and where a key was given that it is refused with, why."""

    decoded: Decoded | None
    reason: str | None = None
    """As of a verdict (`sessionctl.verdict`)."""
    refusal: str = ""
    """The reason in words."""
    mend: str = ""


class Reader:
    """Reads the values of one cookie, and judges them where the setup has keys."""

    def __init__(self, name: str, setup: Setup) -> None:
        self._name = name
        self._setup = setup
        self._left = _MENDED if setup.keys else 0
        self._told = set[Warn]()

    def read(self, value: str, cookies: Mapping[str, str], moment: float | None) -> Read:
        """What a value says that came with these cookies, and whether the application took it at that moment."""
        setup = self._setup._replace(now=moment) if self._setup.now is None else self._setup
        source = Source(self._name, value, cookies)
        try:
            known = identify(source, setup, judge=bool(setup.keys), mend=self._left > 0)
        except SessionctlError as error:
            self._left -= 1
            return Read(None, "malformed", f"NOT genuine: {error}") if setup.keys else Read(None)
        verdict = known.verdict
        if not setup.keys or not (verdict.expired or verdict.reason in _REFUSED):
            return Read(_decoded(known))
        self._left -= 1
        words = verdict.detail if verdict.expired else f"NOT genuine: {verdict.detail}"
        return Read(_decoded(known), verdict.reason, words, self._mend(known))

    def _mend(self, known: Identified) -> str:
        """What would mend it, as `inspect` says, once."""
        from sessionctl.diagnosis import hints

        told = hints(known, self._setup) if self._left > 0 else []
        if not told or told[0] in self._told:
            return ""
        self._told.add(told[0])
        return told[0].message


def _decoded(known: Identified) -> Decoded | None:
    try:
        return known.decode()
    except SessionctlError:
        return None
