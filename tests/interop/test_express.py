"""Express reads what is written here, and what it writes is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import formats

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY, OLD_KEY = "newest-ü-🔑", "older"
FORM = formats.get("express")
BARE = formats.get("express", prefix="")


def test_express_session_asks_for_our_id(node: Node) -> None:
    """The ID of a cookie made here is what express-session looks for in its store."""
    for sid in ("cpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx", "a.b.ż😀"):
        for key in (KEY, OLD_KEY):
            text = FORM.encode(sid, [key])
            assert node("express.session.read", secrets=[KEY, OLD_KEY], text=text) == sid
        assert node("express.session.read", secrets=["other"], text=text) is None


def test_the_cookie_of_express_session_is_read(node: Node) -> None:
    """The ID that express-session made is in its cookie, and the text is the one that is written here."""
    made = node("express.session.write", secrets=[KEY, OLD_KEY])
    assert FORM.verify(made["text"], [KEY]).value == made["id"]
    assert FORM.encode(made["id"], [KEY]) == made["text"]
    assert FORM.detect(made["text"], cookie_name="connect.sid") == 1.0


VALUES: list[Any] = ["", "text", "a.b.", "zażółć 😀 %41+/=;,", {"a": [1, "ż"]}, [], {}, "j:no json"]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_cookie_parser_reads_our_values(node: Node, value: Any) -> None:
    """Text and JSON of a cookie made here are cookie-parser's."""
    assert node("express.cookie.read", secrets=[KEY], text=FORM.encode(value, [KEY])) == {"signed": value}


@pytest.mark.parametrize("value", [*VALUES, None, 42, True], ids=str)
def test_the_text_of_res_cookie_is_ours(node: Node, value: Any) -> None:
    """Both write the same text, byte for byte, and the same is read from it."""
    text = node("express.cookie.write", secrets=[KEY], value=value)
    assert text == FORM.encode(value, [KEY])
    assert FORM.verify(text, [KEY]).valid
    assert node("express.cookie.read", secrets=[KEY], text=text) == {"signed": FORM.decode(text).data}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text + "%3D", id="padded signature"),
        pytest.param(lambda text: text[:-1] + "9", id="stray low bits"),
        pytest.param(lambda text: text.replace("%2B", "-"), id="URL-safe signature"),
        pytest.param(lambda text: text.replace("%2B", "+"), id="not encoded"),
        pytest.param(lambda text: text.partition(".")[0], id="signature gone"),
        pytest.param(lambda text: text[4:], id="prefix gone"),
        pytest.param(lambda text: text.replace("%2B", "%zz"), id="broken percent sign"),
        pytest.param(lambda text: f'"{text}"', id="in double quotes"),
        pytest.param(lambda text: text.lower(), id="lower case"),
    ],
)
def test_verdicts_agree(node: Node, change: Any) -> None:
    """What express-session refuses is refused here, and what it lets pass is valid."""
    text = change("s%3Acpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx.GkROtRRiwVq8PRjeg%2F3HNCczOPK%2Bs3itCuMFawWFK38")
    accepted = node("express.session.read", secrets=["s3cr3t"], text=text) is not None
    assert FORM.verify(text, ["s3cr3t"]).valid == accepted


@pytest.mark.parametrize("value", ["a.b", "100%", "ż", "", "s:x"])
def test_bare_values_go_both_ways(node: Node, value: str) -> None:
    """With an empty prefix the text is what `cookie-signature` writes and reads."""
    text = node("cookieSignature.sign", value=value, secret=KEY)
    assert BARE.encode(value, [KEY]) == text
    assert BARE.verify(text, [KEY]).value == value
    assert node("cookieSignature.unsign", text=text, secret=KEY) == value
