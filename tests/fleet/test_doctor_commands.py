"""Every command that `doctor` prints mends what was found: run by a shell, from another directory."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl.fleet import examine
from tests.fleet.conftest import DAY, add, opened
from tests.fleet.test_doctor import FAULTS
from tests.servers import (
    PASSWORD,
    MemcachedServer,
    RedisServer,
    SentinelServers,
    Servers,
    certificates,
    own_cluster,
    own_sentinel,
)

if TYPE_CHECKING:
    from sessionctl.fleet.findings import Finding
    from sessionctl.storage.base import RecordStorage

__all__ = ["certificates", "own_cluster", "own_sentinel"]

Shell = Callable[..., None]

ODD = 'it\'s "odd" $HOME *'
"""A name that a shell would make something else of."""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in another directory, whose `sessionctl` is the one that is tested."""
    script = tmp_path / "bin" / "sessionctl"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sessionctl "$@"\n')
    script.chmod(0o755)
    (tmp_path / "elsewhere").mkdir()

    def run(command: str | None, typed: str = "", **environment: str) -> None:
        assert command is not None
        assert PASSWORD not in command
        ended = subprocess.run(
            ["sh", "-c", command], input=typed, capture_output=True, text=True, check=False, timeout=60,
            cwd=tmp_path / "elsewhere",
            env={**os.environ, "PATH": f"{script.parent}:{os.environ['PATH']}", **environment},
        )  # fmt: skip
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)

    return run


def found(store: RecordStorage) -> dict[str, Finding]:
    return {finding.code: finding for finding in examine(store)}


# -- files --------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordStorage:
    """A store with an odd name, opened as it is called in its own directory, with two sessions."""
    monkeypatch.chdir(tmp_path)
    files = opened(f"fs:{ODD}?ttl=30d&prefix=app-")
    add(files, "good", n=1)
    return files


def lock_out(path: Path) -> None:
    """Its owner may not read a record any more."""
    path.chmod(0)


FILES = {**FAULTS, "unreadable": lock_out, "wrong-owner": lambda path: os.chown(path, 1, 1)}


@pytest.mark.parametrize("code", FILES)
def test_files(store: RecordStorage, shell: Shell, code: str) -> None:
    """What is wrong with a file is mended, and the session beside it stays."""
    if code == {True: "unreadable", False: "wrong-owner"}[os.getuid() == 0]:
        pytest.skip("root may read everything, and nobody else may give a file away")
    path = Path(store.location_of(add(store, "a", large="x" * 100, n=2)))
    FILES[code](path)
    if code == "other-prefix":
        age = time.time() - 40 * DAY
        os.utime(path.parent / f"other-{path.name}", (age, age))
    assert list(found(store)) == [code]
    shell(found(store)[code].command)
    assert found(store) == {}
    assert store.read("good").get("n") == 1


def test_foreign_files_are_kept(store: RecordStorage, shell: Shell) -> None:
    """Many of them are moved aside in turns, and nothing is lost where two have one name."""
    add(store, "other")
    directories = [path for path in Path(ODD).iterdir() if path.is_dir()]
    for directory in directories:
        for number in range(14):
            (directory / f"{number} $(false)").write_text("x")
    for _ in range(2):
        shell(found(store)["foreign"].command)
    assert found(store) == {}
    assert len(list(Path(f"{ODD}.foreign").iterdir())) == 14 * len(directories)


def test_no_expiry(tmp_path: Path, shell: Shell) -> None:
    """A store in which nothing expires is purged; that it has no ttl is left to be said."""
    store = opened(f"fs:{tmp_path}/store")
    add(store, "old", age=40 * DAY)
    young = add(store, "young")
    shell(found(store)["no-expiry"].command)
    assert [entry.key for entry in store.scan()] == [young]


@pytest.mark.skipif(os.getuid() != 0, reason="only root mounts")
@pytest.mark.parametrize(("code", "options"), [("disk-full", "size=400k"), ("inodes-full", "nr_inodes=82")])
def test_little_room(tmp_path: Path, shell: Shell, code: str, options: str) -> None:
    """A disk with little room has more after the command."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this root may not mount")
    try:
        store = opened(f"fs:{place}/store", ttl=100 * DAY)
        for number in range(200):
            add(store, f"old-{number}", age=40 * DAY)
            if found(store):
                break
        assert list(found(store)) == [code]
        shell(found(store)[code].command)
        assert found(store) == {}
    finally:
        subprocess.run(["umount", str(place)], check=True)


# -- servers ------------------------------------------------------------------------------------------


@contextmanager
def running(server: Any) -> Iterator[Any]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


def plain(directory: Path) -> tuple[Any, str, dict[str, str], str]:
    """A server of its own; what opens it, the environment, and what its user types."""
    server = RedisServer(directory)
    return server, f"{server.url}?", {}, ""


def database(directory: Path) -> tuple[Any, str, dict[str, str], str]:
    """Another database than the first."""
    server = RedisServer(directory)
    return server, f"redis://127.0.0.1:{server.port}/3?", {}, ""


def socket(directory: Path) -> tuple[Any, str, dict[str, str], str]:
    """A socket whose path needs quotes."""
    place = directory / "it's a"
    place.mkdir()
    server = RedisServer(directory, "--unixsocket", f"{place}/s")
    return server, f"unix://{place}/s?db=2&", {}, ""


def asked_password(directory: Path) -> tuple[Any, str, dict[str, str], str]:
    """A password in the URL, which `redis-cli` asks for."""
    server = RedisServer(directory, password=PASSWORD)
    encoded = "pass%3Aword%2Fwith%40signs%3F"
    url = f"redis://:{encoded}@127.0.0.1:{server.port}/0?"
    return server, url, {}, f"{PASSWORD}\n"


def password_env(directory: Path) -> tuple[Any, str, dict[str, str], str]:
    """A password in the environment."""
    server = RedisServer(directory, password=PASSWORD)
    return server, f"{server.url}?password_env=CACHE_PASSWORD&", {"CACHE_PASSWORD": PASSWORD}, ""


def password_file(directory: Path) -> tuple[Any, str, dict[str, str], str]:
    """A password in a file whose name needs quotes."""
    server = RedisServer(directory, password=PASSWORD)
    (directory / "it's").write_text(f"{PASSWORD}\n")
    return server, f"{server.url}?password_file={directory}/it's&", {}, ""


def user(directory: Path) -> tuple[Any, str, dict[str, str], str]:
    """A user of its own."""
    server = RedisServer(directory, "--user", "keeper", "on", f">{PASSWORD}", "~*", "&*", "+@all")
    url = f"redis://keeper@127.0.0.1:{server.port}/0?password_env=CACHE_PASSWORD&"
    return server, url, {"CACHE_PASSWORD": PASSWORD}, ""


def tls(directory: Path) -> tuple[Any, str, dict[str, str], str]:
    """TLS, with a certificate of the client's own."""
    place = directory.parent / "certificates"
    server = RedisServer(directory, tls=place)
    names = f"tls_ca={place}/ca.pem&tls_cert={place}/client.pem&tls_key={place}/client.key"
    return server, f"{server.url}?{names}&", {}, ""


KINDS = [plain, database, socket, asked_password, password_env, password_file, user, tls]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_redis(
    tmp_path: Path, certificates: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    """A Redis that evicts and keeps nothing is mended however it is reached, and so are its sessions."""
    (tmp_path / "certificates").symlink_to(certificates)
    directory = tmp_path / "server"
    directory.mkdir()
    server, url, environment, typed = kind(directory)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with running(server), opened(f"{url}ttl=30d") as store, opened(url) as endless:
        provoke(store)
        for code in ("may-evict", "evicted", "not-persistent"):
            command = found(store)[code].command
            assert command is not None
            for one in command.split(" && "):  # each asks for the password
                shell(one, typed)
            assert code not in found(store)
        add(endless, "endless")
        server_ask(store, "SET", add(store, "torn"), "[{", "KEEPTTL")
        asked = {"REDISCLI_AUTH": PASSWORD} if typed else {}
        for code in ("corrupt", "never-expires"):
            shell(found(store)[code].command, **asked)
            assert code not in found(store)
        assert found(store) == {}
        assert store.read("endless").id == "endless"


def server_ask(store: Any, *command: Any, **options: Any) -> Any:
    """The answer of the server of a store, by its own connections."""
    return store._clients.get().execute_command(*command, **options)


def provoke(store: Any, **options: Any) -> None:
    """Have a server throw something away that is no session."""
    used = int(server_ask(store, "INFO", **options)["used_memory"])
    server_ask(store, "CONFIG SET", "maxmemory", used + (1 << 20), **options)
    server_ask(store, "CONFIG SET", "maxmemory-policy", "allkeys-random", **options)
    for number in range(30):
        server_ask(store, "SET", f"{{{number}}}other", "x" * 100_000, **options)


def test_cluster(own_cluster: Servers, shell: Shell) -> None:
    """Every primary of a Cluster is looked at, and the command reaches each that needs it."""
    for server in own_cluster.servers[1:]:
        server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    with opened(own_cluster.url, ttl=DAY) as store:
        finding = found(store)["may-evict"]
        assert finding.count == 2
        for code in ("may-evict", "not-persistent"):
            shell(found(store)[code].command)
        assert found(store) == {}


def test_sentinel(own_sentinel: SentinelServers, shell: Shell) -> None:
    """The command goes to the primary of this moment, not to the Sentinel."""
    with opened(own_sentinel.url, ttl=DAY) as store:
        own_sentinel.primary.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        for code in ("may-evict", "not-persistent"):
            shell(found(store)[code].command)
        assert found(store) == {}
        assert own_sentinel.sentinel.ask("PING")


def test_configuration_file(tmp_path: Path, shell: Shell) -> None:
    """Where a server has a configuration file, what mends it outlives a restart."""
    server = RedisServer(tmp_path)
    file = tmp_path / "redis.conf"
    file.write_text(
        f'port {server.port}\nbind 127.0.0.1\ndir {tmp_path}\nsave ""\nmaxmemory-policy allkeys-lru\n'
    )
    server.command = [server.command[0], str(file)]
    with running(server), opened(server.url, ttl=DAY) as store:
        for code in ("may-evict", "not-persistent"):
            shell(found(store)[code].command)
        server.restart()
        assert found(store) == {}


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_memcached(tmp_path: Path, certificates: Path, shell: Shell, secure: bool) -> None:
    """Of two Memcached servers the one that has thrown sessions away gets more memory, by the command."""
    names = [f"ssl_chain_cert={certificates}/server.pem", f"ssl_key={certificates}/server.key"]
    arguments = ["-Z", *(word for name in names for word in ("-o", name))] if secure else []
    servers = [MemcachedServer(tmp_path, "-m", "2", *arguments) for _ in range(2)]
    options = f"?tls_ca={certificates}/ca.pem" if secure else "?"
    url = f"memcached://{','.join(f'127.0.0.1:{server.port}' for server in servers)}{options}"
    with running(Servers(url, servers)), opened(f"{url}&ttl=1d") as store, opened(url) as endless:
        for number in range(60):
            add(store, f"id-{number}", large="x" * 200_000)
        add(endless, "endless")
        assert found(store)["evicted"].count > 0
        assert len(found(store)["evicted"].examples) == 2
        shell(found(store)["evicted"].command)
        shell(found(store)["never-expires"].command)
        assert found(store) == {}
        assert store.read("endless").id == "endless"


def test_another_frameworks_store(own_redis: Any) -> None:
    """Its server is looked at too, and no command changes what is not ours."""
    own_redis.ask("SET", "sess:torn", "{")
    with opened(f"{own_redis.url}?layout=connect-redis&prefix=sess:") as store:
        assert found(store)["corrupt"].command is None
        assert "redis-cli" in str(found(store)["not-persistent"].command)
