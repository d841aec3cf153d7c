"""How far a long run is, on a terminal's stderr."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sessionctl.cli.views.console import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.status import Status

    from sessionctl.fleet.sweep import Purged
    from sessionctl.fleet.transfer import Moved


@contextmanager
def _status(color: str) -> Iterator[Status]:
    with console(color, stderr=True).status("beginning") as status:
        yield status


@contextmanager
def purge_progress(color: str) -> Iterator[Callable[[Purged], object]]:
    """A line that tells how many sessions a purge has looked at."""
    with _status(color) as status:
        yield lambda result: status.update(
            f"{result.scanned:,} looked at, {result.matched:,} old, {_rate(result.scanned, result.seconds)}"
        )


@contextmanager
def move_progress(color: str) -> Iterator[Callable[[Moved], object]]:
    """A line that tells how many sessions were moved."""
    with _status(color) as status:
        yield lambda moved: status.update(
            f"{moved.matched:,} read, {moved.written:,} written, {_rate(moved.matched, moved.seconds)}"
        )


def _rate(count: int, seconds: float) -> str:
    return f"{count / max(seconds, 0.001):,.0f} a second"
