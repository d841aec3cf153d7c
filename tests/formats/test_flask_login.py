"""Flask-Login's remember_token."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import NoKeyError, UnserializableValueError

KEY = "flask-login-secret"
COOKIE = formats.get("flask-login").example


def test_decode_needs_no_key() -> None:
    """The data are the user's ID; there is no time and no session ID."""
    decoded = formats.get("flask-login").decode(COOKIE)
    assert (decoded.data, decoded.id, decoded.issued_at) == ("42", None, None)


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        pytest.param(COOKIE, None, "", id="genuine"),
        pytest.param(f'"{COOKIE}"', None, "", id="in quotes"),
        pytest.param(f"1{COOKIE[2:]}", "bad-signature", "not fit", id="another user"),
        pytest.param(COOKIE.upper(), "bad-signature", "not fit", id="in capitals"),
        pytest.param(COOKIE[:-1], "bad-signature", "127 characters", id="cut"),
        pytest.param(f"42|{'a' * 40}", "bad-signature", "digest=sha1", id="of another digest"),
        pytest.param(f"42|{'é' * 128}", "bad-signature", "", id="not ASCII"),
        pytest.param("\ud800|a", "malformed", "surrogate", id="half a surrogate pair"),
        pytest.param(COOKIE[3:], "malformed", "'|'", id="no user"),
    ],
)
def test_reasons(text: str, reason: str | None, words: str) -> None:
    """Each verdict has the reason that Flask-Login has, and says it in words."""
    verdict = formats.get("flask-login").verify(text, [KEY])
    assert verdict.reason == reason
    assert words in verdict.detail


def test_without_a_key() -> None:
    """Without a key nothing is verified."""
    assert formats.get("flask-login").verify(COOKIE).reason == "no-key"


@pytest.mark.parametrize("key", ["plain", "clé-ÿ", b"\x00\xff"])
@pytest.mark.parametrize("digest", ["sha512", "sha1"])
@pytest.mark.parametrize("user", ["7", "a|b|c", "zoë", "user@example.com", 'q"\\;'])
def test_round_trip(user: str, digest: str, key: str | bytes) -> None:
    """Every ID comes back, quoted where a cookie needs it, under text in Latin-1 and bytes as they are."""
    form = formats.get("flask-login", digest=digest)
    text = form.encode(user, [key])
    assert text.isascii()
    assert form.decode(text).data == user
    assert form.verify(text, ["other", key]).key_index == 1


def test_a_number_is_an_id() -> None:
    """An ID that is a number is written as text."""
    assert formats.get("flask-login").encode(42, [KEY]) == COOKIE


def test_a_secret_past_latin_1() -> None:
    """A secret that Latin-1 cannot hold is the wrong one, as Flask-Login would fail on it."""
    verdict = formats.get("flask-login").verify(COOKIE, ["秘密"])
    assert verdict.reason == "wrong-key-type"
    assert "Latin-1" in verdict.detail
    assert formats.get("flask-login").verify(COOKIE, ["秘密", KEY]).key_index == 1
    assert formats.get("flask-login").verify(COOKIE, ["秘密", "other"]).reason == "bad-signature"


@pytest.mark.parametrize("data", [{}, None, True, 1.5, "\ud800"])
def test_only_ids_are_written(data: Any) -> None:
    """What is no ID is refused."""
    with pytest.raises(UnserializableValueError):
        formats.get("flask-login").encode(data, [KEY])


def test_encode_without_a_key() -> None:
    """Nothing is made without a key."""
    with pytest.raises(NoKeyError):
        formats.get("flask-login").encode("42")


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(COOKIE, "remember_token", 0.95, 1.0, id="by its own name"),
        pytest.param(COOKIE, None, 0.9, 0.96, id="by its shape"),
        pytest.param(f"|{'a' * 128}", "remember_token", 0.95, 1.0, id="an empty ID"),
        pytest.param(f"|{'a' * 128}", None, 0.0, 0.0, id="a hash behind a bar"),
        pytest.param(f"42|{'a' * 40}", None, 0.4, 0.6, id="of an old release"),
        pytest.param(f"dmFs|1795423924|{'a' * 40}", None, 0.0, 0.3, id="Tornado's"),
        pytest.param(f"2|1:0|{'a' * 64}", None, 0.0, 0.0, id="of another length"),
        pytest.param("|" * 50, None, 0.0, 0.0, id="bars"),
        pytest.param("a" * 128, "remember_token", 0.0, 0.0, id="hexadecimal digits"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """A bar and 128 hexadecimal digits are Flask-Login's; 40 digits may be others' too."""
    assert least <= formats.get("flask-login").detect(text, cookie_name=name) <= most
