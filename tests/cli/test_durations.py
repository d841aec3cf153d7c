"""What takes a DURATION takes a number of seconds too, but not where sessions are chosen by their age."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Answer
from tests.test_duration import NO_UNIT

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., Answer]


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--older-than", "30"],
        ["list", "--newer-than", "30"],
        ["purge", "--older-than", "30"],
        ["destroy", "--where", "a=1", "--older-than", "30"],
    ],
    ids=" ".join,
)
def test_an_age_needs_its_unit(run: Run, words: list[str]) -> None:
    """30 days that were meant are not 30 seconds: the message says how to write either."""
    answer = run(*words)
    assert (answer.status, answer.out) == (2, "")
    assert NO_UNIT in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "-f", "flask", "--secret", "k", "x.y.z", "--max-age", "30"],
        ["list", "-s", "fs:/nowhere?ttl=30"],
        ["watch", "-s", "memory:", "--id", "x", "--for", "0.1"],
    ],
    ids=" ".join,
)
def test_elsewhere_a_number_is_seconds(run: Run, words: list[str]) -> None:
    """As Max-Age and every client of a server has it."""
    assert "unit" not in run(*words).err


def test_a_profile_takes_a_number_or_a_duration(run: Run, home: Path) -> None:
    """A number is seconds, in TOML and as text; other text is a duration."""
    place = home / ".config" / "sessionctl"
    place.mkdir(parents=True)
    for value, status in (("60", 0), ('"60s"', 0), ('"60"', 0), ('"6x"', 2)):
        (place / "config.toml").write_text(f"[profiles.app]\nmax_age = {value}\n")
        answer = run("verify", "-p", "app", "--json", "-f", "itsdangerous", "--secret", "k", "x.y.z")
        assert (answer.status == 2) is (status == 2), value
