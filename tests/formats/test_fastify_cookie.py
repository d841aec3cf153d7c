"""@fastify/cookie and @fastify/session."""

from __future__ import annotations

import pytest

from sessionctl import formats
from sessionctl.errors import UnserializableValueError, UsageError

HELLO = "hello.ayNlPwjHIHJVTl3%2B%2Bbcu%2FgH8%2FnJKlQaJ6ZHnvXCJ6z4"
FORM = formats.get("fastify-cookie")
ID = "7ix9Ll-0Qgg5S83FO3mN7w-t-67KNbF3"


def test_the_cookie_holds_a_text() -> None:
    """The value is the ID of @fastify/session, or any text."""
    decoded = FORM.decode(FORM.example)
    assert (decoded.data, decoded.id, decoded.payload_type) == (ID, ID, "text")


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        pytest.param(HELLO, ["s3cr3t"], None, id="right key"),
        pytest.param("hello.ayNlPwjHIHJVTl3++bcu/gH8/nJKlQaJ6ZHnvXCJ6z4", ["s3cr3t"], None, id="raw"),
        pytest.param(HELLO, ["new", "s3cr3t"], None, id="older key"),
        pytest.param(HELLO, ["other"], "bad-signature", id="wrong key"),
        pytest.param(HELLO, [], "no-key", id="no key"),
        pytest.param(HELLO + "%3D", ["s3cr3t"], "bad-signature", id="padded signature"),
        pytest.param(HELLO[:-1] + "5", ["s3cr3t"], "bad-signature", id="stray low bits"),
        pytest.param("hello", ["s3cr3t"], "bad-signature", id="no dot"),
        pytest.param("hello.", ["s3cr3t"], "bad-signature", id="empty signature"),
        pytest.param("hello", [], "unsigned", id="unsigned"),
        pytest.param("\ud83d.x", ["s3cr3t"], "malformed", id="lone surrogate"),
    ],
)
def test_reasons(text: str, keys: list[str], reason: str | None) -> None:
    """The verdict names the reason."""
    verdict = FORM.verify(text, keys)
    assert verdict.reason == reason, verdict


def test_the_prefix_is_asked_for() -> None:
    """With a cookiePrefix, what does not begin with it is no session cookie."""
    form = formats.get("fastify-cookie", prefix="s:")
    text = form.encode(ID, ["k"])
    assert text.startswith("s%3A")
    assert form.verify(text, ["k"]).value == ID
    assert form.verify(FORM.encode(ID, ["k"]), ["k"]).reason == "malformed"


def test_the_prefix_of_express_makes_its_cookie() -> None:
    """That is what the prefix is for: both frameworks read the same cookie."""
    text = formats.get("fastify-cookie", prefix="s:").encode(ID, ["k"])
    assert text == formats.get("express").encode(ID, ["k"])


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
def test_digests(digest: str) -> None:
    """The `algorithm` of the application is honoured, and only that."""
    form = formats.get("fastify-cookie", digest=digest)
    text = form.encode("x", ["k"])
    assert form.verify(text, ["k"]).algorithm == f"HMAC-{digest.upper()}"
    assert FORM.verify(text, ["k"]).valid == (digest == "sha256")


def test_an_unknown_digest_is_refused() -> None:
    """The choices are named."""
    with pytest.raises(UsageError, match="sha512"):
        formats.get("fastify-cookie", digest="crc32")


@pytest.mark.parametrize("value", ["", "a.b.", '{"a":1}', "zażółć 😀 %41 +/=;", ID])
def test_what_is_decoded_can_be_encoded(value: str) -> None:
    """Any text goes in and comes back."""
    text = FORM.encode(value, ["k"])
    assert FORM.verify(text, ["k"]).value == FORM.decode(text).data == value


def test_data_that_are_no_text_become_json() -> None:
    """Fastify signs text alone."""
    assert FORM.decode(FORM.encode({"a": 1}, ["k"])).data == '{"a":1}'


def test_encode_refuses_what_a_text_cannot_hold() -> None:
    """A float that JSON has not is refused, with its place."""
    with pytest.raises(UnserializableValueError):
        FORM.encode({"a": float("nan")}, ["k"])


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(FORM.example, "sessionId", 0.95, 1.0, id="a session"),
        pytest.param(FORM.example, None, 0.85, 0.9, id="a session, any name"),
        pytest.param(HELLO, None, 0.4, 0.6, id="any text"),
        pytest.param(formats.get("remix").example, None, 0.0, 0.3, id="a cookie of Remix 3"),
        pytest.param(formats.get("react-router").example, None, 0.0, 0.3, id="a cookie of React Router"),
        pytest.param(formats.get("express").example, None, 0.0, 0.0, id="a cookie of Express"),
        pytest.param("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + "a" * 43, None, 0.0, 0.3, id="a JWT"),
        pytest.param("GA1.2.1234567890.1234567890", "_ga", 0.0, 0.0, id="analytics"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """The shape of the ID makes it likely; any other text may be of others."""
    assert least <= FORM.detect(text, cookie_name=name) <= most
