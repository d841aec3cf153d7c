"""The fixtures that pytest has where sessionctl is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sessionctl.pytest_plugin import CookieMaker, StorageOpener
    from sessionctl.testing import Clock

GUIDE = Path(__file__).parent.parent / "docs" / "library.md"

APPLICATION = """
import pytest
from flask import Flask, session


@pytest.fixture
def app():
    app = Flask("shop")
    app.secret_key = "of the test"
    app.add_url_rule("/account", view_func=lambda: ("mj", 200) if session.get("user_id") == 42 else ("", 401))
    return app


@pytest.fixture
def client(app):
    return app.test_client()
"""


def test_the_examples_of_the_guide(tmp_path: Path) -> None:
    """The guide's two tests pass: one logs into a real Flask application, one lets a session expire."""
    examples = re.findall(r"```text\n(def test_.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "test_shop.py").write_text(APPLICATION + "\n\n" + "\n".join(examples), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "sessionctl.pytest_plugin", "--rootdir", tmp_path]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout


def test_a_cookie_is_made_at_the_time_of_the_clock(session_cookie: CookieMaker, session_clock: Clock) -> None:
    """A test that moves the clock back makes a cookie that has expired by now."""
    from sessionctl import formats

    session_clock.move(-40 * 86400)
    text = session_cookie({"user_id": 42}, format="flask", secrets=["key"])
    assert formats.get("flask").verify(text, ["key"]).reason == "expired"


def test_the_signature_comes_along(session_cookie: CookieMaker) -> None:
    """What a format keeps in a second cookie is among the pairs; of others there is the one cookie."""
    from sessionctl import formats

    cookies = session_cookie.pairs({"a": 1}, format="cookie-session", secrets=["key"])
    assert [*cookies] == ["session", "session.sig"]
    verdict = formats.get("cookie-session").verify(
        cookies["session"], ["key"], cookie_name="session", cookies=cookies
    )
    assert verdict.valid
    assert [*session_cookie.pairs({"a": 1}, format="flask", secrets=["key"], cookie_name="shop")] == ["shop"]


def test_options_of_the_format_are_taken(session_cookie: CookieMaker) -> None:
    """What a format can be told beyond keys goes in by name."""
    from sessionctl import formats

    text = session_cookie({"a": 1}, format="flask", secrets=["key"], salt="other")
    assert formats.get("flask", salt="other").verify(text, ["key"]).valid
    assert not formats.get("flask").verify(text, ["key"]).valid


def test_storages_are_in_memory_unless_told(session_storage: StorageOpener, tmp_path: Path) -> None:
    """`session_storage()` keeps sessions in memory, a URL names any other place."""
    assert session_storage().scheme == "memory"
    storage = session_storage(f"fs:{tmp_path}/sessions")
    session = storage.read(None)
    session.set("a", 1)
    assert storage.save(session) == session.id
    assert list((tmp_path / "sessions").glob("??/*"))


def test_nothing_is_imported_before_a_test_asks() -> None:
    """The plugin costs a test run of another project nothing but its own file."""
    code = (
        "import sys, sessionctl.pytest_plugin; print([n for n in sys.modules if n.startswith('sessionctl.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['sessionctl.pytest_plugin']"
