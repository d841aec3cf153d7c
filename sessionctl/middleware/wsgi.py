"""WSGI (PEP 3333): the session is `environ["sessionctl.session"]`.

It is saved when the application calls `start_response`; what it changes after that is not saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.middleware.exchange import Exchange, refuse_second

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from sessionctl.cookie import Cookie
    from sessionctl.storage.base import SessionStorage

KEY = "sessionctl.session"


class SessionMiddleware:
    """A WSGI application with a session for every request. Raises what the storage raises."""

    def __init__(self, app: WSGIApplication, storage: SessionStorage, cookie: Cookie) -> None:
        self._app = app
        self._exchange = Exchange.of(storage, cookie)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        refuse_second(environ.get(KEY))
        storage, cookie = self._exchange.storage, self._exchange.cookie
        header = environ.get("HTTP_COOKIE")
        session = environ[KEY] = storage.read(cookie.parse(header))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            text = self._exchange.set_cookie(header, session, storage.save(session))
            added = [*headers, ("Set-Cookie", text)] if text is not None else headers
            return start_response(status, added, exc_info) if exc_info else start_response(status, added)

        return self._app(environ, start)
