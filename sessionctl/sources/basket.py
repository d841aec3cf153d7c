"""The cookies of a longer text, gathered in order: of one name the last counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.errors import MalformedCookieError
from sessionctl.sources.base import (
    Source,
    parse_sent,
    parse_set_cookie,
    pick,
    settle,
    split_set_cookies,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class Basket:
    """Cookies by name, with their attributes and notes on how they were found.

    An empty value, with which a server ends a cookie, does not put away the one before it; a note tells.
    """

    def __init__(self, *notes: str) -> None:
        self.cookies: dict[str, str] = {}
        self.attributes: dict[str, Mapping[str, str]] = {}
        self.notes: list[str] = list(notes)
        self._several: dict[str, int] = {}
        self._cleared: set[str] = set()
        self._sent_together: dict[str, list[str]] = {}
        self._in_headers = False

    def __len__(self) -> int:
        return len(self.cookies)

    def add(self, name: str, value: str, attributes: Mapping[str, str] | None = None) -> None:
        """Put one cookie in."""
        if not value and self.cookies.get(name):
            self._cleared.add(name)
            return
        if name in self.cookies and self.cookies[name] != value:
            self._several[name] = self._several.get(name, 1) + 1
        self._cleared.discard(name)
        self._sent_together.pop(name, None)
        self.cookies[name] = value
        if attributes is not None:
            self.attributes[name] = attributes

    def add_sent(self, header: str) -> None:
        """Put in what a `Cookie` header sends."""
        self._in_headers = True
        self.add_together(*parse_sent(header))

    def add_together(self, cookies: Mapping[str, str], several: Mapping[str, list[str]]) -> None:
        """Put in what one request sends, as `parse_sent` gives it."""
        for name, value in cookies.items():
            self.add(name, value)
        self._sent_together |= several

    def add_set(self, header: str) -> None:
        """Put in what a `Set-Cookie` header sets; several may be joined in it."""
        for text in split_set_cookies(header):
            found = parse_set_cookie(text)
            self.add(found.name or "", found.value or "", found.attributes)

    def add_all(self, other: Basket) -> None:
        """Put in what another basket holds."""
        for name, value in other.cookies.items():
            self.add(name, value, other.attributes.get(name))
        self._sent_together |= other._sent_together

    def source(self, name: str | None, *, whole: bool = False) -> Source:
        """The cookie that is meant. Raises `MalformedCookieError` where the basket is empty.

        Of a story that is told as a `whole` no note says which of several values was taken.
        """
        if not self.cookies:
            raise MalformedCookieError("there is no cookie in it")
        found = pick(self.cookies, name)
        chosen = found.name or ""
        if chosen in self._sent_together:
            found = settle(found, self._sent_together[chosen])
        notes = [*self.notes, *found.notes]
        if chosen in self._several and not whole:
            notes.append(f"{chosen} has {self._several[chosen]} values in turn here; this is the last")
        if chosen in self._cleared and not whole:
            notes.append(f"{chosen} was cleared afterwards; this is its last value before that")
        return found._replace(
            name=found.name or None,
            attributes=self.attributes.get(chosen),
            notes=tuple(notes),
            sent=self._in_headers and not self.attributes,
        )
