"""What Pyramid writes is read, and what is written is read by Pyramid."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sessionctl import formats

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Pyramid imports pkg_resources
]

DATA = {"user_id": 42, "name": "Zoë 😀", "list": [1, None, {"x": 1.5}], "long": "x" * 500}
KEYS = ["plain", "clé-ÿ", "秘密-key"]


def session_of(key: str, text: str | None = None, **options: Any) -> Any:
    """The session that Pyramid reads from a cookie, and the request that it belongs to."""
    factories = pytest.importorskip("pyramid.session")
    from pyramid.request import Request

    request = Request.blank("/", headers={"Cookie": f"session={text}"} if text else {})
    return factories.SignedCookieSessionFactory(key, **options)(request), request


def written(session: Any, request: Any) -> str:
    """The cookie text that Pyramid sends."""
    from pyramid.response import Response

    response = Response()
    for callback in request.response_callbacks:
        callback(request, response)
    return str(response.headers["Set-Cookie"]).partition("=")[2].partition(";")[0]


@pytest.mark.parametrize("key", KEYS)
def test_what_pyramid_writes(key: str) -> None:
    """A session of Pyramid's is read and verified, its messages too."""
    session, request = session_of(key)
    session.update(DATA)
    session.flash("saved", "info")
    text = written(session, request)
    decoded = formats.get("pyramid").decode(text)
    assert decoded.data == {**DATA, "_f_info": ["saved"]}
    assert decoded.flash == {"info": ["saved"]}
    assert formats.get("pyramid").verify(text, [key]).valid


@pytest.mark.parametrize("key", KEYS)
def test_what_is_written(key: str) -> None:
    """Pyramid reads what is made with its key, and nothing made with another."""
    text = formats.get("pyramid").encode(DATA, [key], flash={"": "hi"})
    session, _ = session_of(key, text)
    assert session.pop_flash() == ["hi"]
    assert dict(session) == DATA
    assert dict(session_of("other", text)[0]) == {}


@pytest.mark.parametrize("options", [{"hashalg": "sha256"}, {"salt": "other."}])
def test_options(options: dict[str, str]) -> None:
    """The options mean what they mean in Pyramid."""
    named = {"hashalg": "digest"}
    form = formats.get("pyramid", **{named.get(name, name): value for name, value in options.items()})
    session, _ = session_of("key", form.encode(DATA, ["key"]), **options)
    assert dict(session) == DATA


@pytest.mark.parametrize("age", [0, 1195, 1205, -60])
def test_same_age(age: int) -> None:
    """A session is too old exactly where Pyramid says so."""
    text = formats.get("pyramid").encode({"a": 1}, ["key"], now=time.time() - age)
    assert formats.get("pyramid").verify(text, ["key"]).valid == bool(dict(session_of("key", text)[0]))
