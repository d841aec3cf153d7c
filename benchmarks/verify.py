"""How many cookies a second `verify -` judges on one core, from standard input to standard output.

The cookies are made at as many different moments of the last week, as in a log, and hold different IDs. What
counts is the processor time of the process less that of its start with one cookie, so that a busy machine does
little harm. The floor is `cat`'s work in the same process: read the lines and write one JSON object for each.
Usage: python benchmarks/verify.py [COUNT [FORMAT ...]]
"""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import NamedTuple

from sessionctl import formats
from sessionctl.signing import KeyRing

SECRET = "benchmark-secret-with-more-than-32-characters"
DISTINCT = 5_000
WEEK = 7 * 86400.0
NOW = 1_795_600_000.0


class Case(NamedTuple):
    """A format, what its cookies hold (it gets a number), its options, and an age limit above the framework's own."""

    format: str
    data: object = None
    options: tuple[str, ...] = ()
    age: str = ""


SESSION = {"userId": 0, "role": "admin"}
TEXT = "user-{:032}"
CASES = (
    Case("native", SESSION),
    Case("remix", SESSION),
    Case("react-router", SESSION),
    Case("flask", SESSION),
    Case("itsdangerous", SESSION),
    Case("starlette", SESSION),
    Case("django", SESSION),
    Case("django-signed", SESSION),
    Case("express", TEXT),
    Case("cookie-session", SESSION),
    Case("fastify-cookie", TEXT),
    Case("hono", TEXT),
    Case("jwt", SESSION),
    Case("tornado", TEXT),
    Case("flask-login", TEXT),
    Case("pyramid", SESSION, age="8d"),
    Case("bottle", SESSION),
    Case("werkzeug", SESSION),
    Case("gorilla", SESSION),
    Case("rails", SESSION, ("kind=signed",)),
    Case("rack", SESSION, ("mode=signed", "serializer=json")),
    Case("plug", SESSION, ("signing-salt=salt",)),
)
FLOOR = """
import json, sys
for line in sys.stdin.buffer:
    sys.stdout.write(json.dumps({"valid": True, "cookie": line.decode().strip()[:10]}) + "\\n")
"""


def seconds(command: list[str], data: bytes) -> float:
    """The processor time of a command that reads the data."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=data, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def lines_of(case: Case, count: int) -> bytes:
    """So many lines with a pair, or a header where the signature is another cookie."""
    options = {
        key.replace("-", "_"): value for key, _, value in (pair.partition("=") for pair in case.options)
    }
    form = formats.get(case.format, **options)
    name = next(iter(form.cookie_names), "session")
    lines = []
    for number in range(min(count, DISTINCT)):
        data = case.data.format(number) if isinstance(case.data, str) else {**SESSION, "userId": number}
        made = {"cookie_name": name, "now": NOW - WEEK * number / DISTINCT}
        text = form.encode(data, [SECRET], **made)
        cookies = {name: text, **form.companions(text, formats.Context(keys=KeyRing([SECRET]), **made))}
        lines.append("; ".join(f"{key}={value}" for key, value in cookies.items()))
    return "".join(f"{lines[index % len(lines)]}\n" for index in range(count)).encode()


def main() -> None:
    """Print a line a format."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    print(f"{'format':<16} {'cookies/s':>10}  {'us each':>8}  (processor time, without start-up)")
    for case in CASES:
        if sys.argv[2:] and case.format not in sys.argv[2:]:
            continue
        command = [
            sys.executable, "-m", "sessionctl", "verify", "-", "-f", case.format,
            "--secret", SECRET, "--now", str(NOW), "--json",
            *(word for option in case.options for word in ("-O", option)),
            *(("--max-age", case.age) if case.age else ()),
        ]  # fmt: skip
        many = lines_of(case, count)
        start_up = min(seconds(command, lines_of(case, 1)) for _ in range(3))
        taken = min(seconds(command, many) for _ in range(3)) - start_up
        print(f"{case.format:<16} {count / taken:>10,.0f}  {taken / count * 1e6:>8.2f}", flush=True)
    floor = min(seconds([sys.executable, "-c", FLOOR], many) for _ in range(2))
    print(f"{'floor (json)':<16} {count / floor:>10,.0f}  {floor / count * 1e6:>8.2f}")


if __name__ == "__main__":
    main()
