"""Litestar's sessions in encrypted cookies."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import BadSignatureError, NoKeyError, UnserializableValueError, WrongKeyTypeError

KEY = bytes(range(200, 232))
NOW = 1795424410
COOKIE = formats.get("litestar").example
DATA = {"user_id": 42, "username": "alice"}
FOURTEEN_DAYS = 14 * 86400
MARK = b"additional_authenticated_data="


def sealed(plain: bytes, aad: bytes = b'{"expires_at":1796634010}', mark: bytes = MARK) -> str:
    """A text that is sealed rightly, whatever it holds."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    return b64encode(nonce + AESGCM(KEY).encrypt(nonce, plain, aad) + mark + aad).decode()


def test_decode() -> None:
    """The data come with the end of the session, and the time that the age limit gives for its start."""
    decoded = formats.get("litestar").decode(COOKIE, [KEY])
    assert decoded.data == DATA
    assert (decoded.issued_at, decoded.expires_at) == (NOW, NOW + FOURTEEN_DAYS)
    assert decoded.encrypted
    assert formats.get("litestar").decode(COOKIE, [KEY], max_age=60).issued_at == NOW + FOURTEEN_DAYS - 60
    assert formats.get("litestar").decode(COOKIE, [KEY], max_age=None).issued_at is None


def test_genuine() -> None:
    """The verdict names the cipher, the key and the end."""
    verdict = formats.get("litestar").verify(COOKIE, [bytes(32), KEY], now=NOW)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)
    assert (verdict.algorithm, verdict.expires_at) == ("AES-256-GCM", NOW + FOURTEEN_DAYS)
    assert verdict.value == '{"user_id":42,"username":"alice"}'


@pytest.mark.parametrize(
    ("text", "keys", "now", "reason", "detail"),
    [
        (COOKIE, [], NOW, "no-key", "secret"),
        (COOKIE, [bytes(32)], NOW, "bad-signature", "the key does not open it"),
        (COOKIE, [b"short"], NOW, "wrong-key-type", "16, 24 or 32"),
        (COOKIE, [KEY], NOW + FOURTEEN_DAYS, "expired", "expired"),
        (COOKIE.strip('"')[:-1], [KEY], NOW, "malformed", "padding"),
        (
            b64encode(b64decode(COOKIE.strip('"'))[:-8]).decode(),
            [KEY],
            NOW,
            "malformed",
            "when the session ends",
        ),
        (sealed(b"{}", b'{"expires_at":true}'), [KEY], NOW, "malformed", "when the session ends"),
        (sealed(b"{}", b"[]"), [KEY], NOW, "malformed", "when the session ends"),
        (sealed(b"{}", b'{"expires_at":1e999}'), [KEY], NOW, "malformed", "when the session ends"),
        (sealed(b"{}", mark=b"other="), [KEY], NOW, "malformed", "no additional data"),
        (b64encode(bytes(27) + MARK + b"{}").decode(), [KEY], NOW, "malformed", "too few"),
        (sealed(b"{"), [KEY], NOW, "malformed", "not JSON"),
        (sealed(b"\xff"), [KEY], NOW, "malformed", "not UTF-8"),
        ("\ud800", [KEY], NOW, "malformed", "no additional data"),
    ],
)
def test_reasons(text: str, keys: list[bytes], now: float, reason: str, detail: str) -> None:
    """Each way to be refused has its reason and a sentence that says what is wrong."""
    verdict = formats.get("litestar").verify(text, keys, now=now)
    assert (verdict.valid, verdict.reason) == (False, reason), verdict
    assert detail in verdict.detail


def test_the_end() -> None:
    """The session ends in the second that `expires_at` names, and the clock is rounded."""
    form = formats.get("litestar")
    assert form.verify(COOKIE, [KEY], now=NOW + FOURTEEN_DAYS - 0.6).valid
    assert not form.verify(COOKIE, [KEY], now=NOW + FOURTEEN_DAYS - 0.4).valid


def test_cleared() -> None:
    """`null` is what Litestar writes to end a session."""
    assert formats.get("litestar").decode("null").data is None
    verdict = formats.get("litestar").verify("null", [KEY])
    assert (verdict.valid, verdict.warnings[0].code) == (True, "cleared")


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("data", [{}, {"ü": [1, None, {"x": 1.5}], "1": "😀"}])
def test_round_trip(size: int, data: dict[str, Any]) -> None:
    """What was encoded is verified and read back as it was, under each size of key."""
    form = formats.get("litestar")
    text = form.encode(data, [bytes(size)], now=NOW, max_age=60)
    verdict = form.verify(text, [bytes(size)], now=NOW)
    assert (verdict.valid, verdict.expires_at, verdict.algorithm) == (True, NOW + 60, f"AES-{size * 8}-GCM")
    assert form.decode(text, [bytes(size)]).data == data


def test_joined_chunks() -> None:
    """The quotes between joined parts do no harm; more than ten parts are told as a warning."""
    form = formats.get("litestar")
    long = form.encode({"t": "z" * 40_000}, [KEY], now=NOW).strip('"')
    joined = "".join(f'"{long[at : at + 4032]}"' for at in range(0, len(long), 4032))
    verdict = form.verify(joined, [KEY], now=NOW)
    assert verdict.valid
    assert [warn.code for warn in verdict.warnings] == ["too-many-parts"]
    assert form.verify(form.encode({"t": "z" * 9000}, [KEY], now=NOW), [KEY], now=NOW).warnings == ()


def test_percent_encoding() -> None:
    """Litestar percent-decodes every cookie, though it writes none of its own with percent signs."""
    form = formats.get("litestar")
    text = next(text for n in range(99) if "+" in (text := form.encode({"n": n}, [KEY], now=NOW).strip('"')))
    changed = text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    verdict = form.verify(changed, [KEY], now=NOW)
    assert (verdict.valid, verdict.warnings) == (True, ())
    assert form.decode(changed, [KEY], now=NOW).data == form.decode(text, [KEY], now=NOW).data
    assert form.detect(changed) > 0.9


def test_no_session() -> None:
    """A payload that is no object is genuine, with a warning."""
    verdict = formats.get("litestar").verify(sealed(b"[1]"), [KEY], now=NOW)
    assert (verdict.valid, verdict.warnings[0].code) == (True, "no-session")


def test_one_byte_changed() -> None:
    """Any byte that is changed is found."""
    raw = b64decode(COOKIE.strip('"'))
    for at in range(len(raw)):
        changed = b64encode(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).decode()
        assert not formats.get("litestar").verify(changed, [KEY], now=NOW).valid


def test_decode_and_encode_refuse() -> None:
    """Without its key the cookie is closed; a session is an object."""
    form = formats.get("litestar")
    with pytest.raises(NoKeyError):
        form.decode(COOKIE)
    with pytest.raises(BadSignatureError):
        form.decode(COOKIE, [bytes(32)])
    with pytest.raises(NoKeyError):
        form.encode({})
    with pytest.raises(WrongKeyTypeError):
        form.encode({}, ["x"])
    with pytest.raises(UnserializableValueError):
        form.encode([], [KEY])


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (COOKIE, 0.95, 1.0),
        (sealed(b"{} "), 0.95, 1.0),
        (sealed(b"{}  "), 0.95, 1.0),
        (sealed(b"{}", mark=b"other="), 0.0, 0.0),
        ("YWRkaXRpb25hbF9hdXRoZW50aWNhdGVkX2RhdGE9", 0.0, 0.0),
        ("null", 0.0, 0.0),
    ],
)
def test_detect(text: str, low: float, high: float) -> None:
    """The text before the additional data shows, at each of the three offsets that base64 has."""
    assert low <= formats.get("litestar").detect(text, cookie_name="session") <= high
