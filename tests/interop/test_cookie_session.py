"""cookie-session and koa-session read what is written here, and what they write is read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import formats
from sessionctl.formats import Context
from sessionctl.signing import KeyRing

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY, OLD_KEY = "newest-ü-🔑", "older"
FORM = formats.get("cookie-session")
DATA: dict[str, Any] = {"user": "Zoë 😀", "9": 1, "lone": "\ud83d", "list": [1, None, {"x": 1.5}]}


def header(form: Any, data: Any, keys: list[str], name: str) -> str:
    """A session and its companion, as the Cookie header carries them."""
    text = form.encode(data, keys)
    cookies = {name: text, **form.companions(text, Context(keys=KeyRing(keys), cookie_name=name))}
    return "; ".join(f"{key}={value}" for key, value in cookies.items())


def check(form: Any, cookies: dict[str, str], name: str, data: Any) -> None:
    """The cookies are genuine, say the data, and are what is written here."""
    context = {"cookies": cookies, "cookie_name": name}
    assert form.verify(cookies[name], [KEY], **context).valid
    assert form.decode(cookies[name], **context).data == data
    assert form.encode(data, [KEY]) == cookies[name]
    companion = form.companions(cookies[name], Context(keys=KeyRing([KEY]), cookie_name=name))
    assert companion == {f"{name}.sig": cookies[f"{name}.sig"]}


@pytest.mark.parametrize("name", ["session", "my-sess"])
def test_cookie_session_reads_ours(node: Node, name: str) -> None:
    """A session made here is cookie-session's; an older key makes it send a fresh signature."""
    read = node("cookieSession.read", keys=[KEY, OLD_KEY], name=name, header=header(FORM, DATA, [KEY], name))
    assert read == {"session": DATA, "cookies": {}}
    read = node(
        "cookieSession.read", keys=[KEY, OLD_KEY], name=name, header=header(FORM, DATA, [OLD_KEY], name)
    )
    assert read["session"] == DATA
    text = FORM.encode(DATA, [KEY])
    assert read["cookies"] == FORM.companions(text, Context(keys=KeyRing([KEY]), cookie_name=name))


def test_cookie_session_refuses_another_key(node: Node) -> None:
    """What is signed with no key of its ring is an empty session."""
    read = node(
        "cookieSession.read", keys=[KEY], name="session", header=header(FORM, DATA, ["no"], "session")
    )
    assert read["session"] == {}


@pytest.mark.parametrize(
    "options",
    [{}, {"digest": "sha256"}, {"digest": "sha256", "encoding": "hex"}, {"digest": "sha512"}],
    ids=["sha1", "sha256", "hex", "sha512"],
)
def test_keygrips_go_both_ways(node: Node, options: dict[str, str]) -> None:
    """Digest and encoding of the application's Keygrip, both ways."""
    form = formats.get("cookie-session", **options)
    check(form, node("cookieSession.write", keys=[KEY], values=DATA, **options), "session", DATA)
    read = node("cookieSession.read", keys=[KEY], header=header(form, DATA, [KEY], "session"), **options)
    assert read["session"] == DATA


def test_the_session_of_koa_is_read(node: Node) -> None:
    """koa-session's cookie has the session and its times."""
    cookies = node("koaSession.write", keys=[KEY], values=DATA)
    decoded = FORM.decode(cookies["koa.sess"], cookies=cookies, cookie_name="koa.sess")
    assert FORM.for_people(decoded) == DATA
    assert decoded.issued_at == pytest.approx(time.time(), abs=60)
    assert decoded.expires_at == pytest.approx(time.time() + 86400, abs=60)
    check(FORM, cookies, "koa.sess", decoded.data)
    assert FORM.detect(cookies["koa.sess"], cookie_name="koa.sess") > 0.95


@pytest.mark.parametrize(("seconds", "lives"), [(600, True), (-600, False)])
def test_koa_reads_ours_while_they_live(node: Node, seconds: float, lives: bool) -> None:
    """A session made here is koa-session's till `_expire`, and the verdict here is the same."""
    data = {**DATA, "_expire": int((time.time() + seconds) * 1000), "_maxAge": 86_400_000}
    text = FORM.encode(data, [KEY])
    assert node("koaSession.read", keys=[KEY], header=header(FORM, data, [KEY], "koa.sess")) == (
        DATA if lives else {}
    )
    companions = FORM.companions(text, Context(keys=KeyRing([KEY]), cookie_name="koa.sess"))
    assert FORM.verify(text, [KEY], cookie_name="koa.sess", cookies=companions).valid == lives


def test_koa_reads_a_session_without_an_age(node: Node) -> None:
    """With the maxAge "session" koa-session writes `_session` in place of the times."""
    cookies = node("koaSession.write", keys=[KEY], values=DATA, maxAge="session")
    decoded = FORM.decode(cookies["koa.sess"])
    assert (decoded.data, decoded.expires_at) == ({**DATA, "_session": True}, None)
