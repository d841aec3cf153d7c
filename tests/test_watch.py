"""Changes of stored sessions are told as they happen, each once, and nothing is touched by looking."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import Session, open_storage
from sessionctl.errors import NotSupportedError, UsageError
from sessionctl.fleet.select import Selection
from sessionctl.fleet.where import parse_where
from sessionctl.storage.base import RecordStorage
from sessionctl.watch import Seen, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Watcher:
    """`watch` in a thread of its own, and what it has told."""

    def __init__(self, storage: RecordStorage, seconds: float, **chosen: Any) -> None:
        self.seen: list[Seen] = []
        self._thread = threading.Thread(target=self._run, args=(storage, seconds, chosen))
        self._thread.start()

    def _run(self, storage: RecordStorage, seconds: float, chosen: dict[str, Any]) -> None:
        for one in watch(storage, interval=0.02, seconds=seconds, **chosen):
            self.seen.append(one)

    def until(self, kind: str, seconds: float = 10) -> None:
        """Wait until something of that kind was told last."""
        end = time.monotonic() + seconds
        while not self.seen or self.seen[-1].kind != kind:
            assert time.monotonic() < end, (kind, self.seen)
            time.sleep(0.01)

    def ended(self) -> list[str]:
        """Wait for its end: the kinds of all that was told."""
        self._thread.join(30)
        return [one.kind for one in self.seen]


@pytest.fixture(params=["fs", "fs without watchfiles", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordStorage:
    """A storage that can be watched."""
    if "without" in request.param:
        monkeypatch.setitem(__import__("sys").modules, "watchfiles", None)
    opened = open_storage("memory:" if request.param == "memory" else f"fs:{tmp_path}/store")
    assert isinstance(opened, RecordStorage)
    return opened


def make(storage: RecordStorage, **values: Any) -> Session:
    """A stored session."""
    session = storage.read(None)
    for key, value in values.items():
        session.set(key, value)
    storage.save(session)
    return session


def change(storage: RecordStorage, session_id: str, act: Callable[[Session], object]) -> None:
    """Read a session, change it and save it."""
    session = storage.read(session_id)
    act(session)
    storage.save(session)


def test_one_session(storage: RecordStorage) -> None:
    """A session is found, changed and ended, with what changed in between."""
    session = make(storage, a=1)
    watcher = Watcher(storage, 2, key=storage.key_of(session.id))
    watcher.until("found")
    change(storage, session.id, lambda one: (one.set("a", 2), one.flash("notice", "hi")))
    watcher.until("changed")
    change(storage, session.id, lambda one: one.destroy())
    watcher.until("ended")
    assert watcher.ended() == ["found", "changed", "ended"]
    assert [item.place for item in watcher.seen[1].changes] == ["data.a", "flash"]
    assert watcher.seen[0].ref == storage.ref_of(storage.key_of(session.id))


def test_all_that_match(storage: RecordStorage) -> None:
    """Of a selection each session that comes, leaves or ends is told; others are not."""
    if storage.scheme == "memory":
        with pytest.raises(NotSupportedError):
            next(watch(storage))
        return
    selection = Selection(where=(parse_where("userId=42"),))
    make(storage, userId=7)
    watcher = Watcher(storage, 2, selection=selection)
    time.sleep(0.1)
    one = make(storage, userId=42)
    watcher.until("created")
    change(storage, one.id, lambda session: session.set("userId", 43))
    watcher.until("left")
    assert watcher.ended() == ["created", "left"]


def test_looking_keeps_nothing_alive(tmp_path: Path) -> None:
    """A session that is watched expires like any other, and its end is told."""
    opened = open_storage(f"fs:{tmp_path}/store", ttl=0.5)
    assert isinstance(opened, RecordStorage)
    session = make(opened, a=1)
    watcher = Watcher(opened, 1.2, key=opened.key_of(session.id))
    assert watcher.ended() == ["found", "ended"]
    assert watcher.seen[0].expires_at is not None


def test_what_keeps_nothing_cannot_be_watched() -> None:
    """A cookie's session lies in no store."""
    with pytest.raises(UsageError):
        next(watch(open_storage("cookie:")))
    with pytest.raises(UsageError):
        next(watch(None))


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Callable[[], tuple[str, subprocess.Popen[bytes]]]]:
    """Start a Redis server that keeps its data, at the same port each time."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        command = [
            "redis-server",
            "--port",
            str(port),
            "--dir",
            str(tmp_path),
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        return f"redis://127.0.0.1:{port}/0", running[-1]

    yield start
    for server in running:
        server.kill()
        server.wait()


@pytest.mark.slow
def test_a_server_that_restarts(redis_server: Callable[[], tuple[str, subprocess.Popen[bytes]]]) -> None:
    """A server that goes away is told once; when it is back, watching goes on where it was."""
    pytest.importorskip("redis", reason="redis IS MISSING: watching a server was not tried")
    url, server = redis_server()
    opened = open_storage(url, timeout="1s")
    assert isinstance(opened, RecordStorage)
    session = make(opened, a=1)
    watcher = Watcher(opened, 12, key=opened.key_of(session.id))
    watcher.until("found")
    server.terminate()
    server.wait()
    watcher.until("unreachable")
    redis_server()
    watcher.until("back")
    change(open_storage(url), session.id, lambda one: one.set("a", 2))  # type: ignore[arg-type]
    watcher.until("changed")
    assert watcher.ended() == ["found", "unreachable", "back", "changed"]
