"""One request's session work on Redis and Memcached, beside the bare commands that it needs, and beside others.

    python benchmarks/servers.py [--rounds N] [--cycles N] [--check] [--throughput]

A cycle is: read the session (about 200 bytes of data), set two keys, save. The bare cycle is a GET and an EVALSHA
of the same script by redis-py, a `gets` and a `cas` by pymemcache, with texts that are ready made. Contenders
take turns in every round, and the least of each is compared: time, and CPU of the process. `--check` ends 1 where
the bar is missed: 1.3 times the bare commands. `--throughput` adds requests a second of 1, 8 and 64 clients, ours
and bare.

Remix does other work: on Redis a GET and a SETEX, on one connection, awaited one after the other, and nothing
compares before it writes, so that of two requests at once one may be lost. So these commands alone are measured
too, by node-redis and by redis-py, and node-redis with our GET and EVALSHA: what is like stands beside like. On
Memcached it opens a connection for each command.

Servers are started for the run (redis-server, memcached). Flask-Session, starsessions and Remix (Node, tests/node)
are measured where they are installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from sessionctl import Session, open_storage  # noqa: E402 - from this checkout
from sessionctl.storage import redis_scripts  # noqa: E402
from tests.servers import MemcachedServer, RedisServer  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sessionctl import SessionStorage

    Cycle = Callable[[int], object]
    AsyncCycle = Callable[[int], Awaitable[object]]
    Cycles = Callable[[int], "Cost"]
    """Runs so many cycles; what one cost."""

DATA = {
    "userId": "8c1fae31-5f0b-4a1e-9d55-1d2f3a4b5c6d",
    "name": "Mary Jackson",
    "role": "editor",
    "csrf": "kXn3q0s7bYvZ2mWc8LrT5uEa",
    "cart": [{"sku": "A-1001", "n": 2}, {"sku": "B-2002", "n": 1}],
    "visits": 41,
}
SEEN = "2026-01-31T12:00:00Z"
TTL = 3600
BAR = 1.3
CLIENTS = (1, 8, 64)


class Cost(NamedTuple):
    """Nanoseconds of one cycle: by the clock, and of this process' CPU."""

    wall: float
    cpu: float


def timed(cycle: Cycle) -> Cycles:
    def run(cycles: int) -> Cost:
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        for n in range(cycles):
            cycle(n)
        return Cost((time.perf_counter_ns() - wall) / cycles, (time.process_time_ns() - cpu) / cycles)

    return run


def atimed(runner: asyncio.Runner, cycle: AsyncCycle) -> Cycles:
    async def several(cycles: int) -> None:
        for n in range(cycles):
            await cycle(n)

    def run(cycles: int) -> Cost:
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        runner.run(several(cycles))
        return Cost((time.perf_counter_ns() - wall) / cycles, (time.process_time_ns() - cpu) / cycles)

    return run


# -- this package -------------------------------------------------------------------------------------


def begin(storage: SessionStorage) -> str:
    session = Session()
    session.update(DATA)
    return storage.save(session) or ""


def ours(storage: SessionStorage) -> Cycle:
    session_id = begin(storage)

    def cycle(n: int) -> None:
        session = storage.read(session_id)
        session.set("visits", n)
        session.set("lastSeen", SEEN)
        storage.save(session)

    return cycle


def ours_async(storage: SessionStorage) -> AsyncCycle:
    session_id = begin(storage)

    async def cycle(n: int) -> None:
        session = await storage.aread(session_id)
        session.set("visits", n)
        session.set("lastSeen", SEEN)
        await storage.asave(session)

    return cycle


# -- the bare commands --------------------------------------------------------------------------------


def text_of(n: int) -> bytes:
    return json.dumps([{**DATA, "visits": n, "lastSeen": SEEN}, {}], separators=(",", ":")).encode()


TEXTS = (text_of(41), text_of(42))


def put_in_redis(server: RedisServer) -> str:
    """A record, and the script that replaces it; its key."""
    key = f"bare-{secrets.token_hex(4)}"
    with server.client() as client:
        client.set(key, TEXTS[1], px=TTL * 1000)
        client.script_load(redis_scripts._texts[redis_scripts.SWAP])  # noqa: SLF001
    return key


def bare_redis(client: Any, key: str) -> Cycle:
    def cycle(n: int) -> None:
        client.get(key)
        client.evalsha(redis_scripts.SWAP, 1, key, TEXTS[1 - n % 2], TEXTS[n % 2], TTL * 1000)

    return cycle


def unprotected_redis(client: Any, key: str) -> Cycle:
    """Remix's commands."""

    def cycle(n: int) -> None:
        client.get(key)
        client.set(key, TEXTS[n % 2], ex=TTL)

    return cycle


def bare_redis_async(client: Any, key: str) -> AsyncCycle:
    async def cycle(n: int) -> None:
        await client.get(key)
        await client.evalsha(redis_scripts.SWAP, 1, key, TEXTS[1 - n % 2], TEXTS[n % 2], TTL * 1000)

    return cycle


def put_in_memcached(server: MemcachedServer) -> str:
    """A record; its key."""
    key = f"bare-{secrets.token_hex(4)}"
    server.client().set(key, TEXTS[1], TTL, noreply=False)
    return key


def bare_memcached(client: Any, key: str) -> Cycle:
    def cycle(n: int) -> None:
        _, version = client.gets(key)
        client.cas(key, TEXTS[n % 2], version, TTL)

    return cycle


def bare_memcached_async(client: Any, key: str) -> AsyncCycle:
    async def cycle(n: int) -> None:
        _, version = await asyncio.to_thread(client.gets, key)
        await asyncio.to_thread(client.cas, key, TEXTS[n % 2], version, TTL)

    return cycle


def pymemcache_of(server: MemcachedServer) -> Any:
    from pymemcache import PooledClient

    return PooledClient((server.host, server.port), no_delay=True, timeout=2, connect_timeout=1)


# -- others -------------------------------------------------------------------------------------------


def flask_session(server: RedisServer) -> Cycles:
    """Flask-Session's own part of a request, without Flask's."""
    import flask
    import redis
    from flask_session.redis import RedisSessionInterface

    app = flask.Flask("benchmark")
    app.config["SECRET_KEY"] = "unused"
    interface = RedisSessionInterface(
        app, redis.Redis(host=server.host, port=server.port), "flask:", serialization_format="json"
    )
    with app.test_request_context() as context:
        session = interface.open_session(app, context.request)
        session.update(DATA)
        response = app.response_class()
        interface.save_session(app, session, response)
        cookie = response.headers["Set-Cookie"].partition(";")[0]
    context = app.test_request_context(headers={"Cookie": cookie})
    context.push()

    def cycle(n: int) -> None:
        session = interface.open_session(app, context.request)
        session["visits"] = n
        session["lastSeen"] = SEEN
        interface.save_session(app, session, app.response_class())

    return timed(cycle)


def starsessions(server: RedisServer, runner: asyncio.Runner) -> Cycles:
    """Starsessions' own part of a request, without Starlette's."""
    from starlette.requests import HTTPConnection
    from starsessions.serializers import JsonSerializer
    from starsessions.session import SessionHandler
    from starsessions.stores.redis import RedisStore

    store = RedisStore(f"redis://{server.host}:{server.port}")

    async def request(session_id: str | None, values: dict[str, object]) -> str:
        connection = HTTPConnection({"type": "http", "headers": []})
        handler = SessionHandler(connection, session_id, store, JsonSerializer(), TTL)
        await handler.load()
        connection.session.update(values)
        return await handler.save(TTL)

    session_id = runner.run(request(None, DATA))
    return atimed(runner, lambda n: request(session_id, {"visits": n, "lastSeen": SEEN}))


@contextlib.contextmanager
def remix(redis: RedisServer, memcached: MemcachedServer) -> Iterator[dict[str, Cycles]]:
    """Remix's two packages, in a Node process that is asked for so many cycles."""
    root = HERE.parent / "tests" / "node"
    if shutil.which("node") is None or not (root / "node_modules/@remix-run/session-storage-redis").exists():
        print("Remix is not measured: Node, or tests/node/node_modules, is missing", file=sys.stderr)
        yield {}
        return
    places = [f"redis://{redis.host}:{redis.port}", f"{memcached.host}:{memcached.port}"]
    script = redis_scripts._texts[redis_scripts.SWAP]  # noqa: SLF001
    command = [
        "node",
        HERE / "servers.mjs",
        root,
        *places,
        json.dumps(DATA),
        script,
        *map(bytes.decode, TEXTS),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as node:
        stdin, stdout = node.stdin, node.stdout
        assert stdin
        assert stdout

        def asks(storage: str) -> Cycles:
            def run(cycles: int) -> Cost:
                stdin.write(f"{storage} {cycles}\n")
                wall, cpu = stdout.readline().split()
                return Cost(float(wall), float(cpu))

            return run

        stdout.readline()
        names = {
            "redis, Remix 3": "redis",
            "redis, node-redis GET SETEX": "setex",
            "redis, node-redis GET EVALSHA": "evalsha",
            "memcached, Remix 3": "memcached",
        }
        yield {name: asks(work) for name, work in names.items()}
        stdin.close()


# -- measuring ----------------------------------------------------------------------------------------


def measure(contenders: dict[str, Cycles], rounds: int, cycles: int) -> dict[str, list[Cost]]:
    for run in contenders.values():
        run(cycles)
    taken = [{name: run(cycles) for name, run in contenders.items()} for _ in range(rounds)]
    return {name: [costs[name] for costs in taken] for name in contenders}


def report(costs: dict[str, list[Cost]]) -> bool:
    """Print what each cost, and whether the bar is met by those that have bare commands beside them."""
    print(f"{'':32}{'time us':>10}{'CPU us':>10}{'time/bare':>12}{'CPU/bare':>12}   bar {BAR}")
    met = True
    for name, taken in costs.items():
        line = f"{name:32}" + "".join(f"{least(taken, kind) / 1000:10.1f}" for kind in (0, 1))
        bare = costs.get(f"{name}, bare")
        if bare is not None:
            ratios = [least(taken, kind) / least(bare, kind) for kind in (0, 1)]
            met = met and max(ratios) <= BAR
            line += "".join(f"{ratio:12.2f}" for ratio in ratios)
            line += "   met" if max(ratios) <= BAR else "   MISSED"
        print(line)
    return met


def least(taken: list[Cost], kind: int) -> float:
    return min(cost[kind] for cost in taken)


# -- many clients at once -----------------------------------------------------------------------------


def throughput(redis: RedisServer, memcached: MemcachedServer, rounds: int, requests: int) -> None:
    """Requests a second of so many clients at once, each with a session of its own; the best of the rounds.

    Beside it how many times the bare commands' that is, and the CPU of a request as a multiple of theirs.
    """
    servers: dict[str, Any] = {"redis": redis, "memcached": memcached}
    cases = [(name, way, clients) for name in servers for way in WAYS for clients in CLIENTS]
    taken: dict[Any, list[Cost]] = {}
    for _ in range(rounds):
        for (name, way, clients), bare in product(cases, (False, True)):
            cpu = time.process_time_ns()
            seconds = WAYS[way](name, servers[name], clients, requests, bare)
            cost = Cost(seconds / requests, (time.process_time_ns() - cpu) / requests)
            taken.setdefault((name, way, clients, bare), []).append(cost)
    print(f"\n{'requests a second':20}{'clients':>8}{'ours':>8}{'bare':>8}{'ratio':>8}{'CPU/bare':>10}")
    for case in cases:
        ours_, bare_ = taken[*case, False], taken[*case, True]
        walls = least(ours_, 0), least(bare_, 0)
        name, way, clients = case
        line = f"{name + ', ' + way:20}{clients:8}{1 / walls[0]:8.0f}{1 / walls[1]:8.0f}{walls[1] / walls[0]:8.2f}"
        print(line + f"{least(ours_, 1) / least(bare_, 1):10.2f}")


def _in_threads(name: str, server: Any, clients: int, requests: int, bare: bool) -> float:
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(clients) as threads:
        cycles = _several(name, server, clients, stack, bare)
        list(threads.map(lambda cycle: timed(cycle)(5), cycles))
        began = time.perf_counter()
        list(threads.map(lambda cycle: timed(cycle)(requests // clients), cycles))
        return time.perf_counter() - began


def _several(name: str, server: Any, clients: int, stack: contextlib.ExitStack, bare: bool) -> list[Cycle]:
    if not bare:
        storage = stack.enter_context(open_storage(server.url, ttl=TTL))
        return [ours(storage) for _ in range(clients)]
    if name == "redis":
        client = stack.enter_context(server.client())
        return [bare_redis(client, put_in_redis(server)) for _ in range(clients)]
    client = pymemcache_of(server)
    stack.callback(client.close)
    return [bare_memcached(client, put_in_memcached(server)) for _ in range(clients)]


def _in_tasks(name: str, server: Any, clients: int, requests: int, bare: bool) -> float:
    async def one(cycle: AsyncCycle, count: int) -> None:
        for n in range(count):
            await cycle(n)

    async def run() -> float:
        async with contextlib.AsyncExitStack() as stack:
            cycles = await _several_async(name, server, clients, stack, bare)
            await asyncio.gather(*(one(cycle, 5) for cycle in cycles))
            began = time.perf_counter()
            await asyncio.gather(*(one(cycle, requests // clients) for cycle in cycles))
            return time.perf_counter() - began

    return asyncio.run(run())


async def _several_async(
    name: str, server: Any, clients: int, stack: contextlib.AsyncExitStack, bare: bool
) -> list[AsyncCycle]:
    if not bare:
        storage = await stack.enter_async_context(open_storage(server.url, ttl=TTL))
        return [ours_async(storage) for _ in range(clients)]
    if name == "redis":
        client = redis_async_of(server)
        stack.push_async_callback(client.aclose)
        return [bare_redis_async(client, put_in_redis(server)) for _ in range(clients)]
    client = pymemcache_of(server)
    stack.callback(client.close)
    return [bare_memcached_async(client, put_in_memcached(server)) for _ in range(clients)]


WAYS = {"threads": _in_threads, "async": _in_tasks}


def redis_async_of(server: RedisServer) -> Any:
    import redis.asyncio

    return redis.asyncio.Redis(host=server.host, port=server.port)


# -- the run ------------------------------------------------------------------------------------------


def contenders_of(
    redis: RedisServer, memcached: MemcachedServer, runner: asyncio.Runner
) -> dict[str, Cycles]:
    found = {
        "redis": timed(ours(open_storage(redis.url, ttl=TTL))),
        "redis, bare": timed(bare_redis(redis.client(), put_in_redis(redis))),
        "redis async": atimed(runner, ours_async(open_storage(redis.url, ttl=TTL))),
        "redis async, bare": atimed(runner, bare_redis_async(redis_async_of(redis), put_in_redis(redis))),
        "memcached": timed(ours(open_storage(memcached.url, ttl=TTL))),
        "memcached, bare": timed(bare_memcached(pymemcache_of(memcached), put_in_memcached(memcached))),
        "redis, redis-py GET SET": timed(unprotected_redis(redis.client(), put_in_redis(redis))),
    }
    if find_spec("flask_session"):
        found["redis, Flask-Session"] = flask_session(redis)
    if find_spec("starsessions"):
        found["redis async, starsessions"] = starsessions(redis, runner)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--check", action="store_true", help="end 1 where the bar is missed")
    parser.add_argument("--throughput", action="store_true", help="requests a second of several clients")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        directory = Path(folder)
        directory.chmod(0o755)
        redis, memcached = RedisServer(directory), MemcachedServer(directory)
        try:
            redis.start()
            memcached.start()
            with remix(redis, memcached) as others:
                contenders = {**contenders_of(redis, memcached, runner), **others}
                met = report(measure(contenders, options.rounds, options.cycles))
            if options.throughput:
                throughput(redis, memcached, options.rounds, 8 * options.cycles)
        finally:
            redis.kill()
            memcached.kill()
    return 0 if met or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
