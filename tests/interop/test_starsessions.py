"""A Starlette application with starsessions on Redis, and what `inspect` says of its session, agree on its end."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sessionctl import open_storage
from sessionctl.identify import Setup
from sessionctl.inspection import Report, inspect
from sessionctl.sources import read_cookie
from sessionctl.storage.base import RecordStorage
from sessionctl.stores import read_record
from tests.servers import redis_server, server_directory  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from tests.servers import RedisServer

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LIFETIME = 4


class App(NamedTuple):
    """An application whose sessions lie under a prefix of its own."""

    url: str
    prefix: str
    rolling: bool
    lifetime: int = LIFETIME

    def visit(self, cookie: str | None = None, **values: Any) -> tuple[dict[str, Any], str]:
        """The session that the application sees, which counts as a use, and the cookie text that it sends."""
        return asyncio.run(self._visit(cookie, values))

    async def _visit(self, cookie: str | None, values: dict[str, Any]) -> tuple[dict[str, Any], str]:
        starsessions = pytest.importorskip("starsessions")
        redis_store = pytest.importorskip("starsessions.stores.redis")
        client = pytest.importorskip("redis.asyncio").Redis.from_url(self.url)
        seen: list[dict[str, Any]] = []
        sent: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(dict(scope["session"]))
            scope["session"].update(values)
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def send(message: Any) -> None:
            sent.extend(value.decode() for name, value in message["headers"] if name == b"set-cookie")

        served = starsessions.SessionMiddleware(
            starsessions.SessionAutoloadMiddleware(app),
            redis_store.RedisStore(connection=client, prefix=self.prefix),
            lifetime=self.lifetime,
            rolling=self.rolling,
        )
        headers = [] if cookie is None else [(b"cookie", f"session={cookie}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
        try:
            await served(scope, None, send)
        finally:
            await client.aclose()
        return seen[0], sent[0].partition("=")[2].partition(";")[0] if sent else ""

    def inspect(self, cookie: str) -> Report:
        """What `inspect` says."""
        with open_storage(f"{self.url}?layout=starsessions&prefix={self.prefix}") as storage:
            setup = Setup(storage=storage, storage_given=True, format="starlette")
            return inspect(read_cookie(f"session={cookie}"), setup)


def test_same_end(redis_server: RedisServer) -> None:  # noqa: F811 - the fixture
    """With a fixed lifetime a session ends so long after it was made, with a rolling one after its last use."""
    apps = [App(redis_server.url, f"{secrets.token_hex(6)}:", rolling=rolling) for rolling in (False, True)]
    cookies = [app.visit(user="mj")[1] for app in apps]
    begun = time.time()

    def live_at(seconds: float) -> list[bool]:
        """Which sessions are live then, as `inspect` says and then the applications."""
        time.sleep(max(0.0, begun + seconds - time.time()))
        reports = [app.inspect(cookie) for app, cookie in zip(apps, cookies, strict=True)]
        seen = [app.visit(cookie)[0] for app, cookie in zip(apps, cookies, strict=True)]
        assert [report.ends_well for report in reports] == [bool(session) for session in seen]
        assert all(session["user"] == "mj" for session in seen if session)
        return [report.ends_well for report in reports]

    assert live_at(0) == [True, True]
    assert live_at(LIFETIME / 2 - 0.3) == [True, True]
    fixed, rolling = (app.inspect(cookie) for app, cookie in zip(apps, cookies, strict=True))
    assert fixed.expires_at is not None
    assert rolling.expires_at is not None
    assert fixed.expires_at <= begun + LIFETIME + 0.1 < rolling.expires_at
    assert fixed.data["user"] == rolling.data["user"] == "mj"
    assert live_at(LIFETIME + 0.7) == [False, True]
    assert live_at(2 * LIFETIME + 1.5) == [False, False]


def test_no_lifetime_ends_with_the_browser(redis_server: RedisServer) -> None:  # noqa: F811 - the fixture
    """Without a lifetime the record has no end of its own; Redis drops it after what the store is told."""
    app = App(redis_server.url, f"{secrets.token_hex(6)}:", rolling=False, lifetime=0)
    cookie = app.visit(user="mj")[1]
    report = app.inspect(cookie)
    assert report.expires_at == pytest.approx(time.time() + 30 * 86400, abs=60)
    with open_storage(f"{app.url}?layout=starsessions&prefix={app.prefix}") as storage:
        assert isinstance(storage, RecordStorage)
        stored = storage.peek(f"{app.prefix}{cookie}")
    assert stored is not None
    assert read_record(stored.text).expires_at is None
