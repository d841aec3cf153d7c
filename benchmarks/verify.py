"""How many cookies a second `verify -` judges on one core, from standard input to standard output.

The floor is `cat`'s work in the same process: read the lines and write one JSON object for each.
Usage: python benchmarks/verify.py [COUNT]
"""

from __future__ import annotations

import subprocess
import sys
import time

from sessionctl import formats

SECRET = "benchmark-secret-with-more-than-32-characters"
FORMATS = (
    "native", "remix", "flask", "itsdangerous", "starlette", "django", "express", "react-router", "fastify-cookie",
    "hono", "tornado", "jwt", "flask-login",
)  # fmt: skip
FLOOR = """
import json, sys
for line in sys.stdin.buffer:
    sys.stdout.write(json.dumps({"valid": True, "cookie": line.decode().strip()[:10]}) + "\\n")
"""


def seconds(command: list[str], data: bytes) -> float:
    """CPU seconds are not to be had of a child alone, so this is wall time of a process that never waits."""
    start = time.perf_counter()
    subprocess.run(command, input=data, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print a line a format."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    print(f"{'format':<16} {'cookies/s':>10}  {'us each':>8}  (without start-up)")
    for name in FORMATS:
        form = formats.get(name)
        data = {"userId": 42, "role": "admin"} if form.holds_session else "a" * 32
        if name in ("tornado", "flask-login"):
            data = "some text"
        cookie = form.encode(data, [SECRET], cookie_name=next(iter(form.cookie_names), "session"))
        pair = f"{next(iter(form.cookie_names), 'session')}={cookie}\n".encode()
        command = [
            sys.executable,
            "-m",
            "sessionctl",
            "verify",
            "-",
            "-f",
            name,
            "--secret",
            SECRET,
            "--json",
        ]
        start_up = min(seconds(command, pair) for _ in range(3))
        taken = min(seconds(command, pair * count) for _ in range(2)) - start_up
        print(f"{name:<16} {count / taken:>10,.0f}  {taken / count * 1e6:>8.2f}")
    floor = seconds([sys.executable, "-c", FLOOR], pair * count)
    print(f"{'floor (json)':<16} {count / floor:>10,.0f}  {floor / count * 1e6:>8.2f}")


if __name__ == "__main__":
    main()
