"""The examples do what they say."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from sessionctl import open_storage

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def environment() -> dict[str, str]:
    """One in which `sessionctl` is found."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store of two sessions of user 42, one of them old, and one of user 7."""
    url = f"fs:{tmp_path / 'sessions'}"
    storage = open_storage(url)
    for user in (42, 42, 7):
        session = storage.read(None)
        session.set("userId", user)
        storage.save(session)
    return url


def files(store: str) -> list[Path]:
    """The sessions' files."""
    return [path for path in Path(store.removeprefix("fs:")).rglob("*") if path.is_file()]


def test_all_are_named() -> None:
    """The README names each file, and each has a test here."""
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES.glob("*.*"):
        assert path.name == "README.md" or f"({path.name})" in readme
        assert path.name in here


def test_counter() -> None:
    """It counts, greets once after the log-in, and forgets at the log-out."""
    app = runpy.run_path(str(EXAMPLES / "counter.py"))["app"]
    jar = ""

    def ask(path: str, query: str = "") -> str:
        nonlocal jar
        environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_COOKIE": jar}
        setup_testing_defaults(environ)

        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            nonlocal jar
            jar = next((value.split(";")[0] for name, value in headers if name == "Set-Cookie"), jar)

        return b"".join(app(environ, start)).decode()

    assert ask("/") == "visit 1 of a guest."
    assert ask("/login", "user=mj") == ""
    assert ask("/") == "visit 2 of mj. Welcome back."
    assert ask("/") == "visit 3 of mj."
    ask("/logout")
    assert ask("/") == "visit 1 of a guest."


def test_log_out_user(store: str) -> None:
    """log_out_user.py ends the two sessions of that user."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / "log_out_user.py", store, "42"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, len(files(store))) == ("2\n", 1)


def test_pytest_example(tmp_path: Path) -> None:
    """test_account.py passes in a pytest of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", tmp_path, EXAMPLES / "test_account.py"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("mode", "status", "word"), [(0o600, 0, ""), (0o644, 1, "loose-mode")], ids=["sound", "open to others"]
)
def test_check_store(store: str, mode: int, status: int, word: str) -> None:
    """check-store.sh is silent about a sound store, and says what is wrong with another."""
    for path in files(store):
        path.chmod(mode)
    url = f"{store}?ttl=30d"
    done = subprocess.run(
        ["sh", EXAMPLES / "check-store.sh", url],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert (done.returncode, word in done.stdout, bool(done.stdout)) == (status, True, bool(word))


@pytest.mark.parametrize("name", ["sessionctl-purge.cron", "sessionctl-purge.service"])
def test_purge(store: str, name: str) -> None:
    """The line of cron, and that of systemd (started by sessionctl-purge.timer), delete what is old, in silence."""
    old = files(store)[0]
    os.utime(old, (1_700_000_000, 1_700_000_000))
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    command = next(line for line in text.splitlines() if "sessionctl purge" in line)
    command = command[command.index("umask") :] if "umask" in command else command.partition("=")[2]
    command = command.replace("/usr/local/bin/", "").replace("fs:/var/lib/app/sessions", store)
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=True, env=environment()
    )
    assert (done.stdout + done.stderr, len(files(store))) == ("", 2)
