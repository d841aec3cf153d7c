"""@fastify/cookie and @fastify/session read what is written here, and what they write is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import formats

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY, OLD_KEY = "newest-ü-🔑-of-thirty-two-bytes-or-more", "older-key-of-thirty-two-bytes-or-more"
FORM = formats.get("fastify-cookie")
ID = "7ix9Ll-0Qgg5S83FO3mN7w-t-67KNbF3"


@pytest.mark.parametrize("value", ["", "a.b.", '{"a":1}', "zażółć 😀 %41 +/=;,", ID])
def test_values_go_both_ways(node: Node, value: str) -> None:
    """A signed text is the same on both sides."""
    text = FORM.encode(value, [KEY])
    assert node("fastifyCookie.read", secrets=[KEY], text=text) == {
        "valid": True,
        "renew": False,
        "value": value,
    }
    text = node("fastifyCookie.write", secrets=[KEY], value=value)
    assert FORM.verify(text, [KEY]).value == value


def test_an_older_key_asks_for_a_new_signature(node: Node) -> None:
    """`renew` there is `needs_resign` here."""
    text = FORM.encode("x", [OLD_KEY])
    assert node("fastifyCookie.read", secrets=[KEY, OLD_KEY], text=text)["renew"]
    assert FORM.verify(text, [KEY, OLD_KEY]).needs_resign


@pytest.mark.parametrize("digest", ["sha1", "sha384", "sha512"])
def test_other_digests(node: Node, digest: str) -> None:
    """The `algorithm` of the application, both ways."""
    form = formats.get("fastify-cookie", digest=digest)
    text = form.encode("x", [KEY])
    assert node("fastifyCookie.read", secrets=[KEY], algorithm=digest, text=text)["valid"]
    assert form.verify(node("fastifyCookie.write", secrets=[KEY], algorithm=digest, value="x"), [KEY]).valid


@pytest.mark.parametrize("prefix", ["", "s:"])
def test_session_ids_go_both_ways(node: Node, prefix: str) -> None:
    """@fastify/session looks for our ID, and its own is read, with its cookiePrefix or without."""
    form = formats.get("fastify-cookie", prefix=prefix)
    text = form.encode(ID, [OLD_KEY])
    assert node("fastifySession.read", secrets=[KEY, OLD_KEY], prefix=prefix, text=text) == ID
    assert node("fastifySession.read", secrets=[KEY], prefix=prefix, text=text) is None
    made = node("fastifySession.write", secrets=[KEY], prefix=prefix)
    assert form.verify(made["text"], [KEY]).value == made["id"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text + "%3D", id="padded signature"),
        pytest.param(lambda text: text[:-1] + "5", id="stray low bits"),
        pytest.param(lambda text: text.replace("%2B", "-"), id="URL-safe signature"),
        pytest.param(lambda text: text.replace("%2B", "+"), id="not encoded"),
        pytest.param(lambda text: text.partition(".")[0], id="signature gone"),
        pytest.param(lambda text: text.partition(".")[0] + ".", id="signature empty"),
        pytest.param(lambda text: text.replace("%2B", "%zz"), id="broken percent sign"),
    ],
)
def test_verdicts_agree(node: Node, change: Any) -> None:
    """What it refuses is refused here, and what it lets pass is valid."""
    text = change("hello.ayNlPwjHIHJVTl3%2B%2Bbcu%2FgH8%2FnJKlQaJ6ZHnvXCJ6z4")
    accepted = node("fastifyCookie.read", secrets=["s3cr3t"], text=text)["valid"]
    assert FORM.verify(text, ["s3cr3t"]).valid == accepted
