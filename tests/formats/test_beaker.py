"""Beaker's cookies: signed, encrypted, and signed IDs."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import (
    BadSignatureError,
    MalformedError,
    NoKeyError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.signing.mac import Hmac

KEY = "beaker-validate-key"
PAIR = [KEY, "beaker-encrypt-key"]
NOW = 1795424515
COOKIE = formats.get("beaker").example
DATA = {
    "_id": "0" * 32,
    "_creation_time": NOW + 0.5,
    "_accessed_time": NOW + 0.5,
    "user": "Zoë",
    "n": [1, None],
}
ID = "5a59755fb25d4c3daa5eb3188521d85b"


def signed(rest: str) -> str:
    """A text that is signed rightly, whatever it holds."""
    return Hmac(KEY.encode(), "sha1").digest(rest.encode()).hex() + rest


def json_text(value: Any) -> str:
    """A session as Beaker's JSON serializer writes it."""
    return b64encode(zlib.compress(json.dumps(value).encode())).decode()


def test_decode() -> None:
    """The session comes with Beaker's own items; the time is that of the last access."""
    decoded = formats.get("beaker").decode(COOKIE)
    assert decoded.data["user_id"] == 42
    assert decoded.id == decoded.data["_id"]
    assert (decoded.issued_at, decoded.payload_type, decoded.encrypted) == (NOW, "json", False)


def test_genuine() -> None:
    """A signed cookie is genuine, quoted or not, and an older key needs re-signing."""
    for text in (COOKIE, f'"{COOKIE}"'):
        verdict = formats.get("beaker").verify(text, ["new", KEY], now=NOW, max_age=3600)
        assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)
        assert verdict.expires_at == NOW + 3600


@pytest.mark.parametrize(
    ("text", "keys", "more", "reason", "detail"),
    [
        (COOKIE, [], {}, "no-key", "secret"),
        (COOKIE, ["other"], {}, "bad-signature", "does not fit the key"),
        (COOKIE[:-4], [KEY], {}, "bad-signature", "does not fit"),
        (COOKIE[:40].upper() + COOKIE[40:], [KEY], {}, "bad-signature", "does not fit"),
        (COOKIE, [KEY], {"now": NOW + 61, "max_age": 60}, "expired", "1 second ago"),
        (COOKIE[:40], [KEY], {}, "malformed", "too short"),
        (signed("eJ"), [KEY], {}, "malformed", "padding"),
        (signed("AAAA"), [KEY], {}, "malformed", "neither a pickle"),
        (signed("gAJ9"), [KEY], {}, "malformed", "the session is"),
        (signed(b64encode(zlib.compress(b"{")).decode()), [KEY], {}, "malformed", "not JSON"),
        (signed(b64encode(zlib.compress(b"\xff")).decode()), [KEY], {}, "malformed", "UTF-8"),
        (signed(b64encode(zlib.compress(bytes(2 << 20))).decode()), [KEY], {}, "malformed", "max-size"),
        ("\ud800" * 60, [KEY], {}, "bad-signature", "does not fit"),
    ],
)
def test_reasons(text: str, keys: list[str], more: dict[str, Any], reason: str, detail: str) -> None:
    """Each way to be refused has its reason and a sentence that says what is wrong."""
    form = formats.get("beaker", kind="cookie", crypto_type="none")
    verdict = form.verify(text, keys, **{"now": NOW, **more})
    assert (verdict.valid, verdict.reason) == (False, reason), verdict
    assert detail in verdict.detail


def test_no_time() -> None:
    """A session without a time of access never expires; one that is no object is told as a warning."""
    form = formats.get("beaker")
    assert form.verify(signed(json_text({"a": 1})), [KEY], now=1e12, max_age=1).valid
    verdict = form.verify(signed(json_text([1])), [KEY], now=NOW)
    assert (verdict.valid, verdict.warnings[0].code) == (True, "no-session")


@pytest.mark.parametrize("serializer", ["pickle", "json"])
@pytest.mark.parametrize(
    "options",
    [
        {"crypto_type": "none"},
        {"crypto_type": "cryptography"},
        {"crypto_type": "pycryptodome"},
        {"crypto_type": "pycrypto", "encrypt_nonce_bits": "48"},
        {"crypto_type": "cryptography", "encrypt_nonce_bits": "96"},
    ],
)
def test_round_trip(options: dict[str, str], serializer: str) -> None:
    """What was encoded is verified and read back as it was, in every cipher and serialization."""
    form = formats.get("beaker", data_serializer=serializer, **options)
    text = form.encode(DATA, PAIR, now=NOW)
    verdict = form.verify(text, PAIR, now=NOW)
    assert verdict.valid, verdict
    decoded = form.decode(text, PAIR)
    assert (decoded.data, decoded.payload_type) == (DATA, serializer)
    assert decoded.encrypted == (options["crypto_type"] != "none")


@pytest.mark.parametrize("crypto_type", ["cryptography", "pycryptodome"])
def test_encrypted(crypto_type: str) -> None:
    """Secrets come in pairs, and the detail tells which of the two does not fit."""
    form = formats.get("beaker", crypto_type=crypto_type)
    text = form.encode(DATA, PAIR, now=NOW)
    assert form.verify(text, ["a", "b", *PAIR], now=NOW).key_index == 2
    assert form.verify(text, [], now=NOW).reason == "no-key"
    assert "in pairs" in form.verify(text, [KEY], now=NOW).detail
    wrong = form.verify(text, [KEY, "other"], now=NOW)
    assert (wrong.reason, "the encrypt_key" in wrong.detail) == ("bad-signature", True)
    wrong = form.verify(text, ["other", PAIR[1]], now=NOW)
    assert (wrong.reason, "fit the validate_key" in wrong.detail) == ("bad-signature", True)
    assert form.verify(signed("A" * 24), PAIR, now=NOW).reason == "bad-signature"
    with pytest.raises(NoKeyError):
        form.decode(text)
    with pytest.raises(BadSignatureError):
        form.decode(text, [KEY, "other"])


@pytest.mark.parametrize("bits", ["128", "48"])
@pytest.mark.parametrize("crypto_type", ["cryptography", "pycryptodome"])
def test_the_cipher_shows(crypto_type: str, bits: str) -> None:
    """Where no crypto module is named, a nonce in front tells, and both ciphers and nonces are tried."""
    text = formats.get("beaker", crypto_type=crypto_type, encrypt_nonce_bits=bits).encode(DATA, PAIR, now=NOW)
    assert formats.get("beaker").verify(text, now=NOW).reason == "no-key"
    assert formats.get("beaker").verify(text, PAIR, now=NOW).valid
    assert formats.get("beaker").decode(text, PAIR).data == DATA


def test_id() -> None:
    """The signed ID of a session is known by its shape."""
    form = formats.get("beaker")
    decoded = form.decode(signed(ID))
    assert (decoded.data, decoded.id) == (ID, ID)
    assert form.verify(signed(ID), [KEY]).valid
    assert form.verify(signed(ID), ["other"]).reason == "bad-signature"
    form = formats.get("beaker", kind="id")
    assert form.encode(ID, [KEY]) == signed(ID)
    assert form.encode(None, [KEY], id=ID) == signed(ID)
    with pytest.raises(UsageError, match="ID"):
        form.encode({}, [KEY])


def test_pickle_is_read_and_never_run() -> None:
    """A pickle that would run a command is shown, not run."""
    text = signed(b64encode(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.").decode())
    assert "system" in json.dumps(formats.get("beaker").decode(text).data)


def test_encode_refuses() -> None:
    """A session is an object that the serializer can hold, under a key or two."""
    with pytest.raises(UnserializableValueError):
        formats.get("beaker").encode([], [KEY])
    with pytest.raises(UnserializableValueError):
        formats.get("beaker", data_serializer="json").encode({"a": {1}}, [KEY])
    with pytest.raises(NoKeyError):
        formats.get("beaker").encode({})
    with pytest.raises(NoKeyError, match="pairs"):
        formats.get("beaker", crypto_type="cryptography").encode({}, [KEY])


@pytest.mark.parametrize("bits", ["", "0", "7", "x", "-8", "99999"])
def test_wrong_nonce_bits(bits: str) -> None:
    """The size of the nonce is a multiple of eight bits."""
    with pytest.raises(UsageError, match="multiple of 8"):
        formats.get("beaker", encrypt_nonce_bits=bits)


def test_bomb() -> None:
    """A session that would become larger than asked for is refused."""
    with pytest.raises(MalformedError, match="max-size"):
        formats.get("beaker").decode(signed(json_text({"a": "x" * 2_000_000})))


@pytest.mark.parametrize(
    ("text", "cookie_name", "low", "high"),
    [
        (COOKIE, None, 0.95, 1.0),
        (formats.get("beaker").encode(DATA, [KEY]), None, 0.95, 1.0),
        (formats.get("beaker", crypto_type="cryptography").encode(DATA, PAIR), None, 0.85, 0.94),
        (
            formats.get("beaker", crypto_type="cryptography").encode(DATA, PAIR),
            "beaker.session.id",
            0.95,
            1.0,
        ),
        (signed(ID), None, 0.1, 0.3),
        (signed(ID), "beaker.session.id", 0.95, 1.0),
        (signed(json_text({"a": 1})), None, 0.1, 0.3),
        (signed("Zz09" * 20), None, 0.4, 0.5),
        ("0" * 40, "beaker.session.id", 0.0, 0.0),
        ("0" * 64, None, 0.0, 0.2),
        ("00000000-0000-4000-8000-000000000000", None, 0.0, 0.0),
    ],
)
def test_detect(text: str, cookie_name: str | None, low: float, high: float) -> None:
    """Beaker's own items tell; a hexadecimal text is known by the cookie's name alone."""
    assert low <= formats.get("beaker").detect(text, cookie_name=cookie_name) <= high


@pytest.mark.parametrize(
    "text",
    [
        (
            "bc88e46ef74b4ca916faf2d347e6e2d6aa60d9caeJZVNx8ti3PhB+UtxjNedg==+cDTkvR5WKhbRJFYocvtHuBwa9laeMBWTuIwb1ZL"
            "9EgUqoUoZwEW/DQKNVyLPpiLkWFn"
        ),
        (
            "7f592b904abbba1d125879879fd3f7f83092ea74eNNjGr2qzGQ7jhkqQfI2OA==V5IT9tnegi9QCJYb6uYSPIrr+CRtWtGzMf9uSEPv"
            "QSuKOuy3nPkxeuFoVqhmGjVku2M1"
        ),
    ],
)
def test_a_nonce_that_begins_like_a_session(text: str) -> None:
    """One of a thousand encrypted cookies begins like a zlib stream by chance."""
    form = formats.get("beaker", crypto_type="cryptography")
    assert form.detect(text, cookie_name="beaker.session.id") > 0.9
    assert formats.detect(text)[0][0] == "beaker"
    assert form.verify(text, ["VALIDATE", "ENCRYPT"]).valid
    assert form.decode(text, ["VALIDATE", "ENCRYPT"]).data == {"user_id": 42}
