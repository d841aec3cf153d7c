"""The password in a URL is cut out in one place, wherever it ends."""

from __future__ import annotations

import pytest

from sessionctl.storage.address import hide_password, parse_address, without_password


@pytest.mark.parametrize(
    ("url", "shown", "bare"),
    [
        ("redis://u:p@h:1/0", "redis://u:***@h:1/0", "redis://u@h:1/0"),
        ("redis://:p@h", "redis://:***@h", "redis://h"),
        ("redis://u:p@ss:w@h/0", "redis://u:***@h/0", "redis://u@h/0"),
        ("redis:u:p@h", "redis:u:***@h", "redis:u@h"),
        ("unix://u:p@/run/a@b.sock", "unix://u:***@/run/a@b.sock", "unix://u@/run/a@b.sock"),
        ("redis+sentinel://h/m/0?sentinel_password=p&db=1", "redis+sentinel://h/m/0?sentinel_password=***&db=1", None),
    ],
)  # fmt: skip
def test_a_password(url: str, shown: str, bare: str | None) -> None:
    """It is hidden or removed whole, with what it has of `@` and `:`."""
    assert hide_password(url) == shown
    assert without_password(url) == (bare or url)


@pytest.mark.parametrize(
    "url", ["redis://h:1/0", "redis://u@h/0", "redis://u:@h", "unix:///run/a:b@c", "fs:a@b", "fs:/a:b@c", "memory:"]
)  # fmt: skip
def test_no_password(url: str) -> None:
    """What has none stays as it is."""
    assert hide_password(url) == without_password(url) == url


def test_an_address_has_what_is_hidden() -> None:
    """What is hidden is what the server is told."""
    address = parse_address("//u:p@ss:w@h/0", 1)
    assert (address.username, address.password, address.public) == ("u", "p@ss:w", "//u@h:1/0")
