"""Every error is one line that says what to do, or an object under --json; no traceback reaches a user."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Answer

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., Answer]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nonsense"], 2),
        (["inspect", "--nonsense", "x"], 2),
        (["inspect"], 2),
        (["inspect", ""], 3),
        (["inspect", "  "], 3),
        (["inspect", "x", "y"], 2),
        (["decode", "just some words"], 3),
        (["decode", "-f", "native", "a.b.c"], 3),
        (["decode", "-f", "nonsense", "a.b.c"], 2),
        (["verify", "-f", "remix", "-O", "salt=x", "a.b"], 2),
        (["get", "x", "--id", "y", "--ref", "abcd"], 2),
        (["inspect", "--ref", "zzzz"], 2),
        (["inspect", "--ref", "abcd"], 1),
        (["create", "-s", "nonsense:"], 2),
        (["create", "-s", "nonsense"], 2),
        (["create", "-s", "fs:"], 2),
        (["create", "-s", "fs:x?ttl=soon"], 2),
        (["create", "-s", "fs:x?nonsense=1"], 2),
        (["create", "-s", "fs:/dev/null/x"], 4),
        (["create", "--secret", ""], 2),
        (["create", "--secret", "hex:zz"], 2),
        (["create", "--secret", "@/nonexistent"], 2),
        (["create", "--now", "yesterday"], 2),
        (["create", "-p", "none"], 2),
        (["purge"], 2),
        (["purge", "--older-than", "x"], 2),
        (["purge", "--older-than", "\u00b2"], 2),
        (["stats", "--newer-than", "9" * 5000], 2),
        (["purge", "--older-than", "1d", "-s", "cookie:"], 2),
        (["inspect", "--har", "/nonexistent"], 2),
        (["inspect", "-abc.def"], 2),
    ],
)
def test_error(run: Run, arguments: list[str], status: int) -> None:
    """One line on stderr and nothing on stdout; under --json one object on stdout and nothing on stderr."""
    plain = run(*arguments)
    assert (plain.status, plain.out) == (status, "")
    assert plain.err.count("\n") == 1
    assert "Traceback" not in plain.err
    told = run(*arguments, "--json") if "nonsense" not in arguments[:1] else run("--json", *arguments)
    if told.out:
        assert told.json["error"].keys() >= {"code", "message"}
    assert told.status == status


def test_what_python_does_not_read_as_a_number(run: Run, tmp_path: Path) -> None:
    """Digits beyond ASCII, or more of them than Python reads, are no place in a list; bytes that are no text no ID."""
    cookie = run("create", "-s", "cookie:", "--set", "a=[7,8]").text
    assert run("get", cookie, "a.1").text == "8"
    for place in ("9" * 5000, "\u00b2", "\u0661", "01"):
        assert run("get", cookie, f"a.{place}").status == 1
        assert run("set", cookie, f"a.{place}=1", "-s", "cookie:").status == 2
    run("create", "-s", f"fs:{tmp_path}/x", "--set", "a=1")
    exported = run("export", "-", "-s", f"fs:{tmp_path}/x", "--id", "\udcff")
    assert (exported.status, exported.out.count("\n")) == (0, 2)


_LAUGHS = "\n".join(
    f"{name}: &{name} [{', '.join([before] * 10)}]"
    for before, name in zip(("x", "*a", "*b", "*c", "*d", "*e", "*f", "*g"), "abcdefgh", strict=True)
)


@pytest.mark.parametrize("text", ["a: &a [*a]", _LAUGHS], ids=["itself", "a hundred million"])
def test_yaml_that_stands_for_too_much(run: Run, tmp_path: Path, text: str) -> None:
    """Aliases make no few lines very many values."""
    pytest.importorskip("yaml")
    (tmp_path / "x.yaml").write_text(text)
    answer = run("create", "--from", str(tmp_path / "x.yaml"))
    assert (answer.status, answer.out) == (3, "")


def test_a_file_that_never_ends(process: Run) -> None:
    """What goes on and on is refused, not read into memory."""
    answer = process("create", "--from", "/dev/zero")
    assert (answer.status, answer.out) == (2, "")


def test_near_names_are_suggested(run: Run) -> None:
    """A misspelt command or format names the one that was meant."""
    assert "'inspect'" in run("inspct", "x").err
    assert "'flask'" in run("decode", "-f", "flsk", "x").err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["delete"], "did you mean 'destroy'?"),
        (["show"], "did you mean 'inspect'?"),
        (["list", "-s", "rdis://cache"], "did you mean 'redis:'?"),
        (["list", "-s", "fs:x?tll=30d"], "did you mean 'ttl'?"),
        (["list", "-s", "redis://cache?tll=30d"], "did you mean 'ttl'?"),
        (["inspect", "a=1;", "b=2"], "a text with blanks or ';' goes in quotes"),
        (["--json", "inspect", "x"], "--json goes after the command: main COMMAND --json ..."),
        (["-v"], "-v goes after the command: main COMMAND -v ..."),
        (["config", "-q", "show"], "-q goes after the command: main config COMMAND -q ..."),
        (["--vesion"], "Did you mean '--version'?"),
        (["config"], "main config takes a command: check, init, path, show, trust\n"),
        (["secret"], "main secret takes a command: new\n"),
        (["copy", "-s", "x", "y", "z"], "No such option '-s'. ('main copy --help' tells more)"),
        (["export", "/no/such/file"], "No such file or directory: /no/such/file\n"),
    ],
)
def test_hints(run: Run, words: list[str], hint: str) -> None:
    """What was probably meant is said, and nothing else."""
    assert hint in run(*words).err


def test_a_flag_in_the_environment(run: Run) -> None:
    """A variable that is neither yes nor no is named, with the words for both."""
    answer = run("list", SESSIONCTL_JSON="banana")
    assert answer.status == 2
    assert "SESSIONCTL_JSON is yes or no: 1, true, yes, on, or 0, false, no, off\n" in answer.err


def test_file_in_place_of_a_cookie(run: Run, tmp_path: Path) -> None:
    """The name of a file is no cookie, and how to read the file is told."""
    visit = tmp_path / "a visit.har"
    visit.write_text("no HAR")
    assert f"{visit} is a file: --har {visit} reads it" in run("inspect", str(visit)).err
    assert "is a file" not in run("inspect", "--har", str(visit)).err
    assert "is a file" not in run("inspect", "no.such.file").err


def test_hyphen_is_explained(run: Run) -> None:
    """A COOKIE that begins with a hyphen goes after --, and the error says so."""
    assert "--" in run("inspect", "-abc.def.ghi").err
    assert run("inspect", "--", "-abc.def.ghi").status == 3


def test_debug_shows_the_traceback(process: Run) -> None:
    """SESSIONCTL_DEBUG=1 shows where an error came from, and changes no answer."""
    assert "Traceback" not in process("inspect", "").err
    for words in (["inspect", ""], ["verify", "--nope"], ["inspect", "", "--json"]):
        plain, told = process(*words), process(*words, SESSIONCTL_DEBUG="1")
        assert told[:2] == plain[:2], words
        assert "Traceback" in told.err


def test_secrets_and_ids_stay_out_of_messages(run: Run, tmp_path: Path) -> None:
    """No error tells a secret or an ID."""
    cookie = run("create", "--id", "very-private-id", "--secret", "hunter2secret").text
    for answer in (
        run("get", "--id", "very-private-id", "a", "-s", f"fs:{tmp_path}/x"),
        run("verify", cookie, "--secret", "otherhunter2"),
        run("verify", cookie, "--secret", "hex:hunter2"),
    ):
        assert answer.status != 0
        assert "very-private-id" not in answer.err + answer.out
        assert "hunter2" not in answer.err + answer.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["inspect", "--help"],
        ["help", "storages"],
        ["formats"],
        ["formats", "--json"],
        ["list"],
        ["create"],
        ["nonsense", "--json"],
    ],
    ids=" ".join,
)
def test_closed_pipe(home: Path, arguments: list[str]) -> None:
    """Whose reader has gone ends as SIGPIPE would, 141, without a word: the answer is neither yes nor no."""
    reader, writer = os.pipe()
    os.close(reader)
    subprocess.run([sys.executable, "-m", "sessionctl", "create"], capture_output=True, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "sessionctl", *arguments], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_closed_pipe_in_the_middle(home: Path) -> None:
    """`| head -1` of more than a pipe holds: the first line comes, and the status is 141."""
    line = f"{sys.executable} -m sessionctl verify --secret x - | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], input=b"a.b.c\n" * 20_000, capture_output=True, check=False)
    assert done.stdout.split(b"\n")[1:] == [b"141", b""]
    assert done.stderr == b""


def test_terminal_escapes_are_shown(run: Run) -> None:
    """Control characters, escapes and direction overrides in data are shown, never obeyed."""
    evil = "a\x1b[31mred\x07\u202egnp.exe\x9b2J[bold]x[/bold]"
    cookie = run("create", "--set", f"k={evil}", "--flash", f"f={evil}", "-s", "cookie:").text
    report = run("inspect", cookie, "--color", "always")
    for char in ("\x1b[31mred", "\x07", "\u202e", "\x9b"):
        assert char not in report.out
    assert "[bold]x[/bold]" in report.out
    assert "\u202e" not in run("decode", cookie, "--json").out
    assert run("decode", cookie, "--json").json["data"]["k"] == evil


def test_stdin_that_is_a_terminal(home: Path) -> None:
    """`-` does not wait at a terminal: nothing prompts."""
    parent, child = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "sessionctl", "inspect", "-"],
        stdin=child,
        capture_output=True,
        timeout=20,
        check=False,
    )
    os.close(parent)
    os.close(child)
    assert done.returncode == 2


def test_no_home(process: Run, tmp_path: Path) -> None:
    """Without a home directory that can be written, the default says so, and -s with --secret still works."""
    answer = process("create", SESSIONCTL_HOME="/dev/null/x")
    assert answer.status in (2, 4)
    assert answer.err.count("\n") == 1
    assert (
        process("create", "-s", f"fs:{tmp_path}/s", "--secret", "x", SESSIONCTL_HOME="/dev/null/x").status
        == 0
    )


def test_user_without_home(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom the system does not know, as in a container, needs no home with -s; else it says what to give."""
    run("create", "-s", f"fs:{tmp_path}/s", "--secret", "x")

    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    for command in (["list"], ["purge", "--older-than", "30d"], ["doctor"]):
        assert run(*command, "-s", f"fs:{tmp_path}/s").status == 0
        answer = run(*command)
        assert (answer.status, answer.err) == (2, "sessionctl: no storage; -s URL names one\n")
    assert "set HOME, or give -s" in run("create").err


def test_other_encodings(process: Run) -> None:
    """A terminal that has no character for what is printed shows an escape."""
    cookie = process("create", "--set", "a=☃", "-s", "cookie:").text
    for command in (["inspect", cookie], ["get", cookie, "a"], ["get", cookie, "a", "--json"]):
        answer = process(*command, PYTHONIOENCODING="latin-1")
        assert answer.status == 0
        assert "\\u2603" in answer.out


def test_closed_output(home: Path) -> None:
    """Without a standard output there is one line on stderr, and no traceback."""
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m sessionctl create >&-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("json", [[], ["--json"]], ids=["", "json"])
@pytest.mark.parametrize(
    "arguments",
    [["formats"], ["config", "path"], ["secret", "new"], ["create", "-s", "cookie:"], ["decode", "zz"]],
    ids=" ".join,
)
def test_full_output(home: Path, arguments: list[str], json: list[str]) -> None:
    """A full disk behind standard output ends 4 where there was an answer for it, and is told in a line."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sessionctl", *arguments, *json],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    no_answer = arguments[0] == "decode" and not json
    assert (done.returncode, done.stderr.count(b"\n")) == (3 if no_answer else 4, 1)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["nope"], 2), (["decode", "zz"], 3), (["export", "-", "-s", "fs:none"], 0)],
    ids=str,
)
def test_full_messages(home: Path, arguments: list[str], status: int) -> None:
    """That a message cannot be written changes nothing: the disk is full just when a purge is wanted."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sessionctl", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=full,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            check=False,
        )
    assert done.returncode == status


def test_works_with_c_locale_and_unicode(process: Run) -> None:
    """LANG=C changes nothing."""
    cookie = process("create", "--set", "name=żółć", "-s", "cookie:", LANG="C", LC_ALL="C").text
    assert process("get", cookie, "name", LANG="C", LC_ALL="C").text == "żółć"
