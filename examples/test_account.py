"""Fixtures for the tests of an application; pytest has them wherever sessionctl is installed."""

from __future__ import annotations

from typing import Any

from sessionctl import Cookie


def test_a_client_that_is_logged_in(session_cookie: Any) -> None:
    """The cookie of a session that no log-in form made. Hand it to the test client of your framework."""
    text = session_cookie({"userId": 42}, secrets=["the application's secret"])
    assert Cookie("session", secrets=["the application's secret"]).parse(f"session={text}") is not None


def test_a_session_that_expires(session_storage: Any, session_clock: Any) -> None:
    """Half an hour passes without anybody waiting for it."""
    storage = session_storage("memory:", ttl=1800)
    session = storage.read(None)
    session.set("userId", 42)
    value = storage.save(session)
    session_clock.move(1799)
    assert storage.read(value).get("userId") == 42
    session_clock.move(1801)
    assert storage.read(value).is_new
