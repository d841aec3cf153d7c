"""Answers at a terminal, as wide as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import click
import pexpect
import pytest
from rich.cells import cell_len
from rich.style import Style

from sessionctl import open_storage
from sessionctl.cli.views.console import COLORS
from sessionctl.cli.wrapping import INDENT

if TYPE_CHECKING:
    from pathlib import Path


def screen(columns: int, *arguments: str, **environment: str) -> list[str]:
    """The lines that the program prints on a terminal of so many columns, without styles."""
    return [click.unstyle(line) for line in styled_screen(columns, *arguments, **environment)]


def styled_screen(columns: int, *arguments: str, **environment: str) -> list[str]:
    """The same with styles."""
    kept = {key: value for key, value in os.environ.items() if key not in ("LINES", "COLUMNS")}
    program = pexpect.spawn(
        sys.executable,
        ["-m", "sessionctl", *arguments],
        env={**kept, "TERM": "xterm", "NO_COLOR": "1", "PAGER": "cat", **environment},
        dimensions=(24, columns),
        encoding="utf-8",
        timeout=30,
    )
    program.expect(pexpect.EOF)
    program.close()
    return str(program.before).replace("\r\n", "\n").splitlines()


@pytest.fixture
def store(tmp_path: Path, home: Path) -> str:
    """A store of one session of user 42."""
    storage = open_storage(f"fs:{tmp_path / 'store'}")
    session = storage.read(None)
    session.set("userId", 42)
    storage.save(session)
    return f"fs:{tmp_path / 'store'}?ttl=30d"


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (80, ["REF", "SIZE", "LAST", "SAVED", "EXPIRES", "userId"]),
        (50, ["REF", "SIZE", "LAST", "SAVED", "EXPIRES", "userId"]),
        (44, ["REF", "LAST", "SAVED", "EXPIRES", "userId"]),
        (40, ["REF", "SIZE", "LAST", "SAVED", "userId"]),
        (25, ["REF", "userId"]),
    ],
    ids=["80 columns", "50 columns", "44 columns", "40 columns", "25 columns"],
)
def test_what_was_asked_for_stays(store: str, columns: int, headings: list[str]) -> None:
    """Where the table has no room, what is always there gives way to what was asked for, and that is said."""
    head, row, *said = screen(columns, "list", "-s", store, "--columns", "userId")
    assert head.split() == headings
    assert row.split()[-1] == "42"
    assert max(len(head), len(row)) <= columns
    missing = [name for name in ("SIZE", "LAST SAVED", "EXPIRES") if name not in head]
    assert bool(said) == bool(missing)
    assert all(name in " ".join(said) for name in missing)


def test_times_to_the_day(store: str) -> None:
    """Where the table is too wide its times are told to the day; none is cut."""
    head, row, *said = screen(40, "list", "-s", store)
    assert head == "REF           LAST SAVED  EXPIRES"
    assert re.fullmatch(r"[0-9a-f]{12}(  \d{4}-\d\d-\d\d){2}", row)
    assert said == ["sessionctl: no room for SIZE;", "  --json tells all"]


def test_no_tab_is_shown_as_an_escape(store: str, tmp_path: Path) -> None:
    """What is parted by tabs in a pipe is parted by blanks here."""
    for path in (tmp_path / "store").rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    lines = screen(200, "purge", "--older-than", "30d", "-s", store, "--dry-run", "-v")
    assert any("  2023-11-14T22:13:20" in line for line in lines)
    assert not any("\\t" in line for line in lines)


def test_stats_in_words(store: str) -> None:
    """The spread of sizes and ages is told in words, and fits the screen."""
    lines = screen(80, "stats", "-s", store)
    assert "1 session, " in " ".join(lines)
    assert any(line.startswith("size   18 bytes to 18 bytes, half within 18 bytes") for line in lines)
    assert max(map(len, lines)) <= 80


LONG_PATH = "/srv/applications/shop/shared/var/lib/sessions/of/the/shop"


@pytest.mark.parametrize("columns", [80, 60, 40])
@pytest.mark.parametrize(
    "arguments",
    [
        ("formats",),
        ("formats", "laravel"),
        ("help", "storages"),
        ("help", "options"),
        ("config", "show"),
        ("purge", "--older-than", "30d"),
        ("purge", "--older-than", "30d", "-s", f"fs:{LONG_PATH}"),
        ("inspect", "-f", "php", "-s", f"fs:{LONG_PATH}", "1ue3if4f29ugn8bg1pdh0buvt9"),
        ("inspect", "9e107d9d372bb6826bd81d3542a419d6"),
        ("doctor", "Set-Cookie: csrftoken=vUqjbRyVLGCFzNzA1cvTYB9kRBQxQ4za; Path=/"),
    ],
    ids=" ".join,
)
def test_words_are_whole(home: Path, columns: int, arguments: tuple[str, ...]) -> None:
    """No line goes over the edge but for what is longer than a line, or a command; words come whole as in a pipe."""
    lines = screen(columns, *arguments)
    for line in lines:
        longest = max(map(len, line.split()), default=0)
        is_command = line.startswith("    sessionctl ") or "'sessionctl " in line
        assert len(line) <= columns or longest + INDENT > columns or is_command, line
    piped = subprocess.run(
        [sys.executable, "-m", "sessionctl", *arguments], capture_output=True, text=True, check=False
    )
    told = [word for word in f"{piped.stdout} {piped.stderr}".split() if not word.startswith("0.")]
    assert Counter(told) <= Counter(" ".join(lines).split())


def luminance(style: str) -> float:
    """How bright the colour of a style is (WCAG 2.2, relative luminance)."""
    color = Style.parse(style).color
    assert color is not None
    parts = [part / 255 for part in color.get_truecolor()]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("style", COLORS.values(), ids=COLORS)
def test_colours_on_white_and_on_black(style: str) -> None:
    """Each colour can be read whatever the terminal's background is."""
    bright = luminance(style)
    assert min(1.05 / (bright + 0.05), (bright + 0.05) / 0.05) >= 3.95


@pytest.mark.parametrize(
    ("term", "seen"), [("xterm-256color", "\x1b[1;38;5;130mwarning"), ("screen", "\x1b[35mwarning")]
)
def test_colours_that_a_terminal_has(home: Path, term: str, seen: str) -> None:
    """A warning is orange where the terminal has that, else magenta: yellow is not to be seen on white."""
    header = "Set-Cookie: csrftoken=vUqjbRyVLGCFzNzA1cvTYB9kRBQxQ4za; Path=/"
    program = subprocess.run(
        [sys.executable, "-m", "sessionctl", "doctor", header, "--color", "always"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "TERM": term, "COLORTERM": "", "NO_COLOR": ""},
    )  # fmt: skip
    assert seen in program.stdout


@pytest.mark.parametrize(
    ("told", "option", "styled"),
    [
        ({"FORCE_COLOR": "1"}, "auto", True),
        ({"FORCE_COLOR": "0"}, "auto", False),
        ({"FORCE_COLOR": ""}, "auto", False),
        ({"FORCE_COLOR": "1"}, "never", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({}, "always", True),
        ({}, "auto", False),
    ],
)
def test_colours_into_a_pipe(home: Path, told: dict[str, str], option: str, styled: bool) -> None:
    """The option comes before the environment; with colours as without the lines are whole there."""
    header = "Set-Cookie: session=dark; Path=/; HttpOnly; Secure"
    kept = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "NO_COLOR")}
    program = subprocess.run(
        [sys.executable, "-m", "sessionctl", "doctor", header, "--color", option],
        capture_output=True, text=True, check=False, env={**kept, "TERM": "xterm", "COLUMNS": "40", **told},
    )  # fmt: skip
    assert ("\x1b[1;31merror" in program.stdout) is styled
    assert max(map(len, click.unstyle(program.stdout).splitlines())) > 80


@pytest.mark.parametrize(
    ("told", "option", "bold"),
    [
        ({}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({"FORCE_COLOR": "0"}, "auto", True),
        ({}, "never", False),
        ({"TERM": "dumb"}, "always", False),
    ],
)
def test_heading_of_a_table(store: str, told: dict[str, str], option: str, bold: bool) -> None:
    """The heading of `list` is bold on a terminal by the rules of everything else."""
    lines = styled_screen(80, "list", "-s", store, "--color", option, **{"NO_COLOR": "", **told})
    assert lines[0].startswith("\x1b[1m" if bold else "REF")


@pytest.mark.parametrize("option", ["auto", "always", "never"])
def test_lines_break_with_colours_and_without(home: Path, option: str) -> None:
    """A report is as wide as the terminal, its texts broken between words, whether or not it has styles."""
    header = "Set-Cookie: session=dark; Path=/; HttpOnly; Secure"
    lines = [click.unstyle(line) for line in styled_screen(40, "doctor", header, "--color", option)]
    assert max(map(len, lines)) <= 40


def test_a_terminal_without_codes(store: str) -> None:
    """TERM=dumb gets no styles, and lines as long as it is wide."""
    lines = styled_screen(40, "list", "-s", store, TERM="dumb", NO_COLOR="")
    assert lines[0].startswith("REF")
    report = styled_screen(40, "doctor", "Set-Cookie: theme=dark; Path=/", TERM="dumb", NO_COLOR="")
    assert max(map(len, report)) <= 40


def test_stats_where_the_encoding_has_no_bars(home: Path, store: str) -> None:
    """Bars are drawn by a sign that the encoding of standard output has."""
    for encoding, bar in (("utf-8", "█"), ("latin-1", "#"), ("ascii", "#")):
        program = subprocess.run(
            [sys.executable, "-m", "sessionctl", "stats", "-s", store],
            capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert f"  1h       {bar * 40} 1" in program.stdout.decode(encoding)


def test_what_a_session_holds(home: Path) -> None:
    """Values stand beside their names, or below long ones; what is longer than a line stays whole, to be copied."""
    long, url = "a_rather_long_name_of_a_value", f"https://example.com/{'x' * 60}"
    program = subprocess.run(
        [sys.executable, "-m", "sessionctl", "create", "-s", "cookie:", "--set", f"{long}=1", "--set", f"next={url}",
         "--set", "日本=東京"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    cookie = program.stdout.strip()
    lines = screen(40, "inspect", cookie)
    assert lines[lines.index("data") + 1 :] == [
        f"  {long}", "        1", f'  next  "{url}"', '  日本  "東京"',
    ]  # fmt: skip
    assert f'  next                           "{url}"' in screen(100, "inspect", cookie)


def test_columns_of_wide_characters(tmp_path: Path, home: Path) -> None:
    """Columns stand below each other by what a terminal makes of their characters."""
    with open_storage(f"fs:{tmp_path / 'wide'}") as storage:
        for name, city in (("東京タワー", "Edo"), ("Bob", "Rome")):
            session = storage.read(None)
            session.set("name", name)
            session.set("city", city)
            storage.save(session)
    lines = screen(80, "list", "-s", f"fs:{tmp_path / 'wide'}", "--columns", "name,city")
    places = {
        cell_len(line[: line.index(city)])
        for line in lines
        for city in ("city", "Edo", "Rome")
        if city in line
    }
    assert len(places) == 1
    narrow = screen(34, "list", "-s", f"fs:{tmp_path / 'wide'}", "--columns", "city,name")
    assert max(map(cell_len, narrow)) <= 34


def test_interrupted_at_the_terminal(store: str) -> None:
    """Ctrl-C ends the line that it is pressed at, so that the prompt begins its own; into a log nothing is written."""
    program = pexpect.spawn(
        sys.executable,
        ["-m", "sessionctl", "watch", "-s", store],
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
        encoding="utf-8",
        timeout=30,
    )
    program.expect("watching 1 session\r\n")
    program.sendintr()
    program.expect(pexpect.EOF)
    program.close()
    assert (program.exitstatus, program.before) == (130, "^C\r\n")


def test_verdicts_at_the_terminal(home: Path) -> None:
    """Cookies that are typed in, a line each, are judged in lines that break between words."""
    program = pexpect.spawn(
        sys.executable,
        ["-m", "sessionctl", "verify", "-"],
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "40"},
        encoding="utf-8",
        timeout=30,
    )
    program.expect("sessionctl: reading cookies, one a line;\r\n  end with Ctrl-D\r\n")
    program.sendline("abc")
    program.expect("'sessionctl formats' lists them\r\n")
    assert max(map(len, program.before.splitlines())) <= 40
    program.sendeof()
    program.expect(pexpect.EOF)
    program.close()
    assert program.exitstatus == 3


@pytest.mark.parametrize("kind", ["requests", "httpx", "cookie-jar", "playwright", "set-cookie", "curl"])
def test_files_have_their_lines(home: Path, kind: str) -> None:
    """What `--output` makes for a program stands on a terminal as in a pipe: its line ends are no odd characters."""
    place = [] if kind == "set-cookie" else ["--url", "http://shop.test/"]
    words = ["create", "-f", "cookie-session", "--secret", "s3cret", "--set", "a=1", "--output", kind, *place]
    done = subprocess.run(
        [sys.executable, "-m", "sessionctl", *words], capture_output=True, text=True, check=True
    )
    assert screen(400, *words) == done.stdout.splitlines()


def test_a_configuration_is_printed_by_lines(home: Path, tmp_path: Path) -> None:
    """`config init --print` can be read on a terminal, and copied from it."""
    lines = screen(80, "config", "init", "--print", str(tmp_path))
    assert "[profiles.app]" in lines
