"""The answer of `stats` for people: numbers, and bars that need no colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from sessionctl.cli.output import drawn, visible
from sessionctl.cli.pager import show
from sessionctl.cli.views.console import DIM, NAME, console, put
from sessionctl.duration import human_seconds
from sessionctl.fleet.stats import bars
from sessionctl.wording import counted, human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sessionctl.fleet.stats import Stats

WIDTH, LEAST_WIDTH = 40, 8
"""Columns of the longest bar."""

BESIDE = 20
"""Columns that stand beside a bar."""

TOP = 12
TITLE = "bold"


def print_stats(stats: Stats, color: str) -> None:
    """Print it."""
    out = console(color)
    width = max(LEAST_WIDTH, min(WIDTH, out.width - BESIDE))
    with out.capture() as capture:
        for line in _lines(stats, width):
            put(out, line)
    show(line.rstrip() for line in capture.get().splitlines())


def _lines(stats: Stats, width: int) -> Iterator[Text]:
    yield Text(
        f"{visible(stats.storage)}: {counted(stats.sessions, 'session')}, {human_bytes(stats.sizes.total)}"
    )
    if not stats.sessions:
        return
    sizes, ages, answer = stats.sizes.quantiles(), stats.ages.quantiles(), stats.as_json()
    if sizes:
        yield _spread("size", sizes, human_bytes)
    if ages:
        yield _spread("age", ages, _human_age)
    yield from _bars("last saved within", answer["by_age"], width)
    yield from _bars("expires within", answer["by_expiry"], width)
    yield from _content(stats, min(24, width))


def _human_age(seconds: float) -> str:
    return human_seconds(max(1.0, seconds))


def _spread(name: str, numbers: dict[str, float], shown: Callable[[float], str]) -> Text:
    """The extremes, and below what half of them, and nine of ten, lie."""
    least, half, nine_tenths, most = (shown(numbers[share]) for share in ("0%", "50%", "90%", "100%"))
    told = f" {least} to {most}, half within {half}, 90% within {nine_tenths}"
    return Text.assemble((f"{name:<6}", DIM), told)


def _content(stats: Stats, wide: int) -> Iterator[Text]:
    yield Text()
    of = f"{'a random sample of' if stats.sampled else 'all'} {counted(stats.read, 'session')}"
    marks = f" ({stats.corrupt} corrupt, {stats.with_flash} with flash)"
    yield Text.assemble((f"values, by {of}", TITLE), marks)
    for key, use in stats.top_keys(TOP):
        share = use.sessions / max(1, stats.read)
        yield Text.assemble(
            (f"  {visible(key)[:wide]:<{wide}}", NAME), f" {share:>6.1%}  {human_bytes(use.bytes)}"
        )


def _bars(title: str, counts: dict[str, int], width: int) -> Iterator[Text]:
    yield Text()
    yield Text(title, style=TITLE)
    for name, count, share in bars(counts):
        bar = drawn("█", "#") * max(1, round(share * width))
        yield Text.assemble(f"  {name:<8} ", (f"{bar:<{width}}", NAME), f" {count}")
