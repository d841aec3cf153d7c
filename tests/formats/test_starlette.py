"""The sessions of Starlette and FastAPI."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import b64encode
from sessionctl.errors import MalformedError, NoKeyError, UnserializableValueError
from sessionctl.formats import timed_token
from sessionctl.signing import Secret

KEY = "starlette-secret-key"
COOKIE = formats.get("starlette").example
NOW = 1795424409
PAYLOAD, STAMP, SIGNATURE = COOKIE.split(".")
FORTNIGHT = 1209600


def made(payload: str) -> str:
    """A text that is signed rightly, whatever it holds."""
    mac = timed_token.hmac_of(Secret(KEY), "itsdangerous.Signer", "django-concat", "sha1")
    return timed_token.sign(payload, mac, issued_at=NOW)


def test_decode_needs_no_key() -> None:
    """The data, the time and the algorithm are read without a key."""
    decoded = formats.get("starlette").decode(COOKIE)
    assert decoded.data == {"user_id": 42, "username": "alice"}
    assert (decoded.issued_at, decoded.algorithm) == (NOW, "HMAC-SHA1")


@pytest.mark.parametrize(
    ("text", "now", "reason"),
    [
        pytest.param(COOKIE, NOW, None, id="genuine"),
        pytest.param(COOKIE, NOW + FORTNIGHT, None, id="of the last second"),
        pytest.param(COOKIE, NOW + FORTNIGHT + 1, "expired", id="too old"),
        pytest.param(COOKIE, NOW - 1, "expired", id="of the future"),
        pytest.param(f"{PAYLOAD}.awDAmQ.{SIGNATURE}", NOW, "bad-signature", id="another time"),
        pytest.param(COOKIE[:-4], NOW, "bad-signature", id="cut"),
        pytest.param(PAYLOAD, NOW, "malformed", id="the payload alone"),
        pytest.param("null", NOW, "malformed", id="cleared"),
        pytest.param(made("eyJhIjogMX0"), NOW, "malformed", id="without padding"),
        pytest.param(made("bm8="), NOW, "malformed", id="no JSON"),
        pytest.param(made("/w=="), NOW, "malformed", id="not UTF-8"),
    ],
)
def test_reasons(text: str, now: float, reason: str | None) -> None:
    """Each verdict has the reason that Starlette has."""
    assert formats.get("starlette").verify(text, [KEY], now=now).reason == reason


@pytest.mark.parametrize(("text", "reason"), [(COOKIE, "no-key"), ("garbage", "malformed")])
def test_without_a_key(text: str, reason: str) -> None:
    """Without a key nothing is verified, and what cannot be read is told first."""
    assert formats.get("starlette").verify(text).reason == reason


def test_a_cleared_session_is_told() -> None:
    """The text that clears a session is called so."""
    with pytest.raises(MalformedError, match="clear a session"):
        formats.get("starlette").decode("null")


def test_a_genuine_null_is_a_warning() -> None:
    """A genuine payload that is no object is valid, with a warning."""
    verdict = formats.get("starlette").verify(made("bnVsbA=="), [KEY], now=NOW)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["no-session"]


def test_round_trip() -> None:
    """What is encoded is the very text, verifies with the newest key and says the same."""
    form = formats.get("starlette")
    assert form.encode({"user_id": 42, "username": "alice"}, [KEY], now=NOW) == COOKIE
    data = {"é\ud800": [1.5, None, {"a": {}}], "big": 2**70}
    text = form.encode(data, ["new", KEY], now=NOW)
    assert form.decode(text).data == data
    assert form.verify(text, ["new"], now=NOW).valid
    assert form.verify(text, [KEY], now=NOW).reason == "bad-signature"


@pytest.mark.parametrize("data", [[1], "text", None])
def test_only_objects_are_sessions(data: Any) -> None:
    """A session that Starlette could not read is not written."""
    with pytest.raises(UnserializableValueError):
        formats.get("starlette").encode(data, [KEY])


def test_encode_without_a_key() -> None:
    """Nothing is made without a key."""
    with pytest.raises(NoKeyError):
        formats.get("starlette").encode({})


def test_there_is_no_flash() -> None:
    """Starlette has no flash messages of its own."""
    with pytest.raises(Exception, match="no flash messages"):
        formats.get("starlette").with_flash({}, "a", "b")


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(COOKIE, "session", 0.95, 1.0, id="by its own name"),
        pytest.param(COOKIE, "token", 0.85, 0.94, id="by its shape"),
        pytest.param(made(b64encode(b"{}")), None, 0.85, 0.94, id="an empty session"),
        pytest.param(formats.get("flask").example, "session", 0.0, 0.2, id="Flask's"),
        pytest.param("a.b.c", "session", 0.0, 0.0, id="dots"),
        pytest.param("null", "session", 0.0, 0.0, id="cleared"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """Padded standard base64 of JSON with spaces, signed and timed, is Starlette's alone."""
    assert least <= formats.get("starlette").detect(text, cookie_name=name) <= most


@pytest.mark.parametrize(
    ("lifetime", "age", "valid"),
    [(3600, 3600, True), (3600, 3601, False), (0, 31104000, True), (0, 31104001, False)],
)
def test_lifetime_of_starsessions(lifetime: int, age: int, valid: bool) -> None:
    """A cookie of starsessions 2 expires by the lifetime that it says, 360 days for 0, unless told otherwise."""
    form = formats.get("starlette")
    text = form.encode({"__metadata__": {"lifetime": lifetime}, "a": 1}, [KEY], now=NOW)
    verdict = form.verify(text, [KEY], now=NOW + age)
    assert (verdict.valid, verdict.expires_at) == (valid, NOW + (lifetime or 31104000))
    assert form.verify(text, [KEY], now=NOW + age, max_age=None).valid


@pytest.mark.parametrize(
    "metadata", [None, [], {}, {"lifetime": "3600"}, {"lifetime": True}, {"lifetime": -1}]
)
def test_what_is_no_lifetime(metadata: Any) -> None:
    """Anything else under `__metadata__` leaves the middleware's age."""
    form = formats.get("starlette")
    text = form.encode({"__metadata__": metadata}, [KEY], now=NOW)
    assert form.verify(text, [KEY], now=NOW).expires_at == NOW + FORTNIGHT
