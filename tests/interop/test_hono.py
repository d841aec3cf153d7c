"""Hono reads what is written here, and what it writes is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import formats

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY = "newest-ü-🔑"
FORM = formats.get("hono")


@pytest.mark.parametrize("value", ["", "a.b.", '{"a":1}', "zażółć 😀 %41 +/=;,", "x" * 2000])
def test_values_go_both_ways(node: Node, value: str) -> None:
    """Both write the same text, byte for byte, and read it."""
    text = node("hono.write", secret=KEY, value=value)
    assert text == FORM.encode(value, [KEY])
    assert FORM.verify(text, [KEY]).value == FORM.decode(text).data == value
    assert node("hono.read", secret=KEY, text=text) == value


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text[:-3], id="padding gone"),
        pytest.param(lambda text: text.replace("6z4", "6z5"), id="stray low bits"),
        pytest.param(lambda text: text.replace("%2B", "-"), id="URL-safe signature"),
        pytest.param(lambda text: text.replace("%2B", "+"), id="not encoded"),
        pytest.param(lambda text: text.partition(".")[0], id="signature gone"),
        pytest.param(lambda text: text.replace("%2B", "%zz"), id="broken percent sign"),
        pytest.param(lambda text: "%zz" + text, id="broken percent sign in the value"),
        pytest.param(lambda text: f'"{text}"', id="in double quotes"),
        pytest.param(lambda text: "x" + text, id="changed value"),
    ],
)
def test_verdicts_agree(node: Node, change: Any) -> None:
    """What Hono refuses is refused here; what it does not look at is malformed."""
    text = change("hello.ayNlPwjHIHJVTl3%2B%2Bbcu%2FgH8%2FnJKlQaJ6ZHnvXCJ6z4%3D")
    expected = {"hello": None, None: "malformed", False: "bad-signature"}
    assert FORM.verify(text, ["s3cr3t"]).reason == expected[node("hono.read", secret="s3cr3t", text=text)]


def test_a_value_with_a_stray_percent_sign(node: Node) -> None:
    """Where the value cannot be decoded as a whole, both decode what can be."""
    text = FORM.encode("100%zz+", [KEY]).replace("%25", "%")
    assert node("hono.read", secret=KEY, text=text) == FORM.verify(text, [KEY]).value == "100%zz+"
