"""What is trusted is kept whole, whoever else changes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TRUST = """
import sys
from sessionctl.config.trust import revoke, trust
print(flush=True)
sys.stdin.readline()
for number in range(10):
    trust(f"/{sys.argv[1]}/{number}", b"")
    trust(f"/{sys.argv[1]}/gone", b"")
    revoke(f"/{sys.argv[1]}/gone")
"""


def test_several_at_once(tmp_path: Path) -> None:
    """Processes that trust files at the same time lose none of each other's."""
    environment = {**os.environ, "SESSIONCTL_HOME": str(tmp_path / "home")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _TRUST, str(name)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in range(4)
    ]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    kept = json.loads((tmp_path / "home/trusted.json").read_text())
    assert kept.keys() == {f"/{name}/{number}" for name in range(4) for number in range(10)}
