"""The program as tests run it: in this process with a home of its own, or as a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from click.testing import CliRunner

from sessionctl.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Answer(NamedTuple):
    """What the program answered."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Standard output without its last line break."""
        return self.out.removesuffix("\n")

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory, and no settings from outside."""
    for name in list(os.environ):
        if name.startswith(("SESSIONCTL", "XDG_")) or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Callable[..., Answer]:
    """Run the program in this process."""

    def call(*arguments: str, stdin: str | bytes | None = None, **environment: str) -> Answer:
        result = CliRunner().invoke(main, list(arguments), input=stdin, env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def process(home: Path) -> Callable[..., Answer]:
    """Run the program as a process of its own."""

    def call(*arguments: str, stdin: bytes = b"", **environment: str) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "sessionctl", *arguments],
            input=stdin,
            capture_output=True,
            env={**os.environ, **environment},
            timeout=60,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call
