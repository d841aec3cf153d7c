"""Ending and changing many sessions at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl.fleet import Selection, change, destroy, parse_where
from tests.fleet.conftest import DAY, add

if TYPE_CHECKING:
    from sessionctl.storage.base import RecordStorage, Stored

USER = Selection(where=(parse_where("userId=42"),))


def test_a_user_is_logged_out_everywhere(store: RecordStorage) -> None:
    """Every session of the user is ended, no other."""
    mine = [add(store, f"mine-{number}", userId=42) for number in range(5)]
    other = add(store, "other", userId=43)
    assert destroy(store, USER, dry_run=True).matched == 5
    result = destroy(store, USER)
    assert (result.matched, result.done, result.problems) == (5, 5, [])
    assert all(store.load(key) is None for key in mine)
    assert store.load(other) is not None
    assert destroy(store, USER).matched == 0


def test_a_request_in_flight_does_not_bring_it_back(store: RecordStorage) -> None:
    """A session that was read before and is saved after stays ended, and the request learns it."""
    key = add(store, "mine", userId=42)
    session = store.read("mine")
    destroy(store, USER)
    session.set("late", 1)
    assert store.save(session) is None
    assert session.lost
    assert store.load(key) is None


def test_a_session_that_changes_meanwhile_is_judged_again(
    files: RecordStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between judging and deleting, one request changes a value and another logs out of the account."""
    busy, gone = add(files, "busy", userId=42), add(files, "gone", userId=42)
    delete = files.delete

    def interfere(key: str, expected: Stored | None = None) -> Any:
        monkeypatch.setattr(files, "delete", delete)
        for name, user in (("busy", 42), ("gone", 43)):
            session = files.read(name)
            session.set("userId", user)
            session.set("more", 1)
            files.save(session)
        return delete(key, expected)

    monkeypatch.setattr(files, "delete", interfere)
    destroy(files, USER)
    assert files.load(busy) is None
    assert files.load(gone) is not None


def test_a_session_that_moves_meanwhile_is_found(
    files: RecordStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that a request gives a new ID behind the scan's back is ended by the next pass."""
    for number in range(3):
        add(files, f"mine-{number}", userId=42)
    delete, moved = files.delete, []

    def move_one(key: str, expected: Stored | None = None) -> Any:
        monkeypatch.setattr(files, "delete", delete)
        outcome = delete(key, expected)
        moved.append(add(files, "new-id", userId=42))
        return outcome

    monkeypatch.setattr(files, "delete", move_one)
    assert destroy(files, USER).done == 4
    assert files.load(moved[0]) is None


def test_corrupt_records_can_be_ended(files: RecordStorage) -> None:
    """`corrupt` ends what cannot be read, and nothing else."""
    good, bad = add(files, "good"), add(files, "bad")
    Path(files.location_of(bad)).write_text("[{")
    assert destroy(files, Selection(corrupt=True)).done == 1
    assert files.load(good) is not None
    assert files.load(bad) is None


def test_values_and_flash_of_many(store: RecordStorage) -> None:
    """Each session gets the change, keeps the rest and the flash that waits."""
    add(store, "a", userId=42, role="editor", flash={"old": 1})
    add(store, "b", userId=42)
    add(store, "c", userId=43)
    result = change(store, USER, values={"vip": True}, unset=["role"], flash={"notice": "bye"})
    assert (result.matched, result.done) == (2, 2)
    first, third = store.read("a"), store.read("c")
    assert first.data[0] == {"userId": 42, "vip": True}
    assert first.flashed == {"old": 1, "notice": "bye"}
    assert third.data[0] == {"userId": 43}


def test_a_change_renews_no_life(store: RecordStorage) -> None:
    """A notice to all leaves each session the life that it had, so that abandoned ones still go."""
    key = add(store, "a", age=4 * DAY, userId=42)
    before = store.peek(key)
    change(store, USER, flash={"notice": "hi"})
    after = store.peek(key)
    assert before is not None
    assert after is not None
    assert b"notice" in after.text
    assert store.expiry_of(after) == pytest.approx(store.expiry_of(before), abs=2.1)


def test_expired_sessions_are_not_changed(files: RecordStorage) -> None:
    """What has expired is not touched."""
    key = add(files, "a", age=31 * DAY, userId=42)
    before = files.load(key)
    assert change(files, USER, values={"x": 1}).matched == 0
    assert files.load(key) == before


def test_a_dry_run_changes_nothing(files: RecordStorage) -> None:
    """A dry run counts."""
    key = add(files, "a", userId=42)
    before = files.load(key)
    result = change(files, USER, values={"x": 1}, dry_run=True)
    assert (result.matched, result.done, files.load(key)) == (1, 0, before)


def test_limit(files: RecordStorage) -> None:
    """A limit ends so many and no more."""
    for number in range(5):
        add(files, f"id-{number}", userId=42)
    assert destroy(files, Selection(where=USER.where, limit=2)).done == 2
    assert len(list(files.scan())) == 3
