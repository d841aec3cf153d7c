"""Pyramid's sessions in the cookie."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import b64encode, b64encode_urlsafe
from sessionctl.errors import MalformedError, NoKeyError, UnserializableValueError, UsageError
from sessionctl.signing.mac import Hmac

KEY = "seekrit-pyramid-key"
COOKIE = formats.get("pyramid").example
NOW = 1795423742


def made(content: Any) -> str:
    """A text that is signed rightly, whatever it holds."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    tag = Hmac(b"pyramid.session." + KEY.encode(), "sha512").digest(data)
    return b64encode_urlsafe(tag + data)


def made_unencrypted(content: Any) -> str:
    """The same as the older factory makes it."""
    data = pickle.dumps(content, 2)
    return Hmac(KEY.encode(), "sha1").digest(data).hex() + b64encode(data)


def test_decode_needs_no_key() -> None:
    """The data are the session; the time of renewal around it is the time of issue."""
    decoded = formats.get("pyramid").decode(COOKIE)
    assert decoded.data == {"user_id": 42, "username": "alice"}
    assert (decoded.issued_at, decoded.payload_type, decoded.algorithm) == (NOW, "json", "HMAC-SHA512")


@pytest.mark.parametrize(
    ("text", "now", "reason"),
    [
        pytest.param(COOKIE, NOW, None, id="genuine"),
        pytest.param(COOKIE, NOW + 1200, None, id="of the last moment"),
        pytest.param(COOKIE, NOW + 1200.1, "expired", id="too old"),
        pytest.param(COOKIE, NOW - 3600, None, id="of the future"),
        pytest.param(made(pickle.dumps((NOW, NOW + 0.5, {}), 4)), NOW, None, id="a pickle"),
        pytest.param(f"j{COOKIE[1:]}", NOW, "bad-signature", id="another signature"),
        pytest.param(COOKIE[:-4], NOW, "bad-signature", id="cut"),
        pytest.param(COOKIE[:40], NOW, "malformed", id="shorter than the signature"),
        pytest.param("a" * 5, NOW, "malformed", id="no base64"),
        pytest.param(made([1, 2]), NOW, "malformed", id="two items"),
        pytest.param(made(["x", 1, {}]), NOW, "malformed", id="no time"),
        pytest.param(made([1, 1e400, {}]), NOW, "malformed", id="no time of making"),
        pytest.param(made(b"no"), NOW, "malformed", id="no JSON"),
    ],
)
def test_reasons(text: str, now: float, reason: str | None) -> None:
    """Each verdict has the reason that Pyramid has."""
    assert formats.get("pyramid").verify(text, [KEY], now=now).reason == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(made_unencrypted((NOW, NOW, {"a": 1})), None, id="genuine"),
        pytest.param(made_unencrypted((NOW - 1201, NOW, {"a": 1})), "expired", id="too old"),
        pytest.param("0" * 40 + made_unencrypted((NOW, NOW, {}))[40:], "bad-signature", id="another one"),
        pytest.param(made_unencrypted((NOW, NOW, {})).upper(), "malformed", id="in capitals"),
        pytest.param("0" * 41, "malformed", id="no base64"),
        pytest.param("\ud800" * 50, "malformed", id="half surrogate pairs"),
    ],
)  # fmt: skip
def test_unencrypted_reasons(text: str, reason: str | None) -> None:
    """The older factory's cookies are judged the same way."""
    verdict = formats.get("pyramid", kind="unencrypted").verify(text, [KEY], now=NOW)
    assert verdict.reason == reason or (reason == "malformed" and verdict.reason == "bad-signature")


@pytest.mark.parametrize(("text", "reason"), [(COOKIE, "no-key"), ("garbage", "malformed")])
def test_without_a_key(text: str, reason: str) -> None:
    """Without a key nothing is verified, and what cannot be read is told first."""
    assert formats.get("pyramid").verify(text).reason == reason


@pytest.mark.parametrize("key", ["plain", "clé-ÿ", "秘密", b"\x00\xff"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"salt": ""},
        {"salt": "sél 秘"},
        {"digest": "md5"},
        {"serializer": "pickle", "digest": "sha256"},
        {"kind": "unencrypted"},
    ],
)
def test_round_trip(options: dict[str, str], key: str | bytes) -> None:
    """What is encoded verifies with the same options, under every kind of secret, and says the same."""
    form = formats.get("pyramid", **options)
    data = {"é": [1.5, None, {}], "_csrft_": "abc"}
    text = form.encode(data, [key, "old"], now=NOW)
    verdict = form.verify(text, ["new", key], now=NOW)
    assert (verdict.reason, verdict.key_index, verdict.needs_resign) == (None, 1, True)
    assert form.decode(text).data == data


def test_flash_lies_where_pyramid_puts_it() -> None:
    """A flashed message is in the list of its queue."""
    form = formats.get("pyramid")
    assert form.with_flash({"_f_": ["a"]}, "", "b") == {"_f_": ["a", "b"]}
    decoded = form.decode(form.encode({}, [KEY], flash={"": "a", "error": "b"}))
    assert decoded.data == {"_f_": ["a"], "_f_error": ["b"]}
    assert decoded.flash == {"": ["a"], "error": ["b"]}


@pytest.mark.parametrize("data", [[], {"_f_": "x"}])
def test_flash_needs_a_place(data: Any) -> None:
    """Where a queue is no list, nothing is flashed."""
    with pytest.raises(UnserializableValueError):
        formats.get("pyramid").with_flash(data, "", "b")


def test_only_objects_are_sessions() -> None:
    """A session that Pyramid could not read is not written."""
    with pytest.raises(UnserializableValueError):
        formats.get("pyramid").encode([1], [KEY])


def test_encode_without_a_key() -> None:
    """Nothing is made without a key."""
    with pytest.raises(NoKeyError):
        formats.get("pyramid").encode({})


def test_wrong_options() -> None:
    """An option that cannot be is wrong usage."""
    with pytest.raises(UsageError):
        formats.get("pyramid", kind="x")


def test_deep_payloads() -> None:
    """Nesting past what can be read is malformed, not a crash."""
    with pytest.raises(MalformedError):
        formats.get("pyramid").decode(made(b"[" * 10_000 + b"]" * 10_000))


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(COOKIE, "session", 0.95, 1.0, id="by its own name"),
        pytest.param(COOKIE, None, 0.95, 1.0, id="by its shape"),
        pytest.param(made_unencrypted((NOW, NOW, {})), None, 0.95, 1.0, id="of the older factory"),
        pytest.param(made([1, 2]), "session", 0.0, 0.1, id="two items"),
        pytest.param("a" * 40, "session", 0.0, 0.1, id="a hash"),
        pytest.param("a" * 5000, None, 0.0, 0.0, id="letters"),
        pytest.param("8d622a47-553b-4ea0-a530-0fe0e65b6801", "session", 0.0, 0.0, id="a UUID"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """Two times and an object behind bytes of a signature's length make a session of Pyramid."""
    assert least <= formats.get("pyramid").detect(text, cookie_name=name) <= most


def test_detects_every_digest() -> None:
    """A session signed with another hash is seen too."""
    for digest in ("md5", "sha1", "sha224", "sha256", "sha384"):
        text = formats.get("pyramid", digest=digest).encode({"a": 1}, [KEY])
        assert formats.get("pyramid").detect(text) >= 0.9


@pytest.mark.parametrize("digest", ["sha256", "md5", "sha1"])
def test_another_digest_is_told(digest: str) -> None:
    """What the text says is read whatever the digest; that it does not verify is told with the option that helps."""
    text = formats.get("pyramid", digest=digest).encode({"a": 1}, ["k"], now=100)
    plain = formats.get("pyramid")
    assert plain.decode(text).data == {"a": 1}
    assert plain.verify(text, now=100).reason == "no-key"
    verdict = plain.verify(text, ["k"], now=100)
    assert verdict.reason == "bad-signature"
    assert f"-O digest={digest}" in verdict.detail


def test_the_look_tells_the_kind() -> None:
    """Without the option `kind` a cookie of the older factory is read and verified too."""
    text = formats.get("pyramid", kind="unencrypted").encode({"a": 1}, ["k"], now=100)
    plain = formats.get("pyramid")
    assert plain.decode(text).data == {"a": 1}
    assert plain.verify(text, ["k"], now=100).valid
    assert formats.get("pyramid", kind="signed").verify(text, ["k"], now=100).reason in (
        "bad-signature",
        "malformed",
    )
