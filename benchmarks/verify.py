"""How many cookies a second `verify -` judges on one core, from standard input to standard output.

The cookies are made at as many different moments of the last week, as in a log, and hold different IDs. What
counts is the processor time of the process less that of its start with one cookie, so that a busy machine does
little harm. Each is measured beside the floor: a loop that reads the same lines, makes one HMAC-SHA256, decodes
one base64 text and writes one JSON object for each. A ratio of 2 is twice the floor's time. Without a format named,
`? FORMAT` judges the lines of one, `detected` of all in turn, many of them under one name, and `junk` lines of none.
`refused` judges flask cookies that were changed.
Usage: python benchmarks/verify.py [COUNT [FORMAT|? FORMAT|refused|detected|junk ...]]
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
UNNAMED = ("native", "remix", "flask", "itsdangerous", "django", "express")
FLOOR = """
import base64, hmac, json, sys
for line in sys.stdin.buffer:
    tag = hmac.digest(b"benchmark", line, "sha256")
    base64.b64decode(b"eyJ1c2VySWQiOjAsInJvbGUiOiJhZG1pbiJ9")
    sys.stdout.write(json.dumps({"valid": True, "key_index": tag[0], "issued_at": None}) + "\\n")
"""
JUNK = (
    "_ga=GA1.2.{}.1368477899",
    "sid=3f2504e0-4f89-11d3-9a0c-{:012}",
    "GET /index.html?x={} HTTP/1.1",
    "accepted{}",
    "theme={}.dark-blue_mode",
    "{}: not a cookie",
    "id=b64_-{:x}.abcdefghijklmnopqrstuvwxyz",
)
ROUNDS = 3


def seconds(command: list[str], data: bytes) -> float:
    """The processor time of a command that reads the data."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, input=data, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1, 3):  # 1 and 3: not all lines are genuine cookies
        raise SystemExit(f"{command} ended {done.returncode}")
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


def measure(name: str, options: list[str], many: bytes, one: bytes, count: int) -> None:
    """Print a line: how many a second, and the ratio to the floor on the same lines in the same minute."""
    command = [
        sys.executable, "-m", "sessionctl", "verify", "-", "--secret", SECRET, "--now", str(NOW), "--json",
        *options,
    ]  # fmt: skip
    taken, floor = [], []
    for _ in range(ROUNDS):
        taken.append(seconds(command, many) - seconds(command, one))
        floor.append(
            seconds([sys.executable, "-c", FLOOR], many) - seconds([sys.executable, "-c", FLOOR], one)
        )
    best, least = min(taken), min(floor)
    print(f"{name:<16} {count / best:>10,.0f}  {best / count * 1e6:>8.2f}  {best / least:>6.2f}", flush=True)


def main() -> None:
    """Print a line a format, and one each for cookies and for other texts whose format is not named."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    wanted = sys.argv[2:]
    print(
        f"{'format':<16} {'cookies/s':>10}  {'us each':>8}  {'floor':>6}  (processor time, without start-up)"
    )
    for case in CASES:
        if not wanted or case.format in wanted:
            options = ["-f", case.format, *(word for option in case.options for word in ("-O", option))]
            options += ["--max-age", case.age] if case.age else []
            measure(case.format, options, lines_of(case, count), lines_of(case, 1), count)
    for case in CASES:
        if (not wanted and case.format in UNNAMED) or f"? {case.format}" in wanted:
            measure(f"? {case.format}", [], lines_of(case, count), lines_of(case, 1), count)
    if not wanted or "refused" in wanted:
        lines = lines_of(Case("flask", SESSION), count).replace(b"session=ey", b"session=eY")
        measure("refused", ["-f", "flask"], lines, lines[: lines.index(b"\n") + 1], count)
    every = [lines_of(case, count // len(CASES)).splitlines(keepends=True) for case in CASES]
    mixed = [line for lines in zip(*every, strict=True) for line in lines]
    junk = [f"{JUNK[index % len(JUNK)].format(index)}\n".encode() for index in range(count)]
    for name, lines in (("detected", mixed), ("junk", junk)):
        if not wanted or name in wanted:
            measure(name, [], b"".join(lines), lines[0], len(lines))


if __name__ == "__main__":
    main()
