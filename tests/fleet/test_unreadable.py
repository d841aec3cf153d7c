"""A directory of the store that may not be read is told, and the rest goes on."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sessionctl import fleet
from sessionctl.errors import StorageError
from sessionctl.fleet import doctor_files, purge_files
from tests.fleet.conftest import DAY, add, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sessionctl.errors import SessionctlError
    from sessionctl.storage.base import RecordStorage

    Problems = list[SessionctlError]

LOADED = (doctor_files, purge_files)
"""What is imported when it is needed, which another user may not be able to."""

NOBODY = 65534


@pytest.fixture
def files() -> Iterator[RecordStorage]:
    """A store where another user may pass: the folders above `tmp_path` are closed to all but one."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o711)
        yield opened(f"fs:{place}/store", ttl=30 * DAY)


@pytest.fixture
def closed(files: RecordStorage) -> Iterator[str]:
    """The directory of one of two sessions, which may not be read; root becomes another user for it."""
    one, other = (Path(files.location_of(add(files, name, age=DAY, n=1))) for name in ("a", "b"))
    root = os.geteuid() == 0
    if root:
        other.parents[1].chmod(0o755)
        for place in (other.parent, other):
            os.chown(place, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    else:
        one.parent.chmod(0)
    try:
        yield str(one.parent)
    finally:
        if root:
            os.seteuid(0)
        one.parent.chmod(0o700)


def _list(store: RecordStorage, problems: Problems) -> int:
    return len(list(fleet.select(store, on_problem=problems.append)))


def _stats(store: RecordStorage, problems: Problems) -> int:
    found = fleet.stats(store, on_problem=problems.append)
    assert found.failed == 1
    return found.sessions


def _doctor(store: RecordStorage, problems: Problems) -> int:
    found = {finding.code: finding.count for finding in fleet.examine(store, on_problem=problems.append)}
    return found["unreadable"]


def _fix(store: RecordStorage, problems: Problems) -> int:
    path = Path(store.location_of(store.key_of("b")))
    path.chmod(0o644)
    fleet.fix(store, on_problem=problems.append)
    return int(path.stat().st_mode & 0o777 == 0o600)


def _destroy(store: RecordStorage, problems: Problems) -> int:
    done = fleet.destroy(store, fleet.Selection(where=(fleet.parse_where("n"),)), dry_run=True)
    problems += map(StorageError, done.problems)
    return done.matched


def _export(store: RecordStorage, problems: Problems) -> int:
    done = fleet.export(store, io.BytesIO(), on_problem=problems.append)
    assert done.failed == 1
    return done.sessions


def _purge(store: RecordStorage, problems: Problems) -> int:
    done = fleet.purge(store, older_than=1, dry_run=True)
    problems += map(StorageError, done.problems)
    return done.matched


@pytest.mark.parametrize("act", [_list, _stats, _doctor, _fix, _destroy, _export, _purge])
def test_the_rest_goes_on(
    files: RecordStorage, closed: str, act: Callable[[RecordStorage, Problems], int]
) -> None:
    """Every command on many sessions names the directory, and does its work on the rest."""
    problems: Problems = []
    assert act(files, problems) == 1
    assert any(closed in str(problem) for problem in problems)


def test_without_an_ear_a_scan_ends(files: RecordStorage, closed: str) -> None:
    """Who asks a storage for all sessions, and gives no place to tell problems, gets the error."""
    with pytest.raises(StorageError, match="permission denied") as raised:
        list(files.scan())
    assert closed in str(raised.value)
