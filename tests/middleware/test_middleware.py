"""Both middlewares give an application its session, and send its cookie."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sessionctl import Cookie, SecretError, UsageError, open_storage
from sessionctl.middleware import asgi, wsgi

RING = ["new", "old"]


def act(session: Any, path: str) -> None:
    """What the application does, by path."""
    if path == "/count":
        session["count"] = session.get("count", 0) + 1
    elif path == "/login":
        session.regenerate_id(delete_old=True)
        session["user"] = "mj"
    elif path == "/logout":
        session.destroy()


class Wsgi:
    """One WSGI application behind its middleware."""

    def __init__(self, storage: Any, cookie: Cookie) -> None:
        def app(environ: Any, start_response: Any) -> list[bytes]:
            act(environ[wsgi.KEY], environ["PATH_INFO"])
            start_response("200 OK", [("X-App", "1")])
            return [str(dict(environ[wsgi.KEY])).encode()]

        self.app = wsgi.SessionMiddleware(app, storage, cookie)

    def request(self, path: str, header: str | None) -> tuple[str, str | None]:
        """The body and the Set-Cookie header of one request."""
        sent: dict[str, str] = {}
        environ: dict[str, Any] = {"PATH_INFO": path}
        if header:
            environ["HTTP_COOKIE"] = header
        body = b"".join(self.app(environ, lambda _status, headers: sent.update(headers)))
        assert sent["X-App"] == "1"
        return body.decode(), sent.get("Set-Cookie")


class Asgi:
    """One ASGI application behind its middleware."""

    def __init__(self, storage: Any, cookie: Cookie) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            act(scope["session"], scope["path"])
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x-app", b"1")]})
            await send({"type": "http.response.body", "body": str(dict(scope["session"])).encode()})

        self.app = asgi.SessionMiddleware(app, storage, cookie)

    def request(self, path: str, header: str | None) -> tuple[str, str | None]:
        """The body and the Set-Cookie header of one request."""
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"cookie", header.encode())] if header else []
        asyncio.run(self.app({"type": "http", "path": path, "headers": headers}, None, send))
        found = dict(sent[0]["headers"])
        assert found[b"x-app"] == b"1"
        return sent[1]["body"].decode(), found[b"set-cookie"].decode() if b"set-cookie" in found else None


@pytest.fixture(params=[Wsgi, Asgi])
def kind(request: pytest.FixtureRequest) -> Any:
    """Either interface."""
    return request.param


def test_session_over_requests(kind: Any) -> None:
    """A session is counted, renewed at log-in and ended at log-out; a clean one sends nothing."""
    app = kind(open_storage("memory:"), Cookie("sid", secrets=RING))
    assert app.request("/", None) == ("{}", None)
    body, first = app.request("/count", None)
    assert body == "{'count': 1}"
    header = first.split(";")[0]
    assert app.request("/count", header)[0] == "{'count': 2}"
    assert app.request("/", header) == ("{'count': 2}", None)
    _, second = app.request("/login", header)
    assert app.request("/", header)[0] == "{}"
    renewed = second.split(";")[0]
    assert app.request("/", renewed)[0] == "{'count': 2, 'user': 'mj'}"
    _, cleared = app.request("/logout", renewed)
    assert "Max-Age=0" in cleared
    assert app.request("/", renewed)[0] == "{}"


def test_old_key_is_replaced(kind: Any) -> None:
    """A cookie of an older key is signed anew, though the session was not changed."""
    storage = open_storage("memory:")
    _, text = kind(storage, Cookie("sid", secrets=["old"])).request("/count", None)
    body, again = kind(storage, Cookie("sid", secrets=RING)).request("/", text.split(";")[0])
    assert body == "{'count': 1}"
    assert Cookie("sid", secrets=["new"]).parse(again.split(";")[0]) is not None


def test_unsigned_cookie_is_refused(kind: Any) -> None:
    """A client must not choose its session."""
    with pytest.raises(SecretError):
        kind(open_storage("memory:"), Cookie("sid", format="remix"))


def test_two_middlewares_are_refused(kind: Any) -> None:
    """The second does not overwrite the session of the first."""
    storage, cookie = open_storage("memory:"), Cookie("sid", secrets=RING)
    app = kind(storage, cookie)
    app.app = type(app.app)(app.app, storage, cookie)
    with pytest.raises(UsageError):
        app.request("/", None)


def test_forged_cookie_gives_a_new_session(kind: Any) -> None:
    """A cookie that does not verify is as none."""
    app = kind(open_storage("memory:"), Cookie("sid", secrets=RING))
    assert app.request("/", "sid=forged.cookie.text") == ("{}", None)
