"""`stats` counts what is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sessionctl.fleet import Selection, parse_where, stats
from sessionctl.fleet.stats import KEPT, Reservoir, Spread
from tests.fleet.conftest import DAY, add

if TYPE_CHECKING:
    from sessionctl.storage.base import RecordStorage


def test_counts(store: RecordStorage) -> None:
    """Sessions, ages, lives, keys and flash of every store are counted."""
    add(store, "a", age=4 * DAY, userId=1, cart=[1, 2])
    add(store, "b", userId=2, flash={"notice": "hi"})
    answer = stats(store).as_json()
    assert (answer["sessions"], answer["read"], answer["sampled"], answer["with_flash"]) == (2, 2, False, 1)
    assert answer["by_age"] == {"1h": 1, "7d": 1}
    assert answer["by_expiry"] == {"7d": 1, "30d": 1}
    assert [(key["key"], key["sessions"]) for key in answer["keys"]] == [("userId", 2), ("cart", 1)]
    assert answer["bytes"] == sum(entry.size for entry in store.scan())


def test_corrupt_records_are_counted(files: RecordStorage) -> None:
    """A record that cannot be read is counted as corrupt."""
    add(files, "a")
    Path(files.location_of(add(files, "b"))).write_text("{")
    assert stats(files).corrupt == 1


def test_sample(files: RecordStorage) -> None:
    """A sample reads so many, says so, and still counts all."""
    for number in range(50):
        add(files, f"id-{number}", n=number)
    result = stats(files, sample=10)
    assert (result.sessions, result.read, result.sampled) == (50, 10, True)
    assert not stats(files, sample=50).sampled


def test_selection(files: RecordStorage) -> None:
    """A selection narrows what is counted."""
    add(files, "a", role="admin")
    add(files, "b")
    assert stats(files, Selection(where=(parse_where("role=admin"),))).sessions == 1


def test_empty_store(files: RecordStorage) -> None:
    """An empty store has no quantiles, and is no error."""
    answer = stats(files).as_json()
    assert (answer["sessions"], answer["size"], answer["age"]) == (0, None, None)


def test_quantiles() -> None:
    """Of few numbers the quantiles are exact, of many the extremes still are."""
    few, many = Spread(), Spread()
    for number in range(101):
        few.add(number)
    for number in range(3 * KEPT):
        many.add(number)
    exact: Any = few.quantiles()
    assert (exact["0%"], exact["50%"], exact["99%"], exact["100%"]) == (0, 50, 99, 100)
    rough: Any = many.quantiles()
    assert (rough["0%"], rough["100%"]) == (0, 3 * KEPT - 1)
    assert abs(rough["50%"] - 1.5 * KEPT) < 0.05 * 3 * KEPT


def test_reservoir_is_fair() -> None:
    """Early and late items are kept alike, and never more than its size."""
    reservoir: Reservoir[int] = Reservoir(1000)
    for number in range(10_000):
        reservoir.add(number)
    assert len(reservoir.kept) == 1000
    assert 400 < sum(number < 5000 for number in reservoir.kept) < 600
