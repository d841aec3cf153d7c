"""What a user sees when a server fails: one clear error in time, no half-written session, and recovery unasked."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis

from sessionctl import SessionctlError, StorageError, StorageUnavailableError, open_storage
from sessionctl.storage.base import RecordStorage
from tests.servers import MemcachedServer, Proxy, RedisServer, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sessionctl import Session
    from tests.servers import SentinelServers, Servers

TIMEOUT = 0.6
LIMITS = {"timeout": TIMEOUT, "connect_timeout": 0.4}
PATIENCE = 2 * TIMEOUT + 0.8
"""Seconds within which an error has to come: one timeout, on a busy machine."""


class Application:
    """An application on a storage, sync or async."""

    def __init__(self, url: str, asynchronous: bool, **options: Any) -> None:
        storage = open_storage(url, **(LIMITS | options))
        assert isinstance(storage, RecordStorage)
        self.storage = storage
        self.asynchronous = asynchronous
        self._runner = asyncio.Runner()

    def read(self, session_id: str | None) -> Session:
        """`read`, or its async twin."""
        if self.asynchronous:
            return self._runner.run(self.storage.aread(session_id))
        return self.storage.read(session_id)

    def save(self, session: Session) -> str | None:
        """`save`, or its async twin."""
        if self.asynchronous:
            return self._runner.run(self.storage.asave(session))
        return self.storage.save(session)

    def begin(self, **values: Any) -> str:
        """A new session with these values; its ID."""
        session = self.read(None)
        session.update(values)
        assert self.save(session) == session.id
        return session.id

    def text(self, session_id: str) -> bytes | None:
        """The record of an ID as it lies in the store."""
        stored = self.storage.load(self.storage.key_of(session_id))
        return None if stored is None else stored.text

    def close(self) -> None:
        """Close the storage on both sides."""
        if self.asynchronous:
            self._runner.run(self.storage.aclose())
        self.storage.close()
        self._runner.close()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def application(request: pytest.FixtureRequest) -> Iterator[Callable[..., Application]]:
    """Opens applications on URLs, and closes them."""
    made: list[Application] = []

    def make(url: str, **options: Any) -> Application:
        made.append(Application(url, request.param, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def fails(call: Callable[[], Any], kind: type[StorageError] = StorageError, hint: str | None = None) -> str:
    """Assert that a call fails so, and in time; the message."""
    began = time.monotonic()
    with pytest.raises(kind, match=hint) as caught:
        call()
    assert time.monotonic() - began < PATIENCE
    return str(caught.value)


OWN = pytest.mark.parametrize("own", ["own_redis", "own_memcached"])


# -- down ---------------------------------------------------------------------------------------------


@OWN
def test_a_server_that_is_down(
    own: str, request: pytest.FixtureRequest, application: Callable[..., Application]
) -> None:
    """Down, each call is a `StorageUnavailableError` that names host and port; up again, all works unasked."""
    server = request.getfixturevalue(own)
    app = application(server.url)
    session_id = app.begin(n=0)
    session = app.read(session_id)
    session["n"] = 1
    server.kill()
    for call in (lambda: app.read(session_id), lambda: app.save(session), lambda: list(app.storage.scan())):
        message = fails(call, StorageUnavailableError, f"127.0.0.1:{server.port}")
        assert "refused" in message
        assert session_id not in message
    server.start()
    assert app.read(session_id).is_new  # nothing of a server without a disk outlives it
    assert app.read(app.begin(n=2)).get("n") == 2


@OWN
def test_a_restart_between_two_requests_is_not_seen(
    own: str, request: pytest.FixtureRequest, application: Callable[..., Application]
) -> None:
    """Connections that died while they were idle are replaced before a command is sent, a write included."""
    server = request.getfixturevalue(own)
    app = application(server.url)
    for call in (lambda: app.read("some-id"), lambda: app.begin(n=0)):
        app.begin(n=0)
        server.restart()
        call()


def test_nobody_listens(application: Callable[..., Application]) -> None:
    """A port without a server, and a host without a name, are told within the time for connections."""
    for scheme in ("redis", "redis+cluster", "memcached"):
        fails(
            lambda s=scheme: application(f"{s}://127.0.0.1:{free_port()}").read("id"), StorageUnavailableError
        )
    sentinel = f"redis+sentinel://127.0.0.1:{free_port()}/sessions"
    fails(lambda: application(sentinel).read("id"), StorageUnavailableError, "Sentinel")


def test_a_host_without_a_name(application: Callable[..., Application]) -> None:
    """A host that no resolver knows is told in the resolver's words."""
    for scheme in ("redis", "memcached"):
        app = application(f"{scheme}://nowhere.invalid")
        message = fails(lambda app=app: app.read("id"), StorageUnavailableError, "nowhere.invalid")
        assert re.search(r"\((Name or service not known|Temporary failure in name resolution)\)", message)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("redis://127.0.0.1:{redis}/99", "no database of that number"),
        ("redis+sentinel://127.0.0.1:{redis}/sessions", "no Sentinel"),
        ("redis+cluster://127.0.0.1:{redis}", "no cluster"),
        ("redis://127.0.0.1:{memcached}/0", "another server"),
        ("memcached://127.0.0.1:{redis}", "another server"),
        ("rediss://127.0.0.1:{memcached}/0", "ssl|wrong version number|eof|in time|reset"),
    ],
)
def test_another_server_than_expected(
    redis_server: RedisServer,
    memcached_server: MemcachedServer,
    application: Callable[..., Application],
    url: str,
    hint: str,
) -> None:
    """Where a server of another kind listens, the error says so."""
    app = application(url.format(redis=redis_server.port, memcached=memcached_server.port))
    fails(lambda: app.read("id"), StorageError, hint)


# -- slow ---------------------------------------------------------------------------------------------


@OWN
def test_a_server_that_hangs(
    own: str, request: pytest.FixtureRequest, application: Callable[..., Application]
) -> None:
    """Stopped (SIGSTOP), each call fails in time; going on, no answer is taken for that of another question."""
    server = request.getfixturevalue(own)
    app = application(server.url)
    ids = [app.begin(n=number) for number in range(3)]
    session = app.read(ids[0])
    session["late"] = 1
    server.pause()
    fails(lambda: app.read(ids[1]), StorageUnavailableError, "in time")
    fails(lambda: app.save(session), StorageUnavailableError, "in time")
    server.resume()
    for _ in range(3):
        assert [app.read(session_id).get("n") for session_id in ids] == [0, 1, 2]
    values = dict(app.read(ids[0]))
    assert values in ({"n": 0}, {"n": 0, "late": 1})  # the command may have waited in the server's socket


def test_a_server_that_never_accepts(application: Callable[..., Application]) -> None:
    """A connection that is not answered at all fails within the time for connections."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        for scheme in ("redis", "memcached"):
            fails(lambda s=scheme: application(f"{s}://127.0.0.1:{full.getsockname()[1]}").read("id"))
        for each in waiting:
            each.close()


# -- refusing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("move", ["read", "scan"])
def test_what_is_no_memcached_never_ends_its_line(move: str) -> None:
    """Of a server that sends without a line break no more is taken in than a line may have."""
    sent: list[int] = []

    def pour(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with client, contextlib.suppress(OSError):
            client.recv(1 << 16)
            for _ in range(1 << 10):
                client.sendall(b"x" * (1 << 16))
                sent.append(1 << 16)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        pouring = threading.Thread(target=pour, args=(listening,))
        pouring.start()
        storage = open_storage(f"memcached://127.0.0.1:{listening.getsockname()[1]}", **LIMITS)
        assert isinstance(storage, RecordStorage)
        with pytest.raises(StorageError):
            list(storage.scan()) if move == "scan" else storage.read("known")
        storage.close()
        pouring.join()
    assert sum(sent) < 32 << 20


def test_a_server_that_becomes_a_replica(
    own_redis: RedisServer, application: Callable[..., Application]
) -> None:
    """Read-only, sessions are read and not saved; writable again, the same session object is saved."""
    app = application(own_redis.url)
    session_id = app.begin(n=0)
    own_redis.ask("REPLICAOF", "127.0.0.1", "1")
    session = app.read(session_id)
    session["n"] = 1
    fails(lambda: app.save(session), StorageError, "replica")
    fails(lambda: app.begin(n=0), StorageError, "replica")
    own_redis.ask("REPLICAOF", "NO", "ONE")
    assert app.text(session_id) == b'[{"n":0},{}]'
    assert app.save(session) == session_id
    assert app.text(session_id) == b'[{"n":1},{}]'


def test_a_server_that_is_full(own_redis: RedisServer, application: Callable[..., Application]) -> None:
    """Out of memory, what is stored can be read and ended, a save is an error, and the record stays whole."""
    app = application(own_redis.url)
    session_id, other = app.begin(n=0), app.begin(n=0)
    own_redis.ask("CONFIG", "SET", "maxmemory", "1")
    session = app.read(session_id)
    session["n"] = 1
    session.regenerate_id(True)
    fails(lambda: app.save(session), StorageError, "maxmemory")
    assert app.text(session_id) == b'[{"n":0},{}]'
    ending = app.read(other)
    ending.destroy()
    assert app.save(ending) == ""
    own_redis.ask("CONFIG", "SET", "maxmemory", "0")
    assert app.save(session) == session.id
    assert (app.text(session_id), app.text(session.id)) == (None, b'[{"n":1},{}]')


def test_a_memcached_that_may_not_evict(tmp_path: Path, application: Callable[..., Application]) -> None:
    """With `-M`, a full server is an error that says so, and what was stored before is still there."""
    server = MemcachedServer(tmp_path, "-M", "-m", "8")
    server.start()
    try:
        app = application(server.url)
        ids: list[str] = []

        def fill() -> None:
            while len(ids) < 200:
                ids.append(app.begin(large="x" * 100_000))

        fails(fill, StorageError, "out of memory")
        assert all(len(app.read(session_id)["large"]) == 100_000 for session_id in ids)
    finally:
        server.kill()


def test_a_server_that_is_loading(tmp_path: Path, application: Callable[..., Application]) -> None:
    """While Redis loads its data sessions are unavailable, and the error says why."""
    server = RedisServer(tmp_path)
    server.start()
    app = application(server.url)
    session_id = app.begin(n=0)
    with server.client() as client, client.pipeline() as pipeline:
        for number in range(3000):
            pipeline.set(f"filling{number}", "x" * 2000)
        pipeline.execute()
        client.save()
    server.command += ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"]
    server._listens = lambda: socket.create_connection(("127.0.0.1", server.port), 1).close() or True  # type: ignore[method-assign]
    server.restart()
    try:
        fails(lambda: app.read(session_id), StorageUnavailableError, "loading")
        wait_until(lambda: server.ask("CONFIG", "SET", "key-load-delay", "0"), "configuration")
        wait_until(lambda: server.ask("PING"), "the data")
        assert app.read(session_id).get("n") == 0
    finally:
        server.kill()


def test_a_server_that_is_busy(own_redis: RedisServer, application: Callable[..., Application]) -> None:
    """While somebody's script hogs Redis sessions are unavailable, and the error says why."""
    app = application(own_redis.url)
    session_id = app.begin(n=0)
    own_redis.ask("CONFIG", "SET", "busy-reply-threshold", "50")

    def run_forever() -> None:
        with pytest.raises(redis.RedisError):  # it is killed
            own_redis.ask("EVAL", "while true do end", 0)

    hog = threading.Thread(target=run_forever)
    hog.start()
    time.sleep(0.3)
    fails(lambda: app.read(session_id), StorageUnavailableError, "script")
    own_redis.ask("SCRIPT", "KILL")
    hog.join()
    assert app.read(session_id).get("n") == 0


def test_a_server_with_too_many_clients(
    own_redis: RedisServer, application: Callable[..., Application]
) -> None:
    """A server that lets nobody in is unavailable."""
    with own_redis.client() as client:
        client.config_set("maxclients", 1)
        app = application(own_redis.url)
        fails(lambda: app.read("some-id"), StorageUnavailableError)
        client.config_set("maxclients", 100)
    assert app.read(app.begin(n=0)).get("n") == 0


@pytest.mark.parametrize("command", ["GET", "EVALSHA", "SET"])
def test_a_command_that_was_renamed(
    tmp_path: Path, command: str, application: Callable[..., Application]
) -> None:
    """Redis repeats the arguments of a command that it does not know: no ID of them is passed on."""
    server = RedisServer(tmp_path, "--rename-command", command, "")
    server.start()
    try:
        app = application(server.url, unknown_ids="reuse")
        if command != "SET":
            server.ask("SET", "session:an-id-that-is-secret", "[{},{}]")

        def use() -> None:
            session = app.read("an-id-that-is-secret")
            session["n"] = 1
            app.save(session)

        assert "an-id-that-is-secret" not in fails(use, StorageError, "refused")
    finally:
        server.kill()


def test_a_user_without_rights(own_redis: RedisServer, application: Callable[..., Application]) -> None:
    """A user who may not touch the prefix is told so, without the key."""
    own_redis.ask("ACL", "SETUSER", "app", "on", ">pw", "~other:*", "+@all")
    app = application(f"redis://app:pw@127.0.0.1:{own_redis.port}/0")
    assert "secret-id" not in fails(lambda: app.read("secret-id"), StorageError, "ACL")


# -- cut connections ----------------------------------------------------------------------------------


@pytest.fixture
def redis_proxy(own_redis: RedisServer) -> Iterator[Proxy]:
    proxy = Proxy(own_redis.port)
    yield proxy
    proxy.close()


@pytest.fixture
def memcached_proxy(own_memcached: MemcachedServer) -> Iterator[Proxy]:
    proxy = Proxy(own_memcached.port)
    yield proxy
    proxy.close()


PROXIES = pytest.mark.parametrize(
    ("proxy", "scheme", "read", "write"),
    [("redis_proxy", "redis", b"GET", b"EVALSHA"), ("memcached_proxy", "memcached", b"mg ", b"cas ")],
    ids=["redis", "memcached"],
)


@PROXIES
def test_a_read_is_repeated(
    proxy: str, scheme: str, read: bytes, write: bytes, request: pytest.FixtureRequest,
    application: Callable[..., Application],
) -> None:  # fmt: skip
    """A connection that breaks during a read is not seen: a read does no harm twice."""
    way = request.getfixturevalue(proxy)
    app = application(f"{scheme}://127.0.0.1:{way.port}")
    session_id = app.begin(n=0)
    for when in ("before", "after"):
        app.read(session_id)
        way.cut(read, when)
        assert app.read(session_id).get("n") == 0
        assert way.seen == 2


@PROXIES
@pytest.mark.parametrize(("when", "values"), [("before", {"n": 0}), ("after", {"n": 1})])
def test_a_write_is_not_repeated(
    proxy: str, scheme: str, read: bytes, write: bytes, when: str, values: dict[str, int],
    request: pytest.FixtureRequest, application: Callable[..., Application],
) -> None:  # fmt: skip
    """A save whose answer is lost is an error and sent once; saved again by the application, it is there once."""
    way = request.getfixturevalue(proxy)
    app = application(f"{scheme}://127.0.0.1:{way.port}")
    session_id = app.begin(n=-1)
    for number in (0, 1):
        session = app.read(session_id)
        session["n"] = number
        if number == 0:
            app.save(session)  # the server knows the script from here on
    way.cut(write, when)
    fails(lambda: app.save(session), StorageUnavailableError)
    assert way.seen == 1
    assert dict(app.read(session_id)) == values
    assert app.save(session) == session_id
    assert dict(app.read(session_id)) == {"n": 1}


# -- between the two steps of a move ------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_that_breaks_between_the_steps_of_a_move(
    memcached_proxy: Proxy, when: str, application: Callable[..., Application]
) -> None:
    """Broken after the new record was written: an error, and the browser's old cookie is no one else's session."""
    app = application(f"memcached://127.0.0.1:{memcached_proxy.port}")
    old = app.begin(user="guest")
    session = app.read(old)
    session.regenerate_id(True)
    session["user"] = "mj"
    memcached_proxy.cut(b"md ", when)  # the conditional delete of the old record
    fails(lambda: app.save(session), StorageUnavailableError)
    left = app.text(old)
    assert left == (b'[{"user":"guest"},{}]' if when == "before" else None)
    answer = app.save(session)
    if when == "before":
        assert answer == session.id
        assert dict(app.read(session.id)) == {"user": "mj"}
    else:
        assert answer is None
        assert session.lost
    assert app.text(old) is None


@pytest.mark.parametrize("kept", [False, True], ids=["old is deleted", "old is kept"])
def test_a_destroy_between_the_steps_of_a_move(
    memcached_proxy: Proxy,
    own_memcached: MemcachedServer,
    kept: bool,
    application: Callable[..., Application],
) -> None:
    """Ended by another request after the new record was written: the new one goes too, and the session is lost."""
    app = application(f"memcached://127.0.0.1:{memcached_proxy.port}")
    other = application(own_memcached.url)
    old = app.begin(user="mj")
    session = app.read(old)
    session.regenerate_id(not kept)
    memcached_proxy.call(b"add " if kept else b"md ", lambda: other.storage.delete(other.storage.key_of(old)))
    answer = app.save(session)
    assert app.text(old) is None
    if kept:  # as if the regeneration had come first: two sessions from then on
        assert answer == session.id
    else:
        assert answer is None
        assert session.lost
        assert app.text(session.id) is None


def test_a_destroy_between_the_steps_of_a_move_in_a_cluster(
    own_cluster: Servers, application: Callable[..., Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same on a Cluster, where the two records lie on different nodes."""
    app, other = application(own_cluster.url), application(own_cluster.url)
    old = app.begin(user="mj")
    session = app.read(old)
    session.regenerate_id(True)
    storage: Any = app.storage
    delete, adelete = storage.delete, storage.adelete

    def delete_late(key: str, expected: Any = None) -> Any:
        if expected is not None:
            other.storage.delete(other.storage.key_of(old))
        return delete(key, expected)

    async def adelete_late(key: str, expected: Any = None) -> Any:
        if expected is not None:
            other.storage.delete(other.storage.key_of(old))
        return await adelete(key, expected)

    monkeypatch.setattr(storage, "delete", delete_late)
    monkeypatch.setattr(storage, "adelete", adelete_late)
    assert app.save(session) is None
    assert session.lost
    assert (app.text(old), app.text(session.id)) == (None, None)


# -- Cluster and Sentinel -----------------------------------------------------------------------------


def test_a_node_that_is_down(own_cluster: Servers, application: Callable[..., Application]) -> None:
    """Sessions of a node that is down are errors in time; the node back, all are served again."""
    for server in own_cluster.servers:
        server.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
    app = application(own_cluster.url)
    down = own_cluster.servers[2]
    ids = [app.begin(n=number) for number in range(24)]
    hit = {sid for sid in ids if app.storage.facts(app.storage.key_of(sid))["node"].endswith(f":{down.port}")}
    assert 0 < len(hit) < 24
    down.kill()
    for number, session_id in enumerate(ids):
        if session_id in hit:
            fails(lambda sid=session_id: app.read(sid), StorageUnavailableError)
        else:
            assert app.read(session_id).get("n") == number
    down.start()
    wait_until(lambda: down.client().cluster("INFO")["cluster_state"] == "ok", "the node")

    def works() -> bool:
        return all(app.read(session_id).is_new for session_id in hit)

    wait_until(works, "the sessions of the node")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "pause"])
def test_a_failover_during_requests(
    own_sentinel: SentinelServers, how: str, application: Callable[..., Application]
) -> None:
    """The primary replaced by its replica: errors of ours for some seconds, then all goes on by itself."""
    app = application(own_sentinel.url)
    ids = [app.begin(n=0) for _ in range(5)]
    own_sentinel.primary.ask("WAIT", 1, 1000)
    before = own_sentinel.primary_port()
    getattr(own_sentinel.primary, how)()
    end, errors, saved = time.monotonic() + 30, 0, 0
    while time.monotonic() < end and saved < 20:
        try:
            session = app.read(ids[saved % 5])
            session["n"] = session["n"] + 1
            assert app.save(session) == session.id
            saved += 1
        except StorageError:
            errors += 1
            time.sleep(0.05)
    assert saved == 20
    assert errors > 0
    assert own_sentinel.primary_port() != before
    assert [app.read(session_id)["n"] for session_id in ids] == [4] * 5
    if how == "pause":  # the old primary comes back, and learns that it is one no more
        own_sentinel.primary.resume()
        wait_until(
            lambda: own_sentinel.primary.client().info("replication")["role"] == "slave", "the demotion", 30
        )
        assert [app.read(session_id)["n"] for session_id in ids] == [4] * 5


def test_every_failure_is_ours() -> None:
    """`StorageError` and `StorageUnavailableError` end the command line with 4."""
    assert {StorageError.exit_status, StorageUnavailableError.exit_status} == {4}
    assert issubclass(StorageUnavailableError, SessionctlError)
