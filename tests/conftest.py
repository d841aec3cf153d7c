"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

# A busy machine makes no example wrong.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")

pytest_plugins = ["sessionctl.pytest_plugin"]  # as where the package is installed

LONGEST_ID = 40


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name long texts by their argument: a cookie with a random nonce would name its test anew in each run."""
    return argname if isinstance(val, (str, bytes)) and len(val) > LONGEST_ID else None
