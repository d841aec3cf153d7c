"""`doctor` names what is wrong, and mends what can be mended without loss."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import open_storage
from sessionctl.fleet import examine, fix
from sessionctl.fleet.doctor import OVERSIZE
from sessionctl.storage.base import RecordStorage
from sessionctl.storage.file import TEMPORARY
from tests.fleet.conftest import DAY, add, opened

if TYPE_CHECKING:
    from collections.abc import Callable


def codes(store: RecordStorage) -> list[str]:
    return [finding.code for finding in examine(store)]


def test_a_sound_store(files: RecordStorage) -> None:
    """A store that this library wrote has nothing wrong with it."""
    for number in range(10):
        add(files, f"id-{number}", n=number)
    assert codes(files) == []


def _write(path: Path, text: str = "x", age: float = 0) -> None:
    path.write_text(text)
    path.chmod(0o600)
    os.utime(path, (time.time() - age, time.time() - age))


FAULTS: dict[str, Callable[[Path], object]] = {
    "corrupt": lambda path: _write(path, '[{"a":'),
    "oversize": lambda path: _write(path, f'[{{"a":"{"x" * OVERSIZE}"}},{{}}]'),
    "expired": lambda path: _write(path, "[{},{}]", 31 * DAY),
    "loose-mode": lambda path: path.chmod(0o644),
    "future": lambda path: _write(path, "[{},{}]", -DAY),
    "symlink": lambda path: (path.parent / "link").symlink_to(path),
    "foreign": lambda path: _write(path.parent / "README"),
    "other-prefix": lambda path: _write(path.parent / f"other-{path.name}", "[{},{}]"),
    "litter": lambda path: _write(path.parent / TEMPORARY, "x", DAY),
}


@pytest.mark.parametrize("code", FAULTS)
def test_fault(files: RecordStorage, code: str) -> None:
    """Each fault of a file is found, once for its kind, with where it is."""
    path = Path(files.location_of(add(files, "a")))
    FAULTS[code](path)
    findings = examine(files)
    assert [finding.code for finding in findings] == [code]
    assert findings[0].count == 1
    assert findings[0].examples


def test_fix_mends_without_loss(files: RecordStorage) -> None:
    """Modes are tightened and old litter goes; every session stays."""
    path = Path(files.location_of(add(files, "a", n=1)))
    FAULTS["loose-mode"](path)
    FAULTS["litter"](path)
    path.parent.chmod(0o755)
    assert sorted(finding.code for finding in fix(files)) == ["litter", "loose-mode"]
    assert codes(files) == []
    assert files.read("a").get("n") == 1


def test_a_young_temporary_file_is_no_litter(files: RecordStorage) -> None:
    """A writer may just be at work."""
    path = Path(files.location_of(add(files, "a")))
    _write(path.parent / TEMPORARY)
    assert codes(files) == []
    fix(files)
    assert (path.parent / TEMPORARY).exists()


def test_store_that_is_not_there(tmp_path: Path) -> None:
    """A directory that the first save will make is a note."""
    assert codes(opened(f"fs:{tmp_path}/none")) == ["missing"]


def test_redis(own_redis: Any) -> None:
    """A server that may forget sessions, and sessions that nothing ends, are found."""
    with opened(own_redis.url) as endless:
        add(endless, "a")
    with opened(own_redis.url, ttl=DAY) as store:
        add(store, "b")
        assert sorted(codes(store)) == ["never-expires", "not-persistent"]
        own_redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        own_redis.ask("CONFIG", "SET", "maxmemory", "100mb")
        own_redis.ask("CONFIG", "SET", "appendonly", "yes")
        assert sorted(codes(store)) == ["may-evict", "never-expires"]


def test_memcached(memcached_server: Any, unique_prefix: str) -> None:
    """Sessions that nothing ends are found in Memcached too."""
    with open_storage(f"{memcached_server.url}?prefix={unique_prefix}") as store:
        assert isinstance(store, RecordStorage)
        add(store, "a")
        assert "never-expires" in codes(store)
