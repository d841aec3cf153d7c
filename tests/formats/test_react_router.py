"""React Router 7 and 8, and Remix 2."""

from __future__ import annotations

import pytest

from sessionctl import formats
from sessionctl.errors import MalformedCookieError, NoKeyError, NotSupportedError

SIGNED = "eyJ1c2VyIjoiYWxpY2UiLCJ2aXNpdHMiOjN9.qvLLEp78iBpSJg585JHL1es%2B02T1z8IG6YGLC9yF8P4"
FORM = formats.get("react-router")


def test_a_session_is_its_data() -> None:
    """With cookie storage the cookie holds the session's own data, which have no ID."""
    decoded = FORM.decode(SIGNED)
    assert decoded.data == {"user": "alice", "visits": 3}
    assert decoded.id is None
    assert decoded.algorithm == "HMAC-SHA256"


def test_an_id_is_a_json_string() -> None:
    """With file and memory storage the cookie holds the ID, as JSON text."""
    decoded = FORM.decode("ImNhOWE2NGY4MmI0ZmUzMjIi.Yu33tuDcHcJPLictbI%2FqadmocEJ17QaOFcswbMrfWcY")
    assert (decoded.data, decoded.id) == ("ca9a64f82b4fe322", "ca9a64f82b4fe322")


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        pytest.param(SIGNED, ["s3cr3t"], None, id="right key"),
        pytest.param(SIGNED.replace("%2B", "+"), ["s3cr3t"], None, id="not percent-encoded"),
        pytest.param(SIGNED, ["new", "s3cr3t"], None, id="older key"),
        pytest.param(SIGNED, ["other"], "bad-signature", id="wrong key"),
        pytest.param(SIGNED, [], "no-key", id="no key"),
        pytest.param(SIGNED.replace("%2B", "-"), ["s3cr3t"], "bad-signature", id="URL-safe signature"),
        pytest.param(SIGNED.replace("%2B", "%252B"), ["s3cr3t"], "bad-signature", id="encoded twice"),
        pytest.param(SIGNED.replace("%2B", "%+"), ["s3cr3t"], "bad-signature", id="broken percent sign"),
        pytest.param(SIGNED.partition(".")[0], ["s3cr3t"], "bad-signature", id="signature gone"),
        pytest.param(SIGNED.partition(".")[0], [], "unsigned", id="unsigned"),
        pytest.param("hello", [], "malformed", id="no base64 JSON"),
        pytest.param(SIGNED[:-1] + "\ud83d", ["s3cr3t"], "bad-signature", id="surrogate in the signature"),
        pytest.param("\ud83d" + SIGNED, ["s3cr3t"], "malformed", id="surrogate in the payload"),
    ],
)
def test_reasons(text: str, keys: list[str], reason: str | None) -> None:
    """The verdict names the reason."""
    verdict = FORM.verify(text, keys)
    assert verdict.reason == reason, verdict


def test_an_older_key_needs_resigning() -> None:
    """A hit on a key that is not the newest says which, and asks for a new signature."""
    verdict = FORM.verify(SIGNED, ["new", "s3cr3t"])
    assert (verdict.key_index, verdict.needs_resign) == (1, True)


@pytest.mark.parametrize("signature", [SIGNED + "%3D", SIGNED[:-1] + "5"], ids=["padded", "stray low bits"])
def test_lenient_signatures_pass_with_a_warning(signature: str) -> None:
    """React Router compares the bytes that `atob` reads, so other texts of the same bytes are valid."""
    verdict = FORM.verify(signature, ["s3cr3t"])
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["non-canonical"]


def test_a_quoted_value_passes_with_a_warning() -> None:
    """Remix 2 takes double quotes off; React Router does not, and the warning says so."""
    verdict = FORM.verify(f'"{SIGNED}"', ["s3cr3t"])
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["quoted"]


def test_a_genuine_text_that_is_no_json_is_an_empty_session() -> None:
    """React Router reads `{}` where the signature fits and the payload is no JSON."""
    from sessionctl.encoding import b64encode
    from sessionctl.signing.mac import Hmac

    payload = b64encode(b"{no json")
    text = f"{payload}.{b64encode(Hmac(b'k').digest(payload.encode())).rstrip('=')}"
    verdict, decoded = FORM.verify(text, ["k"]), FORM.decode(text)
    assert (verdict.valid, verdict.value, decoded.data) == (True, "{}", {})
    assert [warning.code for warning in decoded.warnings] == ["unreadable-payload"]


def test_unsigned_text_that_is_no_json_is_malformed() -> None:
    """Without a signature there is nothing that speaks for this format."""
    with pytest.raises(MalformedCookieError, match="JSON"):
        FORM.decode("e25vIGpzb24=")


def test_the_value_of_an_id_is_the_id() -> None:
    """What a storage is asked for is the ID without its JSON quotes."""
    text = FORM.encode("8903f1d27b93f2bc", ["k"])
    assert FORM.verify(text, ["k"]).value == "8903f1d27b93f2bc"


@pytest.mark.parametrize(
    "data", [{}, {"a": [1, None, {"ż": "😀"}], "\ud83d": "\x00"}, "id", None, [1, 2], True, 0.5, 2**53]
)
def test_what_is_decoded_can_be_encoded(data: object) -> None:
    """Any JSON value goes in and comes back."""
    text = FORM.encode(data, ["k"])
    assert FORM.verify(text, ["k"]).valid
    assert FORM.decode(text).data == data


def test_encode_writes_what_the_framework_wrote() -> None:
    """The text is the framework's own, byte for byte."""
    assert FORM.encode({"user": "alice", "visits": 3}, ["s3cr3t"]) == SIGNED


def test_encode_needs_a_key() -> None:
    """A cookie without a signature is not made by mistake."""
    with pytest.raises(NoKeyError):
        FORM.encode({}, [])


def test_flash_lies_beside_the_values() -> None:
    """A flashed value is the member `__flash_NAME__`, and the view shows it by its name."""
    text = FORM.encode({"user": "bob"}, ["k"], flash={"notice": "hi"})
    decoded = FORM.decode(text)
    assert decoded.data == {"user": "bob", "__flash_notice__": "hi"}
    assert decoded.flash == {"notice": "hi"}


def test_flash_needs_an_object() -> None:
    """An ID cannot carry flash."""
    with pytest.raises(NotSupportedError):
        FORM.encode("8903f1d27b93f2bc", ["k"], flash={"notice": "hi"})


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(SIGNED, "__session", 0.97, 1.0, id="signed, its own name"),
        pytest.param(SIGNED, None, 0.9, 0.96, id="signed"),
        pytest.param(f'"{SIGNED}"', "__session", 0.97, 1.0, id="in quotes, as Remix 2 reads it"),
        pytest.param(f'"{SIGNED}"', None, 0.0, 0.0, id="in a shell's quotes"),
        pytest.param(SIGNED.partition(".")[0], "__session", 0.5, 0.6, id="unsigned, its own name"),
        pytest.param(formats.get("remix").example, None, 0.0, 0.4, id="a cookie of Remix 3"),
        pytest.param(formats.get("native").example, None, 0.0, 0.0, id="a native cookie"),
        pytest.param("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + "a" * 43, None, 0.0, 0.0, id="a JWT"),
        pytest.param("GA1.2.1234567890.1234567890", "_ga", 0.0, 0.0, id="analytics"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """It is sure of its own cookies, and leaves those of others alone."""
    assert least <= FORM.detect(text, cookie_name=name) <= most
