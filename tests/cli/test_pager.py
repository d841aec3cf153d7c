"""Long answers go through a pager, on a terminal alone; quitting it early, and Ctrl-C in it, are no errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pexpect
import pytest

from sessionctl import open_storage

if TYPE_CHECKING:
    from pathlib import Path

LONG = ["help", "storages"]
PROMPT = r"\r?:(\x1b\[K)?$"
"""less at the end of a screen."""


def terminal(*arguments: str, rows: int = 10, **environment: str) -> Any:
    """The program in a pseudo-terminal of 80 columns."""
    unwanted = ("PAGER", "LESS", "LESSOPEN", "LINES", "COLUMNS")  # the last two are pytest-xdist's
    kept = {key: value for key, value in os.environ.items() if key not in unwanted}
    return pexpect.spawn(
        sys.executable,
        ["-m", "sessionctl", *arguments],
        env={**kept, "TERM": "xterm", **environment},
        dimensions=(rows, 80),
        encoding="utf-8",
        timeout=30,
    )


def end_of(program: Any) -> tuple[int | None, str]:
    """The exit status, and what was printed since the last `expect`."""
    program.expect(pexpect.EOF)
    program.close()
    return program.exitstatus, program.before


@pytest.fixture
def marked(tmp_path: Path) -> tuple[str, Path]:
    """A pager that keeps what it is given in a file."""
    program, file = tmp_path / "pager", tmp_path / "paged"
    program.write_text(f"#!/bin/sh\ncat >{file}\n")
    program.chmod(0o755)
    return str(program), file


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store of more sessions than a screen has rows."""
    storage = open_storage(f"fs:{tmp_path / 'store'}")
    for number in range(60):
        session = storage.read(None)
        session.set("number", number)
        storage.save(session)
    return f"fs:{tmp_path / 'store'}"


needs_less = pytest.mark.skipif(
    shutil.which("less") is None, reason="less IS MISSING: scripts/install installs it"
)


@needs_less
@pytest.mark.parametrize("keys", ["q", "\x03q", " q"], ids=["quit", "Ctrl-C, quit", "a page on, quit"])
def test_less(home: Path, keys: str) -> None:
    """It stops at the first screen; whoever has seen enough ends with 0 and without a word."""
    program = terminal(*LONG)
    program.expect(PROMPT)
    assert "\x1b[?1049h" not in program.before  # what was read stays on the screen
    for key in keys:
        program.send(key)
    status, rest = end_of(program)
    assert status == 0
    assert "Traceback" not in rest
    assert "sessionctl:" not in rest


@needs_less
@pytest.mark.parametrize("keys", ["q", "\x03q"], ids=["quit", "Ctrl-C, quit"])
def test_list_that_is_still_being_read(store: str, home: Path, keys: str) -> None:
    """The table of a store comes into the pager row by row, and stops when that is left."""
    program = terminal("list", "-s", store)
    program.expect("LAST SAVED")
    program.expect(PROMPT)
    for key in keys:
        program.send(key)
    status, rest = end_of(program)
    assert (status, "Traceback" in rest) == (0, False)


def test_what_is_paged(home: Path, store: str, marked: tuple[str, Path]) -> None:
    """Help pages, topics, reports and tables; the pager gets all of it, and the status stays the command's."""
    pager, file = marked
    data = str({f"key{number}": number for number in range(40)}).replace("'", '"')
    cookie = subprocess.run(
        [sys.executable, "-m", "sessionctl", "create", "-s", "cookie:", "--set", f"all:={data}"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    for arguments, status, last in (
        (["inspect", cookie], 0, '"key39": 39'),
        (["inspect", cookie, "--secret", "other"], 1, '"key39": 39'),
        (["inspect", "--help"], 0, "Exit: 0 yes"),
        (["--help"], 0, "Exit: 0 yes"),
        (["formats"], 0, "werkzeug"),
        (["list", "-s", store], 0, "LAST SAVED"),
        (["stats", "-s", store], 0, "number"),
        (LONG, 0, "?layout="),
    ):
        done = terminal(*arguments, PAGER=pager)
        assert end_of(done) == (status, ""), arguments
        assert last in file.read_text(encoding="utf-8")
        file.unlink()


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ([*LONG, "--no-pager"], {}),
        (LONG, {"SESSIONCTL_NO_PAGER": "1"}),
        (LONG, {"SESSIONCTL_PAGER": "cat"}),
        (LONG, {"SESSIONCTL_PAGER": ""}),
        (LONG, {"TERM": "dumb"}),
        ([*LONG, "--json"], {}),
        (["formats", "bottle"], {}),
    ],
    ids=["--no-pager", "its variable", "cat", "empty", "TERM=dumb", "--json", "what fits the screen"],
)
def test_no_pager(
    home: Path, marked: tuple[str, Path], arguments: list[str], environment: dict[str, str]
) -> None:
    """It is left out where it is not wanted, of no use, or the answer is data."""
    status, text = end_of(terminal(*arguments, **{"PAGER": marked[0], **environment}))
    assert (status, len(text) > 100, marked[1].exists()) == (0, True, False)


def test_sessionctl_pager_comes_first(home: Path, marked: tuple[str, Path]) -> None:
    """SESSIONCTL_PAGER is asked before PAGER, and may have arguments."""
    pager, file = marked
    assert end_of(terminal(*LONG, PAGER="false", SESSIONCTL_PAGER=f"tail -n 1 | {pager}"))[0] == 0
    assert file.read_text(encoding="utf-8").count("\n") == 1


def test_into_a_pipe_nothing_is_paged(home: Path, marked: tuple[str, Path]) -> None:
    """Scripts never meet a pager."""
    done = subprocess.run(
        [sys.executable, "-m", "sessionctl", *LONG],
        capture_output=True, text=True, env={**os.environ, "PAGER": marked[0]}, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("Storages")
    assert not marked[1].exists()


@needs_less
@pytest.mark.parametrize("options", ["", "-i", "F", "-Pprompt"])
def test_colours_get_through_less(home: Path, store: str, options: str) -> None:
    """Less shows colours, not their codes, also where the user's own options do not say so."""
    program = terminal("list", "-s", store, LESS=options, LESSCHARSET="utf-8")
    program.expect("LAST SAVED")
    shown = program.before
    program.sendline("q")
    program.close()
    assert "\x1b[1m" in shown
    assert "ESC[" not in click.unstyle(shown)


def test_more_gets_no_colours(home: Path, store: str, marked: tuple[str, Path], tmp_path: Path) -> None:
    """`more` may be less by another name, which shows codes: it gets plain text, and other pagers the colours."""
    pager, file = marked
    more = tmp_path / "more"
    more.symlink_to(pager)
    shown = []
    for program in (pager, more):
        end_of(terminal("list", "-s", store, PAGER=str(program)))
        shown.append(file.read_text(encoding="utf-8"))
    assert "\x1b[1m" in shown[0]
    assert shown[1] == click.unstyle(shown[0])
