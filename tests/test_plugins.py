"""Another package adds a format and a storage through entry points, without touching this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PLUGIN = Path(__file__).parent / "plugin"


def run(*arguments: str, plugin: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the program with the example package installed, or without."""
    environment = {**os.environ, "PYTHONPATH": str(PLUGIN) if plugin else ""}
    command = [sys.executable, "-m", "sessionctl", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_format_is_listed() -> None:
    """`formats` lists the format of the other package, and only where that is installed."""
    assert "Acme's own" in run("formats").stdout
    assert "Acme's own" not in run("formats", plugin=False).stdout


def test_format_is_made_detected_and_verified() -> None:
    """Its cookies are made, recognised and verified as those of any other."""
    made = json.loads(run("create", "-f", "acme", "--id", "visitor-1", "--secret", "x", "--json").stdout)
    assert made["cookie_name"] == "acme"
    verdict = json.loads(run("verify", made["cookie"], "--secret", "y", "--secret", "x", "--json").stdout)
    assert (verdict["valid"], verdict["format"], verdict["key_index"]) == (True, "acme", 1)
    assert run("verify", made["cookie"] + "0", "--secret", "x").returncode == 1
    assert run("verify", "acme~x", "-f", "acme", "--secret", "x").returncode == 3


def test_storage_is_opened() -> None:
    """Its storage is opened by its scheme."""
    assert run("create", "-s", "acme:").returncode == 0
    assert run("create", "-s", "acme:", plugin=False).returncode == 2
