"""What a command costs from the shell, beside `python -c "import click"`, in turn and in one run.

Bars: `decode` at most 1.5 times, a TAB press at most 1.3 times, `--help` at most 1.5 times.
"""

from __future__ import annotations

import os
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


def seconds(command: list[str], extra: dict[str, str]) -> float:
    """Wall seconds of one run."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, env=environment | extra, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> int:
    """Print the median ratio of each, and fail where one is over its bar."""
    worst = 0
    for name, (command, extra, bar) in WORK.items():
        seconds(command, extra)
        ratios = [seconds(command, extra) / seconds(FLOOR, {}) for _ in range(ROUNDS)]
        median = statistics.median(ratios)
        worst |= median > bar
        print(
            f"{name:<16} {median:5.2f} times import click (bar {bar}, {min(ratios):.2f} to {max(ratios):.2f})"
        )
    return int(worst)


if __name__ == "__main__":
    raise SystemExit(main())
