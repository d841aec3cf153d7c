"""A process of test_purge_live.py: `live_worker.py write URL NAME COUNT`, `live_worker.py purge URL JOBS`.

`write` has sessions of its own grow old and saves each at once after that, over and over, while others purge;
what it saved must be there. `purge` deletes what is older than a day until its standard input is closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import time
from typing import TYPE_CHECKING

from sessionctl import Session, open_storage
from sessionctl.fleet import purge
from sessionctl.storage.base import RecordStorage

if TYPE_CHECKING:
    from sessionctl.storage.base import SessionStorage

DAY = 86400.0
SESSIONS = 40


def grow_old(store: RecordStorage, key: str) -> None:
    """Two days have passed since the last save of a session, if it is there."""
    if store.expires_itself:
        assert store.ttl is not None
        store.touch(key, store.ttl - 2 * DAY)
        return
    with contextlib.suppress(FileNotFoundError):
        os.utime(store.location_of(key), (time.time() - 2 * DAY,) * 2)


def write(store: RecordStorage, name: str, count: int) -> dict[str, int]:
    """How many saves answered, how many sessions were purged before, how many after they were saved."""
    told = {"saved": 0, "purged": 0, "lost": 0}
    number = 0
    while told["saved"] < count:
        number += 1
        session_id = f"{name}-{number % SESSIONS}"
        key = store.key_of(session_id)
        grow_old(store, key)
        session = store.read(session_id)
        if session.is_new:
            session = Session(session_id)
        session["n"] = number
        if store.save(session) is None:
            told["purged"] += 1
            continue
        told["saved"] += 1
        told["lost"] += store.load(key) is None
    return told


def purge_on(store: RecordStorage, jobs: int) -> dict[str, int]:
    """Purge until nobody writes any more."""
    told = {"runs": 0, "deleted": 0, "failed": 0}
    while not select.select([sys.stdin], [], [], 0)[0]:
        result = purge(store, older_than=DAY, jobs=jobs)
        told["runs"] += 1
        told["deleted"] += result.deleted
        told["failed"] += result.failed
    return told


def main(job: str, url: str, name: str = "", count: str = "0") -> None:
    """Do it, and print what came of it."""
    with open_storage(url) as opened:
        store: SessionStorage = opened
        assert isinstance(store, RecordStorage)
        told = write(store, name, int(count)) if job == "write" else purge_on(store, int(name))
        print(json.dumps(told))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(*sys.argv[1:])
