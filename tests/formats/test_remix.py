"""The cookies of Remix 3: what is no signature is a signature that does not fit, as for Remix itself."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from sessionctl import formats
from sessionctl.diagnosis import hints
from sessionctl.errors import MalformedCookieError
from sessionctl.identify import Setup, identify
from sessionctl.signing import KeyRing
from sessionctl.sources import Source

FORM = formats.get("remix")
SIGNED = FORM.example
PAYLOAD, _, SIGNATURE = SIGNED.rpartition(".")


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        pytest.param(PAYLOAD, [], "unsigned", id="unsigned"),
        pytest.param(PAYLOAD, ["s3cr3t"], "bad-signature", id="no signature"),
        pytest.param(PAYLOAD + ".", ["s3cr3t"], "bad-signature", id="empty signature"),
        pytest.param(SIGNED[:-4], ["s3cr3t"], "bad-signature", id="short signature"),
        pytest.param(f"{PAYLOAD}.{SIGNATURE[:20]} {SIGNATURE[21:]}", ["s3cr3t"], "bad-signature", id="space"),
        pytest.param(f"{PAYLOAD}.{SIGNATURE[:-1]}-", ["s3cr3t"], "bad-signature", id="URL-safe signature"),
        pytest.param(SIGNED, ["other"], "bad-signature", id="wrong key"),
        pytest.param(SIGNED, [], "no-key", id="no key"),
        pytest.param(PAYLOAD[:-1] + "!", ["s3cr3t"], "malformed", id="no base64"),
    ],
)
def test_reasons(text: str, keys: list[str], reason: str) -> None:
    """The verdict names the reason, and a missing signature is one that does not fit where keys are given."""
    assert FORM.verify(text, keys).reason == reason


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"userId": "alice", "x": 1}, id="session"),
        pytest.param("b" * 43, id="ID"),
        pytest.param("0b0e0c7c-7f5b-4a55-a2f2-7a44e5a7e1b5", id="UUID"),
    ],
)
def test_percent_encoded_on_the_way(data: object) -> None:
    """What Remix does not decode is not genuine, though the key would fit as another framework's; a hint tells."""
    setup = Setup(keys=KeyRing(["s3cr3t"]))
    text = quote(FORM.encode(data, ["s3cr3t"], id="one"), safe="")
    assert "%" in text
    source = Source("__session", text)
    known = identify(source, setup)
    assert (known.format.name, known.verdict.reason) == ("remix", "bad-signature")
    assert [hint.message for hint in hints(known, setup)] == [
        "the text fits once it is percent-decoded: it was encoded once too often"
    ]
    assert FORM.decode(source.value or "").data == data


@pytest.mark.parametrize("data", ["zażółć-😀", "two words", 'a%20b+c;"'])
def test_signed_text(data: str) -> None:
    """Text that is neither session nor plain ID is Remix's before Fastify's, whose keys fit the same texts."""
    known = identify(Source("c", FORM.encode(data, ["s3cr3t"])), Setup(keys=KeyRing(["s3cr3t"])))
    assert (known.format.name, known.verdict.value) == ("remix", data)


def test_plus_became_a_space() -> None:
    """A payload that something has read as a form is told, though it is no base64 any more."""
    text = FORM.encode({"a": "ÿ?>~~~ÿÿ>>>"}, ["s3cr3t"], id="one")
    assert "+" in text.partition(".")[0]
    with pytest.raises(MalformedCookieError, match=r"cookie of remix with \+ where it has spaces"):
        identify(Source("session", text.replace("+", " ")), Setup(keys=KeyRing(["s3cr3t"])))


def test_what_others_percent_encode_stays_theirs() -> None:
    """React Router's and Fastify's cookies are percent-encoded by rights."""
    for name in ("react-router", "fastify-cookie"):
        form = formats.get(name)
        for index in range(9):
            text = form.encode("x" * 24 + str(index), ["s3cr3t"])
            assert form.verify(text, ["s3cr3t"]).valid
            assert FORM.detect(text) == 0 or "%" not in text


@pytest.mark.parametrize("text", [f'"{SIGNED}"', f'" {SIGNED} "'])
def test_quotes_are_taken_off(text: str) -> None:
    """Double quotes around the value do not count, as in the header parser of @remix-run/headers 0.21.1."""
    text = text.replace(SIGNED, FORM.encode({"userId": 42}, ["s3cr3t"]))
    assert FORM.verify(text, ["s3cr3t"]).valid
    assert FORM.decode(text).data == {"userId": 42}
    assert FORM.detect(text) > 0.9
