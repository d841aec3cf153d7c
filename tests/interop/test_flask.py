"""What Flask and Quart write is read, and what is written is read by them."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
import uuid
from typing import Any

import pytest

from sessionctl import formats

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY, OLD_KEY = "new-key-ü", "old-key"
DATA = {"user_id": 42, "name": "Zoë 😀", "list": [1, None, {"x": 1.5}], "big": 2**70, "long": "x" * 500}
WHEN = dt.datetime(2024, 2, 29, 12, 34, 56, tzinfo=dt.UTC)
RICH = {"t": (1, "a", (2,)), "b": b"\x00\xff", "u": uuid.UUID(int=7), "d": WHEN, "x": {" t": [1]}}


def application() -> Any:
    """An application of Flask's with one older key."""
    flask = pytest.importorskip("flask")
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OLD_KEY])
    return app


def written(values: dict[str, Any], *, flash: bool = False) -> str:
    """The cookie text of a session that Flask wrote."""
    import flask

    app = application()

    @app.get("/")
    def index() -> str:
        flask.session.update(values)
        if flash:
            flask.flash("saved", "info")
        return ""

    client = app.test_client()
    client.get("/")
    return str(client.get_cookie("session").value)


def read(text: str) -> tuple[dict[str, Any], list[Any]]:
    """The session that Flask reads, and the messages flashed in it."""
    import flask

    app = application()
    found: list[Any] = []

    @app.get("/")
    def index() -> str:
        found.append(dict(flask.session))
        found.append(flask.get_flashed_messages(with_categories=True))
        return ""

    client = app.test_client()
    client.set_cookie("session", text)
    client.get("/")
    return found[0], found[1]


def test_what_flask_writes() -> None:
    """A session of Flask's is read and verified, and encodes to the same text."""
    application()
    text = written(DATA)
    form = formats.get("flask")
    verdict = form.verify(text, [KEY])
    assert verdict.valid
    assert form.decode(text).data == DATA
    assert form.encode(form.decode(text).data, [KEY], now=verdict.issued_at) == text


def test_tags() -> None:
    """Flask's tags come back to Flask as they were, and people see what they stand for."""
    application()
    form = formats.get("flask")
    decoded = form.decode(written(RICH))
    assert read(form.encode(decoded.data, [KEY]))[0] == RICH
    assert form.for_people(decoded) == {
        "t": [1, "a", [2]],
        "b": "AP8=",
        "u": "00000000-0000-0000-0000-000000000007",
        "d": "2024-02-29T12:34:56Z",
        "x": {" t": [1]},
    }


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
def test_what_is_written(key: str) -> None:
    """Flask reads what is made with its key or a fallback, flash messages too."""
    application()
    text = formats.get("flask").encode(DATA, [key], flash={"error": "bad"})
    session, flashed = read(text)
    assert {name: session[name] for name in DATA} == DATA
    assert flashed == [("error", "bad")]


def test_flash_is_seen() -> None:
    """A message that Flask flashed is shown."""
    application()
    decoded = formats.get("flask").decode(written({}, flash=True))
    assert decoded.flash == [{"category": "info", "message": "saved"}]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text, id="nothing"),
        pytest.param(lambda text: text[:-1] + chr(ord(text[-1]) + 1), id="the unused bits"),
        pytest.param(lambda text: text + "=", id="padding"),
        pytest.param(lambda text: text[:-2], id="cut"),
        pytest.param(lambda text: text.replace(".", "..", 1), id="a dot"),
        pytest.param(lambda text: "a" + text, id="a letter"),
        pytest.param(lambda text: text[:-27] + "!" + text[-27:], id="a foreign character"),
    ],
)
def test_same_verdict(change: Any) -> None:
    """A changed text is genuine exactly where Flask takes it."""
    application()
    text = change(formats.get("flask").encode({"a": 1}, [KEY]))
    assert formats.get("flask").verify(text, [KEY]).valid == bool(read(text)[0])


@pytest.mark.parametrize("age", [0, 2678400 - 5, 2678400 + 5, -60])
def test_same_age(age: int) -> None:
    """A session is too old, or of the future, exactly where Flask says so."""
    application()
    text = formats.get("flask").encode({"a": 1}, [KEY], now=time.time() - age)
    assert formats.get("flask").verify(text, [KEY]).valid == bool(read(text)[0])


def test_quart() -> None:
    """Quart reads what Flask's format writes, and the other way round."""
    quart = pytest.importorskip("quart")
    app = quart.Quart(__name__)
    app.config.update(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OLD_KEY])

    @app.get("/")
    async def index() -> dict[str, Any]:
        found = dict(quart.session)
        quart.session["more"] = 1
        return found

    async def visit() -> tuple[dict[str, Any], str]:
        client = app.test_client()
        client.set_cookie("localhost", "session", formats.get("flask").encode(DATA, [OLD_KEY]))
        answer = await client.get("/")
        return await answer.get_json(), answer.headers["Set-Cookie"]

    found, header = asyncio.run(visit())
    assert found == DATA
    text = header.partition("=")[2].partition(";")[0]
    assert formats.get("flask").verify(text, [KEY]).valid
    assert formats.get("flask").decode(text).data == {**DATA, "more": 1}
