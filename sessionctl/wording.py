"""Counts and names in sentences for people: one session, two sessions, a flask cookie, an express cookie."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """How many of a thing; its plural has an `s`, unless it is given."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def with_article(name: str) -> str:
    """A name behind `a` or `an`."""
    return f"{'an' if name[:1].lower() in tuple('aeiou') else 'a'} {name}"
