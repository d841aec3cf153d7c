"""One request's session work, timed against Remix 3 on Node, bare itsdangerous, and the floor of both.

    python benchmarks/cycle.py [--rounds N] [--cycles N] [--directory DIR] [--check]

A cycle is: parse the Cookie header, read the session (about 200 bytes of data), set two keys, save, make the
Set-Cookie header. All contenders take turns in every round, and the medians of the rounds are compared, so
that a machine that is busy for a while slows all of them. Two times are told: by the clock, which other work
on the machine lengthens, and of processor time, which holds still; Node's counts all of its threads. Files
lie in `--directory`, whose file system is half of what `fs:` costs. `--check` ends 1 where a bar of the design
is missed by the clock.

Node 20 and npm are needed for Remix; its two packages are installed into `.cache/` unless `tests/node` has
them.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from itsdangerous import URLSafeTimedSerializer

from sessionctl import Cookie, Session, open_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sessionctl import SessionStorage

    Times = tuple[float, float]
    """Nanoseconds of one cycle: by the clock, and of processor time."""

    Cycles = Callable[[int], Times]
    """Runs so many cycles."""

HERE = Path(__file__).parent
PACKAGES = ("@remix-run/session@0.4.2", "@remix-run/cookie@0.5.3")
SECRET = "s3cret-of-the-benchmark"
DATA = {
    "userId": "8c1fae31-5f0b-4a1e-9d55-1d2f3a4b5c6d",
    "name": "Mary Jackson",
    "role": "editor",
    "csrf": "kXn3q0s7bYvZ2mWc8LrT5uEa",
    "cart": [{"sku": "A-1001", "n": 2}, {"sku": "B-2002", "n": 1}],
    "visits": 41,
}
SEEN = "2026-01-31T12:00:00Z"
SUFFIX = "; HttpOnly; Path=/; SameSite=Lax; Secure"

BARS = [
    # contender, reference, "at least so many times as fast" or "at most so many times as long"
    ("cookie: remix", "Remix 3, cookie", 15.0),
    ("cookie: remix", "floor", 1 / 2.5),
    ("cookie: native", "Remix 3, cookie", 10.0),
    ("cookie: native", "URLSafeTimedSerializer", 3.0),
    ("fs: native", "Remix 3, fs", 4.0),
]


def header_of(set_cookie: str) -> str:
    """The Cookie header of a browser that keeps this cookie and two others."""
    return f"theme=dark; {set_cookie.partition(';')[0]}; _ga=GA1.1.1234567890.1234567890"


def timed(cycle: Callable[[int], object]) -> Cycles:
    def run(cycles: int) -> Times:
        used, started = time.process_time_ns(), time.perf_counter_ns()
        for n in range(cycles):
            cycle(n)
        clock, used = time.perf_counter_ns() - started, time.process_time_ns() - used
        return clock / cycles, used / cycles

    return run


def ours(storage: SessionStorage, cookie_format: str) -> Cycles:
    """A cycle as an application does it with this package."""
    cookie = Cookie("session", [SECRET], cookie_format)
    session = Session()
    session.update(DATA)
    header = header_of(cookie.serialize(storage.save(session) or ""))

    def cycle(n: int) -> str:
        session = storage.read(cookie.parse(header))
        session.set("visits", n)
        session.set("lastSeen", SEEN)
        return cookie.serialize(storage.save(session) or "")

    return timed(cycle)


def floor() -> Cycles:
    """The least that a signed cookie needs: one HMAC, base64 and JSON each way, by the fastest that there is."""
    read, write = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    key = SECRET.encode()

    def sign(value: object) -> str:
        payload = base64.b64encode(write(value))
        tag = base64.b64encode(hmac.digest(key, payload, "sha256"))
        return f"session={payload.decode()}.{tag.decode()}{SUFFIX}"

    header = header_of(sign({"i": "x" * 43, "d": [DATA, {}]}))

    def cycle(n: int) -> str:
        text = header.partition("session=")[2].partition(";")[0]
        payload, _, tag = text.rpartition(".")
        if not hmac.compare_digest(
            base64.b64encode(hmac.digest(key, payload.encode(), "sha256")), tag.encode()
        ):
            raise ValueError
        value = read(base64.b64decode(payload))
        value["d"][0]["visits"] = n
        value["d"][0]["lastSeen"] = SEEN
        return sign(value)

    return timed(cycle)


def itsdangerous() -> Cycles:
    """The same cookie as `native`, by the serializer of itsdangerous itself."""
    serializer = URLSafeTimedSerializer(
        SECRET,
        salt="sessionctl.cookie",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
    header = header_of(f"session={serializer.dumps({'i': 'x' * 43, 'd': [DATA, {}]})}")

    def cycle(n: int) -> str:
        value = serializer.loads(header.partition("session=")[2].partition(";")[0])
        value["d"][0]["visits"] = n
        value["d"][0]["lastSeen"] = SEEN
        return f"session={serializer.dumps(value)}{SUFFIX}"

    return timed(cycle)


# -- Remix on Node ------------------------------------------------------------------------------------


def remix_packages() -> Path | None:
    """A folder whose node_modules hold Remix, or None where Node or npm is missing."""
    tests = HERE.parent / "tests" / "node"
    if shutil.which("node") is None:
        return None
    if (tests / "node_modules/@remix-run/session").exists():
        return tests
    cache = HERE.parent / ".cache" / "remix"
    if not (cache / "node_modules/@remix-run/session").exists():
        if shutil.which("npm") is None:
            return None
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-save", "--prefix", cache, *PACKAGES], check=True)
    return cache


@contextlib.contextmanager
def remix(folder: Path) -> Iterator[dict[str, Cycles]]:
    """Remix's two storages, in a Node process that is asked for so many cycles."""
    root = remix_packages()
    if root is None:
        print("Remix is not measured: Node 20 and npm are not installed", file=sys.stderr)
        yield {}
        return
    command = ["node", str(HERE / "cycle.mjs"), str(root), str(folder), json.dumps(DATA)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as node:
        stdin, stdout = node.stdin, node.stdout
        assert stdin
        assert stdout

        def asks(storage: str) -> Cycles:
            def run(cycles: int) -> Times:
                stdin.write(f"{storage} {cycles}\n")
                clock, used = stdout.readline().split()
                return float(clock), float(used)

            return run

        stdout.readline()
        yield {"Remix 3, cookie": asks("cookie"), "Remix 3, fs": asks("fs")}
        stdin.close()


# -- the run ------------------------------------------------------------------------------------------


def measure(contenders: dict[str, Cycles], rounds: int, cycles: int) -> dict[str, Times]:
    """The times of a cycle, each the median of rounds in which all contenders take turns."""
    for run in contenders.values():
        run(5 * cycles)
    taken = [{name: run(cycles) for name, run in contenders.items()} for _ in range(rounds)]
    return {name: median([times[name] for times in taken]) for name in contenders}


def median(times: list[Times]) -> Times:
    clock, used = zip(*times, strict=True)
    return statistics.median(clock), statistics.median(used)


def report(times: dict[str, Times]) -> bool:
    """Print the times and what became of each bar; whether all are met by the clock."""
    print(f"{'microseconds a cycle':24} {'clock':>8} {'processor':>10}")
    for name, (clock, used) in times.items():
        print(f"{name:24} {clock / 1000:8.1f} {used / 1000:10.1f}")
    print()
    met = True
    for name, reference, factor in BARS:
        if reference not in times:
            print(f"{name:16} not compared with {reference}")
            continue
        speed, by_processor = (times[reference][n] / times[name][n] for n in range(2))
        met = met and speed >= factor
        print(
            f"{name:16} {ratio(speed):>22} {reference:24} bar {ratio(factor):22} {verdict(speed >= factor):8}"
            f" by processor time {ratio(by_processor).partition(' ')[0]}"
        )
    return met


def ratio(speed: float) -> str:
    return f"{speed:.1f} times as fast as" if speed >= 1 else f"{1 / speed:.2f} times as long as"


def verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--directory", help="where the files lie (default: the system's for temporary files)")
    parser.add_argument("--check", action="store_true", help="end 1 where a bar is missed")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=options.directory) as folder,
        remix(Path(folder) / "remix") as others,
    ):
        contenders = {
            "floor": floor(),
            "cookie: remix": ours(open_storage("cookie:"), "remix"),
            "cookie: native": ours(open_storage("cookie:"), "native"),
            "fs: native": ours(open_storage(f"fs:{folder}/ours"), "native"),
            "URLSafeTimedSerializer": itsdangerous(),
            **others,
        }
        met = report(measure(contenders, options.rounds, options.cycles))
    return 0 if met or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
