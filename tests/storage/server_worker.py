"""A process of an application on a server storage, for test_server_races.py: `python server_worker.py JOB URL ...`."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

from sessionctl import open_storage

if TYPE_CHECKING:
    from collections.abc import Callable


def write(url: str, session_id: str, name: str, count: str) -> int:
    """Set so many keys of its own, one a request; how many saves answered."""
    with open_storage(url) as storage:
        saved = 0
        for number in range(int(count)):
            session = storage.read(session_id)
            session[f"{name}-{number}"] = number
            saved += storage.save(session) == session_id
        return saved


def awrite(url: str, session_id: str, name: str, count: str) -> int:
    """The same, ten requests at a time on one event loop."""
    return asyncio.run(_awrite(url, session_id, name, int(count)))


async def _awrite(url: str, session_id: str, name: str, count: int) -> int:
    async with open_storage(url) as storage:

        async def one(number: int) -> int:
            session = await storage.aread(session_id)
            session[f"{name}-{number}"] = number
            return await storage.asave(session) == session_id

        saved = 0
        for start in range(0, count, 10):
            saved += sum(await asyncio.gather(*map(one, range(start, min(start + 10, count)))))
        return saved


def race(url: str, session_id: str, name: str, seconds: str) -> int:
    """Save again and again for so long, without a rest; how many saves answered."""
    saved, end = 0, time.monotonic() + float(seconds)
    with open_storage(url) as storage:
        while time.monotonic() < end:
            session = storage.read(session_id)
            session[name] = saved
            saved += storage.save(session) == session_id
    return saved


def arace(url: str, session_id: str, name: str, seconds: str) -> int:
    """The same with asyncio."""
    return asyncio.run(_arace(url, session_id, name, float(seconds)))


async def _arace(url: str, session_id: str, name: str, seconds: float) -> int:
    saved, end = 0, time.monotonic() + seconds
    async with open_storage(url) as storage:
        while time.monotonic() < end:
            session = await storage.aread(session_id)
            session[name] = saved
            saved += await storage.asave(session) == session_id
    return saved


def insist(url: str, ids: str, name: str) -> int:
    """Save each session again and again until it is lost, or found gone; how many saves answered.

    How often it was saved here stands in the session, under this name.
    """
    saved = 0
    with open_storage(url, ttl=600) as storage:
        for session_id in ids.split(","):
            session = storage.read(session_id)
            count = 0
            while not session.is_new and not session.lost:
                count += 1
                session[name] = count
                saved += storage.save(session) is not None
                if saved % 3:  # the next save of this object, or another request
                    session = storage.read(session_id)
    return saved


def end(url: str, ids: str, names: str, least: str) -> int:
    """End each session in the midst of its saves: once each of these has saved it so often."""
    with open_storage(url) as storage:
        for session_id in ids.split(","):
            session = storage.read(session_id)
            while any(session.get(name, 0) < int(least) for name in names.split(",")):
                time.sleep(0.002)
                session = storage.read(session_id)
            session.destroy()
            storage.save(session)
    return 0


JOBS: dict[str, Callable[..., Any]] = {job.__name__: job for job in (write, awrite, race, arace, insist, end)}

if __name__ == "__main__":
    print(JOBS[sys.argv[1]](*sys.argv[2:]))  # noqa: T201 - the answer
