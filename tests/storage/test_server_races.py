"""Several processes on one server: no update is lost, and no session comes back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sessionctl import open_storage
from sessionctl.storage.base import RecordStorage

WORKER = Path(__file__).with_name("server_worker.py")
PLACES = ["redis_server", "redis_cluster", "redis_sentinel", "memcached_server", "memcached_ring"]

pytestmark = pytest.mark.slow


@pytest.fixture(params=PLACES)
def url(request: pytest.FixtureRequest, unique_prefix: str) -> str:
    return f"{request.getfixturevalue(request.param).url}?prefix={unique_prefix}"


def opened(url: str) -> RecordStorage:
    storage = open_storage(url)
    assert isinstance(storage, RecordStorage)
    return storage


def together(*jobs: tuple[str, ...]) -> list[int]:
    """Run the jobs, each in a process of its own, at once; their answers."""
    running = [subprocess.Popen([sys.executable, WORKER, *job], stdout=subprocess.PIPE) for job in jobs]
    answers = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running)
    return [int(answer) for answer in answers]


def begin(storage: RecordStorage, **values: Any) -> str:
    session = storage.read(None)
    session.update(values)
    assert storage.save(session) == session.id
    return session.id


@pytest.mark.parametrize("job", ["write", "awrite"])
def test_no_update_is_lost(url: str, job: str) -> None:
    """Four processes write to one session at once: every key of every answered save is there."""
    with opened(url) as storage:
        session_id = begin(storage, first=1)
        names = ["a", "b", "c", "d"]
        saved = together(*((job, url, session_id, name, "60") for name in names))
        assert saved == [60] * 4
        values = dict(storage.read(session_id))
        assert values == {"first": 1, **{f"{name}-{n}": n for name in names for n in range(60)}}


def test_no_session_comes_back(url: str) -> None:
    """Three processes save 60 sessions while a fourth ends them: none is left, nor anything beside them."""
    with opened(url) as storage:
        ids = ",".join(begin(storage, n=0) for _ in range(60))
        saved = together(*[("insist", url, ids)] * 3, ("end", url, ids))
        assert sum(saved) >= 60
        assert list(storage.scan()) == []
