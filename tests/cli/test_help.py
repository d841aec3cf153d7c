"""Every command's help fits, names the exit codes, and shows two examples that run; the manual is fresh."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from sessionctl import formats
from sessionctl.cli import manual
from tests.cli.conftest import Answer
from tests.visits import exchange, har

Run = Callable[..., Answer]

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = {words: command for words, command, _ in manual.commands()}
LEAVES = [words for words, command in COMMANDS.items() if not isinstance(command, click.Group)]
EXAMPLES = [(words, line) for words in LEAVES for line in manual.parts_of(COMMANDS[words])[1]]
TOPIC_EXAMPLES = [
    (name, line.strip())
    for name in manual.TOPICS
    for line in manual.topic(name).splitlines()
    if line.startswith("    sessionctl ")
]
LINES = 23
"""Rows that a help page may take: a terminal of 80x24 then holds it, and the prompt below."""

SESSION_ID = "kq3Zp7vX0bN5tR8wL1yC4mD6fGhJ2sKe"


@pytest.mark.parametrize("words", ["", *COMMANDS])
def test_help_fits_a_screen(words: str) -> None:
    """In 80 columns it has few enough rows, no line is wider, and the exit codes are named."""
    program = subprocess.run(
        [sys.executable, "-m", "sessionctl", *words.split(), "--help"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    lines = program.stdout.splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= 80
    assert "Exit: 0" in program.stdout


@pytest.mark.parametrize("words", ["", *COMMANDS])
def test_help_fits_a_narrow_terminal(run: Run, words: str) -> None:
    """In 40 columns no line but an example is wider."""
    lines = run(*words.split(), "--help", COLUMNS="40").out.splitlines()
    assert max(len(line) for line in lines if "sessionctl " not in line) <= 40


@pytest.mark.parametrize("group", ["config", "secret"])
def test_help_of_a_group_tells_whole_sentences(run: Run, group: str) -> None:
    """In 40 columns what a command of a group does is told to its end, over as many lines as it takes."""
    told = " ".join(run(group, "--help", COLUMNS="40").out.split())
    leaves = [words for words in LEAVES if words.startswith(f"{group} ")]
    assert leaves
    for words in leaves:
        sentence = " ".join(manual.parts_of(COMMANDS[words])[0].split()).split(". ")[0].rstrip(".")
        assert f"{words.split()[1]} {sentence}" in told


@pytest.mark.parametrize("words", LEAVES)
def test_two_examples(words: str) -> None:
    """A command shows two examples of itself at the least."""
    examples = [line for name, line in EXAMPLES if name == words]
    assert sum(f"sessionctl {words}" in line for line in examples) >= 2


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], list[str]]:
    """A directory with a store, a session, a recorded visit and secrets, the environment and two refs."""
    folder = tmp_path_factory.mktemp("place")
    program = folder / "bin"
    program.mkdir()
    for name, text in (
        ("sessionctl", f'exec {sys.executable} -m sessionctl "$@"'),
        ("ssh", 'shift; exec "$@"'),
    ):
        (program / name).write_text(f"#!/bin/sh\n{text}\n")
        (program / name).chmod(0o755)
    store, home = folder / "store", folder / "home"
    environment = {
        "HOME": str(home), "PATH": f"{program}:{os.environ['PATH']}", "ID": SESSION_ID,
        "SECRET_KEY": "s3cret-of-the-application",
        "NEW": "new-secret", "OLD": "old-secret", "SECRET": "s3cret", "PYTHONPATH": str(ROOT),
    }  # fmt: skip

    def sessionctl(*words: str) -> str:
        done = subprocess.run(
            ["sessionctl", *words], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    for options in ([], ["-s", f"fs:{store}"]):
        values = ["--set", "userId=42", "--set", 'cart:=[{"sku":1}]']
        environment["COOKIE"] = sessionctl("create", "--id", SESSION_ID, *values, *options)
    environment["BEFORE"] = environment["COOKIE"]
    environment["AFTER"] = sessionctl("create", "-s", "cookie:", "--set", "a=1")
    refs = [json.loads(sessionctl("create", "--json", "-s", f"fs:{store}"))["ref"] for _ in range(2)]
    sid = formats.get("express").encode(SESSION_ID, ["s3cret"], id=SESSION_ID)
    (folder / "visit.har").write_bytes(har(exchange(0, "GET", "/", 200, "", f"sid={sid}; Path=/")))
    (folder / "request.txt").write_text(f"GET / HTTP/1.1\nCookie: session={environment['COOKIE']}\n")
    (folder / "record").write_text("userId|i:42;")
    (folder / "sessionctl.toml").write_text('[profiles.shop]\nstorage = "cookie:"\n')
    with gzip.open(folder / "sessions.ndjson.gz", "wt") as file:
        file.write(sessionctl("export", "-", "-s", f"fs:{store}") + "\n")
    for name in (".local/share/bash-completion/completions", ".config/fish/completions", ".zfunc"):
        (home / name).mkdir(parents=True)
    return folder, environment, refs


@pytest.fixture
def shell(
    place: tuple[Path, dict[str, str], list[str]], tmp_path: Path
) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a line in `sh -eu` in a copy of that directory; servers in it become the store of files."""
    folder, environment, refs = place
    work = tmp_path / "work"
    shutil.copytree(folder, work)

    def call(line: str) -> subprocess.CompletedProcess[str]:
        line = re.sub(r"\"?(redis|memcached|rediss)://[^\s\"?]+(\?[^\s\"]*)?\"?", f"fs:{work}/store", line)
        line = line.replace("/var/lib/app/sessions", f"{work}/store").replace("/etc/app/", f"{work}/")
        line = re.sub(r"/var/lib/php/sessions/\w+", f"{work}/record", line)
        for ref, real in zip(("3f2a9c41d07e", "a767bc4b5b94"), refs, strict=True):
            line = line.replace(ref, real)
        home = {"HOME": str(work / "home")}
        return subprocess.run(
            ["sh", "-euc", line],
            env=environment | home,
            capture_output=True,
            text=True,
            cwd=work,
            timeout=60,
            check=False,
        )

    return call


@pytest.mark.slow
@pytest.mark.parametrize(("words", "line"), [*EXAMPLES, *TOPIC_EXAMPLES], ids=lambda text: text[:60])
def test_example_runs(
    shell: Callable[[str], subprocess.CompletedProcess[str]], words: str, line: str
) -> None:
    """The example is right usage, and does what it should: it ends 0, or 1 where the answer is no."""
    done = shell(f"rm -f sessionctl.toml; {line}" if "config init" in line else line)
    assert done.returncode in (0, 1), (line, done.stderr)
    assert "internal" not in done.stderr


def test_man_pages_are_fresh() -> None:
    """The files under man/ are what the commands and topics say."""
    there = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "man").glob("man?/*")}
    assert there == manual.man_pages()


@pytest.mark.slow
def test_man_pages_are_good_roff() -> None:
    """Groff has no word of warning for any of them."""
    if shutil.which("groff") is None:
        pytest.skip("groff IS MISSING: man pages were not read by it")
    pages = sorted(map(str, (ROOT / "man").glob("man?/*")))
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", "-Tutf8", *pages], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


@pytest.mark.parametrize("name", [*manual.TOPICS, "options", "inspect", "config show"])
def test_topic(run: Run, name: str) -> None:
    """`help TOPIC` prints it, plain, also in words of its own."""
    answer = run("help", *name.split())
    assert (answer.status, len(answer.out) > 300) == (0, True)
    assert not answer.out.startswith("#")


@pytest.mark.parametrize("name", ["inspect", "config init", "export"])
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_help_of_a_command_is_its_own_page(process: Run, name: str, columns: int) -> None:
    """`help COMMAND` is what `COMMAND --help` prints, as wide as the terminal."""
    words, width = name.split(), {"COLUMNS": str(columns)}
    assert process("help", *words, **width).out == process(*words, "--help", **width).out


def test_what_an_option_takes_is_named(run: Run) -> None:
    """No option of a command shows the class of its type in place of what it takes."""
    pages = (
        "".join(run(name, "--help").out for name in ("create", "stats", "list", "purge"))
        + run("help", "options").out
    )
    assert "RANGE" not in pages
    assert "INTEGER" not in pages


def test_help_lists_the_topics(run: Run) -> None:
    """Without a topic all are listed; a wrong one names the nearest."""
    assert all(name in run("help").out for name in manual.TOPICS)
    wrong = run("help", "storage")
    assert (wrong.status, "'storages'" in wrong.err) == (2, True)
    assert run("help", "cron", "--json").json["topic"] == "cron"


def test_shared_options_are_complete(run: Run) -> None:
    """What a command's help leaves out stands in `help options`, with its environment variable."""
    told = run("help", "options").out
    for command in COMMANDS.values():
        for param in command.params:
            if isinstance(param, click.Option) and param.get_help_record(click.Context(command)) is None:
                assert max(param.opts, key=len) in told
    assert "SESSIONCTL_STORAGE" in told
    assert "SESSIONCTL_SECRET_FILE" in told


def test_the_wheel_ships_the_manual() -> None:
    """pyproject.toml puts the man pages where man looks."""
    assert '"man" = "share/man"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
