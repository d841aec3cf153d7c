"""Counts, names and times stand in sentences as people say them."""

from __future__ import annotations

import pytest

from sessionctl.duration import human_seconds
from sessionctl.wording import counted, did_you_mean, human_bytes, with_article

DAY = 86400.0


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 sessions"), (1, "1 session"), (2, "2 sessions")], ids=["none", "one", "two"]
)
def test_counted(count: int, words: str) -> None:
    """One alone is singular."""
    assert counted(count, "session") == words


def test_counted_otherwise() -> None:
    """A plural that is no `s` is given, with what depends on it."""
    assert counted(1, "entry is", "entries are") == "1 entry is"
    assert counted(2, "entry is", "entries are") == "2 entries are"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (2**20 - 1, "1.0 MiB"),
        (2**50, "1024.0 TiB"),
    ],
)
def test_human_bytes(count: int, words: str) -> None:
    """Bytes are counted in the largest unit of which there is one."""
    assert human_bytes(count) == words


@pytest.mark.parametrize("name", ["express", "itsdangerous", "iron", "aiohttp", "authjs"])
def test_an(name: str) -> None:
    """`an` stands before a vowel."""
    assert with_article(name) == f"an {name}"
    assert with_article(f"x-{name}") == f"a x-{name}"


def test_a_uuid() -> None:
    """What a session most often cannot keep is `a UUID`."""
    assert with_article("UUID") == "a UUID"


def test_the_nearest_name() -> None:
    """A message ends in the nearest name that there is, or in nothing."""
    assert did_you_mean("flsk", ["django", "flask"]) == "; did you mean 'flask'?"
    assert did_you_mean("x", ["django", "flask"]) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.9, "less than a second"),
        (1.4, "1 second"),
        (1.5, "2 seconds"),
        (59.4, "59 seconds"),
        (59.5, "1 minute"),
        (89, "1 minute"),
        (90, "2 minutes"),
        (3569, "59 minutes"),
        (3570, "1 hour"),
        (23.4 * 3600, "23 hours"),
        (DAY - 0.5, "1 day"),
        (30 * DAY - 0.5, "30 days"),
        (30 * DAY, "30 days"),
        (30.5 * DAY, "31 days"),
        (-30 * DAY + 0.5, "30 days"),
        (364.4 * DAY, "364 days"),
        (365 * DAY - 1, "1 year"),
        (730 * DAY - 1, "2 years"),
        (float("inf"), "a very long time"),
    ],
)
def test_durations_are_rounded_to_the_nearest(seconds: float, words: str) -> None:
    """30 days that began a moment ago are 30 days, not 29; and 60 of a unit are one of the next."""
    assert human_seconds(seconds) == words
