"""The servers that the tests start end with the tests, however these end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers import program, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = """
import time
from tests.servers import *

def test_hangs(redis_server, memcached_ring):
    servers = [redis_server, *memcached_ring.servers]
    print("PIDS", *(server._process.pid for server in servers), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[Path]]]:
    """A run of pytest that hangs in a test, and the processes of the servers that it has started."""
    for name in ("redis-server", "memcached"):
        program(name)
    path = tmp_path / "test_hanging.py"
    path.write_text(SUITE)
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "pytest", "-qs", "-p", "no:cacheprovider", "-c", "/dev/null", path]
    run = subprocess.Popen(
        [*command, f"--rootdir={root}", f"--basetemp={tmp_path}/base"],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert run.stdout
    line = next(line for line in run.stdout if "PIDS" in line)
    yield run, [Path("/proc", pid) for pid in line.partition("PIDS ")[2].split()]
    run.kill()
    run.stdout.close()
    run.wait()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_servers_end_with_a_suite_that_is_interrupted(
    suite: tuple[subprocess.Popen[str], list[Path]], how: signal.Signals
) -> None:
    """Ctrl-C, SIGTERM and `kill -9` of pytest leave no server behind."""
    run, servers = suite
    assert len(servers) == 3
    assert all(path.exists() for path in servers)
    run.send_signal(how)
    wait_until(lambda: not any(path.exists() for path in servers), "the end of the servers")
