"""express-session, cookie-parser and bare cookie-signature."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import MalformedCookieError, UnserializableValueError

SIGNED = "s%3Acpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx.GkROtRRiwVq8PRjeg%2F3HNCczOPK%2Bs3itCuMFawWFK38"
JSON = (
    "s%3Aj%3A%7B%22user%22%3A%22alice%22%2C%22visits%22%3A3%7D"
    ".EfMRHT5ZbS35TX%2B0ayOam7SI%2BVO94vSHcxuuTzMr6XY"
)
FORM = formats.get("express")
BARE = formats.get("express", prefix="")


def test_a_session_cookie_holds_the_id() -> None:
    """express-session's cookie is an ID: its data lie in a store."""
    decoded = FORM.decode(SIGNED)
    assert decoded.data == decoded.id == "cpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx"
    assert decoded.payload_type == "text"
    assert not FORM.holds_session


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ('j:{"a":1}', {"a": 1}),
        ("j:[]", []),
        ("j:{}", {}),
        ("j:null", "j:null"),
        ("j:0", "j:0"),
        ("j:false", "j:false"),
        ('j:""', 'j:""'),
        ('j:{"a":', 'j:{"a":'),
        ("tobi", "tobi"),
        ("a.b.c.", "a.b.c."),
        ("", ""),
        ("zażółć 😀 %41", "zażółć 😀 %41"),
    ],
)
def test_json_counts_where_cookie_parser_takes_it(value: str, data: Any) -> None:
    """JSON after `j:` is parsed where it is true in JavaScript; any other text stays as it is."""
    text = FORM.encode(value, ["k"])
    assert FORM.verify(text, ["k"]).value == value
    assert FORM.decode(text).data == data


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        pytest.param(SIGNED, ["s3cr3t"], None, id="right key"),
        pytest.param(
            SIGNED.replace("%3A", ":").replace("%2F", "/"), ["s3cr3t"], None, id="not percent-encoded"
        ),
        pytest.param(f'"{SIGNED}"', ["s3cr3t"], None, id="in double quotes"),
        pytest.param(SIGNED, ["new", "s3cr3t"], None, id="older key"),
        pytest.param(SIGNED, ["other"], "bad-signature", id="wrong key"),
        pytest.param(SIGNED, [], "no-key", id="no key"),
        pytest.param(SIGNED + "%3D", ["s3cr3t"], "bad-signature", id="padded signature"),
        pytest.param(SIGNED[:-1] + "9", ["s3cr3t"], "bad-signature", id="stray low bits"),
        pytest.param(SIGNED.replace("%2B", "-"), ["s3cr3t"], "bad-signature", id="URL-safe signature"),
        pytest.param(SIGNED.partition(".")[0], ["s3cr3t"], "bad-signature", id="signature gone"),
        pytest.param("s%3Atobi%ZZ.x", ["s3cr3t"], "malformed", id="broken percent sign"),
        pytest.param(SIGNED[4:], ["s3cr3t"], "malformed", id="prefix gone"),
        pytest.param("j%3A%7B%7D", ["s3cr3t"], "unsigned", id="unsigned JSON"),
        pytest.param("s:\ud83d.x", ["s3cr3t"], "malformed", id="lone surrogate"),
    ],
)
def test_reasons(text: str, keys: list[str], reason: str | None) -> None:
    """The verdict names the reason."""
    verdict = FORM.verify(text, keys)
    assert verdict.reason == reason, verdict


def test_unsigned_json_is_read() -> None:
    """`res.cookie(name, object)` without `signed` is JSON that anybody can write."""
    decoded = FORM.decode("j%3A%7B%22a%22%3A1%7D")
    assert (decoded.data, decoded.signed, decoded.algorithm) == ({"a": 1}, False, None)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ({"user": "alice", "visits": 3}, 'j:{"user":"alice","visits":3}'),
        ([1], "j:[1]"),
        (None, "j:null"),
        (42, "42"),
        (True, "true"),
        ("text", "text"),
    ],
)
def test_encode_writes_what_res_cookie_would(data: Any, value: str) -> None:
    """Objects and null become JSON after `j:`, the rest its text."""
    assert FORM.verify(FORM.encode(data, ["k"]), ["k"]).value == value


def test_encode_writes_what_the_framework_wrote() -> None:
    """The text is the framework's own, byte for byte."""
    assert FORM.encode("cpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx", ["s3cr3t"]) == SIGNED
    assert FORM.encode({"user": "alice", "visits": 3}, ["s3cr3t"]) == JSON


def test_encode_takes_the_id_where_there_are_no_data() -> None:
    """A cookie for a session that lies in a store needs its ID alone."""
    assert FORM.decode(FORM.encode(None, ["k"], id="mj")).data == "mj"


def test_encode_refuses_a_lone_surrogate() -> None:
    """`encodeURIComponent` throws, and so does this."""
    with pytest.raises((UnserializableValueError, MalformedCookieError)):
        FORM.encode("\ud83d", ["k"])


@pytest.mark.parametrize("value", ["a.b", "100%", "%41", "ż ;", "j:1", ""])
def test_bare_values_are_not_percent_encoded(value: str) -> None:
    """With an empty prefix the text is what `cookie-signature` alone writes and reads."""
    text = BARE.encode(value, ["s"])
    assert text.startswith(value + ".")
    assert BARE.verify(text, ["s"]).value == value


def test_a_bare_value_from_a_header_may_be_percent_encoded() -> None:
    """A percent sign in the signature can only come from the header."""
    text = "hello.DGDUkGlIkCzPz%2BC0B064FNgHdEjox7ch8tOBGslZ5QI"
    assert BARE.verify(text, ["tobiiscool"]).value == "hello"


def test_a_bare_value_without_a_dot_has_no_signature() -> None:
    """Nothing is signed there; with keys it is refused."""
    assert BARE.verify("hello", ["k"]).reason == "bad-signature"
    assert BARE.verify("hello").reason == "unsigned"


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(SIGNED, "connect.sid", 1.0, 1.0, id="its own name"),
        pytest.param(SIGNED, None, 0.95, 1.0, id="any name"),
        pytest.param(JSON, None, 0.95, 1.0, id="signed JSON"),
        pytest.param("j%3A%7B%22a%22%3A1%7D", None, 0.9, 1.0, id="unsigned JSON"),
        pytest.param("j%3A7", None, 0.0, 0.0, id="a number after j:"),
        pytest.param("s%3Ahello.world", None, 0.0, 0.0, id="no signature there"),
        pytest.param("550e8400-e29b-41d4-a716-446655440000", "sid", 0.0, 0.0, id="a UUID"),
        pytest.param(
            "550e8400-e29b-41d4-a716-446655440000", "connect.sid", 0.5, 0.7, id="a UUID, its own name"
        ),
        pytest.param("hello-world", "connect.sid", 0.0, 0.0, id="a word, its own name"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """The prefix and the signature's length make it sure."""
    assert least <= FORM.detect(text, cookie_name=name) <= most
