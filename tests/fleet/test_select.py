"""A selection finds the sessions that are meant, on every store, and reads no more than it must."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import NotSupportedError, StorageError, UsageError, open_storage
from sessionctl.fleet import Selection, parse_where, select
from tests.fleet.conftest import DAY, add, opened

if TYPE_CHECKING:
    from sessionctl.storage.base import RecordStorage


def ids_of(store: RecordStorage, selection: Selection, ids: list[str], **options: Any) -> list[str]:
    """Which of the IDs are selected, in the order of the answer."""
    by_key = {store.key_of(session_id): session_id for session_id in ids}
    return [by_key[found.entry.key] for found in select(store, selection, **options)]


@pytest.fixture
def three(store: RecordStorage) -> list[str]:
    """Sessions a, b and c, saved 1, 3 and 5 days ago."""
    add(store, "a", age=1 * DAY, userId=42, role="admin")
    add(store, "b", age=3 * DAY, userId="42", cart={"0": [1]})
    add(store, "c", age=5 * DAY, userId=7, long="x" * 300, flash={"notice": "hi"})
    return ["a", "b", "c"]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), "abc"),
        (Selection(older_than=2 * DAY), "bc"),
        (Selection(newer_than=2 * DAY), "a"),
        (Selection(older_than=2 * DAY, newer_than=4 * DAY), "b"),
        (Selection(where=(parse_where("userId=42"),)), "ab"),
        (Selection(where=(parse_where("userId:=42"),)), "a"),
        (Selection(where=(parse_where("userId=42"), parse_where("role!=admin"))), "b"),
        (Selection(where=(parse_where("flash.notice"),)), "c"),
        (Selection(where=(parse_where("userId=42"),), older_than=2 * DAY), "b"),
        (Selection(ids=("b", "unknown", "c")), "bc"),
        (Selection(ids=("b", "c"), where=(parse_where("userId:=7"),)), "c"),
        (Selection(corrupt=True), ""),
        (Selection(expired=True), ""),
    ],
)
def test_selection(store: RecordStorage, three: list[str], selection: Selection, expected: str) -> None:
    """Every condition has to hold."""
    assert sorted(ids_of(store, selection, three)) == list(expected)


@pytest.mark.parametrize(
    ("sort", "limit", "expected"),
    [
        ("modified_at", None, "cba"),
        ("-modified_at", None, "abc"),
        ("modified_at", 2, "cb"),
        ("-expires_at", 1, "a"),
        ("-size", 1, "c"),
    ],
)
def test_order(store: RecordStorage, three: list[str], sort: str, limit: int | None, expected: str) -> None:
    """A sort orders, a limit takes the first of that order."""
    assert ids_of(store, Selection(sort=sort, limit=limit), three) == list(expected)


def test_sort_by_ref(files: RecordStorage) -> None:
    """Refs sort as text, either way."""
    for number in range(20):
        add(files, f"id-{number}")
    refs = [found.entry.ref for found in select(files, Selection(sort="ref"))]
    assert refs == sorted(refs)
    assert [found.entry.ref for found in select(files, Selection(sort="-ref"))] == refs[::-1]


def test_ref(store: RecordStorage, three: list[str]) -> None:
    """A ref, or the beginning of one, names its session."""
    ref = store.ref_of(store.key_of("b"))
    assert ids_of(store, Selection(refs=(ref,)), three) == ["b"]
    assert ids_of(store, Selection(refs=(ref[:5].upper(),)), three) == ["b"]


def test_limit_stops_reading(files: RecordStorage) -> None:
    """A limit ends the scan: what comes later is not even listed."""
    for number in range(50):
        add(files, f"id-{number}")
    assert len(list(select(files, Selection(limit=3)))) == 3


def test_content_is_read_only_where_needed(files: RecordStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A selection by age opens no file."""
    add(files, "a", age=DAY)
    monkeypatch.setattr(os, "open", lambda *_, **__: pytest.fail("a file was opened"))
    assert len(list(select(files, Selection(older_than=1)))) == 1


def test_expired(tmp_path: Path) -> None:
    """`expired` goes by ttl, and by lifetime where that ends first."""
    store = opened(f"fs:{tmp_path}/s", ttl=10 * DAY, lifetime=20 * DAY)
    add(store, "idle", age=11 * DAY)
    add(store, "fresh")
    add(store, "old", age=0)
    path = Path(store.location_of(store.key_of("old")))
    path.write_text('[{},{},{"created":1000}]')
    assert sorted(ids_of(store, Selection(expired=True), ["idle", "old", "fresh"])) == ["idle", "old"]
    assert ids_of(store, Selection(created_before=2000), ["old"]) == ["old"]


def test_now_moves_the_judgement(files: RecordStorage) -> None:
    """`now` judges as of another moment."""
    add(files, "a")
    assert ids_of(files, Selection(older_than=DAY), ["a"]) == []
    assert ids_of(files, Selection(older_than=DAY), ["a"], now=files.clock() + 2 * DAY) == ["a"]


def test_corrupt_records_are_found_and_told(files: RecordStorage) -> None:
    """A torn record is what `corrupt` selects; a condition on values tells it and goes on."""
    add(files, "good", userId=1)
    add(files, "torn", userId=1)
    Path(files.location_of(files.key_of("torn"))).write_text('[{"userId":1},')
    assert ids_of(files, Selection(corrupt=True), ["good", "torn"]) == ["torn"]
    told: list[Any] = []
    wanted = Selection(where=(parse_where("userId=1"),))
    assert ids_of(files, wanted, ["good", "torn"], on_problem=told.append) == ["good"]
    assert [error.code for error in told] == ["corrupt-record"]


def test_key_of_another_kind(redis_server: Any, unique_prefix: str) -> None:
    """A Redis list under the prefix is no session, and stops nothing."""
    with opened(f"{redis_server.url}?prefix={unique_prefix}", ttl=DAY) as store:
        add(store, "good", a=1)
        redis_server.ask("RPUSH", f"{unique_prefix}list", "x")
        assert ids_of(store, Selection(where=(parse_where("a"),)), ["good"]) == ["good"]


@pytest.mark.parametrize("url", ["memory:", "cookie:"])
def test_no_fleet(url: str) -> None:
    """`memory:` and `cookie:` have nothing to list."""
    with pytest.raises(NotSupportedError):
        select(open_storage(url))


@pytest.mark.parametrize(
    "selection",
    [
        Selection(sort="colour"),
        Selection(refs=("xyz",)),
        Selection(refs=("abc",)),
        Selection(expired=True),
        Selection(corrupt=True, where=(parse_where("a=1"),)),
        Selection(corrupt=True, created_before=1.0),
    ],
)
def test_wrong_selection(tmp_path: Path, selection: Selection) -> None:
    """What a store can never tell is wrong usage, said at once."""
    with pytest.raises(UsageError):
        list(select(open_storage(f"fs:{tmp_path}/s"), selection))


def test_age_needs_ttl_on_a_server(redis_server: Any) -> None:
    """Redis keeps no time of the last save: without ttl no age can be told."""
    with pytest.raises(UsageError, match="ttl"):
        select(open_storage(redis_server.url), Selection(older_than=1))


def test_unreachable_server() -> None:
    """A server that is not there is a storage error."""
    with pytest.raises(StorageError):
        list(select(open_storage("redis://127.0.0.1:1/0")))
