"""@fastify/secure-session opens what is sealed here, and what it seals is opened."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import formats

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY, OTHER = bytes(range(32)), bytes(32)
SECRET = "zażółć-gęślą-jaźń-of-at-least-32-bytes"
VALUES = {"user": "Żółć 😀", "n": [1, 2.5, None, True], "a": {"b": {}}}
FORM = formats.get("fastify-secure")


def b64(*keys: bytes) -> list[str]:
    """Keys as the driver takes them, newest first."""
    return [base64.b64encode(key).decode() for key in keys]


def test_both_ways(node: Node) -> None:
    """A session goes both ways under a key of bytes."""
    data = {"__ts": int(time.time()), **VALUES}
    assert node("fastifySecure.decode", text=FORM.encode(data, [KEY]), keys=b64(KEY)) == VALUES
    decoded = FORM.decode(node("fastifySecure.encode", values=VALUES, keys=b64(KEY)), [KEY])
    assert {name: value for name, value in decoded.data.items() if name != "__ts"} == VALUES
    assert decoded.issued_at == pytest.approx(time.time(), abs=60)


def test_rotation(node: Node) -> None:
    """A key that was rotated out still opens, on both sides."""
    text = FORM.encode(VALUES, [OTHER])
    assert node("fastifySecure.decode", text=text, keys=b64(KEY, OTHER)) == VALUES
    assert node("fastifySecure.decode", text=text, keys=b64(KEY)) is None
    assert FORM.verify(text, [KEY, OTHER]).needs_resign
    assert FORM.verify(text, [KEY]).reason == "bad-signature"


@pytest.mark.parametrize("salt", [None, "mysaltmysaltmysa"])
def test_text_secrets(node: Node, salt: str | None) -> None:
    """The key of a text secret is the same on both sides, with the built-in salt and with another."""
    form = formats.get("fastify-secure", **({"salt": salt} if salt else {}))
    text = form.encode(VALUES, [SECRET])
    assert node("fastifySecure.decode", text=text, secret=SECRET, salt=salt) == VALUES
    made = node("fastifySecure.encode", values=VALUES, secret=SECRET, salt=salt)
    assert form.verify(made, [SECRET]).valid


@pytest.mark.parametrize(("age", "expiry"), [(100, 60), (30, 60), (86402, None), (86300, None)])
def test_expiry(node: Node, age: int, expiry: int | None) -> None:
    """`--max-age` is the plug-in's `expiry`, and the default is the same."""
    now = time.time()
    text = FORM.encode({"__ts": int(now - age), **VALUES}, [KEY])
    limit = {} if expiry is None else {"max_age": expiry}
    accepted = node("fastifySecure.decode", text=text, keys=b64(KEY), expiry=expiry) is not None
    assert FORM.verify(text, [KEY], now=now, **limit).valid == accepted


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace("%3D", ""), id="no padding"),
        pytest.param(lambda text: text.replace("%2B", "-").replace("%2F", "_"), id="URL-safe alphabet"),
        pytest.param(lambda text: "!" + text, id="foreign character"),
        pytest.param(lambda text: text + "%3DAAAA", id="more after the padding"),
        pytest.param(lambda text: text + "%3BAAAA", id="a third part"),
        pytest.param(lambda text: text.replace("%3B", ""), id="no nonce"),
        pytest.param(lambda text: text[:-1], id="nonce cut"),
        pytest.param(lambda text: text[4:], id="box cut"),
    ],
)
def test_verdicts_agree(node: Node, change: Any) -> None:
    """What the plug-in opens is valid here, and what it refuses is not."""
    text = change(FORM.encode(VALUES, [KEY]))
    accepted = node("fastifySecure.decode", text=text, keys=b64(KEY)) is not None
    assert FORM.verify(text, [KEY]).valid == accepted
