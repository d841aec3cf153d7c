"""Several processes on one server: no update is lost, no session comes back, and who is killed leaves none torn."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import subprocess
import sys
import time
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


@pytest.mark.parametrize(("job", "names", "count"), [("write", "abcdefgh", 100), ("awrite", "abcd", 60)])
def test_no_update_is_lost(url: str, job: str, names: str, count: int) -> None:
    """Processes set keys of their own in one session at once, one a request: every one is there."""
    with opened(url) as storage:
        session_id = begin(storage, first=1)
        saved = together(*((job, url, session_id, name, str(count)) for name in names))
        assert saved == [count] * len(names)
        values = dict(storage.read(session_id))
        assert values == {"first": 1, **{f"{name}-{n}": n for name in names for n in range(count)}}


@pytest.mark.parametrize("url", ["redis_server", "memcached_server"], indirect=True)
@pytest.mark.parametrize("last", ["race", "arace"])
def test_writers_that_never_rest_starve_none(url: str, last: str) -> None:
    """Four save one session as fast as they can, and no save of any gives up; the last one may use asyncio."""
    with opened(url) as storage:
        session_id = begin(storage, first=1)
        jobs = [
            *(("race", url, session_id, name, "5") for name in "abc"),
            (last, url, session_id, "d", "5"),
        ]
        saved = together(*jobs)
        values = storage.read(session_id).data[0]
        assert values == {"first": 1, **{name: count - 1 for name, count in zip("abcd", saved, strict=True)}}


def test_no_session_comes_back(url: str) -> None:
    """Three processes save 60 sessions while a fourth ends each that all have saved: none is left, nor a trace."""
    with opened(url) as storage:
        ids = ",".join(begin(storage, n=0) for _ in range(60))
        saved = together(*(("insist", url, ids, name) for name in "abc"), ("end", url, ids, "a,b,c", "3"))
        assert min(saved[:3]) >= 60 * 3  # each of the three was at each session when it was ended
        assert list(storage.scan()) == []


@pytest.mark.parametrize("url", ["redis_server", "redis_cluster", "memcached_server"], indirect=True)
def test_a_killed_writer_leaves_a_whole_record(url: str) -> None:
    """After each of 1,000 `kill -9` at random moments the record is whole, an old one or the next."""
    with opened(url) as storage:
        session_id = begin(storage, filler="", length=0)
        seen = set()
        for number in range(1000):
            pid = fork_writer(url, session_id)
            time.sleep((number * 6151 % 997) / 997 * 0.012)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            session = storage.read(session_id)
            assert session["filler"] == session["filler"][:1] * session["length"]
            seen.add(session["length"])
        assert len(seen) > 100
        session.destroy()
        storage.save(session)
        assert list(storage.scan()) == []


def fork_writer(url: str, session_id: str) -> int:
    """A child that saves other values again and again until it is killed; it has saved once when this returns."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        gc.disable()  # the collector would go through the heap of all tests before this one
        try:
            with opened(url) as storage:
                for number in itertools.count(time.monotonic_ns()):
                    length = number * 7919 % 20000
                    session = storage.read(session_id)
                    session.update(filler=chr(97 + number % 26) * length, length=length)
                    storage.save(session)
                    os.write(writing, b"x")
        finally:
            os._exit(1)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    return pid
