"""Hono's signed cookies."""

from __future__ import annotations

import pytest

from sessionctl import formats

HELLO = "hello.ayNlPwjHIHJVTl3%2B%2Bbcu%2FgH8%2FnJKlQaJ6ZHnvXCJ6z4%3D"
FORM = formats.get("hono")


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        pytest.param(HELLO, ["s3cr3t"], None, id="right key"),
        pytest.param("hello.ayNlPwjHIHJVTl3++bcu/gH8/nJKlQaJ6ZHnvXCJ6z4=", ["s3cr3t"], None, id="raw"),
        pytest.param(f'"{HELLO}"', ["s3cr3t"], None, id="in double quotes"),
        pytest.param(HELLO, ["new", "s3cr3t"], None, id="older key"),
        pytest.param(HELLO, ["other"], "bad-signature", id="wrong key"),
        pytest.param(HELLO, [], "no-key", id="no key"),
        pytest.param("hello", ["s3cr3t"], "malformed", id="no dot"),
        pytest.param(HELLO[:-3], ["s3cr3t"], "malformed", id="padding gone"),
        pytest.param("hello.ayNlPw%3D%3D", ["s3cr3t"], "malformed", id="short signature"),
        pytest.param(HELLO.replace("%2B", "-"), ["s3cr3t"], "bad-signature", id="URL-safe signature"),
        pytest.param("\ud83d" + HELLO, ["s3cr3t"], "malformed", id="lone surrogate"),
    ],
)
def test_reasons(text: str, keys: list[str], reason: str | None) -> None:
    """The verdict names the reason; Hono does not look at a signature that is not 44 characters."""
    verdict = FORM.verify(text, keys)
    assert verdict.reason == reason, verdict


def test_stray_low_bits_pass_with_a_warning() -> None:
    """Hono compares bytes, so another text of the same bytes is valid."""
    verdict = FORM.verify(HELLO.replace("6z4", "6z5"), ["s3cr3t"])
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["non-canonical"]


def test_the_text_of_hono_has_no_warning() -> None:
    """What Hono writes is canonical."""
    assert FORM.verify(HELLO, ["s3cr3t"]).warnings == ()


def test_broken_percent_signs_are_left_alone() -> None:
    """Where the value cannot be decoded as a whole, Hono decodes each run of percent signs that it can."""
    text = FORM.encode("100%zz+", ["k"]).replace("%25", "%")
    verdict = FORM.verify(text, ["k"])
    assert (verdict.valid, verdict.value) == (True, "100%zz+")


@pytest.mark.parametrize("value", ["", "a.b.", '{"a":1}', 'zażółć 😀 %2B+/=;,"', "x"])
def test_what_is_decoded_can_be_encoded(value: str) -> None:
    """Any text goes in and comes back."""
    text = FORM.encode(value, ["k"])
    assert FORM.verify(text, ["k"]).value == FORM.decode(text).data == value


def test_encode_writes_what_the_framework_wrote() -> None:
    """The text is the framework's own, byte for byte."""
    assert FORM.encode("hello", ["s3cr3t"]) == HELLO


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        pytest.param(HELLO, 0.9, 1.0, id="percent-encoded"),
        pytest.param(HELLO.replace("%2B", "%2b").replace("%3D", "%3d"), 0.9, 1.0, id="in lower case"),
        pytest.param(f'"{HELLO}"', 0.9, 1.0, id="in double quotes"),
        pytest.param(formats.get("express").example, 0.0, 0.0, id="a cookie of Express"),
        pytest.param(formats.get("native").example, 0.0, 0.0, id="a native cookie"),
        pytest.param("GA1.2.1234567890.1234567890", 0.0, 0.0, id="analytics"),
    ],
)
def test_detect(text: str, least: float, most: float) -> None:
    """The padded signature makes it likely."""
    assert least <= FORM.detect(text) <= most
