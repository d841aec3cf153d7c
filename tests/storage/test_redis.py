"""What `redis:` and its kin promise beyond the contract."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from sessionctl import (
    CorruptRecordError,
    MissingExtraError,
    SecretError,
    StorageError,
    StorageUnavailableError,
    UsageError,
    open_storage,
)
from sessionctl.cli import main
from sessionctl.storage.base import Outcome, RecordStorage, Stored
from tests.servers import PASSWORD, Cluster, RedisServer, SentinelServers, make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Servers


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
def storage(redis_server: RedisServer, unique_prefix: str) -> Iterator[RecordStorage]:
    with opened(redis_server.url, prefix=unique_prefix) as storage:
        yield storage  # type: ignore[misc]


def commands(server: RedisServer) -> dict[str, int]:
    """How often each command ran since the statistics were reset."""
    with server.client() as client:
        return {
            name.removeprefix("cmdstat_"): stats["calls"]
            for name, stats in client.info("commandstats").items()
        }


# -- round trips --------------------------------------------------------------------------------------


def _request(storage: RecordStorage, session_id: str) -> None:
    session = storage.read(session_id)
    session["n"] = time.time()
    storage.save(session)


async def _arequest(storage: RecordStorage, session_id: str) -> None:
    session = await storage.aread(session_id)
    session["n"] = time.time()
    await storage.asave(session)


def _asked(server: RedisServer) -> dict[str, int]:
    ignored = {"info", "config|resetstat", "client|setinfo", "auth", "ping", "hello", "select"}
    return {name: calls for name, calls in commands(server).items() if name not in ignored}


@pytest.mark.parametrize("ttl", [None, 60], ids=["no ttl", "ttl"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_request_costs_two_round_trips(own_redis: RedisServer, ttl: int | None, asynchronous: bool) -> None:
    """A request that nobody disturbs is one GET and one EVALSHA; what the script calls is no round trip."""
    storage = opened(own_redis.url, ttl=ttl)
    session_id = begin(storage, n=0)
    _request(storage, session_id)
    own_redis.ask("CONFIG", "RESETSTAT")

    async def run() -> None:
        await _arequest(storage, session_id)
        await storage.aclose()

    if asynchronous:
        asyncio.run(run())
    else:
        _request(storage, session_id)
    inside = {"get": 2, "evalsha": 1, "set": 1}  # of which the script itself calls one GET and one SET
    assert _asked(own_redis) == inside
    storage.close()


def test_a_clean_request_with_ttl_only_extends_the_life(own_redis: RedisServer) -> None:
    """A request that changes nothing is one GET and one PEXPIRE: the record is not rewritten."""
    storage = opened(own_redis.url, ttl=60)
    session_id = begin(storage, n=0)
    own_redis.ask("CONFIG", "RESETSTAT")
    storage.save(storage.read(session_id))
    assert _asked(own_redis) == {"get": 1, "pexpire": 1}
    storage.close()


def test_a_conflict_costs_one_round_trip_more(own_redis: RedisServer) -> None:
    """The script that finds another text answers with it, so that the next try needs no read."""
    storage = opened(own_redis.url)
    session_id = begin(storage, n=0)
    slow = storage.read(session_id)
    _request(storage, session_id)
    own_redis.ask("CONFIG", "RESETSTAT")
    slow["slow"] = 1
    storage.save(slow)
    assert commands(own_redis)["evalsha"] == 2
    assert set(storage.read(session_id)) == {"n", "slow"}
    storage.close()


@pytest.mark.parametrize("url", ["redis_server", "redis_cluster"])
def test_a_server_that_forgot_the_scripts_is_told_them(
    url: str, request: pytest.FixtureRequest, unique_prefix: str
) -> None:
    """After SCRIPT FLUSH every script runs as before, sync and async."""
    servers = request.getfixturevalue(url)
    storage = opened(servers.url, prefix=unique_prefix)

    def forget() -> None:
        for server in getattr(servers, "servers", [servers]):
            server.ask("SCRIPT", "FLUSH")

    async def run() -> None:
        session_id = begin(storage, n=0)
        session = await storage.aread(session_id)
        session["n"] = 1
        forget()
        assert await storage.asave(session) == session_id
        session.regenerate_id(True)
        forget()
        assert await storage.asave(session) == session.id
        forget()
        stored = await storage.apeek(storage.key_of(session.id))  # type: ignore[attr-defined]
        forget()
        assert (await storage.adelete(storage.key_of(session.id), stored)).done  # type: ignore[attr-defined]
        await storage.aclose()

    forget()
    _request(storage, begin(storage, n=0))
    asyncio.run(run())


# -- life ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["redis_server", "redis_cluster", "memcached_server"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_new_id_has_the_life_that_was_left(
    url: str, asynchronous: bool, request: pytest.FixtureRequest, unique_prefix: str
) -> None:
    """Without `ttl`, neither a save nor a regeneration changes when the session ends."""
    place = request.getfixturevalue(url).url
    limited, unlimited = opened(place, prefix=unique_prefix, ttl=500), opened(place, prefix=unique_prefix)
    session_id = begin(limited, n=0)

    async def run() -> str:
        session = await unlimited.aread(session_id)
        session["n"] = 1
        await unlimited.asave(session)
        session.regenerate_id(True)
        await unlimited.asave(session)
        await unlimited.aclose()
        return session.id

    def plain() -> str:
        session = unlimited.read(session_id)
        session["n"] = 1
        unlimited.save(session)
        session.regenerate_id(True)
        unlimited.save(session)
        return session.id

    new_id = asyncio.run(run()) if asynchronous else plain()
    stored = unlimited.peek(unlimited.key_of(new_id))
    assert stored is not None
    assert stored.expires_at is not None
    assert 490 < stored.expires_at - time.time() <= 500
    assert unlimited.load(unlimited.key_of(session_id)) is None
    limited.close()
    unlimited.close()


def test_age_is_told_by_the_life_that_is_left(redis_server: RedisServer, unique_prefix: str) -> None:
    """`modified_at` is the expiry less `ttl`, in `peek` and in `scan`; without `ttl` nobody can tell."""
    storage = opened(redis_server.url, prefix=unique_prefix, ttl=1000)
    key = storage.key_of(begin(storage, n=0))
    redis_server.ask("PEXPIRE", key, 400_000)
    for found in (storage.peek(key), *storage.scan()):
        assert found.modified_at == pytest.approx(time.time() - 600, abs=2)
        assert found.expires_at == pytest.approx(time.time() + 400, abs=2)
    with opened(redis_server.url, prefix=unique_prefix) as without:
        assert [entry.modified_at for entry in without.scan()] == [None]  # type: ignore[attr-defined]
    storage.close()


def test_age_is_unknown_where_the_lifetime_set_the_expiry(
    redis_server: RedisServer, unique_prefix: str
) -> None:
    """A session in its last `ttl` is never taken for older than it is, so that no purge hits it too early."""
    now = time.time()
    storage = opened(redis_server.url, prefix=unique_prefix, ttl=1000, lifetime=3000, clock=lambda: now)
    session_id = begin(storage, n=0)
    assert [entry.modified_at for entry in storage.scan()] == [pytest.approx(now, abs=2)]
    now += 2500
    session = storage.read(session_id)
    session["n"] = 1
    storage.save(session)
    assert [entry.modified_at for entry in storage.scan()] == [None]
    storage.close()


@pytest.mark.parametrize("url", ["redis_server", "redis_cluster"])
def test_what_was_used_since_it_was_judged_is_not_deleted(
    url: str, request: pytest.FixtureRequest, unique_prefix: str
) -> None:
    """A conditional delete of what `peek` gave spares a record that was touched, even if not changed."""
    storage = opened(request.getfixturevalue(url).url, prefix=unique_prefix, ttl=1000)
    key = storage.key_of(begin(storage, n=0))
    storage.touch(key, 500)
    judged = storage.peek(key)
    storage.touch(key, 1000)
    assert not storage.delete(key, judged).done
    judged = storage.peek(key)
    time.sleep(0.02)
    assert storage.delete(key, judged).done
    storage.close()


# -- other keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["redis_server", "redis_cluster"])
def test_a_scan_keeps_to_its_prefix(url: str, request: pytest.FixtureRequest, unique_prefix: str) -> None:
    """Glob characters in a prefix mean themselves, and a value of another kind is no session."""
    servers = request.getfixturevalue(url)
    storage = opened(servers.url, prefix=f"{unique_prefix}[a-z]*?^\\:")
    session_id = begin(storage, n=0)
    with opened(servers.url, prefix=unique_prefix) as other:
        for name in ("b", "z?^:", "[a-z]xy^\\:"):
            other.store(unique_prefix + name, None, b"[{},{}]", None)  # type: ignore[attr-defined]
    client = storage._clients.get()  # type: ignore[attr-defined]
    client.hset(storage.prefix + "hash", "a", "b")  # type: ignore[attr-defined]
    assert [entry.key for entry in storage.scan()] == [storage.key_of(session_id)]
    storage.close()


def test_a_value_of_another_kind_is_a_corrupt_record(
    storage: RecordStorage, redis_server: RedisServer
) -> None:
    """Where a list lies under a session's key, the error names neither ID nor key, and the list stays."""
    key = storage.key_of("an-id-that-is-secret")
    redis_server.ask("RPUSH", key, "x")
    with pytest.raises(CorruptRecordError) as caught:
        storage.read("an-id-that-is-secret")
    assert "an-id-that-is-secret" not in str(caught.value)
    assert storage.ref_of(key) in str(caught.value)
    assert redis_server.ask("TYPE", key) == b"list"


def test_an_empty_prefix_is_refused_for_what_deletes_many(redis_server: RedisServer) -> None:
    """`check_sweep` raises where every key of the server would count as a session."""
    with opened(redis_server.url, prefix="") as storage, pytest.raises(UsageError, match="empty prefix"):
        storage.check_sweep()
    with opened(redis_server.url) as storage:
        storage.check_sweep()


def test_a_scan_finds_every_session_of_many(storage: RecordStorage) -> None:
    """A scan over several batches names each key, with sizes and in flat batches."""
    keys = {f"{storage.prefix}{number}" for number in range(2345)}  # type: ignore[attr-defined]
    with storage._clients.get().pipeline(transaction=False) as pipeline:  # type: ignore[attr-defined]
        for key in keys:
            pipeline.set(key, b"[{},{}]")
        pipeline.execute()
    entries = list(storage.scan())
    assert {entry.key for entry in entries} == keys
    assert {entry.size for entry in entries} == {7}


# -- facts --------------------------------------------------------------------------------------------


def test_facts_tell_about_server_and_record(storage: RecordStorage, redis_server: RedisServer) -> None:
    """`facts` names the server, its eviction policy and how long a record was idle."""
    facts = storage.facts(storage.key_of(begin(storage, n=0)))
    version = redis_server.client().info("server")["redis_version"]
    assert facts == {
        "server": f"redis {version}", "maxmemory": 0, "maxmemory_policy": "noeviction", "evicted": 0,
        "idle_seconds": 0,
    }  # fmt: skip
    assert "idle_seconds" not in storage.facts()


def test_facts_of_a_cluster_name_node_and_slot(redis_cluster: Servers, unique_prefix: str) -> None:
    """On a Cluster `facts` says where the record lies, as the node itself says."""
    with opened(redis_cluster.url, prefix=unique_prefix) as storage:
        key = storage.key_of(begin(storage, n=0))
        facts = storage.facts(key)
        assert facts["slot"] == redis_cluster.servers[0].ask("CLUSTER", "KEYSLOT", key)
        node = next(server for server in redis_cluster.servers if facts["node"].endswith(f":{server.port}"))
        assert node.ask("EXISTS", key) == 1
        assert facts["idle_seconds"] == 0
        assert "server" in storage.facts()


def test_a_report_names_node_and_slot(
    redis_cluster: Servers, unique_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`inspect` tells people where in a Cluster a session lies."""
    url = f"{redis_cluster.url}?prefix={unique_prefix}"
    with opened(url) as storage:
        session_id = begin(storage, n=0)
        facts = storage.facts(storage.key_of(session_id))
    with pytest.raises(SystemExit) as ended:
        main(["inspect", "--id", session_id, "-s", url, "--color", "never"])
    assert ended.value.code == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["node", facts["node"]] in lines
    assert ["slot", str(facts["slot"])] in lines


def test_facts_leave_out_what_the_server_forbids(own_redis: RedisServer) -> None:
    """A user without the right to ask gets fewer facts and no error."""
    own_redis.ask("ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", "-info", "-object")
    with opened(f"redis://app:pw@127.0.0.1:{own_redis.port}/0") as storage:
        assert storage.facts(storage.key_of(begin(storage, n=0))) == {}


# -- passwords ----------------------------------------------------------------------------------------


def test_a_password_comes_from_url_environment_or_file(
    redis_password_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unique_prefix: str
) -> None:
    """Three ways to give a password open the same store; none of them is seen in the storage's URL."""
    server = redis_password_server
    monkeypatch.setenv("CACHE_PASSWORD", PASSWORD)
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    urls = [
        f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}/0",
        f"redis://default:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}/0",
        f"{server.url}?password_env=CACHE_PASSWORD",
        f"{server.url}?password_file={file}",
    ]
    for url in urls:
        with opened(url, prefix=unique_prefix) as storage:
            begin(storage, n=0)
            assert PASSWORD not in storage.url
            assert quote(PASSWORD, safe="") not in storage.url
            assert PASSWORD not in repr(vars(storage._clients))  # type: ignore[attr-defined]
            assert len(list(storage.scan())) == urls.index(url) + 1


def test_a_password_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unset variable, a missing and an empty file are errors that name them."""
    monkeypatch.delenv("NOT_THERE", raising=False)
    (tmp_path / "empty").write_text("")
    for option, name in (
        ("env", "NOT_THERE"),
        ("file", str(tmp_path / "no")),
        ("file", str(tmp_path / "empty")),
    ):
        with pytest.raises(SecretError) as caught:
            open_storage("redis://localhost/0", **{f"password_{option}": name})
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:{wrong}@127.0.0.1:{port}/0",
        "redis://nobody:{wrong}@127.0.0.1:{port}/0",
        "redis://127.0.0.1:{port}/0",
    ],
    ids=["wrong password", "unknown user", "no password"],
)
def test_a_refused_password_is_told_without_it(redis_password_server: RedisServer, url: str) -> None:
    """A server that wants another password is an error that says how to give one, and repeats none."""
    with opened(url.format(wrong="hunter2", port=redis_password_server.port)) as storage:
        with pytest.raises(StorageError, match="password_env") as caught:
            storage.read("some-id")
        assert "hunter2" not in str(caught.value)


# -- TLS ----------------------------------------------------------------------------------------------


def test_tls_trusts_the_authority_that_was_given(redis_tls_server: RedisServer, unique_prefix: str) -> None:
    """`rediss:` works with `tls_ca`, and without it does not trust a stranger's certificate."""
    trusted = f"{redis_tls_server.url}?tls_ca={redis_tls_server.tls}/ca.pem"
    with opened(trusted, prefix=unique_prefix) as storage:
        begin(storage, n=0)
    with (
        opened(redis_tls_server.url) as storage,
        pytest.raises(StorageError, match=r"certificate|self.signed"),
    ):
        storage.read("some-id")


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("kind", [None, Cluster, SentinelServers], ids=["server", "cluster", "sentinel"])
def test_an_authority_that_was_given_is_the_only_one(
    kind: Any,
    redis_tls_server: RedisServer,
    certificates: Path,
    tmp_path: Path,
    asynchronous: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With `tls_ca` a server, a node and a Sentinel are refused that the system's authorities vouch for."""
    (tmp_path / "other").mkdir()
    other = make_certificates(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificates}/ca.pem")  # the system's (OpenSSL)
    with contextlib.ExitStack() as stack:
        servers = redis_tls_server
        if kind is not None:
            servers = kind(tmp_path, tls=certificates)
            stack.callback(servers.kill)
            servers.start()
        for ca in ({}, {"tls_ca": f"{certificates}/ca.pem"}):
            with opened(servers.url, tls=True, **ca) as storage:
                _use(storage, asynchronous)
        refused = pytest.raises(StorageError, match=r"certificate|no Sentinel|no node of the cluster")
        with opened(servers.url, tls_ca=f"{other}/ca.pem") as storage, refused:
            _use(storage, asynchronous)


def _use(storage: RecordStorage, asynchronous: bool) -> None:
    """Enough sessions for each node of a Cluster to have one."""

    async def arun() -> None:
        async with storage:
            for _ in range(12):
                await storage.aread(await _abegin(storage))

    if asynchronous:
        asyncio.run(arun())
    else:
        for _ in range(12):
            storage.read(begin(storage, n=0))


async def _abegin(storage: RecordStorage) -> str:
    session = await storage.aread(None)
    session["n"] = 0
    return await storage.asave(session) or ""


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_primary_is_trusted_by_the_authority_that_was_given(
    certificates: Path, tmp_path: Path, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Sentinel that `tls_ca` vouches for may name a primary that only the system's do: that one is refused."""
    (tmp_path / "other").mkdir()
    other = make_certificates(tmp_path / "other")
    ca = (other / "ca.pem").read_text()
    (other / "one.pem").write_text(ca)
    (other / "ca.pem").write_text(
        ca + (certificates / "ca.pem").read_text()
    )  # by which it trusts the primary
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificates}/ca.pem")  # the system's (OpenSSL)
    servers = SentinelServers(tmp_path, tls=certificates, sentinel_tls=other)
    try:
        servers.start()
        with opened(servers.url, tls_ca=f"{other}/ca.pem") as storage:
            _use(storage, asynchronous)
        refused = pytest.raises(StorageError, match="certificate")
        with opened(servers.url, tls_ca=f"{other}/one.pem") as storage, refused:
            _use(storage, asynchronous)
    finally:
        servers.kill()


def test_tls_shows_the_client_certificate(tmp_path: Path, certificates: Path) -> None:
    """Where the server wants a certificate of the client, `tls_cert` and `tls_key` give it."""
    server = RedisServer(tmp_path, tls=certificates)
    server.start()
    try:
        url = f"{server.url}?tls_ca={certificates}/ca.pem"
        with opened(f"{url}&tls_cert={certificates}/client.pem&tls_key={certificates}/client.key") as storage:
            begin(storage, n=0)
        with opened(url) as storage, pytest.raises(StorageError):
            storage.read("some-id")
    finally:
        server.kill()


# -- URLs ---------------------------------------------------------------------------------------------


def test_a_unix_socket(tmp_path: Path) -> None:
    """`unix:///path?db=N` opens a server behind a socket, sync and async."""
    server = RedisServer(tmp_path, "--unixsocket", f"{tmp_path}/s")
    server.start()
    try:
        with opened(f"unix://{tmp_path}/s?db=3") as storage:
            session_id = begin(storage, n=0)
            assert server.client(db=3).exists(f"session:{session_id}")
            assert asyncio.run(_aread_and_close(storage, session_id)) == {"n": 0}
    finally:
        server.kill()


async def _aread_and_close(storage: RecordStorage, session_id: str) -> dict[str, Any]:
    values = dict(await storage.aread(session_id))
    await storage.aclose()
    return values


def test_a_database_is_chosen(redis_server: RedisServer, unique_prefix: str) -> None:
    """The path of the URL, or `db=`, chooses the database."""
    place = f"redis://127.0.0.1:{redis_server.port}"
    with opened(f"{place}/5", prefix=unique_prefix) as storage:
        session_id = begin(storage, n=0)
    with opened(f"{place}?db=5", prefix=unique_prefix) as storage:
        assert storage.read(session_id).get("n") == 0
    with opened(f"{place}/4", prefix=unique_prefix) as storage:
        assert storage.read(session_id).is_new


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:port/0", "redis://localhost:70000/0", "redis://a:1,b:2/0", "redis://localhost/x",
        "redis://h/0?timeout=0", "redis://h/0?max_connections=0", "redis://h/0?nonsense=1", "redis://h/0?ttl=x",
        "redis://h/0?max_connections=99999999999", "redis://h/0?ttl=6000w", "redis://h/0?lifetime=999999999999999w",
        "redis+cluster://a:1,b:2/3", "redis+sentinel://a:1", "unix://relative", "unix:", "redis://u:p@/w@h/0",
        "redis://:se/cret@localhost/0", "memcached://u:p@h", "memcached://h/x", "memcached://h?prefix=a b",
        f"memcached://h?prefix={'x' * 187}",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_is_refused_without_its_password(url: str) -> None:
    """What is wrong in a URL is wrong usage, told at once and without the password."""
    with pytest.raises(UsageError) as caught:
        open_storage(url)
    assert "se/cret" not in str(caught.value)
    assert "cret" not in str(caught.value).replace("secret", "")


@pytest.mark.parametrize(("scheme", "package"), [("redis", "redis"), ("memcached", "pymemcache")])
def test_a_missing_extra_is_named(scheme: str, package: str) -> None:
    """Without the library, opening the storage says in one line what to install."""
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"from sessionctl import open_storage, MissingExtraError\n"
        f"try: open_storage('{scheme}://localhost')\n"
        f"except MissingExtraError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer.strip().endswith(f"pip install '.[{scheme}]'")
    assert issubclass(MissingExtraError, UsageError)


# -- threads, processes, event loops ------------------------------------------------------------------


@pytest.mark.parametrize("url", ["redis_server", "redis_cluster", "redis_sentinel", "memcached_server"])
def test_a_fork_shares_no_connection(url: str, request: pytest.FixtureRequest, unique_prefix: str) -> None:
    """Parent and children that were forked from it use the storage at once and never see another's answer."""
    storage = opened(request.getfixturevalue(url).url, prefix=unique_prefix)
    ids = [begin(storage, n=number) for number in range(4)]
    children = []
    for number, session_id in enumerate(ids):
        child = os.fork()
        if child == 0:
            right = all(storage.read(session_id).get("n") == number for _ in range(150))
            os._exit(0 if right else 1)
        children.append(child)
    right = all(storage.read(ids[0]).get("n") == 0 for _ in range(150))
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert right
    storage.close()


@pytest.mark.parametrize("url", ["redis_server", "redis_cluster", "redis_sentinel", "memcached_ring"])
def test_threads_share_a_storage(url: str, request: pytest.FixtureRequest, unique_prefix: str) -> None:
    """Many threads on one storage each read their own session."""
    with opened(request.getfixturevalue(url).url, prefix=unique_prefix) as storage:
        ids = [begin(storage, n=number) for number in range(16)]

        def reads_its_own(number: int) -> bool:
            return all(storage.read(ids[number]).get("n") == number for _ in range(20))

        with ThreadPoolExecutor(16) as threads:
            assert all(threads.map(reads_its_own, range(16)))


@pytest.mark.parametrize("url", ["redis_server", "redis_cluster", "redis_sentinel"])
def test_each_event_loop_has_its_own_connections(
    url: str, request: pytest.FixtureRequest, unique_prefix: str
) -> None:
    """One storage serves several event loops one after the other, and threads meanwhile."""
    storage = opened(request.getfixturevalue(url).url, prefix=unique_prefix)
    session_id = begin(storage, n=0)
    for _ in range(3):
        assert asyncio.run(_aread_and_close(storage, session_id)) == {"n": 0}
        assert storage.read(session_id).get("n") == 0
    storage.close()


def test_a_pool_that_is_used_up_makes_a_request_wait(redis_server: RedisServer, unique_prefix: str) -> None:
    """More requests at once than `max_connections` wait for one another, sync and async."""
    storage = opened(redis_server.url, prefix=unique_prefix, max_connections=2)
    session_id = begin(storage, n=0)
    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(lambda _: storage.read(session_id).get("n"), range(64))) == {0}

    async def run() -> set[int]:
        sessions = await asyncio.gather(*(storage.aread(session_id) for _ in range(64)))
        await storage.aclose()
        return {session["n"] for session in sessions}

    assert asyncio.run(run()) == {0}


def test_a_pool_that_stays_used_up_is_told(redis_server: RedisServer) -> None:
    """Who waits for a connection in vain is told so after `timeout`, once, and is served when there is one again."""
    with opened(redis_server.url, max_connections=1, timeout=1) as storage:
        pool = storage._clients.get().connection_pool  # type: ignore[attr-defined]
        connection = pool.get_connection()
        began = time.monotonic()
        with pytest.raises(StorageUnavailableError, match="max_connections"):
            storage.read("some-id")
        assert 1 <= time.monotonic() - began < 1.9
        pool.release(connection)
        assert storage.read("some-id").is_new


# -- Cluster ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_slot_that_moves_is_followed(own_cluster: Servers, asynchronous: bool) -> None:
    """A session whose slot is given to another node while it is being used is read and saved there."""
    storage = opened(own_cluster.url)
    session_id = begin(storage, n=0)
    key = storage.key_of(session_id)
    first = storage.facts(key)

    async def run() -> None:
        session = await storage.aread(session_id)
        session["n"] = 1
        _move_slot(own_cluster, first["slot"], first["node"])
        assert await storage.asave(session) == session_id
        assert dict(await storage.aread(session_id)) == {"n": 1}
        await storage.aclose()

    def plain() -> None:
        session = storage.read(session_id)
        session["n"] = 1
        _move_slot(own_cluster, first["slot"], first["node"])
        assert storage.save(session) == session_id

    if asynchronous:
        asyncio.run(run())
    else:
        plain()
    assert dict(storage.read(session_id)) == {"n": 1}
    assert storage.facts(key)["node"] != first["node"]
    storage.close()


def _move_slot(cluster: Servers, slot: int, node: str) -> None:
    source = next(server for server in cluster.servers if node.endswith(f":{server.port}"))
    target = next(server for server in cluster.servers if server is not source)
    source_id, target_id = source.ask("CLUSTER", "MYID"), target.ask("CLUSTER", "MYID")
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    for key in source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
        source.ask("MIGRATE", "127.0.0.1", target.port, key, 0, 1000)
    for server in (target, source):
        server.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)


def test_a_move_between_slots_is_in_steps(redis_cluster: Servers, unique_prefix: str) -> None:
    """On a Cluster the new record is written before the old is deleted, and not at all where the old is gone."""
    with opened(redis_cluster.url, prefix=unique_prefix) as storage:
        stored = Stored(b"[{},{}]")
        old, new = storage.key_of("old"), storage.key_of("new")
        assert storage.move(old, stored, new, b"[{},{}]", None, False) == Outcome(False)
        assert storage.load(new) is None
        storage.store(old, None, stored.text, None)
        assert storage.move(old, stored, new, b'[{"n":1},{}]', None, False).done
        assert (storage.load(old), storage.load(new)) == (None, Stored(b'[{"n":1},{}]'))
