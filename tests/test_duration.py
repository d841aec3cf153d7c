"""A DURATION is the same everywhere: on the command line, in URLs, in profiles and in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import Cookie, CookieAttributeError, UsageError, open_storage
from sessionctl.duration import parse_duration, parse_timeout

if TYPE_CHECKING:
    from collections.abc import Callable

NO_UNIT = "'30' has no unit; write 30s, or 30d for days"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("4w", 2_419_200), ("1d12h", 129_600),
        (" 30D ", 2_592_000), ("1.5h", 5400), ("500ms", 0.5), ("0", 0), ("0s", 0),
    ],
)  # fmt: skip
def test_a_duration(text: str, seconds: float) -> None:
    """Numbers with their units, together or alone; 0 needs none."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["30", "0.5", "007", "3d5", "", "d", "-1d", "1 d", "soon", "1y"])
def test_no_duration(text: str) -> None:
    """A number without its unit is none, since it may be meant as days."""
    with pytest.raises(UsageError):
        parse_duration(text)


@pytest.mark.parametrize(("text", "seconds"), [("2", 2), ("0.5", 0.5), ("400ms", 0.4), ("2s", 2)])
def test_timeouts(text: str, seconds: float) -> None:
    """How long to wait for a server is in seconds, unless it says otherwise."""
    assert parse_timeout(text) == seconds
    storage: Any = open_storage(f"fs:/nowhere?lock_timeout={text}")
    assert storage.lock_timeout == seconds


@pytest.mark.parametrize(
    "call",
    [
        lambda: open_storage("fs:/nowhere?ttl=30"),
        lambda: open_storage("fs:/nowhere", lifetime="30"),
        lambda: Cookie("session", secrets=["k"], max_age="30"),
    ],
    ids=["URL", "option", "cookie"],
)
def test_python_asks_for_the_unit(call: Callable[[], object]) -> None:
    """Text without a unit is refused in the same words; a number is seconds."""
    with pytest.raises(UsageError, match=NO_UNIT):
        call()
    assert open_storage("fs:/nowhere", ttl=30).ttl == open_storage("fs:/nowhere?ttl=30s").ttl == 30


def test_a_cookies_max_age() -> None:
    """`Cookie` takes what `open_storage` takes, and sends seconds."""
    cookie = Cookie("session", secrets=["k"], max_age="30d")
    assert "Max-Age=2592000;" in cookie.serialize("value")
    assert (
        cookie.serialize("value").partition(";")[2]
        == Cookie("session", secrets=["k"], max_age=2_592_000).serialize("value").partition(";")[2]
    )
    for wrong in ("soon", "500d", True):
        with pytest.raises(CookieAttributeError, match="max_age"):
            Cookie("session", secrets=["k"], max_age=wrong)
