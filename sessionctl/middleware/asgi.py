"""ASGI 3: the session is `scope["session"]`, which Starlette and FastAPI show as `request.session`.

It is saved when the response begins; what the application changes after that is not saved. A WebSocket reads
its session and saves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.middleware.exchange import Exchange, refuse_second

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from sessionctl.cookie import Cookie
    from sessionctl.storage.base import SessionStorage

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "session"


class SessionMiddleware:
    """An ASGI application with a session for every request. Raises what the storage raises."""

    def __init__(self, app: App, storage: SessionStorage, cookie: Cookie) -> None:
        self._app = app
        self._exchange = Exchange.of(storage, cookie)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refuse_second(scope.get(KEY))
        storage, cookie = self._exchange.storage, self._exchange.cookie
        header = _cookie_header(scope)
        session = scope[KEY] = await storage.aread(cookie.parse(header))

        async def save_first(message: Message) -> None:
            if message["type"] == "http.response.start":
                text = self._exchange.set_cookie(header, session, await storage.asave(session))
                if text is not None:
                    headers = [*message.get("headers", ()), (b"set-cookie", text.encode("latin-1"))]
                    message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, save_first)


def _cookie_header(scope: Scope) -> str | None:
    """The Cookie header; HTTP/2 may send it in parts (RFC 9113, 8.2.3)."""
    parts = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie"]
    return "; ".join(parts) or None
