"""Remix 3 reads what is written here, and what it writes is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import formats, jsontext

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY, OLD_KEY = "newest-ü-🔑", "older"
FORM = formats.get("remix")
DATA: list[Any] = [
    pytest.param({"userId": 42, "t": True, "f": False, "s": ""}, id="plain"),
    pytest.param({"name": "Zoë", "jp": "日本語", "emoji": "😀👩\u200d👩\u200d👧", "ż": 1}, id="unicode"),
    pytest.param(
        {"lone": "\ud83d", "\ude00": "low", "turned": "\ude00\ud83d", "pair": "😀"}, id="surrogates"
    ),
    pytest.param({"ctl": "\x00\x1f\x7f\x85", "sep": "\u2028\u2029", "q": "\"\\/'<>%41+;,="}, id="specials"),
    pytest.param({"z": 1, "10": 2, "9": 3, "4294967294": 4, "4294967295": 5, "01": 6, "-1": 7}, id="indexes"),
    pytest.param({"deep": {"b": [1, [2, [3, []]], {}, None, {"2": 1, "1": 2}]}}, id="nested"),
    pytest.param({"__proto__": {"x": 1}, "constructor": "c", "toString": 1}, id="JavaScript's own names"),
    pytest.param(
        {
            "safe": [2**53 - 1, -(2**53 - 1), 2**53],
            "large": [1e21, 1e22, 1.7976931348623157e308],
            "small": [1e-6, 1e-7, 5e-324, -1.5e-9],
            "half": [0.1, 0.5, -0.25, 3.141592653589793],
        },
        id="numbers",
    ),
    pytest.param({}, id="empty"),
]


@pytest.mark.parametrize("data", DATA)
def test_remix_reads_our_sessions(node: Node, data: dict[str, Any]) -> None:
    """A session made here is Remix's, with its ID, be it signed with the newest or an older key."""
    for key in (KEY, OLD_KEY):
        text = FORM.encode(data, [key], id="mj-1")
        read = node("remix.read", secrets=[KEY, OLD_KEY], text=text)
        assert (read["id"], read["values"]) == ("mj-1", data)


@pytest.mark.parametrize("data", DATA)
def test_our_json_is_that_of_remix(node: Node, data: dict[str, Any]) -> None:
    """Both write the same JSON, byte for byte: order of keys, numbers, escapes."""
    read = node("remix.read", secrets=[KEY], text=FORM.encode(data, [KEY]))
    assert jsontext.dumps(data) == (read["json"] if data else "{}")


@pytest.mark.parametrize("data", DATA)
def test_the_sessions_of_remix_are_read(node: Node, data: dict[str, Any]) -> None:
    """What Remix wrote is genuine and says the same; written again it is the same text."""
    data = data or {"a": 1}
    text = node("remix.write", secrets=[KEY], values=data)
    decoded = FORM.decode(text)
    assert (decoded.data, decoded.flash) == (data, {})
    assert FORM.verify(text, [KEY]).valid
    assert FORM.encode(decoded.data, [KEY], id=decoded.id) == text


def test_flash_goes_both_ways(node: Node) -> None:
    """What is flashed on one side is read on the other, once."""
    flash = {"notice": "Zapisano ✓", "user": "hidden"}
    text = FORM.encode({"user": "bob"}, [KEY], flash=flash)
    read = node("remix.read", secrets=[KEY], text=text, keys=["notice", "user"])
    assert read["get"] == {"notice": "Zapisano ✓", "user": "bob"}
    assert (read["dirty"], read["size"]) == (True, 3)
    text = node("remix.write", secrets=[KEY], values={"user": "bob"}, flash=flash)
    assert FORM.decode(text).flash == flash


@pytest.mark.parametrize("value", ["mj", "550e8400-e29b-41d4-a716-446655440000", "ż😀", "a.b", ""])
def test_ids_go_both_ways(node: Node, value: str) -> None:
    """With every other storage the cookie is the ID."""
    text = node("remix.cookie.serialize", secrets=[KEY], value=value)
    if value:
        assert FORM.decode(text).id == value
        assert FORM.encode(value, [KEY]) == text
    assert node("remix.cookie.parse", secrets=[KEY], text=text) == value


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(lambda text: text + "=", id="padded signature"),
        pytest.param(lambda text: text[:-1] + chr(ord(text[-1]) + 1), id="stray low bits"),
        pytest.param(lambda text: text[:-1], id="signature cut"),
        pytest.param(lambda text: text.partition(".")[0], id="signature gone"),
        pytest.param(lambda text: text.replace("+", "-"), id="URL-safe signature"),
        pytest.param(lambda text: text.replace("=", "%3D"), id="percent-encoded"),
        pytest.param(lambda text: "A" + text[1:], id="changed value"),
    ],
)
def test_verdicts_agree(node: Node, change: Any) -> None:
    """What Remix refuses is refused here, and what it lets pass is valid."""
    text = change("eyJpIjoibWoiLCJkIjpbe30se31dfQ==.K6a+06lO+AYSj5C5W1Li9URtdqwNVpPQtRt7V7BeNvs")
    accepted = node("remix.cookie.parse", secrets=["s1"], text=text) is not None
    assert FORM.verify(text, ["s1"]).valid == accepted


def test_unsigned_cookies_go_both_ways(node: Node) -> None:
    """Without secrets there is no signature, and the verdict says so."""
    text = node("remix.write", values={"a": 1})
    assert FORM.decode(text).data == {"a": 1}
    assert FORM.verify(text).reason == "unsigned"
    assert json.loads(node("remix.read", text=text)["json"]) == {"a": 1}
