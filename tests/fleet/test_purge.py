"""A purge deletes what is old, never what was saved since, and tells what it did."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import UsageError, open_storage
from sessionctl.fleet import parse_where, purge
from sessionctl.fleet.purge_files import LITTER_AGE
from sessionctl.storage.file import TEMPORARY, FileStorage
from tests.fleet.conftest import DAY, add, opened

if TYPE_CHECKING:
    from sessionctl.storage.base import RecordStorage


def keys(store: RecordStorage) -> set[str]:
    return {entry.key for entry in store.scan()}


def test_old_sessions_go(store: RecordStorage) -> None:
    """What was last saved before goes, the rest stays, and the counts are right."""
    old = [add(store, f"old-{number}", age=5 * DAY, n=number) for number in range(7)]
    young = {add(store, f"young-{number}", age=DAY) for number in range(3)}
    result = purge(store, older_than=2 * DAY)
    assert keys(store) == young
    assert (result.scanned, result.matched, result.deleted, result.failed) == (10, len(old), len(old), 0)
    assert result.complete
    assert result.bytes > 0
    assert result.oldest is not None
    assert result.newest is not None
    assert abs(result.oldest - (time.time() - 5 * DAY)) < 60


def test_dry_run_deletes_nothing(store: RecordStorage) -> None:
    """A dry run tells what would go, each session too, and touches nothing."""
    add(store, "old", age=5 * DAY)
    matched: list[Any] = []
    result = purge(store, older_than=DAY, dry_run=True, on_match=matched.append)
    assert (result.matched, result.deleted, len(matched), len(keys(store))) == (1, 0, 1, 1)


def test_where_narrows(store: RecordStorage) -> None:
    """With `where` only the old ones that hold it go."""
    guest = add(store, "guest", age=5 * DAY, role="guest")
    member = add(store, "member", age=5 * DAY, role="member")
    add(store, "young-guest", role="guest")
    purge(store, older_than=DAY, where=[parse_where("role=guest")])
    assert guest not in keys(store)
    assert member in keys(store)
    assert len(keys(store)) == 2


def test_what_cannot_be_judged_is_counted(files: RecordStorage, own_redis: Any) -> None:
    """An old record that cannot be read stays where `where` has to judge it, and is told; by its age it goes."""
    for store in (files, opened(f"{own_redis.url}?ttl=10d")):
        key = add(store, "torn", age=5 * DAY)
        if isinstance(store, FileStorage):
            Path(store.location_of(key)).write_bytes(b'[{"a":')
            os.utime(store.location_of(key), (time.time() - 5 * DAY,) * 2)
        else:
            own_redis.ask("SET", key, b'[{"a":', "KEEPTTL")
        told = purge(store, older_than=DAY, where=[parse_where("a")])
        assert (told.failed, told.matched) == (1, 0)
        assert "not JSON" in told.problems[0]
        assert purge(store, older_than=DAY).deleted == 1


def test_limit_is_exact(store: RecordStorage) -> None:
    """No more than the limit go, and the run says that it is not complete."""
    for number in range(9):
        add(store, f"old-{number}", age=5 * DAY)
    result = purge(store, older_than=DAY, limit=4)
    assert (result.deleted, result.complete, len(keys(store))) == (4, False, 5)


def test_expired(files: RecordStorage) -> None:
    """`expired` goes by the store's ttl, and together with an age both have to hold."""
    add(files, "expired", age=31 * DAY)
    add(files, "long-expired", age=90 * DAY)
    young = add(files, "young", age=29 * DAY)
    assert purge(files, expired=True, older_than=60 * DAY).deleted == 1
    assert purge(files, expired=True).deleted == 1
    assert keys(files) == {young}


def test_max_seconds_ends_a_run(files: RecordStorage) -> None:
    """A run that is over its time ends cleanly, with what was done."""
    for number in range(30):
        add(files, f"id-{number}", age=DAY)
    result = purge(files, older_than=1, max_seconds=1e-9)
    assert not result.complete
    assert 0 < result.deleted < 30
    assert len(keys(files)) == 30 - result.deleted


def test_rate_slows_a_run(files: RecordStorage) -> None:
    """At most so many sessions are looked at in a second."""
    for number in range(30):
        add(files, f"id-{number}", age=DAY)
    start = time.monotonic()
    assert purge(files, older_than=1, rate=60).deleted == 30
    assert time.monotonic() - start >= 0.45


def test_interruption_keeps_the_counts(files: RecordStorage) -> None:
    """Ctrl-C ends the run with a summary that agrees with what is left."""
    for number in range(100):
        add(files, f"id-{number}", age=DAY)

    def interrupt(result: Any) -> None:
        if result.deleted > 40:
            raise KeyboardInterrupt

    result = purge(files, older_than=1, on_progress=interrupt)
    assert (result.interrupted, result.complete) == (True, False)
    assert len(keys(files)) == 100 - result.deleted


def test_litter_goes_once_it_is_old(files: RecordStorage) -> None:
    """A crashed writer's temporary file goes after an hour; a young one stays, since its writer may live."""
    place = Path(files.location_of(add(files, "a"))).parent
    (place / TEMPORARY).write_text("x")
    assert purge(files, older_than=DAY).litter == 0
    then = time.time() - LITTER_AGE - 60
    os.utime(place / TEMPORARY, (then, then))
    assert purge(files, older_than=DAY, dry_run=True).litter == 1
    assert purge(files, older_than=DAY).litter == 1
    assert not (place / TEMPORARY).exists()


def test_foreign_files_stay(files: RecordStorage, tmp_path: Path) -> None:
    """What is no session of this store is told, and left alone, however old it is."""
    place = Path(files.location_of(add(files, "a", age=90 * DAY))).parent
    precious = tmp_path / "precious"
    precious.write_text("x")
    (place / "README").write_text("x")
    (place / ("0" * 62)).symlink_to(precious)
    (place.parent / "notes.txt").write_text("x")
    for path in (place / "README", place.parent / "notes.txt"):
        os.utime(path, (0, 0))
    result = purge(files, older_than=DAY)
    assert (result.deleted, result.foreign, len(result.foreign_names)) == (1, 3, 3)
    assert precious.exists()
    assert (place / "README").exists()
    assert (place / ("0" * 62)).is_symlink()


def test_empty_directories(files: RecordStorage) -> None:
    """Only with `empty_dirs` do the directories go that are left empty, and the store works on."""
    place = Path(files.location_of(add(files, "a", age=DAY))).parent
    purge(files, older_than=1)
    assert place.is_dir()
    assert purge(files, older_than=1, empty_dirs=True).directories == 1
    assert not place.exists()
    add(files, "a")
    assert place.is_dir()


@pytest.mark.skipif(os.getuid() == 0, reason="root may do everything")
def test_what_cannot_be_deleted_is_counted(files: RecordStorage) -> None:
    """A directory that may not be written is told and counted, and the rest goes."""
    place = Path(files.location_of(add(files, "a", age=DAY))).parent
    add(files, "b", age=DAY)
    place.chmod(0o500)
    try:
        result = purge(files, older_than=1)
    finally:
        place.chmod(0o700)
    assert (result.deleted, result.failed, len(result.problems)) == (1, 1, 1)


def test_a_shard_that_is_locked_is_told(files: RecordStorage) -> None:
    """A shard whose lock nobody gives back is counted as failed, and the rest goes on."""
    first, second = (add(files, name, age=DAY) for name in ("a", "b"))
    assert first[:2] != second[:2]
    files.lock_timeout = 0.1  # type: ignore[attr-defined]
    held = files.lock_shard(first[:2])  # type: ignore[attr-defined]
    try:
        result = purge(files, older_than=1)
    finally:
        os.close(held)
    assert (result.deleted, result.failed) == (1, 1)
    assert "lock" in result.problems[0]


def test_two_purges_at_once(files: RecordStorage) -> None:
    """Two purges of one store delete every session once, and neither fails."""
    for number in range(400):
        add(files, f"id-{number}", age=DAY)
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(purge(files, older_than=1))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.deleted for result in results) == 400
    assert [result.failed for result in results] == [0, 0]


def test_needs_an_age(files: RecordStorage) -> None:
    """Without an age or `expired` nothing is deleted: `where` alone is `destroy`."""
    with pytest.raises(UsageError):
        purge(files)
    with pytest.raises(UsageError):
        purge(files, where=[parse_where("a")])


def test_empty_prefix_is_refused(redis_server: Any) -> None:
    """An empty prefix would take every key of the server for a session."""
    with (
        open_storage(f"{redis_server.url}?prefix=&ttl=1d") as store,
        pytest.raises(UsageError, match="prefix"),
    ):
        purge(store, older_than=0)


def test_sessions_without_expiry_are_of_no_age(redis_server: Any, unique_prefix: str) -> None:
    """In Redis a session that nothing ends has no age, so no purge by age takes it."""
    with opened(f"{redis_server.url}?prefix={unique_prefix}") as immortal:
        key = add(immortal, "a")
    with opened(f"{redis_server.url}?prefix={unique_prefix}", ttl=DAY) as store:
        assert purge(store, older_than=0).deleted == 0
        assert keys(store) == {key}


def test_server_that_forgot_its_scripts(own_redis: Any) -> None:
    """After SCRIPT FLUSH, as after a restart, the deletes go through."""
    with opened(own_redis.url, ttl=DAY) as store:
        for number in range(5):
            add(store, f"id-{number}", age=1000)
        own_redis.ask("SCRIPT", "FLUSH")
        assert purge(store, older_than=10).deleted == 5


def test_who_is_told_holds_no_lock(store: RecordStorage) -> None:
    """A slow reader of what goes keeps no request waiting: a session is saved while it is told of another."""
    for number in range(3):
        add(store, f"old-{number}", age=2 * DAY)
    saved = []

    def told(_: object) -> None:
        saved.append(add(store, f"new-{len(saved)}"))

    if isinstance(store, FileStorage):
        store.lock_timeout = 0.1
    assert purge(store, older_than=DAY, on_match=told).deleted == 3
    assert all(store.load(key) for key in saved)


def test_error_of_who_is_told(store: RecordStorage) -> None:
    """An error of `on_match` is its own, not a session that could not be deleted."""
    add(store, "old", age=2 * DAY)

    def told(_: object) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        purge(store, older_than=DAY, on_match=told)
