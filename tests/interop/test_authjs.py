"""Auth.js and NextAuth.js read what is written here, and what they write is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sessionctl import KeyRing, formats
from sessionctl.formats.base import Context
from tests.interop.conftest import NodeError

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

SECRET, OLD_SECRET = "zażółć-🔑", "an older secret"
TOKEN = {"name": "Ala Ż", "sub": "42", "roles": ["admin", None], "exp": 4_000_000_000}
FORM = formats.get("authjs")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("name", ["authjs.session-token", "__Secure-authjs.session-token", "my session"])
def test_auth_js_both_ways(node: Node, name: str) -> None:
    """A token of Auth.js goes both ways under the same cookie name."""
    text = FORM.encode(TOKEN, [SECRET], cookie_name=name)
    assert TOKEN.items() <= node("authjs.decode", text=text, secret=SECRET, salt=name).items()
    made = node("authjs.encode", token={"sub": "42"}, secret=SECRET, salt=name)
    decoded = FORM.decode(made, [SECRET], cookie_name=name)
    assert decoded.data["sub"] == "42"
    assert decoded.expires_at == decoded.issued_at + 30 * 86400
    assert FORM.verify(made, [SECRET], cookie_name=name).valid


def test_a_list_of_secrets(node: Node) -> None:
    """A secret that was rotated out still reads, on both sides."""
    name = "authjs.session-token"
    text = FORM.encode(TOKEN, [OLD_SECRET], cookie_name=name)
    assert node("authjs.decode", text=text, secret=[SECRET, OLD_SECRET], salt=name)["sub"] == "42"
    made = node("authjs.encode", token={}, secret=OLD_SECRET, salt=name)
    assert FORM.verify(made, [SECRET, OLD_SECRET], cookie_name=name).key_index == 1


def test_another_name_is_refused_by_both(node: Node) -> None:
    """A token that was moved to a cookie of another name opens on neither side."""
    text = FORM.encode(TOKEN, [SECRET], cookie_name="a")
    with pytest.raises(NodeError):
        node("authjs.decode", text=text, secret=SECRET, salt="b")
    assert not FORM.verify(text, [SECRET], cookie_name="b").valid


AUTH_CORE_0_18 = (
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..DotnX20dJ_Rc0O43.hNGeTh8_Z7VXVM1yGlT-Yy2tHFeHYjUcV02fE0HcGpRTSgf3UOYJiHb"
    "6E6ceQWSfgCtgF39llFZzC8bR5DF8NA0NT_3oxiP4n4FOpUVb6N3lIJwx1zqhLyt2OI5_xo2gp0jgP432ri0G.IZ68it80FnLrgB0UIqFm5g"
)
"""A session token of @auth/core 0.18.6 that ends in 2027."""


def test_a_changed_token_of_the_first_auth_js_stays_one(node: Node) -> None:
    """The first releases of Auth.js 5 encrypt with A256GCM, as NextAuth.js 4, but with a key of their own."""
    name, secret = "authjs.session-token", "a-secret-that-is-long-enough-for-iron-0123456789"
    ring = KeyRing([secret])
    form = FORM.like(AUTH_CORE_0_18, Context(keys=ring, cookie_name=name))
    text = form.encode({"sub": "42", "exp": 4_000_000_000}, ring, cookie_name=name)
    assert text.partition(".")[0] == AUTH_CORE_0_18.partition(".")[0]
    assert node("authjs.decode", text=text, secret=secret, salt=name)["sub"] == "42"
    with pytest.raises(NodeError):
        node("nextAuth.decode", text=text, secret=secret, salt="")


@pytest.mark.parametrize(
    ("kind", "part"), [("authjs", 2), ("authjs", 3), ("authjs", 4), ("next-auth", 3), ("next-auth", 4)]
)
def test_stray_low_bits_pass_on_both_sides(node: Node, kind: str, part: int) -> None:
    """The last character of IV, ciphertext and tag may have bits that count for nothing: the bytes are the same."""
    salt, decode = ("a", "authjs.decode") if kind == "authjs" else ("", "nextAuth.decode")
    form = formats.get("authjs", kind=kind)
    made = (form.encode({**TOKEN, "pad": "x" * pad}, [SECRET], cookie_name="a") for pad in range(0, 48, 8))
    some = [text.split(".") for text in made if len(text.split(".")[part]) % 4]  # these have bits to spare
    assert some
    for parts in some:
        last = ALPHABET.index(parts[part][-1])
        parts[part] = parts[part][:-1] + ALPHABET[last ^ 1]
        text = ".".join(parts)
        assert node(decode, text=text, secret=SECRET, salt=salt)["sub"] == "42"
        verdict = FORM.verify(text, [SECRET], cookie_name="a")
        assert verdict.valid
        assert [warning.code for warning in verdict.warnings] == ["non-canonical"]
        assert FORM.decode(text, [SECRET], cookie_name="a").data["sub"] == "42"


@pytest.mark.parametrize("salt", ["", "a salt"])
def test_next_auth_both_ways(node: Node, salt: str) -> None:
    """A token of NextAuth.js 4 goes both ways, with a salt or without."""
    form = formats.get("authjs", salt=salt, kind="next-auth")
    text = form.encode(TOKEN, [SECRET])
    assert TOKEN.items() <= node("nextAuth.decode", text=text, secret=SECRET, salt=salt).items()
    made = node("nextAuth.encode", token={"sub": "42"}, secret=SECRET, salt=salt, maxAge=60)
    assert form.decode(made, [SECRET]).data["sub"] == "42"
    assert form.verify(made, [SECRET]).valid
