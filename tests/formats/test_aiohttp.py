"""aiohttp-session's cookies: Fernet, NaCl and plain JSON."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import quote
from sessionctl.errors import BadSignatureError, NoKeyError, UnserializableValueError, WrongKeyTypeError

RAW = bytes(range(32))
KEY = urlsafe_b64encode(RAW).decode()
OTHER = urlsafe_b64encode(bytes(32)).decode()
NOW = 1795424225
SIMPLE = formats.get("aiohttp").example
DATA = {"user_id": 42, "name": "Zoë", "big": 2**70}


def made(kind: str = "fernet", data: Any = None, now: float = NOW) -> str:
    """A cookie of one kind, in quotes where it has to be."""
    return formats.get("aiohttp", kind=kind).encode(DATA if data is None else data, [KEY], now=now)


def fernet(payload: bytes, now: int = NOW) -> str:
    """A Fernet token with any payload."""
    from cryptography.fernet import Fernet

    return Fernet(KEY).encrypt_at_time(payload, now).decode()


@pytest.mark.parametrize("kind", ["fernet", "nacl", "simple"])
def test_round_trip(kind: str) -> None:
    """What was encoded is read back as it was, with or without the kind being said."""
    text = made(kind)
    for form in (formats.get("aiohttp", kind=kind), formats.get("aiohttp")):
        decoded = form.decode(text, [OTHER, KEY])
        assert decoded.data == DATA
        assert decoded.issued_at == NOW
        assert decoded.encrypted == decoded.signed == (kind != "simple")


@pytest.mark.parametrize("kind", ["fernet", "nacl"])
def test_genuine(kind: str) -> None:
    """An encrypted cookie is genuine under its key, and an older key needs re-signing."""
    verdict = formats.get("aiohttp", kind=kind).verify(made(kind), [OTHER, KEY], now=NOW)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)
    assert verdict.expires_at is None
    assert json.loads(verdict.value or "") == {"created": NOW, "session": DATA}


def test_simple_is_unsigned() -> None:
    """Plain JSON is never genuine; it can be too old as well."""
    form = formats.get("aiohttp")
    assert form.decode(SIMPLE).data == {"user_id": 42, "username": "alice"}
    verdict = form.verify(SIMPLE, [KEY], now=NOW + 61, max_age=60)
    assert (verdict.valid, verdict.reason, verdict.expired) == (False, "unsigned", True)
    assert not form.verify(SIMPLE, now=NOW).expired
    assert form.verify(quote('{"created": '), now=NOW).reason == "malformed"


@pytest.mark.parametrize(
    ("text", "keys", "more", "reason", "detail"),
    [
        (made(), [], {}, "no-key", "secret"),
        (made("nacl"), [], {}, "no-key", "secret"),
        (made(), [OTHER], {}, "bad-signature", "the key does not open it"),
        (made("nacl"), [OTHER], {}, "bad-signature", "the key does not open it"),
        (made(), ["short"], {}, "wrong-key-type", "32 bytes"),
        (made("nacl"), ["x" * 31], {}, "wrong-key-type", "32 bytes"),
        (made(), [KEY], {"now": NOW + 61, "max_age": 60}, "expired", "1 second ago"),
        (made("nacl"), [KEY], {"now": NOW + 61, "max_age": 60}, "expired", "1 second ago"),
        (made(), [KEY], {"now": NOW - 61, "max_age": 60}, "expired", "in the future"),
        (made().replace("=", ""), [KEY], {}, "malformed", "padding"),
        (fernet(b"[")[:60], [KEY], {}, "malformed", "shape"),
        (b64encode(bytes(39)).decode(), [KEY], {}, "malformed", "too few"),
        (fernet(b"["), [KEY], {}, "malformed", "not JSON"),
        (fernet(b"\xff"), [KEY], {}, "malformed", "UTF-8"),
        ("\ud800", [KEY], {}, "malformed", "too few"),
    ],
)
def test_reasons(text: str, keys: list[str], more: dict[str, Any], reason: str, detail: str) -> None:
    """Each way to be refused has its reason and a sentence that says what is wrong."""
    verdict = formats.get("aiohttp").verify(text, keys, **{"now": NOW, **more})
    assert (verdict.valid, verdict.reason) == (False, reason), verdict
    assert detail in verdict.detail


def test_times() -> None:
    """The limit itself still passes; a minute ahead passes; without a limit no time is looked at."""
    form = formats.get("aiohttp")
    assert form.verify(made(), [KEY], now=NOW + 60.9, max_age=60).valid
    assert form.verify(made(), [KEY], now=NOW - 60, max_age=60).valid
    assert form.verify(made(), [KEY], now=NOW - 10**6).valid


def test_an_old_session_in_a_new_token() -> None:
    """A session that was begun long ago has expired though its token is new."""
    text = fernet(json.dumps({"created": NOW - 100, "session": {}}).encode())
    verdict = formats.get("aiohttp").verify(text, [KEY], now=NOW, max_age=60)
    assert (verdict.reason, verdict.expires_at) == ("expired", NOW - 40)
    assert formats.get("aiohttp").decode(text, [KEY]).issued_at == NOW - 100


@pytest.mark.parametrize(
    ("payload", "data", "issued_at", "warnings"),
    [
        ({}, {}, NOW, []),
        ({"created": None, "session": None}, {}, NOW, []),
        ([1], [1], NOW, ["no-session"]),
        ({"session": [1]}, [1], NOW, ["no-session"]),
        ({"created": 10**400, "session": {}}, {}, NOW, []),
        ({"created": "x", "session": {}}, {}, NOW, []),
    ],
)
def test_odd_payloads(payload: Any, data: Any, issued_at: float, warnings: list[str]) -> None:
    """What is no session is genuine, with a warning; without `created` the token's time counts."""
    text = fernet(json.dumps(payload).encode())
    decoded = formats.get("aiohttp").decode(text, [KEY])
    assert (decoded.data, decoded.issued_at) == (data, issued_at)
    verdict = formats.get("aiohttp").verify(text, [KEY], now=NOW)
    assert verdict.valid
    assert [warn.code for warn in verdict.warnings] == warnings


@pytest.mark.parametrize("secret", [KEY, KEY.rstrip("="), RAW, "Thirty  two  length  bytes  key."])
def test_kinds_of_keys(secret: str | bytes) -> None:
    """A key is base64 text, padded or not, or 32 bytes, as text too."""
    for kind in ("fernet", "nacl"):
        form = formats.get("aiohttp", kind=kind)
        assert form.verify(form.encode({}, [secret], now=NOW), [secret], now=NOW).valid


def test_lenient_base64() -> None:
    """Stray characters pass, as in Python's base64 reader, with a warning."""
    text = fernet(b'{"created": 1, "session": {}}')
    verdict = formats.get("aiohttp").verify(f"{text[:20]}!{text[20:]}", [KEY], now=NOW)
    assert verdict.valid
    assert [warn.code for warn in verdict.warnings] == ["non-canonical"]


def test_decode_needs_the_key() -> None:
    """An encrypted cookie is closed without its key."""
    form = formats.get("aiohttp")
    with pytest.raises(NoKeyError):
        form.decode(made())
    with pytest.raises(BadSignatureError):
        form.decode(made(), [OTHER])
    with pytest.raises(WrongKeyTypeError):
        form.decode(made(), ["x"])


def test_one_byte_changed() -> None:
    """Any byte that is changed is found."""
    raw = urlsafe_b64decode(fernet(b'{"created": 1, "session": {}}'))
    box = b64decode(made("nacl").strip('"'))
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        verdict = formats.get("aiohttp", kind="fernet").verify(urlsafe_b64encode(changed).decode(), [KEY])
        assert verdict.reason in ("bad-signature", "malformed")
    for at in range(len(box)):
        changed = box[:at] + bytes([box[at] ^ 1]) + box[at + 1 :]
        verdict = formats.get("aiohttp", kind="nacl").verify(b64encode(changed).decode(), [KEY])
        assert verdict.reason == "bad-signature"


def test_encode_refuses() -> None:
    """A session is an object, and the key is of the right kind."""
    form = formats.get("aiohttp")
    with pytest.raises(UnserializableValueError):
        form.encode([], [KEY])
    with pytest.raises(WrongKeyTypeError):
        form.encode({}, ["x"])
    with pytest.raises(NoKeyError):
        form.encode({})


@pytest.mark.parametrize(
    ("text", "cookie_name", "low", "high"),
    [
        (SIMPLE, None, 0.95, 1.0),
        (made().strip('"'), None, 0.85, 0.94),
        (made(), "AIOHTTP_SESSION", 0.95, 1.0),
        (made("nacl"), None, 0.1, 0.3),
        (made("nacl"), "AIOHTTP_SESSION", 0.85, 0.94),
        ('{"a":1}', None, 0.0, 0.0),
        ("gAAAAA==", None, 0.0, 0.0),
        ("00000000-0000-4000-8000-000000000000", None, 0.0, 0.0),
        (b64encode(bytes(30)).decode(), "AIOHTTP_SESSION", 0.0, 0.0),
    ],
)
def test_detect(text: str, cookie_name: str | None, low: float, high: float) -> None:
    """Fernet and plain JSON show themselves; of NaCl the name alone tells."""
    assert low <= formats.get("aiohttp").detect(text, cookie_name=cookie_name) <= high
