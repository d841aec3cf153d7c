"""Remix 3's fs storage shares a directory with this one, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import open_storage
from sessionctl.storage.base import RecordStorage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

DATA: list[dict[str, Any]] = [
    {},
    {"user": "Zażółć gęślą jaźń 😀", "日本": "語", "nul": "a\0b", "sep": "\u2028"},
    {"deep": {"z": [], "a": {"b": [1, [2, [3]], {}]}, "10": 1, "2": 0}},
    {
        "int": 9007199254740991,
        "neg": -9007199254740991,
        "float": 0.1,
        "tiny": 5e-324,
        "big": 1.7976931348623157e308,
    },
    {"small": 1e-7, "smaller": 0.000001, "exp": 1.5e300},
    {"t": True, "f": False, "e": "", "n": [None]},
]


@pytest.fixture
def storage(tmp_path: Path) -> RecordStorage:
    """Our storage in a directory that Remix uses too."""
    found = open_storage(f"fs:{tmp_path}/store")
    assert isinstance(found, RecordStorage)
    return found


def text_of(storage: RecordStorage, session_id: str) -> bytes:
    """The bytes of a record."""
    stored = storage.load(storage.key_of(session_id))
    assert stored is not None
    return stored.text


@pytest.mark.parametrize("values", DATA)
def test_records_go_both_ways(node: Node, storage: Any, values: dict[str, Any]) -> None:
    """Each reads what the other wrote, and both write the same bytes."""
    session = storage.read(None)
    session.update(values)
    session.flash("notice", "saved ✓")
    ours = storage.save(session)
    read = node("remix.fs.read", directory=storage.directory, cookie=ours, keys=["notice"])
    assert (read["id"], read["values"], read["get"]) == (ours, values, {"notice": "saved ✓"})
    theirs = node("remix.fs.save", directory=storage.directory, values=values, flash={"notice": "saved ✓"})
    session = storage.read(theirs)
    assert (session.data[0], session.get("notice")) == (values, "saved ✓")
    assert text_of(storage, ours) == text_of(storage, theirs)


def test_a_session_goes_to_and_fro(node: Node, storage: Any) -> None:
    """Both change the same session in turn, regenerate its ID, and end it."""
    directory = storage.directory
    session_id = node("remix.fs.save", directory=directory, values={"n": 1})
    session = storage.read(session_id)
    session["n"] = 2
    assert storage.save(session) == session_id
    assert node("remix.fs.save", directory=directory, cookie=session_id, values={"m": 3}) == session_id
    assert dict(storage.read(session_id)) == {"n": 2, "m": 3}
    session = storage.read(session_id)
    session.regenerate_id(delete_old=True)
    new = storage.save(session)
    assert node("remix.fs.read", directory=directory, cookie=session_id)["id"] != session_id
    assert node("remix.fs.save", directory=directory, cookie=new, destroy=True) == ""
    assert storage.read(new).is_new
