"""Every option and setting that takes a DURATION takes the same texts."""

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
        ["verify", "-f", "flask", "--secret", "k", "x.y.z", "--max-age", "30"],
        ["list", "-s", "fs:/nowhere?ttl=30"],
        ["watch", "--for", "30"],
    ],
    ids=" ".join,
)
def test_the_command_line_asks_for_the_unit(run: Run, words: list[str]) -> None:
    """Every option that takes a DURATION refuses a bare number, and says how to write it."""
    answer = run(*words)
    assert (answer.status, answer.out) == (2, "")
    assert NO_UNIT in answer.err


def test_a_profile_takes_a_number_or_a_duration(run: Run, home: Path) -> None:
    """A number in TOML is seconds; text is a duration."""
    place = home / ".config" / "sessionctl"
    place.mkdir(parents=True)
    for value, status in (("60", 0), ('"60s"', 0), ('"60"', 2)):
        (place / "config.toml").write_text(f"[profiles.app]\nmax_age = {value}\n")
        answer = run("verify", "-p", "app", "--json", "-f", "itsdangerous", "--secret", "k", "x.y.z")
        assert (answer.status == 2) is (status == 2), value
