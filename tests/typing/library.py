"""Usage of the library that is type-checked and never run: mypy is the test."""

from __future__ import annotations

from typing import Any, assert_type

from sessionctl import (
    Cookie,
    CookieTooLargeError,
    KeyRing,
    Secret,
    Session,
    SessionctlError,
    SessionStorage,
    create_session_id,
    open_storage,
)
from sessionctl.verdict import Verdict


def session(session: Session) -> None:
    """A session's values may be anything, its state is precise."""
    assert_type(session.id, str)
    assert_type(session.get("a"), Any)
    assert_type(session["a"], Any)
    assert_type(session.dirty, bool)
    assert_type(session.size, int)
    assert_type(session.delete_id, str | None)
    assert_type(session.data, tuple[dict[str, Any], dict[str, Any]])
    assert_type(list(session), list[str])
    session["a"] = [1]
    session.set("a", None)
    session.update(b=1)
    session.keep("notice", "error")
    session.regenerate_id(delete_old=True)
    assert_type(Session("id", data=({"a": 1}, {})), Session)
    assert_type(create_session_id(), str)


def cookie(header: str | None) -> str:
    """A cookie takes a header that may be missing, and a value that a storage answered."""
    cookie = Cookie("session", ["secret", b"secret", Secret("secret")], max_age=3600, same_site="Strict")
    assert_type(cookie.parse(header), str | None)
    assert_type(cookie.verify(header), Verdict)
    assert_type(cookie.keys, KeyRing)
    assert_type(cookie.keys[0], Secret)
    assert_type(cookie.keys[:1], KeyRing)
    return cookie.serialize("value", path="/a")


def storage(cookie_value: str | None) -> None:
    """A storage is a context manager, and every URL opens one."""
    with open_storage("fs:sessions", ttl=60) as storage:
        assert_type(storage, SessionStorage)
        assert_type(storage.read(cookie_value), Session)
        assert_type(storage.save(Session()), str | None)


async def async_storage(cookie_value: str | None) -> None:
    """The async twins have the same types."""
    async with open_storage("memory:") as storage:
        session = await storage.aread(cookie_value)
        assert_type(session, Session)
        assert_type(await storage.asave(session), str | None)


def errors() -> int:
    """Evidence is typed."""
    try:
        return 0
    except CookieTooLargeError as error:
        assert_type(error.largest, tuple[tuple[str, int], ...])
        return error.exit_status
    except SessionctlError as error:
        assert_type(error.code, str)
        return error.exit_status
