"""What a save does with what happened meanwhile: flash that is kept, records that cannot be deleted or have no time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import (
    CorruptRecordError,
    Session,
    StorageError,
    UnserializableValueError,
    UsageError,
    open_storage,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["memory", "fs"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A storage of records."""
    return open_storage("memory:" if request.param == "memory" else f"fs:{tmp_path}/s")


def begin(storage: Any, **values: Any) -> str:
    """A stored session with a flash message."""
    session = storage.read(None)
    session.update(values)
    session.flash("notice", "hi")
    value: str = storage.save(session)
    return value


def test_kept_flash_outlives_another_save(storage: Any) -> None:
    """`keep` carries flash over, though another request has dropped it in between."""
    value = begin(storage)
    one, other = storage.read(value), storage.read(value)
    other.set("x", 1)
    storage.save(other)
    one.keep("notice")
    storage.save(one)
    assert storage.read(value).flashed == {"notice": "hi"}


def test_flash_of_a_second_save_is_not_dropped(storage: Any) -> None:
    """An object that is saved twice drops the flash that it read once, not what came after."""
    value = begin(storage)
    one = storage.read(value)
    storage.save(one)
    other = storage.read(value)
    other.flash("notice", "hi")
    storage.save(other)
    one.set("y", 1)
    storage.save(one)
    assert storage.read(value).flashed == {"notice": "hi"}


def save_as(kind: str, storage: Any, session: Session) -> Any:
    """A plain save, or an awaited one."""
    return asyncio.run(storage.asave(session)) if kind == "async" else storage.save(session)


def forestall(storage: Any, value: str, times: int) -> None:
    """Have another writer come before each of the next writes, so many times."""
    store, left = storage.store, iter(range(times))

    def forestalled(*arguments: Any) -> Any:
        for number in left:
            other = storage.read(value)
            other.set("other", number)
            storage.store = store
            storage.save(other)
            storage.store = forestalled
            break
        return store(*arguments)

    storage.store = forestalled


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_save_that_is_forestalled(storage: Any, kind: str) -> None:
    """However often others come between, short of giving up, both changes are there."""
    value = begin(storage)
    session = storage.read(value)
    session.set("mine", 1)
    forestall(storage, value, 30)
    assert save_as(kind, storage, session) == value
    assert storage.read(value).data[0] == {"mine": 1, "other": 29}


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_save_that_never_wins(storage: Any, kind: str) -> None:
    """It gives up, and nothing of it is stored."""
    value = begin(storage)
    session = storage.read(value)
    session.set("mine", 1)
    forestall(storage, value, 10**9)
    with pytest.raises(StorageError, match="other writers came between"):
        save_as(kind, storage, session)
    assert "mine" not in storage.read(value)


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_session_that_ends_while_a_save_rests(storage: Any, kind: str) -> None:
    """Others came between until one ended it: it is lost."""
    value = begin(storage)
    session, last = storage.read(value), storage.read(value)
    session.set("mine", 1)
    load, others = storage.load, iter(range(4))

    def end_then_load(key: str) -> Any:
        if next(others, None) is None:  # it is no read of those, but the look after the rest
            storage.load = load
            last.destroy()
            storage.save(last)
        return load(key)

    forestall(storage, value, 4)
    storage.load = end_then_load
    assert save_as(kind, storage, session) is None
    assert session.lost


def test_destroy_tries_every_record(tmp_path: Path) -> None:
    """One record that cannot be deleted does not keep the others alive, and is told."""
    storage: Any = open_storage(f"fs:{tmp_path}/s")
    value = begin(storage)
    session = storage.read(value)
    session.regenerate_id()
    new = storage.save(session)
    place = tmp_path / "s" / storage.key_of(value)[:2] / storage.key_of(value)[2:]
    place.unlink()
    place.symlink_to("/dev/null")
    session.destroy()
    with pytest.raises(CorruptRecordError):
        storage.save(session)
    assert storage.read(new).is_new


def test_lifetime_begins_for_a_record_without_a_time(storage: Any) -> None:
    """A session that was made before `lifetime` was set is given its time by the next save, a clean one too."""
    value = begin(storage)
    storage.save(storage.read(value))
    storage.lifetime = 3600
    assert storage.save(storage.read(value)) == value
    assert storage.read(value).created_at is not None


def test_a_cookie_keeps_its_idle_time() -> None:
    """A save without `ttl` does not make a session in a cookie immortal."""
    clock = [1000.0]
    limited: Any = open_storage("cookie:", ttl=60, clock=lambda: clock[0])
    session = limited.read(None)
    session.set("a", 1)
    value = limited.save(session)
    plain: Any = open_storage("cookie:", clock=lambda: clock[0])
    session = plain.read(value)
    session.set("a", 2)
    value = plain.save(session)
    assert not limited.read(value).is_new
    clock[0] += 61
    assert limited.read(value).is_new


def test_flash_that_was_taken_out(storage: Any) -> None:
    """`pop` gives a flash message and takes it out of this request."""
    session = storage.read(begin(storage))
    assert session.pop("notice") == "hi"
    assert "notice" not in session


def test_what_slipped_in_is_found_at_the_save(storage: Any) -> None:
    """A list that was flashed and then given what JSON has not is refused, and the key is named."""
    session = storage.read(None)
    items: list[Any] = [1]
    session.flash("items", items)
    items.append({3: 4})
    with pytest.raises(UnserializableValueError, match=r"flash\.items"):
        storage.save(session)


def test_an_id_that_is_no_text(tmp_path: Path) -> None:
    """An ID without a form in UTF-8 is wrong usage, not a crash."""
    storage = open_storage(f"fs:{tmp_path}/s")
    session = Session("\ud800")
    session.set("a", 1)
    with pytest.raises(UsageError):
        storage.save(session)
    assert storage.read("\ud800").is_new
