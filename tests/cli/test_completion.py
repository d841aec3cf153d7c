"""Completion in real shells, and scripts that are fresh."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from sessionctl.cli.shells import script

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


@pytest.mark.slow
@pytest.mark.parametrize("shell", FILES)
@pytest.mark.parametrize(
    ("typed", "expected"),
    [("sessionctl regen\t", "regenerate"), ("sessionctl decode --format tornad\t", "tornado")],
)
def test_tab(shell: str, typed: str, expected: str, tmp_path: Path) -> None:
    """A TAB press in a real shell completes commands and formats."""
    if shutil.which(shell) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{shell} is missing: scripts/install installs it")
        pytest.skip(f"{shell} IS MISSING: completion was not tested in it")
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "xterm", "PS1": "> ",
        "HOME": str(tmp_path),
    }  # fmt: skip
    child = pexpect.spawn(
        START[shell][0], START[shell][1:], env=environment, encoding="utf-8", timeout=20, dimensions=(24, 200)
    )
    child.sendline(LOAD[shell].format(file=ROOT / "completions" / FILES[shell], folder=tmp_path))
    child.sendline("echo rea''dy")
    child.expect("ready\r")
    child.send(typed)
    child.expect(expected)
    child.close(force=True)


def test_wheel_installs_the_scripts(tmp_path: Path) -> None:
    """pyproject.toml puts each script where its shell looks."""
    text = (ROOT / "pyproject.toml").read_text()
    assert "share/bash-completion/completions/sessionctl" in text
    assert "share/zsh/site-functions/_sessionctl" in text
    assert "share/fish/vendor_completions.d/sessionctl.fish" in text


def test_completion_is_silent_on_failure(tmp_path: Path) -> None:
    """A broken configuration file does not speak at a TAB press."""
    broken = tmp_path / "config.toml"
    broken.write_text("not toml [")
    done = subprocess.run(
        [sys.executable, "-m", "sessionctl"],
        env={**os.environ, "SESSIONCTL_CONFIG": str(broken), "COMP_WORDS": "sessionctl create -p x", "COMP_CWORD": "3",
             "_SESSIONCTL_COMPLETE": "bash_complete"},
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.stderr == b""
