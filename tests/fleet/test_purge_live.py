"""Purges against writers at full speed, and purges that are killed: no live session is lost, nothing is torn.

`SESSIONCTL_TEST_WRITES` says how many writes each store gets.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sessionctl import records
from tests.fleet.conftest import DAY, add, opened, url_of

WORKER = Path(__file__).with_name("live_worker.py")
WRITES = int(os.environ.get("SESSIONCTL_TEST_WRITES", "10000"))
WRITERS = 2

pytestmark = pytest.mark.slow


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, WORKER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def answer(process: subprocess.Popen[bytes]) -> Any:
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return json.loads(out)


@pytest.mark.parametrize(
    ("place", "purges", "jobs"),
    [("fs", 2, 1), ("fs", 1, 2), ("redis_server", 2, 1), ("memcached_server", 1, 1)],
)
def test_no_live_session_is_lost(
    request: pytest.FixtureRequest, place: str, purges: int, jobs: int, tmp_path: Path, unique_prefix: str
) -> None:
    """Purges run against two writers, whose sessions are old just before each save: what was saved stays.

    Memcached lets itself be listed by one at a time.
    """
    url = f"{url_of(request, place, tmp_path, unique_prefix)}ttl=10d"
    with opened(url) as store:
        idle = [add(store, f"idle-{number}", age=2 * DAY) for number in range(50)]
    purgers = [start("purge", url, str(jobs)) for _ in range(purges)]
    writers = [start("write", url, f"writer{number}", str(WRITES // WRITERS)) for number in range(WRITERS)]
    written = [answer(writer) for writer in writers]
    purged = [answer(purger) for purger in purgers]
    print(place, jobs, written, purged)  # noqa: T201 - the figures, with -s
    assert sum(one["saved"] for one in written) >= WRITES // WRITERS * WRITERS
    assert sum(one["lost"] for one in written) == 0
    assert sum(one["failed"] for one in purged) == 0
    assert sum(one["deleted"] for one in purged) >= len(idle)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_purge_may_be_killed(tmp_path: Path, jobs: int) -> None:
    """A purge that is killed at any moment tears no record, keeps no lock, and the next one ends the work."""
    store = opened(f"fs:{tmp_path}/store")
    young = {add(store, f"young-{number}", n=number) for number in range(200)}
    for number in range(4000):
        add(store, f"old-{number}", age=2 * DAY, n=number)
    command = [sys.executable, "-m", "sessionctl", "purge", "--older-than", "1d", "--rate", "4000"]
    command += ["--jobs", str(jobs)]
    for _ in range(8):
        process = subprocess.Popen([*command, "-s", f"fs:{tmp_path}/store"], stdout=subprocess.DEVNULL)
        time.sleep(random.uniform(0.2, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    for entry in store.scan():
        stored = store.load(entry.key)
        assert stored is not None
        records.parse(stored.text)
    subprocess.run([*command[:-2], "-s", f"fs:{tmp_path}/store"], check=True, stdout=subprocess.DEVNULL)
    assert {entry.key for entry in store.scan()} == young
