"""The page about stores names every layout and every record that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionctl.formats import names as format_names
from sessionctl.stores import layouts, record_names

PAGE = (Path(__file__).parents[2] / "docs/stores.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("layout", layouts.every(), ids=lambda layout: layout.name)
def test_layouts(layout: layouts.Layout) -> None:
    """Each layout has its line in the table, with the formats whose usual store it is."""
    line = next(line for line in PAGE.split("\n") if line.startswith(f"| `{layout.name}` |"))
    assert layout.summary in line
    assert all(f"`{name}`" in line for name in layout.formats)


@pytest.mark.parametrize("name", record_names())
def test_records(name: str) -> None:
    """Each name that `-f` takes for a record is in the table."""
    assert f"`{name}`" in PAGE.partition("## One record by itself")[2]


def test_formats_are_ours() -> None:
    """A layout's formats are formats that exist, and its record is one that can be asked for."""
    for layout in layouts.every():
        assert set(layout.formats) <= set(format_names())
        assert layout.record is None or layout.record in record_names()
