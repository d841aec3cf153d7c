"""Node's frameworks for the interop tests: one process that answers many requests."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent.parent / "node"
TIMEOUT_SECONDS = 60


class NodeError(Exception):
    """What a framework threw. `name` is the name of the JavaScript error."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class Node:
    """tests/node/driver.mjs, running."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self._stdin = stdin
        self._stdout = stdout

    def __call__(self, op: str, **request: Any) -> Any:
        """What an operation answers. Raises `NodeError` for what the framework threw."""
        self._stdin.write(json.dumps({"op": op, **request}).encode() + b"\n")
        self._stdin.flush()
        ready, _, _ = select.select([self._stdout], [], [], TIMEOUT_SECONDS)
        line = self._stdout.readline() if ready else b""
        if not line:
            pytest.fail(f"tests/node/driver.mjs did not answer {op!r}; its standard error says why")
        answer = json.loads(line)
        if "error" in answer:
            raise NodeError(**answer["error"])
        return answer["result"]


def _missing(what: str) -> NoReturn:
    reason = f"{what}: no test against Node's frameworks ran. Run scripts/install-node"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """The frameworks of tests/node; without them a test is skipped, and in CI (`CI` is set) it fails."""
    program = shutil.which("node")
    if program is None:
        _missing("NODE IS MISSING")
    if not (FOLDER / "node_modules").is_dir():
        _missing("NODE'S PACKAGES ARE MISSING")
    command = [program, "driver.mjs"]
    with subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Node(process.stdin, process.stdout)


class Browser:
    """A real Chromium, started anew for each visit; see `tests/node/ops/browser.mjs`."""

    def __init__(self, node: Node, program: str) -> None:
        self._node = node
        self._program = program

    def visit(self, *steps: tuple[str, Any], **options: Any) -> Any:
        """What the steps have seen, and the cookies that the browser holds afterwards."""
        return self._node("browser.visit", program=self._program, steps=steps, **options)


BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser(node: Node) -> Browser:
    """A Chromium of the system; without one a test is skipped, and in CI it fails."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        _missing("CHROMIUM IS MISSING")
    return Browser(node, program)
