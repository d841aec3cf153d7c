"""The answer of `stats` for people: numbers, and bars that need no colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.cli.output import visible
from sessionctl.cli.pager import show
from sessionctl.fleet.stats import bars
from sessionctl.formats.base import human_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sessionctl.fleet.stats import Stats

WIDTH = 40
TOP = 12

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def human_bytes(count: float) -> str:
    """`1.5 MiB`."""
    for unit in _UNITS[:-1]:
        if count < _STEP:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} {_UNITS[-1]}"


def print_stats(stats: Stats) -> None:
    """Print it."""
    show(_lines(stats))


def _lines(stats: Stats) -> Iterator[str]:
    yield f"{visible(stats.storage)}: {_sessions(stats.sessions)}, {human_bytes(stats.sizes.total)}"
    if not stats.sessions:
        return
    sizes, ages, answer = stats.sizes.quantiles(), stats.ages.quantiles(), stats.as_json()
    if sizes:
        yield _spread("size", sizes, human_bytes)
    if ages:
        yield _spread("age", ages, _human_age)
    yield from _bars("last saved within", answer["by_age"])
    yield from _bars("expires within", answer["by_expiry"])
    yield from _content(stats)


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"


def _human_age(seconds: float) -> str:
    return human_seconds(max(1.0, seconds))


def _spread(name: str, numbers: dict[str, float], shown: Callable[[float], str]) -> str:
    """The extremes, and below what half of them, and nine of ten, lie."""
    least, half, nine_tenths, most = (shown(numbers[share]) for share in ("0%", "50%", "90%", "100%"))
    return f"{name:<6} {least} to {most}, half within {half}, 90% within {nine_tenths}"


def _content(stats: Stats) -> Iterator[str]:
    yield ""
    of = f"{'a random sample of' if stats.sampled else 'all'} {_sessions(stats.read)}"
    yield f"values, by {of} ({stats.corrupt} corrupt, {stats.with_flash} with flash)"
    for key, use in stats.top_keys(TOP):
        share = use.sessions / max(1, stats.read)
        name = visible(key)[:24]
        yield f"  {name:<24} {share:>6.1%}  {human_bytes(use.bytes)}"


def _bars(title: str, counts: dict[str, int]) -> Iterator[str]:
    yield ""
    yield title
    for name, count, share in bars(counts):
        yield f"  {name:<8} {'█' * max(1, round(share * WIDTH)):<{WIDTH}} {count}"
