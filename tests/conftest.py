"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["sessionctl.pytest_plugin"]  # as where the package is installed

LONGEST_ID = 40


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name long texts by their argument: a cookie with a random nonce would name its test anew in each run."""
    return argname if isinstance(val, (str, bytes)) and len(val) > LONGEST_ID else None
