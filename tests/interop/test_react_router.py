"""React Router reads what is written here, and what it writes is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import formats

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY, OLD_KEY = "newest-ü-🔑", "older"
FORM = formats.get("react-router")
DATA: list[Any] = [
    {},
    {"user": "Zoë 😀", "list": [1, None, {"x": 1.5}], "__proto__": {"a": 1}},
    {"lone": "\ud83d", "nul": "\x00", "ends": "\u2028\u2029\x7f"},
    {"9": 1, "10": 2, "z": 3, "1": 4},
    {"n": [1e21, 1e-7, 0.000001, 2**53, -(2**53), 0.1, 5e-324, 1.7976931348623157e308]},
]


@pytest.mark.parametrize("data", DATA, ids=["empty", "unicode", "surrogates", "indexes", "numbers"])
def test_it_reads_our_sessions(node: Node, data: dict[str, Any]) -> None:
    """A session made here is React Router's, be it signed with the newest or an older key."""
    for key in (KEY, OLD_KEY):
        text = FORM.encode(data, [key])
        assert node("reactRouter.session.read", secrets=[KEY, OLD_KEY], text=text)["data"] == data
    assert node("reactRouter.session.read", secrets=["other"], text=text)["data"] == {}


@pytest.mark.parametrize("data", DATA, ids=["empty", "unicode", "surrogates", "indexes", "numbers"])
def test_its_text_is_ours(node: Node, data: dict[str, Any]) -> None:
    """Both write the same text, byte for byte."""
    text = node("reactRouter.cookie.serialize", secrets=[KEY], value=data)
    assert FORM.verify(text, [KEY]).valid
    assert FORM.decode(text).data == data
    assert FORM.encode(FORM.decode(text).data, [KEY]) == text


@pytest.mark.parametrize("value", ["8903f1d27b93f2bc", None, [1, 2], True, "ż😀"])
def test_any_value_goes_both_ways(node: Node, value: Any) -> None:
    """`createCookie` holds any JSON value, an ID among them."""
    assert node("reactRouter.cookie.parse", secrets=[KEY], text=FORM.encode(value, [KEY])) == value
    assert FORM.decode(node("reactRouter.cookie.serialize", secrets=[KEY], value=value)).data == value


def test_flash_goes_both_ways(node: Node) -> None:
    """What is flashed on one side is read on the other."""
    text = FORM.encode({"user": "bob"}, [KEY], flash={"notice": "hi"})
    read = node("reactRouter.session.read", secrets=[KEY], text=text, keys=["user", "notice"])
    assert read["get"] == {"user": "bob", "notice": "hi"}
    written = node("reactRouter.session.write", secrets=[KEY], values={"user": "bob"}, flash={"notice": "hi"})
    assert written == text
    assert FORM.decode(written).flash == {"notice": "hi"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text + "%3D", id="padded signature"),
        pytest.param(lambda text: text[:-1] + "5", id="stray low bits"),
        pytest.param(lambda text: text[:-2], id="signature cut"),
        pytest.param(lambda text: text.replace("%2B", "-"), id="URL-safe signature"),
        pytest.param(lambda text: text.replace("%2B", "%252B"), id="encoded twice"),
        pytest.param(lambda text: text.replace("%2B", "+"), id="not encoded"),
        pytest.param(lambda text: text.partition(".")[0], id="signature gone"),
        pytest.param(lambda text: text.replace("%2B", "%zz"), id="broken percent sign"),
        pytest.param(lambda text: "%20" + text, id="a space before"),
        pytest.param(lambda text: text + "%0A", id="a line break after"),
    ],
)
def test_verdicts_agree(node: Node, change: Any) -> None:
    """What it refuses is refused here, and what it lets pass is valid."""
    text = change("eyJ1c2VyIjoiYWxpY2UiLCJ2aXNpdHMiOjN9.qvLLEp78iBpSJg585JHL1es%2B02T1z8IG6YGLC9yF8P4")
    accepted = node("reactRouter.cookie.parse", secrets=["s3cr3t"], text=text) is not None
    assert FORM.verify(text, ["s3cr3t"]).valid == accepted
