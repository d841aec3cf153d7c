"""What a command costs from the shell, beside `python -c "import click"`, in turn and in one run.

Bars: `decode` at most 1.5 times, a TAB press at most 1.3 times, `--help` at most 1.5 times, by the clock. The
ratio of processor times is told too: it holds still where other work is on the machine.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 25
PROGRAM = str(Path(sys.executable).parent / "sessionctl")
COOKIE = "session=eyJ1c2VyX2lkIjo0Mn0.awP70w.ztx6gJoVYfMU0-5LnD-jhCLFNFY"
TAB = {"_SESSIONCTL_LINE": "sessionctl in", "_SESSIONCTL_COMPLETE": "bash_complete"}

FLOOR = [sys.executable, "-c", "import click"]
WORK: dict[str, tuple[list[str], dict[str, str], float]] = {
    "decode": ([PROGRAM, "decode", COOKIE], {}, 1.5),
    "decode -f flask": ([PROGRAM, "decode", "-f", "flask", COOKIE], {}, 1.5),
    "TAB": ([PROGRAM], TAB, 1.3),
    "--help": ([PROGRAM, "--help"], {}, 1.5),
    "--version": ([PROGRAM, "--version"], {}, 1.5),
}


def seconds(command: list[str], extra: dict[str, str]) -> tuple[float, float]:
    """Seconds of one run: by the clock, and of processor time."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment | extra, stdout=subprocess.DEVNULL, check=True)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print the median ratios of each, and fail where one is over its bar."""
    worst = 0
    for name, (command, extra, bar) in WORK.items():
        seconds(command, extra)
        pairs = [(seconds(command, extra), seconds(FLOOR, {})) for _ in range(ROUNDS)]
        clock, used = ([ours[n] / floor[n] for ours, floor in pairs] for n in range(2))
        median = statistics.median(clock)
        worst |= median > bar
        print(
            f"{name:<16} {median:5.2f} times import click (bar {bar}, {min(clock):.2f} to {max(clock):.2f}),"
            f" by processor time {statistics.median(used):.2f}"
        )
    return int(worst)


if __name__ == "__main__":
    raise SystemExit(main())
