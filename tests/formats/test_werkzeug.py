"""The SecureCookie of Werkzeug and secure-cookie."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import b64encode
from sessionctl.errors import MalformedError, NoKeyError, UnserializableValueError
from sessionctl.signing.mac import Hmac

KEY = "secure-cookie-key"
NOW = 1795424060


def made(*items: str) -> str:
    """A text that is signed rightly, whatever its items."""
    message = "".join(f"|{item}" for item in items).encode()
    return f"{b64encode(Hmac(KEY.encode(), 'sha1').digest(message))}?{'&'.join(items)}"


COOKIE = made("user_id=NDI=", "username=ImFsaWNlIg==")


def test_decode_needs_no_key() -> None:
    """The items are read without a key."""
    decoded = formats.get("werkzeug").decode(formats.get("werkzeug").example)
    assert decoded.data == {"user_id": 42, "username": "alice"}
    assert (decoded.issued_at, decoded.payload_type) == (None, "json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(COOKIE, None, id="genuine"),
        pytest.param(f'"{COOKIE}"', None, id="in quotes"),
        pytest.param(made(f"_expires={b64encode(b'1795424060')}"), None, id="in its last second"),
        pytest.param(made(f"_expires={b64encode(b'1795424059')}"), "expired", id="past its end"),
        pytest.param(COOKIE.replace("NDI=", "NDM="), "bad-signature", id="another value"),
        pytest.param(COOKIE.replace("user_id", "user_ie"), "bad-signature", id="another key"),
        pytest.param(COOKIE.rpartition("&")[0], "bad-signature", id="an item less"),
        pytest.param(COOKIE[1:], "bad-signature", id="a signature that is no base64"),
        pytest.param(COOKIE.partition("?")[0], "malformed", id="the signature alone"),
        pytest.param(made("a"), "malformed", id="an item without a value"),
        pytest.param(made("a=x"), "malformed", id="a value that is no base64"),
        pytest.param(made("a=bm8="), "malformed", id="a value that is no JSON"),
        pytest.param(made("a=gAJdcQBoAGEu"), "malformed", id="a pickle that holds itself"),
        pytest.param("\ud800?", "malformed", id="half a surrogate pair"),
    ],
)
def test_reasons(text: str, reason: str | None) -> None:
    """Each verdict has the reason that SecureCookie has."""
    assert formats.get("werkzeug").verify(text, [KEY], now=NOW).reason == reason


@pytest.mark.parametrize(("text", "reason"), [(COOKIE, "no-key"), ("a?b", "malformed")])
def test_without_a_key(text: str, reason: str) -> None:
    """Without a key nothing is verified, and what cannot be read is told first."""
    assert formats.get("werkzeug").verify(text).reason == reason


def test_an_end_that_is_none() -> None:
    """An `_expires` that is no time is a warning."""
    verdict = formats.get("werkzeug").verify(made("_expires=Ingi"), [KEY], now=NOW)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["odd-expiry"]


def test_the_end_is_told() -> None:
    """What `_expires` says is shown as the end, also without a key."""
    decoded = formats.get("werkzeug").decode(made(f"_expires={b64encode(b'1795427632')}"))
    assert decoded.expires_at == 1795427632


@pytest.mark.parametrize("serializer", ["json", "pickle"])
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_round_trip(digest: str, serializer: str) -> None:
    """What is encoded verifies, is sorted and says the same, keys that need quoting included."""
    form = formats.get("werkzeug", digest=digest, serializer=serializer)
    data = {"b": [1, None, {"x": 2.5}], "a b&c=d": "é", "ключ": ""}
    text = form.encode(data, ["new", "old"], now=NOW)
    assert text.startswith('"')
    assert form.decode(text).data == data
    assert list(form.decode(text).data) == sorted(data)
    assert form.decode(text).payload_type == serializer
    assert form.verify(text, ["x", "new"]).key_index == 1


def test_encode_is_byte_for_byte() -> None:
    """The text is the one that secure-cookie wrote."""
    form = formats.get("werkzeug")
    assert form.encode({"username": "alice", "user_id": 42}, [KEY]) == f'"{COOKIE}"'


@pytest.mark.parametrize("data", [[1], None, {"\ud800": 1}])
def test_what_is_not_written(data: Any) -> None:
    """What is no object, or has a key that no text can hold, is refused."""
    with pytest.raises(UnserializableValueError):
        formats.get("werkzeug").encode(data, [KEY])


def test_encode_without_a_key() -> None:
    """Nothing is made without a key."""
    with pytest.raises(NoKeyError):
        formats.get("werkzeug").encode({})


def test_an_empty_session_is_read() -> None:
    """A SecureCookie without items is an empty session."""
    form = formats.get("werkzeug")
    text = form.encode({}, [KEY])
    assert form.decode(text).data == {}
    assert form.verify(text, [KEY]).valid


@pytest.mark.parametrize("text", ["?", "a?=", "?&&&&", "?" * 1000, "x?%ff=NDI="])
def test_odd_texts(text: str) -> None:
    """Whatever comes is read or malformed."""
    with contextlib.suppress(MalformedError):
        assert isinstance(formats.get("werkzeug").decode(text).data, dict)


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(COOKIE, "session", 0.95, 1.0, id="by its own name"),
        pytest.param(COOKIE, "other", 0.9, 0.96, id="by its shape"),
        pytest.param(
            '"f40jQuUCKBK2RYOL8cr5L1HqMCY=?"', "session", 0.85, 0.95, id="empty, of Werkzeug 0.16.1"
        ),
        pytest.param(formats.get("bottle").example, None, 0.0, 0.0, id="Bottle's"),
        pytest.param("https://example.com/?a=b", None, 0.0, 0.0, id="an address"),
        pytest.param("?" * 50, None, 0.0, 0.0, id="question marks"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """A signature in base64, a question mark and items whose values are read make a SecureCookie."""
    assert least <= formats.get("werkzeug").detect(text, cookie_name=name) <= most
