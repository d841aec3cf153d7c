"""What Flask-Login writes is read, and what is written is read by Flask-Login."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY = "clé-ÿ"


@pytest.fixture
def app() -> Any:
    """An application with Flask-Login that knows every user."""
    flask = pytest.importorskip("flask")
    login = pytest.importorskip("flask_login")
    app = flask.Flask(__name__)
    app.config["SECRET_KEY"] = KEY
    manager = login.LoginManager(app)

    class User(login.UserMixin):  # type: ignore[misc, name-defined]
        def __init__(self, name: str) -> None:
            self.id = name

    manager.user_loader(User)

    @app.get("/login/<name>")
    def log_in(name: str) -> str:
        login.login_user(User(name), remember=True)
        return ""

    @app.get("/who")
    def who() -> str:
        return str(login.current_user.get_id() or "")

    return app


@pytest.mark.parametrize("name", ["42", "a|b", "zoë", "user@example.com"])
def test_what_flask_login_writes(app: Any, name: str) -> None:
    """A remember_token is verified, and says who the user is."""
    answer = app.test_client().get(f"/login/{name}")
    header = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("remember_token="))
    text = header.partition("=")[2].partition(";")[0]
    assert formats.get("flask-login").decode(text).data == name
    assert formats.get("flask-login").verify(text, [KEY]).valid


@pytest.mark.parametrize("name", ["42", "a|b", "zoë", "user@example.com"])
def test_what_is_written(app: Any, name: str) -> None:
    """Flask-Login knows the user of a text that is made with its key, and of no other."""
    for key, seen in ((KEY, name), ("other", "")):
        text = formats.get("flask-login").encode(name, [key])
        answer = app.test_client(use_cookies=False).get("/who", headers={"Cookie": f"remember_token={text}"})
        assert answer.get_data(as_text=True) == seen
