"""A DURATION is the same everywhere: on the command line, in URLs, in profiles and in Python."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import Cookie, CookieAttributeError, UsageError, open_storage
from sessionctl.duration import parse_age, parse_duration

NO_UNIT = "'30' has no unit; write 30s, or 30d for days"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("4w", 2_419_200), ("1d12h", 129_600),
        (" 30D ", 2_592_000), ("1.5h", 5400), ("500ms", 0.5), ("0", 0), ("0s", 0), ("30", 30), ("0.5", 0.5),
    ],
)  # fmt: skip
def test_a_duration(text: str, seconds: float) -> None:
    """Numbers with their units, together or alone, or seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["3d5", "", "d", "-1d", "1 d", "soon", "1y"])
def test_no_duration(text: str) -> None:
    """What has another unit, or a number without one beside others, is none."""
    with pytest.raises(UsageError):
        parse_duration(text)


@pytest.mark.parametrize("text", ["30", "0.5", "007"])
def test_an_age_needs_its_unit(text: str) -> None:
    """It may be meant as days."""
    with pytest.raises(UsageError, match="has no unit"):
        parse_age(text)
    assert parse_age("0") == 0


@pytest.mark.parametrize(("text", "seconds"), [("2", 2), ("0.5", 0.5), ("400ms", 0.4), ("2s", 2)])
def test_timeouts(text: str, seconds: float) -> None:
    """How long to wait for a server is in seconds, unless it says otherwise."""
    storage: Any = open_storage(f"fs:/nowhere?lock_timeout={text}")
    assert storage.lock_timeout == seconds


def test_seconds_in_python() -> None:
    """A number, a number as text and a text with its unit are the same."""
    assert {open_storage("fs:/nowhere", ttl=ttl).ttl for ttl in (30, "30", "30s")} == {30}
    assert open_storage("fs:/nowhere?ttl=30").ttl == 30


def test_a_cookies_max_age() -> None:
    """`Cookie` takes what `open_storage` takes, and sends seconds."""
    cookie = Cookie("session", secrets=["k"], max_age="30d")
    assert "Max-Age=2592000;" in cookie.serialize("value")
    assert (
        cookie.serialize("value").partition(";")[2]
        == Cookie("session", secrets=["k"], max_age=2_592_000).serialize("value").partition(";")[2]
    )
    for wrong in ("soon", "500d", "30", True):
        with pytest.raises(CookieAttributeError, match="max_age"):
            Cookie("session", secrets=["k"], max_age=wrong)
