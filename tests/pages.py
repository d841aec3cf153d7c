"""Pages of the documentation, run from top to bottom as somebody would who types what they show.

In a page, a block `python title="app.py"` is a file to write, `console` shows commands behind `$` with what
they print, `sh` holds commands without. All of a page runs in one bash, in an empty directory of an empty home.
What differs at every run (times, refs, cookie texts, ports) is masked; a line `...` stands for any lines.
The pages of formats set their clock by SESSIONCTL_NOW, show no text that is made anew, and are compared to the letter.

`python -m tests.pages PAGE` puts what the commands print now into the page.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import termios
import threading
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.servers import RedisServer, free_port

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(console|sh|\w+ title=\"[^\"]+\")\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = "\x1e"
COLUMNS = 80
HOME = "/home/mj"
"""The home that pages show."""

MASKS = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\dZ", "TIME"),
    (r"\b\d\d:\d\d:\d\d\b", "CLOCK"),
    (r"\w+, \d\d \w+ \d{4} CLOCK GMT", "TIME"),
    (r"less than a second|\b\d+ (second|minute|hour|day|month|year)s?\b", "AWHILE"),
    (r"\(in AWHILE\)|\(AWHILE ago\)", "(AWHILE)"),
    (r"\"seconds\":[\d.]+", "SECONDS"),
    (r"\b[0-9a-f]{12}\b", "REF"),
    (r"[\w.%~+/=-]{40,}", "TEXT"),
    (r"\d+ of 4096 bytes \(\d+%\)", "SIZE"),
    (r"\b\d+\.\d+ ?s\b", "SECONDS"),
    (r"\n +", " "),
    (r"[ ]{2,}", "  "),
]
"""What is not the same at the next run; with the length of a time or a path changes where lines are broken."""


class Step(NamedTuple):
    """A command, what the page shows of its output (None: nothing is shown), and where that stands."""

    command: str
    shown: str | None
    start: int = 0
    end: int = 0


def steps_of(page: str) -> list[Step]:
    """The commands of a page, those that write its files too."""
    found = []
    for block in BLOCK.finditer(page):
        kind, body = block[1], block[2]
        if "title=" in kind:
            found.append(Step(_write(kind.split('"')[1], body), None))
        elif kind == "sh":
            found.append(Step(body.rstrip("\n"), None))
        else:
            found += _commands(body, block.start(2))
    return found


def _write(name: str, body: str) -> str:
    return f"cat > {name} <<'END OF FILE'\n{body}END OF FILE"


def _commands(body: str, offset: int) -> list[Step]:
    found = []
    for part in re.finditer(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", body, re.MULTILINE):
        command = part[1].rstrip("\n").replace("\n> ", "\n")
        found.append(Step(command, part[2], offset + part.start(2), offset + part.end(2)))
    return found


def masked(text: str) -> str:
    """A text without what differs at every run."""
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def exactly(text: str) -> str:
    """A text as it is, but for line ends."""
    return text.strip("\n")


def reading_of(path: Path) -> Callable[[str], str]:
    """How the texts of a page are compared."""
    return exactly if path.parent.name == "formats" else masked


def fits(shown: str, printed: str, reading: Callable[[str], str] = masked) -> bool:
    """Whether what a page shows is what was printed."""
    parts = [re.escape(reading(part)) for part in re.split(r"(?:^|(?<=\n))\.\.\.(?=\n|$)", shown)]
    return re.fullmatch(r"[\s\S]*".join(parts), reading(printed)) is not None


class Place:
    """Where a page runs: a home, ports in place of the usual ones, a Redis server if the page has one."""

    def __init__(self, folder: Path, page: str) -> None:
        self.home = _short_home()
        (self.home / "shop").mkdir()
        used = dict.fromkeys(re.findall(r"localhost:(\d{4})\b", page))
        self.ports = {usual: str(free_port()) for usual in used}  # in the order that their servers start
        if 'from "playwright"' in page:
            _install_playwright(self.home / "shop")
        self.redis = None
        if "redis://localhost" in page:
            self.redis = RedisServer(folder)
            self.redis.start()
            self.ports["6379"] = str(self.redis.port)

    def here(self, text: str) -> str:
        """A text of the page as it holds here."""
        text = re.sub(r"redis://localhost(?=/)", "redis://localhost:6379", text)
        for usual, real in self.ports.items():
            text = re.sub(rf"(?<=[: ]){usual}\b", real, text)
        return text.replace("chromium.launch()", f"chromium.launch({_chromium()})")

    def there(self, text: str) -> str:
        """What was printed here as the page shows it."""
        for usual, real in self.ports.items():
            text = text.replace(real, usual)
        return text.replace(str(self.home), HOME).replace("redis://localhost:6379", "redis://localhost")

    def close(self) -> None:
        """End the server, and remove the home."""
        if self.redis is not None:
            self.redis.kill()
        shutil.rmtree(self.home)


def _short_home() -> Path:
    """A new directory whose path is as long as `HOME`, so that lines break where the page shows it."""
    for letters in permutations(string.ascii_lowercase, len(HOME) - len("/tmp/")):
        home = Path("/tmp") / "".join(letters)
        with suppress(FileExistsError):
            home.mkdir(mode=0o700)
            return home
    raise AssertionError("no name is left in /tmp")


def _install_playwright(folder: Path) -> None:
    """What `npm install playwright` brings, without browsers of its own."""
    installed = ROOT / "tests/node/node_modules/playwright-core"
    if not installed.exists():
        pytest.skip("playwright-core IS MISSING: scripts/install-node installs it")
    (folder / "node_modules").mkdir()
    (folder / "node_modules/playwright").symlink_to(installed)


def _chromium() -> str:
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium") or ""
    return f'{{ executablePath: "{path}", args: ["--no-sandbox"] }}'


FUNCTIONS = """\
up() { for i in $(seq 200); do (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null && return; sleep 0.1; done; }
mark() { local status=$?; printf '\\x1e'; return $status; }
"""


def run_page(page: str, folder: Path) -> list[tuple[Step, str]]:
    """Run all of it; each command with what it printed, on either stream."""
    steps = steps_of(page)
    place = Place(folder, page)
    try:
        printed = _bash(_script(steps, place), place).split(MARK)
    finally:
        place.close()
    assert len(printed) == len(steps) + 1, f"bash ended before the page: {printed[-1]}"
    return [(step, place.there(text)) for step, text in zip(steps, printed, strict=False)]


def _script(steps: list[Step], place: Place) -> str:
    """All of it for one bash. What is left running in the background is waited for, until it listens."""
    lines, ports = [FUNCTIONS], list(place.ports.values())
    for step in steps:
        lines.append(place.here(step.command))
        if step.command.endswith("&"):
            lines.append(f"up {ports.pop(0)}")
        lines.append("mark")
    return "\n".join(lines) + "\n"


def _bash(script: str, place: Place) -> str:
    environment = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("SESSIONCTL", "XDG_")) and name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
    }  # fmt: skip
    environment |= {
        "HOME": str(place.home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "TERM": "dumb", "NO_COLOR": "1",
    }  # fmt: skip
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (50, COLUMNS))
    process = subprocess.Popen(
        ["bash", "-s"], cwd=place.home / "shop", env=environment, start_new_session=True,
        stdin=subprocess.PIPE, stdout=terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    reader = _Reader(screen)
    reader.start()
    try:
        process.communicate(script.encode(), timeout=120)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the page's servers too
        reader.join(10)
        os.close(screen)
    return reader.text


class _Reader(threading.Thread):
    """Takes what a terminal shows, until nobody has it open any more."""

    def __init__(self, screen: int) -> None:
        super().__init__(daemon=True)
        self._screen = screen
        self._read = b""

    def run(self) -> None:
        """Read until the end, which a pseudo-terminal tells as an error."""
        with suppress(OSError):
            while chunk := os.read(self._screen, 65536):
                self._read += chunk

    @property
    def text(self) -> str:
        """What was read."""
        return self._read.decode().replace("\r\n", "\n")


def renewed(path: Path, folder: Path) -> str:
    """The page with what its commands print now, where that is not what it shows."""
    page = path.read_text(encoding="utf-8")
    for step, printed in reversed(run_page(page, folder)):
        if step.shown is not None and not fits(step.shown, printed, reading_of(path)):
            page = page[: step.start] + printed.removesuffix("\n") + "\n" * bool(printed) + page[step.end :]
    return page


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as made:
            Path(name).write_text(renewed(Path(name), Path(made)), encoding="utf-8")
