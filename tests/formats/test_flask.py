"""Flask's sessions."""

from __future__ import annotations

import json
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
from sessionctl.formats import flask_tags, timed_token
from sessionctl.identify import Setup, identify
from sessionctl.signing import KeyRing, Secret
from sessionctl.signing.django import pack
from sessionctl.sources import read_cookie

KEY = "dev-secret-key-not-for-prod"
COOKIE = formats.get("flask").example
NOW = 1795423187
PAYLOAD, STAMP, SIGNATURE = COOKIE.split(".")
MONTH = 2678400


def made(payload: str, stamp: int | None = NOW) -> str:
    """A text that is signed rightly, whatever it holds."""
    mac = timed_token.hmac_of(Secret(KEY), "cookie-session", "hmac", "sha1")
    return timed_token.sign(payload, mac, issued_at=stamp)


BROKEN_TAG = made(pack(b'{"a":{" u":7}}'))


def test_decode_needs_no_key() -> None:
    """The data, the time and the algorithm are read without a key."""
    decoded = formats.get("flask").decode(COOKIE)
    assert decoded.data == {"user_id": 42, "username": "alice"}
    assert (decoded.issued_at, decoded.algorithm, decoded.flash) == (NOW, "HMAC-SHA1", None)


@pytest.mark.parametrize(
    ("text", "now", "reason", "words"),
    [
        pytest.param(COOKIE, NOW, None, "", id="genuine"),
        pytest.param(COOKIE, NOW + MONTH + 0.9, None, "", id="of the last second"),
        pytest.param(COOKIE, NOW + MONTH + 1, "expired", "1 second ago", id="too old"),
        pytest.param(COOKIE, NOW - 3600, "expired", "1 hour in the future", id="of the future"),
        pytest.param(f"{PAYLOAD}.awP71w.{SIGNATURE}", NOW, "bad-signature", "not fit", id="another time"),
        pytest.param(COOKIE[:-3], NOW, "bad-signature", "cut or altered", id="cut"),
        pytest.param(f"{COOKIE}{'A' * 16}", NOW, "bad-signature", "digest=sha256", id="of another digest"),
        pytest.param(f"{PAYLOAD}.{SIGNATURE}", NOW, "malformed", "no timestamp", id="untimed"),
        pytest.param("not-a-cookie!", NOW, "malformed", "no signature", id="garbage"),
        pytest.param(made("!!!"), NOW, "malformed", "JSON", id="a genuine payload that is none"),
        pytest.param(made(".bm8"), NOW, "malformed", "compressed", id="a genuine payload that is no zlib"),
        pytest.param(BROKEN_TAG, NOW, "malformed", "tag ' u'", id="a genuine tag that is none"),
    ],
)  # fmt: skip
def test_reasons(text: str, now: float, reason: str | None, words: str) -> None:
    """Each verdict has the reason that Flask has, and says it in words."""
    verdict = formats.get("flask").verify(text, [KEY], now=now)
    assert verdict.reason == reason
    assert words in verdict.detail


@pytest.mark.parametrize(("text", "reason"), [(COOKIE, "no-key"), ("garbage", "malformed")])
def test_without_a_key(text: str, reason: str) -> None:
    """Without a key nothing is verified, and what cannot be read is told first."""
    assert formats.get("flask").verify(text).reason == reason


def test_an_older_key_needs_resigning() -> None:
    """A hit on one of SECRET_KEY_FALLBACKS is genuine, and says that the cookie needs re-signing."""
    verdict = formats.get("flask").verify(COOKIE, ["new", KEY], now=NOW)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)


def test_no_limit_no_clock() -> None:
    """Without an age limit the time is not looked at."""
    form = formats.get("flask")
    assert form.verify(COOKIE, [KEY], now=NOW * 2, max_age=None).valid
    assert form.verify(COOKIE, [KEY], now=1, max_age=None).valid


def test_another_text_of_the_signature_is_a_warning() -> None:
    """The unused bits of the last character do not count for Flask, which a warning tells."""
    verdict = formats.get("flask").verify(COOKIE[:-1] + "Z", [KEY], now=NOW)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["non-canonical"]


def test_a_genuine_list_is_a_warning() -> None:
    """A genuine payload that is no object is valid, with a warning."""
    verdict = formats.get("flask").verify(made(pack(b"[1]")), [KEY], now=NOW)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["no-session"]


def test_a_time_of_the_old_epoch_is_told() -> None:
    """A time before itsdangerous was made points to the option `epoch`."""
    text = made(PAYLOAD, NOW - timed_token.EPOCH_2011)
    verdict = formats.get("flask").verify(text, [KEY], now=NOW)
    assert verdict.reason == "expired"
    assert "-O epoch=1293840000" in verdict.warnings[0].message
    assert formats.get("flask", epoch="1293840000").verify(text, [KEY], now=NOW).valid


def test_old_releases_take_the_future() -> None:
    """An itsdangerous before 2.0 accepts a time in the future."""
    text = made(PAYLOAD, NOW - timed_token.EPOCH_2011)
    assert formats.get("flask", epoch="1293840000").verify(text, [KEY], now=NOW - 3600).valid


@pytest.mark.parametrize(
    "options", [{"epoch": "x"}, {"digest": "crc"}, {"key_derivation": "x"}, {"cipher": "x"}]
)
def test_wrong_options(options: dict[str, str]) -> None:
    """An option that cannot be is wrong usage."""
    with pytest.raises(UsageError):
        formats.get("flask", **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"salt": "other"},
        {"digest": "sha256"},
        {"key_derivation": "concat", "digest": "sha512"},
        {"key_derivation": "django-concat"},
        {"key_derivation": "none"},
        {"epoch": "1293840000"},
    ],
)
def test_round_trip(options: dict[str, str]) -> None:
    """What is encoded verifies with the same options and says the same."""
    form = formats.get("flask", **options)
    data = {"n": -0.0, "t": {" t": [1, {" b": "YQ=="}]}, "é\ud800": None, "long": "a" * 300}
    text = form.encode(data, ["new", "old"], now=NOW + 0.5)
    verdict = form.verify(text, ["new", "old"], now=NOW)
    assert (verdict.reason, verdict.key_index, verdict.issued_at) == (None, 0, NOW)
    assert form.decode(text).data == data
    assert form.verify(text, ["old"], now=NOW).reason == "bad-signature"


def test_encode_is_byte_for_byte() -> None:
    """The text is the one that Flask wrote, compressed where that is shorter."""
    form = formats.get("flask")
    assert form.encode(form.decode(COOKIE).data, [KEY], now=NOW) == COOKIE
    assert form.encode({"a": "x" * 100}, [KEY], now=NOW).startswith(".")


@pytest.mark.parametrize("data", [[1], "text", None])
def test_only_objects_are_sessions(data: Any) -> None:
    """A session that Flask could not read is not written."""
    with pytest.raises(UnserializableValueError):
        formats.get("flask").encode(data, [KEY])


def test_encode_without_a_key() -> None:
    """Nothing is made without a key."""
    with pytest.raises(NoKeyError):
        formats.get("flask").encode({})


def test_flash_lies_where_flask_puts_it() -> None:
    """A flashed message is a tuple of category and text under `_flashes`."""
    form = formats.get("flask")
    data = form.with_flash({"_flashes": [{" t": ["message", "hi"]}]}, "error", "bad")
    assert data == {"_flashes": [{" t": ["message", "hi"]}, {" t": ["error", "bad"]}]}
    decoded = form.decode(form.encode({}, [KEY], flash={"error": "bad"}))
    assert decoded.flash == [{"category": "error", "message": "bad"}]


@pytest.mark.parametrize("data", [[], {"_flashes": "x"}])
def test_flash_needs_a_place(data: Any) -> None:
    """Where `_flashes` is no list, nothing is flashed."""
    with pytest.raises(UnserializableValueError):
        formats.get("flask").with_flash(data, "a", "b")


@pytest.mark.parametrize(
    ("tagged", "resolved"),
    [
        ({" t": [1, {" t": []}]}, [1, []]),
        ({" b": "YQ=="}, "a"),
        ({" b": "/w=="}, "/w=="),
        ({" m": "<b>"}, "<b>"),
        ({" u": "0" * 32}, "00000000-0000-0000-0000-000000000000"),
        ({" d": "Thu, 29 Feb 2024 12:34:56 GMT"}, "2024-02-29T12:34:56Z"),
        ({" d": "no date"}, None),
        ({" di": {" t__": [1]}}, {" t": [1]}),
        ({" t": [1], "b": 2}, {" t": [1], "b": 2}),
        ({" x": 1}, {" x": 1}),
    ],
)
def test_tags_for_people(tagged: Any, resolved: Any) -> None:
    """People see what a tag stands for, programs see the tag."""
    form = formats.get("flask")
    decoded = form.decode(made(pack(json.dumps({"k": tagged, "l": 1}).encode())))
    assert decoded.data["k"] == tagged
    assert form.for_people(decoded)["k"] == resolved


@pytest.mark.parametrize("tagged", [{" u": 7}, {" b": "YQ"}, {" b": 7}, {" t": 7}, {" di": {}}, {" di": 7}])
def test_broken_tags(tagged: Any) -> None:
    """A tag that Flask could not resolve makes the payload malformed, and is shown as it is."""
    with pytest.raises(MalformedError):
        flask_tags.resolve(tagged)
    form = formats.get("flask")
    decoded = form.decode(made(pack(json.dumps({"k": tagged, "l": 1}).encode())))
    assert form.for_people(decoded) == decoded.data


def test_deep_payloads() -> None:
    """Nesting past what can be read is malformed, not a crash."""
    deep = "[" * 10_000 + "]" * 10_000
    text = made(pack(f'{{"k":{deep}}}'.encode()))
    assert formats.get("flask").verify(text, [KEY], now=NOW).reason == "malformed"
    with pytest.raises(MalformedError):
        formats.get("flask").decode(text)


def test_bombs() -> None:
    """A compressed payload past the limit is malformed."""
    text = made(pack(b'{"a":"' + b"x" * 2_000_000 + b'"}'))
    with pytest.raises(MalformedError, match="--max-size"):
        formats.get("flask").decode(text)


SPACED = "eyJhIjogMX0.awOhQA.YX6xrX66KtiC9Rg3sfH0ITAO4g4"
"""By Flask 3.1.3, whose session interface has `serializer = json`; the key is "dev key"."""


def test_json_with_spaces() -> None:
    """Another `serializer` may write JSON with spaces: Flask reads it, and a key settles that it is Flask's."""
    source = read_cookie(f"session={SPACED}")
    found = identify(source, Setup(keys=KeyRing(["dev key"]), now=1795400000.0))
    assert (found.format.name, found.verdict.valid) == ("flask", True)


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(COOKIE, "session", 0.95, 1.0, id="by its own name"),
        pytest.param(COOKIE, None, 0.9, 0.94, id="by its shape"),
        pytest.param(COOKIE, "token", 0.5, 0.85, id="by a name of something else"),
        pytest.param(COOKIE[:-1] + "Z", None, 0.9, 0.94, id="not canonical"),
        pytest.param(formats.get("starlette").example, "session", 0.0, 0.5, id="Starlette's"),
        pytest.param(formats.get("native").example, "session", 0.0, 0.95, id="our own"),
        pytest.param("GA1.2.123456789.1234567890", "_ga", 0.0, 0.0, id="analytics"),
        pytest.param("a.b.c", "session", 0.0, 0.0, id="dots"),
        pytest.param(f"{PAYLOAD}.AAAA.{SIGNATURE}", "session", 0.0, 0.0, id="no time"),
        pytest.param(made("W10"), "session", 0.1, 0.39, id="a list, for a key to settle"),
        pytest.param(SPACED, "session", 0.4, 0.6, id="JSON with spaces, rather another program's"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """Structure and name together say how sure it is."""
    assert least <= formats.get("flask").detect(text, cookie_name=name) <= most


def test_quotes_are_taken_off() -> None:
    """A value in double quotes is the same value."""
    assert formats.get("flask").verify(f'"{COOKIE}"', [KEY], now=NOW).valid


def test_decode_of_a_forged_cookie() -> None:
    """What is badly signed still says what it says; only a key finds out."""
    form = formats.get("flask")
    payload = pack(b'{"admin":true}')
    forged = f"{payload}.{STAMP}.{SIGNATURE}"
    assert form.decode(forged, [KEY]).data == {"admin": True}
    assert form.verify(forged, [KEY], now=NOW).reason == BadSignatureError.code
