"""A Flask application with a log-in, served for a browser that visits it."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "flask-shop-throw-away-key"
FORM = "<form method=post action={}><input name=user><button id={}>go</button></form>"


@contextlib.contextmanager
def served(app: Any, host: str = "127.0.0.1", **options: Any) -> Iterator[str]:
    """The application on a port of its own: its URL without a path."""
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(host, 0, app, threaded=True, **options)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'https' if options.get('ssl_context') else 'http'}://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def flask_shop(**config: Any) -> Any:
    """A shop with a cart for guests, a log-in, a flashed welcome and a log-out."""
    import flask

    app = flask.Flask(__name__)
    app.config.update({"SECRET_KEY": SECRET, **config})

    @app.get("/")
    def home() -> str:
        flask.session.setdefault("cart", [7])
        told = " ".join(flask.get_flashed_messages())
        who = flask.session.get("user_id", "guest")
        return f"<p id=who>{who}</p><p id=told>{told}</p>{FORM.format('/logout', 'leave')}"

    @app.get("/login")
    def form() -> str:
        return FORM.format("/login", "enter")

    @app.post("/login")
    def login() -> Any:
        flask.session["user_id"] = flask.request.form["user"]
        flask.flash("welcome")
        return flask.redirect("/")

    @app.post("/logout")
    def logout() -> Any:
        flask.session.clear()
        return flask.redirect("/login")

    return app


def cookie_page(texts: list[str]) -> Any:
    """An application whose page N sets the Nth cookie, as it is, and shows nothing."""
    import flask

    app = flask.Flask(__name__)

    @app.get("/set/<int:number>")
    def page(number: int) -> Any:
        return flask.Response("ok", headers={"Set-Cookie": texts[number]})

    return app
