"""`sessionctl purge` of session files, compared with `find -delete` on the same files in the same run.

    python benchmarks/purge.py [COUNT] [--rounds N] [--directory DIR] [--check]

A round makes COUNT sessions (1,000,000 unless told otherwise) of 100 bytes, saved 90 days ago, and has one
contender delete them; the contenders take turns, and turns at being first. What the disk still has to write
is written before the clock starts. CPU is what the operating system charged to the process and its children,
memory that of the largest of them.
`--check` ends 1 where a bar is missed: twice find's CPU, 1.25 times its wall time, 40 MiB. Wall time depends
on the file system's journal more than on either program: give `--directory` a quiet disk, or /dev/shm.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

RECORD = (
    b'[{"userId":"8c1fae31-5f0b-4a1e-9d55-1d2f3a4b5c6d","role":"editor","csrf":"kXn3q0s7bYvZ2mWc8LrT"},{}]'
)
CPU_BAR, WALL_BAR, MEMORY_BAR = 2.0, 1.25, 40.0
FIND = "find -delete"
_KIB = 1024


class Cost(NamedTuple):
    """Seconds, and MiB at the most."""

    wall: float
    cpu: float
    memory: float


def fill(directory: Path, count: int) -> None:
    """Make that many old sessions."""
    then = time.time() - 90 * 86400
    for shard in range(256):
        (directory / f"{shard:02x}").mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(count):
        name = hashlib.sha256(str(number).encode()).hexdigest()
        path = f"{directory}/{name[:2]}/{name[2:]}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(file, RECORD)
        os.utime(file, (then, then))
        os.close(file)
    os.sync()


def cost(command: list[str]) -> Cost:
    """What one run takes."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _KIB)


def contenders(directory: Path) -> dict[str, list[str]]:
    """The commands by name; `find` is the reference."""
    purge = [
        sys.executable, "-m", "sessionctl", "purge", "--older-than", "30d", "--quiet", "-s", f"fs:{directory}",
    ]  # fmt: skip
    return {
        "purge": purge,
        "purge --jobs 2": [*purge, "--jobs", "2"],
        FIND: ["find", str(directory), "-type", "f", "-mmin", "+43200", "-delete"],
    }


def measure(directory: Path, count: int, rounds: int) -> dict[str, list[Cost]]:
    """Every contender's costs; after each run nothing is left."""
    costs: dict[str, list[Cost]] = {name: [] for name in contenders(directory)}
    for number in range(rounds):
        commands = list(contenders(directory).items())
        for name, command in commands[number % 3 :] + commands[: number % 3]:
            fill(directory, count)
            costs[name].append(cost(command))
            print(f"round {number + 1}, {name}: {_line(costs[name][-1])}", file=sys.stderr)
            left = sum(len(files) for _, _, files in os.walk(directory))
            if left:
                raise SystemExit(f"{name} has left {left} files")
            shutil.rmtree(directory)
    return costs


def _line(run: Cost) -> str:
    return f"{run.wall:.2f} s, {run.cpu:.2f} s of CPU, {run.memory:.1f} MiB"


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):8.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> int:
    """Print a line a contender, and the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    print(
        f"{options.count} files, {options.rounds} rounds; {platform.platform()}, Python {platform.python_version()}"
    )
    with tempfile.TemporaryDirectory(dir=options.directory) as temporary:
        costs = measure(Path(temporary) / "sessions", options.count, options.rounds)
    print(f"{'':<18} {'wall s':>28} {'CPU s':>28} {'MiB':>8}")
    for name, runs in costs.items():
        wall, cpu, memory = zip(*runs, strict=True)
        print(f"{name:<18} {_spread(list(wall)):>28} {_spread(list(cpu)):>28} {max(memory):>8.1f}")
    find = costs.pop(FIND)
    missed = [name for name, runs in costs.items() if _misses(name, runs, find)]
    return 1 if options.check and missed else 0


def _misses(name: str, ours: list[Cost], find: list[Cost]) -> bool:
    """Print the ratios of the medians; whether one is over its bar."""
    cpu = statistics.median(run.cpu for run in ours) / statistics.median(run.cpu for run in find)
    wall = statistics.median(run.wall for run in ours) / statistics.median(run.wall for run in find)
    memory = max(run.memory for run in ours)
    print(
        f"{name}: CPU {cpu:.2f} (bar {CPU_BAR}), wall {wall:.2f} (bar {WALL_BAR}), {memory:.1f} MiB (bar {MEMORY_BAR})"
    )
    return cpu > CPU_BAR or wall > WALL_BAR or memory > MEMORY_BAR


if __name__ == "__main__":
    sys.exit(main())
