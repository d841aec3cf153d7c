"""Completion in real shells, and scripts that are fresh."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest

from sessionctl import open_storage
from sessionctl.cli.completion.scripts import script
from sessionctl.fleet.refs import refs_like

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {"bash": "sessionctl.bash", "zsh": "_sessionctl", "fish": "sessionctl.fish"}

START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
LOAD = {
    "bash": "source {file}",
    "zsh": "autoload -Uz compinit; compinit -u -d {folder}/dump; source {file}; "
    "compdef _sessionctl_completion sessionctl",
    "fish": "source {file}",
}


@pytest.mark.parametrize("shell", FILES)
def test_script_is_fresh(shell: str) -> None:
    """The files under completions/ are what `completion SHELL` prints."""
    assert (ROOT / "completions" / FILES[shell]).read_text() == script(shell)


TYPED = [
    ("sessionctl regen", "sessionctl regenerate"),
    ("sessionctl decode --form", "sessionctl decode --format"),
    ("sessionctl decode --format tornad", "sessionctl decode --format tornado"),
    ("sessionctl decode --format=tornad", "sessionctl decode --format=tornado"),
    ("sessionctl get -s fs:sto", "sessionctl get -s fs:store/"),
    ("sessionctl get -s fs:store --ref {start}", "sessionctl get -s fs:store --ref {ref}"),
    ("sessionctl get -s 'fs:store?layout=flask-s", "sessionctl get -s fs:store?layout=flask-session"),
    ("sessionctl decode -f flask -O key-d", "sessionctl decode -f flask -O key-derivation="),
    ("sessionctl decode -f flask -O key-derivation=h", "sessionctl decode -f flask -O key-derivation=hmac"),
    ("sessionctl list -p sho", "sessionctl list -p shop"),
    ("sessionctl inspect --har my", "sessionctl inspect --har my visit.har"),
    ("sessionctl inspect @my", "sessionctl inspect @my visit.har"),
    ("sessionctl help exi", "sessionctl help exit-codes"),
    ("sessionctl help forma", "sessionctl help formats"),
    ("sessionctl help config sho", "sessionctl help config show"),
    ("sessionctl diff @my", "sessionctl diff @my visit.har"),
    ("sessionctl diff -s fs:store ref:{start}", "sessionctl diff -s fs:store ref:{ref}"),
    ("sessionctl config init sto", "sessionctl config init store/"),
    ("sessionctl timeline my", "sessionctl timeline my visit.har"),
    ("sessionctl list --sort exp", "sessionctl list --sort expires_at"),
    ("sessionctl config sho", "sessionctl config show"),
]
"""What is typed before TAB, and the words that the line then has."""


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Path, str]:
    """A directory with a store of one session, a profile and a recorded visit, and the session's ref."""
    storage = open_storage(f"fs:{tmp_path / 'store'}")
    session = storage.read(None)
    session.set("a", 1)
    storage.save(session)
    (tmp_path / "my visit.har").write_text("{}")
    (tmp_path / "sessionctl.toml").write_text("[profiles.shop]\n")
    return tmp_path, hashlib.sha256(session.id.encode()).hexdigest()[:12]


def shell_in(shell: str, folder: Path, *words: str, path: str | None = None) -> Any:
    """An interactive shell in a pseudo-terminal, in that directory, with the completion script read."""
    if shutil.which(shell) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{shell} is missing: scripts/install installs it")
        pytest.skip(f"{shell} IS MISSING: completion was not tested in it")
    environment = {
        "PATH": path or f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "xterm", "PS1": "> ",
        "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    child = pexpect.spawn(
        START[shell][0], [*START[shell][1:], *words], env=environment, encoding="utf-8", timeout=20,
        dimensions=(24, 200), cwd=str(folder),
    )  # fmt: skip
    child.sendline(LOAD[shell].format(file=ROOT / "completions" / FILES[shell], folder=folder))
    child.sendline("echo rea''dy")
    child.expect("ready\r")
    return child


@pytest.mark.slow
@pytest.mark.parametrize("shell", FILES)
def test_tab(shell: str, folder: tuple[Path, str]) -> None:
    """A TAB press in a real shell completes commands, options and their values, and nothing is written by it."""
    place, ref = folder
    child = shell_in(shell, place)
    before = sorted(path for path in place.rglob("*") if "dump" not in path.name)
    for typed, line in TYPED:
        child.send(typed.format(start=ref[:3]) + "\t")
        child.send("\x01echo GO''T \r")
        child.expect(r"GOT ([^\r\n]*?) *\r")
        assert child.match[1] == line.format(ref=ref), typed
    child.close(force=True)
    assert sorted(path for path in place.rglob("*") if path in before) == before


@pytest.mark.slow
@pytest.mark.parametrize("shell", FILES)
def test_tab_behind_a_tilde(shell: str, folder: tuple[Path, str]) -> None:
    """A file in the home directory is completed to a name that the shell finds."""
    child = shell_in(shell, folder[0])
    child.send("sessionctl inspect --har ~/my\t")
    child.send("\x01echo GO''T \r")
    child.expect(r"GOT ([^\r\n]*?) *\r")
    assert child.match[1] == f"sessionctl inspect --har {folder[0]}/my visit.har"
    child.close(force=True)


@pytest.mark.slow
@pytest.mark.parametrize("shell", FILES)
def test_tab_leaves_what_it_has_nothing_for(shell: str, folder: tuple[Path, str]) -> None:
    """Where nothing is offered, TAB takes nothing away from what was typed, and adds nothing."""
    child = shell_in(shell, folder[0])
    for typed in (
        "sessionctl inspect foo",
        "sessionctl list --where a=b",
        "sessionctl list -s redis://h/0\\?ttl=",
    ):
        child.send(f"{typed}\t")
        child.send("\x01echo GO''T \r")
        child.expect(r"GOT ([^\r\n]*?) *\r")
        assert child.match[1] == typed.replace("\\", "")
    child.close(force=True)


@pytest.mark.slow
def test_a_url_in_quotes_in_fish(folder: tuple[Path, str]) -> None:
    """With `qmark-noglob`, the default of fish 4, the quote before a URL stays where it was."""
    child = shell_in("fish", folder[0], "--features", "qmark-noglob")
    child.send('sessionctl list -s "redis://h/0?tt\t')
    child.expect(re.escape('"redis://h/0?ttl='))
    child.close(force=True)


@pytest.mark.slow
@pytest.mark.parametrize("shell", FILES)
def test_a_program_that_is_gone_is_no_noise(shell: str, folder: tuple[Path, str]) -> None:
    """Where the script is installed and the program not on the PATH, TAB says nothing."""
    child = shell_in(shell, folder[0], path="/usr/bin:/bin")
    child.send("sessionctl li\t")
    child.send("\x01echo GO''T \r")
    child.expect(r"GOT ([^\r\n]*?) *\r")
    assert child.match[1] == "sessionctl li"
    assert "ommand not found" not in child.before
    assert "nknown command" not in child.before
    child.close(force=True)


def test_wheel_installs_the_scripts(tmp_path: Path) -> None:
    """pyproject.toml puts each script where its shell looks."""
    text = (ROOT / "pyproject.toml").read_text()
    assert "share/bash-completion/completions/sessionctl" in text
    assert "share/zsh/site-functions/_sessionctl" in text
    assert "share/fish/vendor_completions.d/sessionctl.fish" in text


def press(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the scripts call at a TAB press."""
    return subprocess.run(
        [sys.executable, "-m", "sessionctl"],
        env={"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "PYTHONPATH": str(ROOT),
             "_SESSIONCTL_LINE": line, "_SESSIONCTL_COMPLETE": "bash_complete", **environment},
        capture_output=True, text=True, check=False, cwd=folder, timeout=10,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("sessionctl help formats ", []),
        ("sessionctl help config show ", []),
        ("sessionctl help secret ", ["new"]),
        ("sessionctl diff a b @", []),
        ("sessionctl list -s cookie:?t", ["cookie:?ttl="]),
        ("sessionctl list -s cookie:?l", ["cookie:?lifetime="]),
        ("sessionctl list -s fs:x?p", ["fs:x?prefix="]),
        ("sessionctl list -s cookie:?p", []),
        ("sessionctl list -s redis://h?p", ["redis://h?prefix="]),
        ("sessionctl list -s redis://h?prefix=x&p", []),
        ("sessionctl list -s redis:?ttl=1d&l", ["redis:?ttl=1d&layout=", "redis:?ttl=1d&lifetime="]),
    ],
)
def test_what_can_follow(line: str, offered: list[str], tmp_path: Path) -> None:
    """Only what may stand there is offered: no second topic, no option of a URL that is given or not for it."""
    done = press(line, tmp_path, _SESSIONCTL_COMPLETE="fish_complete")
    assert [row.split("\t")[1] for row in done.stdout.splitlines() if row] == offered


@pytest.mark.parametrize(
    "line",
    [
        "sessionctl create -p x",
        "sessionctl inspect --ref ",
        "sessionctl inspect -s fs:nowhere --ref ",
        "sessionctl inspect -s redis://127.0.0.1:1/0 --ref ",
        "sessionctl inspect -s nonsense: --ref ",
        "sessionctl inspect -f nonsense -O ",
        "sessionctl inspect --har nowhere/",
        "sessionctl inspect 'an open quote",
    ],
)
def test_completion_is_silent_on_failure(line: str, tmp_path: Path) -> None:
    """What cannot be completed offers nothing, says nothing and makes nothing."""
    (tmp_path / "config.toml").write_text("not toml [")
    done = press(line, tmp_path, SESSIONCTL_CONFIG=str(tmp_path / "config.toml"))
    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert [path.name for path in tmp_path.rglob("*")] == ["config.toml"]


def test_a_server_that_hangs_does_not_hold_up_the_shell(tmp_path: Path) -> None:
    """Refs of a server that takes the connection and never answers: nothing, and soon."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        start = time.monotonic()
        done = press(f"sessionctl inspect -s {url} --ref ", tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert time.monotonic() - start < 5


def test_a_foreign_project_is_not_asked(tmp_path: Path) -> None:
    """The storage of a project's file that was not trusted is not opened by a TAB press."""
    storage = open_storage(f"fs:{tmp_path / 'store'}")
    session = storage.read(None)
    session.set("a", 1)
    storage.save(session)
    (tmp_path / "sessionctl.toml").write_text('default_profile = "a"\n[profiles.a]\nstorage = "fs:store"\n')
    assert press("sessionctl list --ref ", tmp_path).stdout.strip() == ""
    assert len(press("sessionctl list -s fs:store --ref ", tmp_path).stdout.split("\t")[1]) == 12


def test_refs_are_few_and_the_latest_first(tmp_path: Path) -> None:
    """Of a large store a bounded number is offered."""
    storage = open_storage(f"fs:{tmp_path / 'store'}")
    for number in range(150):
        session = storage.read(None)
        session.set("n", number)
        storage.save(session)
    found = refs_like(storage, "")
    assert len(found) == 100
    assert found == sorted(found, key=lambda entry: -(entry.modified_at or 0))
    assert refs_like(storage, "", most_seconds=0)[1:] == []
    assert [entry.ref for entry in refs_like(storage, found[5].ref[:9])] == [found[5].ref]
