"""What any hostile text, record or payload may cost: 100 ms of processor time and 50 MiB."""

from __future__ import annotations

import gc
import time
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING

from sessionctl.errors import SessionctlError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 0.1
BYTES = 50 << 20
_TRIES = 3
_LOOP_SECONDS = 0.018
"""What `_loop` takes on an idle core of a server."""


def assert_quick(ask: Callable[[], object]) -> None:
    """An answer or an error of our tree comes in time.

    What else runs on the machine can only make a question look slower, so the least of some tries counts. One that
    is too slow is held against a fixed piece of work just after it, which tells how much slower than an idle core
    this one is; nothing is allowed beyond that, as the slowest answer takes little more than half of the time.
    """
    taken = []
    while len(taken) < _TRIES:
        seconds = _seconds(ask)
        if seconds >= SECONDS:
            seconds /= max(1, _seconds(_loop) / _LOOP_SECONDS)
        if seconds < SECONDS:
            return
        taken.append(seconds)
    raise AssertionError(f"the answer takes {min(taken) * 1000:.0f} ms")


def assert_small(ask: Callable[[], object]) -> None:
    """An answer or an error of our tree takes no more than its memory."""
    tracemalloc.start()
    try:
        with suppress(SessionctlError):
            ask()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < BYTES, f"the answer takes {peak >> 20} MiB"


def _loop() -> None:
    total = 0
    for number in range(200_000):
        total += number * number % 7


def _seconds(ask: Callable[[], object]) -> float:
    gc.disable()  # the collector would go through the heap of all tests before this one
    try:
        start = time.process_time()
        with suppress(SessionctlError):
            ask()
        return time.process_time() - start
    finally:
        gc.enable()
