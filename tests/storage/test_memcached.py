"""What `memcached:` promises beyond the contract."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from pymemcache.client.hash import HashClient

from sessionctl import RecordTooLargeError, StorageError, StorageUnavailableError, UsageError, open_storage
from sessionctl.storage.base import RecordStorage
from tests.servers import MemcachedServer, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Servers

DAY = 86400


def opened(url: str, **options: Any) -> RecordStorage:
    storage = open_storage(url, **options)
    assert isinstance(storage, RecordStorage)
    return storage


def begin(storage: RecordStorage, **values: Any) -> str:
    """A new session with these values; its ID."""
    session = storage.read(None)
    session.update(values)
    assert storage.save(session) == session.id
    return session.id


@pytest.fixture
def storage(memcached_server: MemcachedServer, unique_prefix: str) -> Iterator[RecordStorage]:
    with opened(memcached_server.url, prefix=unique_prefix) as storage:
        yield storage  # type: ignore[misc]


@pytest.mark.parametrize("ttl", [None, 60], ids=["no ttl", "ttl"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_request_costs_two_round_trips(
    memcached_server: MemcachedServer, unique_prefix: str, ttl: int | None, asynchronous: bool
) -> None:
    """A request that nobody disturbs is one question and one `cas`; a conflict costs one `cas` and one read."""
    proxy = Proxy(memcached_server.port)
    storage = opened(f"memcached://127.0.0.1:{proxy.port}", prefix=unique_prefix, ttl=ttl)
    session_id = begin(storage, n=0)
    slow = storage.read(session_id)
    before = proxy.requests

    async def run() -> None:
        session = await storage.aread(session_id)
        session["n"] = 1
        await storage.asave(session)

    if asynchronous:
        asyncio.run(run())
    else:
        session = storage.read(session_id)
        session["n"] = 1
        storage.save(session)
    assert proxy.requests - before == 2
    slow["slow"] = 1
    storage.save(slow)
    assert proxy.requests - before == 5
    storage.close()
    proxy.close()


@pytest.mark.parametrize("days", [1, 29, 30, 31, 400])
def test_a_life_of_any_length(memcached_server: MemcachedServer, unique_prefix: str, days: int) -> None:
    """A `ttl` past 30 days, which Memcached would take for a time in 1970, lasts as long as was said."""
    with opened(memcached_server.url, prefix=unique_prefix, ttl=days * DAY) as storage:
        session_id = begin(storage, n=0)
        key = storage.key_of(session_id)
        for _ in range(2):
            stored = storage.peek(key)
            assert stored is not None
            assert stored.expires_at == pytest.approx(time.time() + days * DAY, abs=3)
            assert stored.modified_at == pytest.approx(time.time(), abs=3)
            storage.save(storage.read(session_id))  # which touches


def test_a_life_past_what_the_server_counts(memcached_server: MemcachedServer, unique_prefix: str) -> None:
    """A `ttl` past 2038, which the server would take for one that has passed, does not lose the session."""
    with opened(memcached_server.url, prefix=unique_prefix, ttl=90 * 365 * DAY) as storage:
        assert storage.read(begin(storage, n=0)).get("n") == 0


def test_a_save_without_ttl_never_lengthens_a_life(
    memcached_server: MemcachedServer, unique_prefix: str
) -> None:
    """However often a session is saved, what was left stays an upper bound."""
    with opened(memcached_server.url, prefix=unique_prefix, ttl=100) as limited:
        session_id = begin(limited, n=0)
        end = time.time() + 100
    with opened(memcached_server.url, prefix=unique_prefix) as storage:
        for number in range(20):
            session = storage.read(session_id)
            session["n"] = number
            storage.save(session)
        stored = storage.peek(storage.key_of(session_id))
        assert stored is not None
        assert stored.expires_at is not None
        assert end - 25 < stored.expires_at <= end + 1


def test_a_record_that_is_too_large_names_its_keys(storage: RecordStorage) -> None:
    """Over the server's item limit the save is an error that names the largest keys; the old record stays."""
    session_id = begin(storage, small=1)
    session = storage.read(session_id)
    session["large"] = "x" * 1_200_000
    session["second"] = "x" * 1000
    with pytest.raises(
        RecordTooLargeError, match=r"large \(1200011 bytes\), second \(1012 bytes\)"
    ) as caught:
        storage.save(session)
    assert caught.value.size > 1_200_000
    assert session_id not in str(caught.value)
    assert dict(storage.read(session_id)) == {"small": 1}
    fresh = storage.read(None)
    fresh["large"] = "x" * 1_200_000
    with pytest.raises(RecordTooLargeError):
        storage.save(fresh)
    assert storage.load(storage.key_of(fresh.id)) is None


def test_the_item_limit_is_the_servers_own(tmp_path: Path) -> None:
    """A server that was started with another `-I` takes what it takes."""
    server = MemcachedServer(tmp_path, "-I", "4m")
    server.start()
    try:
        with opened(server.url) as storage:
            session_id = begin(storage, large="x" * 3_000_000)
            assert len(storage.read(session_id)["large"]) == 3_000_000
            assert storage.facts(storage.key_of(session_id))["max_item"] == 4 << 20
    finally:
        server.kill()


def test_a_key_is_what_remix_makes_of_an_id(
    storage: RecordStorage, memcached_server: MemcachedServer
) -> None:
    """The default prefix and SHA-256 in hex; no ID, however strange, makes a key that is no key."""
    plain = opened(memcached_server.url)
    assert plain.key_of("abc") == "remix:session:" + hashlib.sha256(b"abc").hexdigest()
    plain.close()
    longest = opened(memcached_server.url, prefix="p" * 186)
    session_id = begin(longest, n=1)
    assert len(longest.key_of(session_id)) == 250
    assert longest.read(session_id).get("n") == 1
    longest.close()


def test_a_conditional_delete_deletes_only_what_was_expected(storage: RecordStorage) -> None:
    """A record that has changed is spared; one with the same text is gone at once, and can be made anew."""
    key = storage.key_of(begin(storage, n=0))
    judged = storage.load(key)
    assert judged is not None
    storage.store(key, judged, b'[{"n":1},{}]', None)
    outcome = storage.delete(key, judged)
    assert not outcome.done
    assert outcome.current is not None
    assert outcome.current.text == b'[{"n":1},{}]'
    assert storage.delete(key, outcome.current._replace(version=None)).done
    assert storage.load(key) is None
    assert not storage.delete(key, outcome.current).done
    assert storage.store(key, None, b"[{},{}]", None).done


def test_a_scan_keeps_to_its_prefix_and_finds_all(
    storage: RecordStorage, memcached_server: MemcachedServer
) -> None:
    """A scan over several batches names every session of the prefix, and nothing else."""
    client = memcached_server.client()
    prefix = storage.prefix  # type: ignore[attr-defined]
    client.set(prefix + "not-a-hash", b"x", noreply=False)
    keys = {storage.key_of(str(number)) for number in range(700)}
    for key in keys:
        client.set(key, b"[{},{}]", noreply=False)
    client.set("other" + "0" * 64, b"x", noreply=False)
    found = list(storage.scan())
    assert {entry.key for entry in found} == keys
    assert {entry.size for entry in found} == {7}
    client.close()


def test_a_scan_finds_what_is_being_used(storage: RecordStorage) -> None:
    """Sessions that are read and saved all the time are in every scan."""
    ids = [begin(storage, n=0) for _ in range(5)]
    for number in range(30):
        for session_id in ids:
            session = storage.read(session_id)
            session["n"] = number
            storage.save(session)
        assert len(list(storage.scan())) == 5


def test_facts_tell_about_server_and_record(
    storage: RecordStorage, memcached_server: MemcachedServer
) -> None:
    """`facts` names the node, its limits, what it evicted, and how long the record was idle."""
    facts = storage.facts(storage.key_of(begin(storage, n=0)))
    assert facts["node"] == f"127.0.0.1:{memcached_server.port}"
    assert facts["server"].startswith("memcached 1.")
    assert (facts["maxmemory"], facts["evicted"], facts["max_item"]) == (64 << 20, 0, 1 << 20)
    assert facts["idle_seconds"] <= 1
    assert "idle_seconds" not in storage.facts()


def test_an_eviction_can_be_seen(tmp_path: Path) -> None:
    """A full server throws sessions out without a word; `facts` counts them."""
    server = MemcachedServer(tmp_path, "-m", "2")
    server.start()
    try:
        with opened(server.url) as storage:
            for _ in range(40):
                begin(storage, large="x" * 200_000)
            assert storage.facts()["evicted"] > 0
    finally:
        server.kill()


# -- a ring -------------------------------------------------------------------------------------------


def test_a_ring_places_sessions_as_pymemcache_does(memcached_ring: Servers, unique_prefix: str) -> None:
    """Other programs that use pymemcache's HashClient find our sessions, and both servers get their share."""
    client = HashClient([("127.0.0.1", server.port) for server in memcached_ring.servers])
    with opened(memcached_ring.url, prefix=unique_prefix) as storage:
        ids = [begin(storage, n=number) for number in range(64)]
        for number, session_id in enumerate(ids):
            assert client.get(storage.key_of(session_id)) == b'[{"n":%d},{}]' % number
        nodes = {storage.facts(storage.key_of(session_id))["node"] for session_id in ids}
        assert nodes == {f"127.0.0.1:{server.port}" for server in memcached_ring.servers}
        assert len(list(storage.scan())) == 64
    client.close()


def test_a_server_that_is_down_is_not_replaced(tmp_path: Path) -> None:
    """Sessions of a server that is down are errors, never begun anew on another, where they would come back."""
    servers = [MemcachedServer(tmp_path), MemcachedServer(tmp_path)]
    for server in servers:
        server.start()
    try:
        url = "memcached://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        with opened(url, unknown_ids="reuse") as storage:
            ids = [begin(storage, n=number) for number in range(32)]
            down = servers[0]
            node = {sid: storage.facts(storage.key_of(sid))["node"] for sid in ids}
            down.kill()
            for session_id in ids:
                if node[session_id].endswith(f":{down.port}"):
                    with pytest.raises(
                        StorageUnavailableError, match=rf": 127\.0\.0\.1:{down.port}: it cannot"
                    ):
                        storage.read(session_id)
                else:
                    assert not storage.read(session_id).is_new
            down.start()
            for session_id in ids:
                gone = node[session_id].endswith(f":{down.port}")
                assert storage.read(session_id).is_new == gone
    finally:
        for server in servers:
            server.kill()


# -- TLS, and what is no Memcached --------------------------------------------------------------------


def test_tls(tmp_path: Path, certificates: Path) -> None:
    """With `tls_ca` the connection is encrypted, and a stranger's certificate is not trusted."""
    options = f"ssl_chain_cert={certificates}/server.pem,ssl_key={certificates}/server.key"
    server = MemcachedServer(tmp_path, "-Z", "-o", options)
    server.start()
    try:
        with opened(f"{server.url}?tls_ca={certificates}/ca.pem") as storage:
            session_id = begin(storage, n=0)
            for _ in range(3):
                assert storage.read(session_id).get("n") == 0
            assert len(list(storage.scan())) == 1
        with (
            opened(f"{server.url}?tls=1") as storage,
            pytest.raises(StorageUnavailableError, match="certificate"),
        ):
            storage.read("some-id")
    finally:
        server.kill()
    with pytest.raises(UsageError, match="tls_ca"):
        open_storage(f"memcached://h?tls_ca={tmp_path}/no.pem")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\x01\x02\r\n",
        b"VALUE x 0 5 1\r\nhello\r\nEND\r\n",
        b"VA x\r\n",
        b"",
    ],
    ids=["HTTP", "binary", "another key", "no size", "closed"],
)
@pytest.mark.parametrize("ttl", [None, 60], ids=["no ttl", "ttl"])
def test_a_server_that_is_no_memcached(answer: bytes, ttl: int | None) -> None:
    """Whatever listens there, the answer is a `StorageError`, and no answer of another question."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.recv(1000)
            client.sendall(answer)
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    url = f"memcached://127.0.0.1:{listener.getsockname()[1]}"
    with opened(url, ttl=ttl, timeout=1) as storage, pytest.raises(StorageError):
        storage.read("some-id")
    listener.close()
