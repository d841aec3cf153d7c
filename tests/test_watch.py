# ruff: noqa: F811 - fixtures of other folders are imported, and taken by name
"""Changes of stored sessions are told as they happen, each once, and nothing is touched by looking."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import Session, open_storage
from sessionctl.errors import NotSupportedError, UsageError
from sessionctl.fleet.select import Selection
from sessionctl.fleet.where import parse_where
from sessionctl.storage.base import RecordStorage
from sessionctl.storage.redis import RedisStorage
from sessionctl.watch import Seen, watch
from tests.servers import (  # noqa: F401 - fixtures
    RedisServer,
    SentinelServers,
    Servers,
    own_sentinel,
    redis_cluster,
    server_directory,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Watcher:
    """`watch` in a thread of its own, and what it has told."""

    def __init__(self, storage: RecordStorage, seconds: float, **chosen: Any) -> None:
        self.seen: list[Seen] = []
        self._thread = threading.Thread(target=self._run, args=(storage, seconds, chosen), daemon=True)
        self._thread.start()

    def _run(self, storage: RecordStorage, seconds: float, chosen: dict[str, Any]) -> None:
        for one in watch(storage, seconds=seconds, **{"interval": 0.02, **chosen}):
            self.seen.append(one)

    def kinds(self) -> list[str]:
        """The kinds of all that was told until now."""
        return [one.kind for one in self.seen]

    def until(self, kind: str, seconds: float = 10) -> None:
        """Wait until something of that kind was told last."""
        end = time.monotonic() + seconds
        while not self.seen or self.seen[-1].kind != kind:
            assert time.monotonic() < end, (kind, self.seen)
            time.sleep(0.01)

    def ended(self) -> list[str]:
        """Wait for its end: the kinds of all that was told."""
        self._thread.join(30)
        return self.kinds()


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
    begun: list[int] = []
    watcher = Watcher(storage, 2, selection=selection, on_begin=begun.append)
    wait_until(lambda: bool(begun), "its first look")
    one = make(storage, userId=42)
    watcher.until("created")
    change(storage, one.id, lambda session: session.set("userId", 43))
    watcher.until("left")
    assert watcher.ended() == ["created", "left"]
    assert [(item.place, item.after) for item in watcher.seen[0].changes] == [("data.userId", 42)]
    assert begun == [0]


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


PERSISTENT = ("--appendonly", "yes", "--appendfsync", "always")
NOTIFIES = ("--notify-keyspace-events", "KA")


@pytest.fixture(params=[(), NOTIFIES], ids=["asked at intervals", "notifications"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of this test alone, which keeps its data."""
    pytest.importorskip("redis", reason="redis IS MISSING: watching a server was not tried")
    started = RedisServer(tmp_path, *PERSISTENT, *request.param)
    started.start()
    yield started
    started.kill()


def opened(url: str, **options: Any) -> RecordStorage:
    """The storage of a URL."""
    storage = open_storage(url, **options)
    assert isinstance(storage, RecordStorage)
    return storage


@pytest.mark.slow
def test_a_server_that_restarts(server: RedisServer) -> None:
    """A server that goes away is told once; when it is back, watching goes on where it was, as the server is now."""
    storage = opened(server.url, timeout="1s")
    session, other = make(storage, a=1), make(storage, a=1)
    watcher = Watcher(storage, 12, selection=Selection())
    watcher.until("found")
    server.kill()
    watcher.until("unreachable")
    server.command = [word for word in server.command if word not in NOTIFIES]
    server.start()
    watcher.until("back")
    change(opened(server.url), session.id, lambda one: one.set("a", 2))
    watcher.until("changed")
    change(opened(server.url), other.id, lambda one: one.destroy())
    watcher.until("ended")
    assert watcher.kinds() == ["found", "found", "unreachable", "back", "changed", "ended"]


@pytest.mark.slow
@pytest.mark.parametrize("server", [NOTIFIES], indirect=True, ids=["notifications"])
def test_notifications(server: RedisServer) -> None:
    """Where the server tells of changes it is not asked again: each comes at once, and only those that are meant."""
    storage = opened(server.url, prefix="a[*]:")
    ways: list[str] = []
    selection = Selection(where=(parse_where("userId=42"),))
    watcher = Watcher(storage, 20, interval=20, selection=selection, on_way=ways.append)
    wait_until(lambda: ways, "the watch")
    make(opened(server.url, prefix="a*:"), userId=42)
    one = make(storage, userId=42)
    watcher.until("created", 5)
    change(storage, one.id, lambda session: session.set("cart", [1]))
    watcher.until("changed", 5)
    change(storage, one.id, lambda session: session.regenerate_id(delete_old=True))
    watcher.until("ended", 5)
    other = make(storage, userId=42)
    watcher.until("created", 5)
    change(storage, other.id, lambda session: session.set("userId", 43))
    watcher.until("left", 5)
    assert watcher.kinds() == ["created", "changed", "created", "ended", "created", "left"]
    assert ways == ["by the server's keyspace notifications"]


@pytest.mark.slow
@pytest.mark.parametrize("server", [NOTIFIES], indirect=True, ids=["notifications"])
def test_expiry_is_noticed(server: RedisServer) -> None:
    """A session that ends of its age is told, without asking for it all the time."""
    storage = opened(server.url, ttl="500ms")
    session = make(storage, a=1)
    watcher = Watcher(storage, 20, interval=20, key=storage.key_of(session.id))
    watcher.until("ended", 5)
    assert watcher.kinds() == ["found", "ended"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags", ["KEg$xe", "K$g", "AE", ""], ids=["all that is needed", "no expiry", "another channel", "off"]
)
def test_when_a_server_notifies(tmp_path: Path, flags: str) -> None:
    """Notifications are relied on only where they tell all that is needed."""
    pytest.importorskip("redis", reason="redis IS MISSING: watching a server was not tried")
    server = RedisServer(tmp_path, "--notify-keyspace-events", flags)
    server.start()
    try:
        storage = opened(server.url)
        assert isinstance(storage, RedisStorage)
        assert (storage.notifications() is not None) is (flags == "KEg$xe")
        server.ask("ACL", "SETUSER", "default", "-config")
        assert storage.notifications() is None
    finally:
        server.kill()


@pytest.mark.slow
def test_a_failover(own_sentinel: SentinelServers) -> None:
    """After a failover the new primary's notifications are heard, and what has happened meanwhile is told."""
    for server in (own_sentinel.primary, own_sentinel.replica):
        server.ask("CONFIG", "SET", "notify-keyspace-events", "KA")
    storage = opened(own_sentinel.url)
    session = make(storage, a=1)
    ways: list[str] = []
    watcher = Watcher(storage, 40, interval=0.2, key=storage.key_of(session.id), on_way=ways.append)
    watcher.until("found")
    old = own_sentinel.primary_port()
    own_sentinel.primary.ask("WAIT", 1, 5000)
    own_sentinel.primary.kill()
    wait_until(lambda: own_sentinel.primary_port() != old, "the failover")
    watcher.until("back", 30)
    change(opened(own_sentinel.url), session.id, lambda one: one.set("a", 2))
    watcher.until("changed")
    assert ways[0] == "by the server's keyspace notifications"


@pytest.mark.slow
def test_a_cluster(redis_cluster: Servers) -> None:
    """A Cluster is asked at intervals."""
    storage = opened(redis_cluster.url)
    session = make(storage, a=1)
    watcher = Watcher(storage, 20, key=storage.key_of(session.id))
    watcher.until("found")
    change(storage, session.id, lambda one: one.set("a", 2))
    watcher.until("changed")


@pytest.mark.slow
@pytest.mark.parametrize("server", [NOTIFIES], indirect=True, ids=["notifications"])
def test_another_framework_s_store(server: RedisServer) -> None:
    """What changed in a record of connect-redis is told too."""
    storage = opened(f"{server.url}?layout=connect-redis")
    with server.client() as client:
        client.set("sess:abc", '{"cookie":{},"user":"ada"}')
        watcher = Watcher(storage, 20, interval=20, key=storage.key_of("abc"))
        watcher.until("found")
        client.set("sess:abc", '{"cookie":{},"user":"bob"}')
        watcher.until("changed", 3)
    assert [item.place for item in watcher.seen[1].changes] == ["data.user"]
