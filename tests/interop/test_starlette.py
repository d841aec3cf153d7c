"""What Starlette writes is read, and what is written is read by Starlette."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from sessionctl import formats

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY = "key-ü"
DATA = {"user_id": 42, "name": "Zoë 😀", "list": [1, None, {"x": 1.5}], "big": 2**70, "long": "x" * 500}


def visit(text: str | None, values: dict[str, Any] | None = None) -> tuple[dict[str, Any], str]:
    """The session that an application with SessionMiddleware sees, and the cookie text that it sends."""
    sessions = pytest.importorskip("starlette.middleware.sessions")
    seen: list[dict[str, Any]] = []
    sent: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(dict(scope["session"]))
        if values:
            scope["session"].update(values)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.extend(value.decode() for name, value in message["headers"] if name.lower() == b"set-cookie")

    headers = [(b"cookie", f"session={text}".encode())] if text is not None else []
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    asyncio.run(sessions.SessionMiddleware(app, KEY)(scope, None, send))
    return seen[0], sent[0].partition("=")[2].partition(";")[0] if sent else ""


def test_what_starlette_writes() -> None:
    """A session of Starlette's is read and verified, and encodes to the same text."""
    _, text = visit(None, DATA)
    form = formats.get("starlette")
    verdict = form.verify(text, [KEY])
    assert verdict.valid
    assert form.decode(text).data == DATA
    assert form.encode(DATA, [KEY], now=verdict.issued_at) == text


def test_what_is_written() -> None:
    """Starlette reads what is made with its key."""
    assert visit(formats.get("starlette").encode(DATA, [KEY]))[0] == DATA


@pytest.mark.parametrize("age", [0, 1209600 - 5, 1209600 + 5, -60])
def test_same_age(age: int) -> None:
    """A session is too old, or of the future, exactly where Starlette says so."""
    text = formats.get("starlette").encode({"a": 1}, [KEY], now=time.time() - age)
    assert formats.get("starlette").verify(text, [KEY]).valid == bool(visit(text)[0])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text[:-1] + chr(ord(text[-1]) + 1), id="the unused bits"),
        pytest.param(lambda text: text[:-2], id="cut"),
        pytest.param(lambda text: "a" + text, id="a letter"),
        pytest.param(lambda _: "null", id="cleared"),
        pytest.param(lambda text: f'"{text}"', id="quotes"),
    ],
)
def test_same_verdict(change: Any) -> None:
    """A changed text is genuine exactly where Starlette takes it."""
    text = change(formats.get("starlette").encode({"a": 1}, [KEY]))
    assert formats.get("starlette").verify(text, [KEY]).valid == bool(visit(text)[0])
