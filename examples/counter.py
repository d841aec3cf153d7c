"""A WSGI application without a framework: it counts visits, and users log in and out.

python examples/counter.py, then http://localhost:8000/
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

from sessionctl import Cookie, Session, open_storage
from sessionctl.middleware.wsgi import SessionMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


def page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """One request: /, /login?user=NAME or /logout."""
    session: Session = environ["sessionctl.session"]
    if environ["PATH_INFO"] == "/login":
        session.regenerate_id(delete_old=True)  # a new ID at every change of privilege
        session.set("user", parse_qs(environ["QUERY_STRING"])["user"][0])
        session.flash("notice", "Welcome back.")  # the next request sees it, and no other
    elif environ["PATH_INFO"] == "/logout":
        session.destroy()
    if environ["PATH_INFO"] != "/":
        start_response("303 See Other", [("Location", "/")])
        return []
    session.set("visits", session.get("visits", 0) + 1)
    text = f"visit {session['visits']} of {session.get('user', 'a guest')}. {session.get('notice', '')}"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [text.strip().encode()]


storage = open_storage("memory:", ttl="30d")  # "fs:DIR" or "redis://..." keeps them
cookie = Cookie("session", secrets=["the newest secret", "an older one"], secure=False)  # True on https
app = SessionMiddleware(page, storage, cookie)

if __name__ == "__main__":
    make_server("localhost", 8000, app).serve_forever()
