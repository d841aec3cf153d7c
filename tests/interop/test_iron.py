"""@hapi/iron and iron-session open what is sealed here, and what they seal is opened."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import KeyRing, formats
from sessionctl.formats.base import Context
from tests.interop.conftest import NodeError

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

PASSWORD, OTHER = "zażółć-gęślą-jaźń-of-at-least-32-characters", "another-password-of-at-least-32-characters"
DATA = {"user": "Żółć 😀", "n": [1, 2.5, None, True], "a": {"b": {}}}
IRON, SESSION = formats.get("iron", kind="hapi"), formats.get("iron")


@pytest.mark.parametrize(
    ("options", "theirs"),
    [
        ({}, {}),
        ({"cipher": "aes-128-ctr"}, {"encryption": {"algorithm": "aes-128-ctr"}}),
        (
            {"iterations": "5", "integrity-iterations": "7"},
            {"encryption": {"iterations": 5}, "integrity": {"iterations": 7}},
        ),
    ],
)
@pytest.mark.parametrize("data", [DATA, "text", None, 5, [1]])
def test_hapi_both_ways(node: Node, options: dict[str, str], theirs: dict[str, Any], data: Any) -> None:
    """Seals of @hapi/iron go both ways, with its options."""
    form = formats.get("iron", kind="hapi", **options)
    text = form.encode(data, [PASSWORD])
    assert node("iron.unseal", text=text, password=PASSWORD, options=theirs) == data
    made = node("iron.seal", data=data, password=PASSWORD, options={**theirs, "ttl": 60_000})
    assert form.decode(made, [PASSWORD]).data == data
    assert form.verify(made, [PASSWORD]).valid


def test_keys_of_bytes(node: Node) -> None:
    """A key of bytes is used as it is, on both sides."""
    key = bytes(range(32))
    given = {"base64": base64.b64encode(key).decode()}
    assert node("iron.unseal", text=IRON.encode(DATA, [key]), password=given) == DATA
    assert IRON.decode(node("iron.seal", data=DATA, password=given), [key]).data == DATA


def test_two_passwords_and_an_id(node: Node) -> None:
    """A seal with an ID and a password for each purpose goes both ways."""
    form = formats.get("iron", kind="hapi", **{"integrity-secret": OTHER, "password-id": "new"})
    pair = {"encryption": PASSWORD, "integrity": OTHER}
    assert node("iron.unseal", text=form.encode(DATA, [PASSWORD]), password={"new": pair}) == DATA
    made = node("iron.seal", data=DATA, password={"id": "new", **pair})
    assert form.decode(made, [PASSWORD]).data == DATA


def test_a_changed_seal_stays_one_of_hapi(node: Node) -> None:
    """A seal of @hapi/iron that is changed gets no mark of iron-session's, which hapi takes for part of the mac."""
    options = {"encryption": {"iterations": 3}, "integrity": {"iterations": 3}}
    made = node("iron.seal", data=DATA, password={"id": "k1", "secret": PASSWORD}, options=options)
    form, ring = formats.get("iron", iterations="3"), KeyRing([PASSWORD])
    text = form.like(made, Context(keys=ring)).encode({"a": 1}, ring)
    assert node("iron.unseal", text=text, password={"k1": PASSWORD}, options=options) == {"a": 1}
    rotated = KeyRing([OTHER, PASSWORD])  # the ID is that of the older password
    assert form.like(made, Context(keys=rotated)).encode({"a": 1}, rotated).split("*")[1] == ""


def test_iron_session_both_ways(node: Node) -> None:
    """Seals of iron-session go both ways, with one password and with a map of them."""
    text = SESSION.encode(DATA, [PASSWORD])
    assert node("ironSession.unseal", text=text, password=PASSWORD) == DATA
    rotated = SESSION.encode(DATA, [OTHER, PASSWORD])
    assert node("ironSession.unseal", text=rotated, password={"1": PASSWORD, "2": OTHER}) == DATA
    made = node("ironSession.seal", data=DATA, password={"1": PASSWORD})
    assert SESSION.decode(made, [PASSWORD]).data == DATA
    verdict = SESSION.verify(made, [OTHER, PASSWORD])
    assert (verdict.valid, verdict.key_index) == (True, 1)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(lambda text: text + "=", id="padded mac"),
        pytest.param(lambda text: text[:-1] + chr(ord(text[-1]) + 1), id="stray low bits in the mac"),
        pytest.param(lambda text: text[:-1], id="mac cut"),
        pytest.param(lambda text: text.replace("Fe26.2", "Fe26.1"), id="another version"),
        pytest.param(lambda text: text + "*", id="a part too many"),
        pytest.param(lambda text: text.replace("**", "*x*", 1), id="another password id"),
    ],
)
def test_verdicts_agree(node: Node, change: Any) -> None:
    """What @hapi/iron refuses is refused here."""
    text = change(IRON.encode(DATA, [PASSWORD]))
    try:
        node("iron.unseal", text=text, password=PASSWORD)
        accepted = True
    except NodeError:
        accepted = False
    assert IRON.verify(text, [PASSWORD]).valid == accepted
