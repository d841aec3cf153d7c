"""What all tests share."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

# What takes seconds where it should take milliseconds is a fault, and not that of a busy machine.
settings.register_profile("busy", deadline=timedelta(seconds=5), suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in a shell's background, and what is started inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["sessionctl.pytest_plugin"]  # as where the package is installed

LONGEST_ID = 40


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name long texts by their argument: a cookie with a random nonce would name its test anew in each run."""
    return argname if isinstance(val, (str, bytes)) and len(val) > LONGEST_ID else None
