"""Django's signed_cookies sessions."""

from __future__ import annotations

import json

import pytest

from sessionctl import formats
from sessionctl.errors import (
    BadSignatureError,
    MalformedError,
    NoKeyError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.signing import Secret
from sessionctl.signing import django as signing

KEY = "django-insecure-!k3y_#for(tests)"
COOKIE = formats.get("django").example
NOW = 1795423526
SHA1 = "eyJ1c2VyX2lkIjo0MiwidXNlcm5hbWUiOiJhbGljZSJ9:1xVPg3:yHITVF_zcx9vID6bkXLXG5fZUfE"
SHA1_NOW = 1795423531
PAYLOAD, STAMP, SIGNATURE = COOKIE.split(":")


def made(value: str, *, stamp: str = STAMP, salt: str | None = None) -> str:
    """A text that is signed rightly, whatever it holds."""
    form = formats.get("django")
    mac = signing.signer(Secret(KEY), salt or form.option("salt"), "sha256")
    return signing.sign(f"{value}:{stamp}", mac)


def test_decode_needs_no_key() -> None:
    """The data, the time and the algorithm are read without a key."""
    decoded = formats.get("django").decode(COOKIE)
    assert decoded.data == {"user_id": 42, "username": "alice"}
    assert decoded.issued_at == NOW
    assert decoded.algorithm == "HMAC-SHA256"
    assert decoded.payload_type == "json"
    assert decoded.flash is None


def test_verify_tells_all_about_a_genuine_cookie() -> None:
    """The verdict on a genuine cookie carries the key, the time and the end of its life."""
    verdict = formats.get("django").verify(COOKIE, [KEY], now=NOW)
    assert verdict.valid
    assert (verdict.key_index, verdict.needs_resign) == (0, False)
    assert verdict.expires_at == NOW + 1209600
    assert verdict.value == '{"user_id":42,"username":"alice"}'


def test_an_older_key_needs_resigning() -> None:
    """A hit on a fallback key is genuine, and says that the cookie needs re-signing."""
    verdict = formats.get("django").verify(COOKIE, ["new", KEY], now=NOW)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)


@pytest.mark.parametrize(
    ("text", "keys", "more", "reason", "detail"),
    [
        (COOKIE, [], {}, "no-key", "secret"),
        (COOKIE, ["other"], {}, "bad-signature", "does not fit the key"),
        (COOKIE[:-1] + "F", [KEY], {}, "bad-signature", "does not fit"),
        (COOKIE + "=", [KEY], {}, "bad-signature", "44 characters"),
        (COOKIE[:-3], [KEY], {}, "bad-signature", "40 characters"),
        (COOKIE, [KEY], {"now": NOW + 1209601}, "expired", "1 second ago"),
        (COOKIE, [KEY], {"now": NOW + 61, "max_age": 60}, "expired", "1 second ago"),
        (PAYLOAD, [KEY], {}, "malformed", "a value, a time and a signature"),
        (f"{PAYLOAD}:{SIGNATURE}", [KEY], {}, "malformed", "a value, a time and a signature"),
        (made("eyJ"), [KEY], {}, "malformed", "not JSON"),
        (made("A"), [KEY], {}, "malformed", "base64"),
        (made(".eyJhIjoxfQ"), [KEY], {}, "malformed", "compressed"),
        (made(PAYLOAD, stamp=""), [KEY], {}, "malformed", "base 62"),
        (made(PAYLOAD, stamp="1_2"), [KEY], {}, "malformed", "base 62"),
        (made(PAYLOAD, stamp="z" * 5000), [KEY], {}, "malformed", "base 62"),
        (made(PAYLOAD, salt="django.core.signing"), [KEY], {}, "bad-signature", "does not fit"),
        (f"{PAYLOAD}:{STAMP}:\ud800", [KEY], {}, "malformed", "surrogate"),
        (SHA1, [KEY], {"now": SHA1_NOW}, "bad-signature", "-O digest=sha1"),
    ],
)
def test_reasons(text: str, keys: list[str], more: dict[str, float], reason: str, detail: str) -> None:
    """Each way to be refused has its reason and a sentence that says what is wrong."""
    verdict = formats.get("django").verify(text, keys, **{"now": NOW, **more})
    assert (verdict.valid, verdict.reason) == (False, reason)
    assert detail in verdict.detail


def test_age_limits() -> None:
    """The age that equals the limit passes, a time in the future passes, and no limit is no limit."""
    form = formats.get("django")
    assert form.verify(COOKIE, [KEY], now=NOW + 1209600).valid
    assert form.verify(COOKIE, [KEY], now=NOW - 10**6).valid
    assert form.verify(COOKIE, [KEY], now=NOW + 10**9, max_age=None).valid


@pytest.mark.parametrize("digest", ["sha1", "sha256,sha1"])
def test_digest(digest: str) -> None:
    """`digest` takes SHA-1, alone or, as Django 3.1 and 3.2 do, beside SHA-256."""
    verdict = formats.get("django", digest=digest).verify(SHA1, [KEY], now=SHA1_NOW)
    assert verdict.valid
    assert verdict.algorithm == "HMAC-SHA1"


@pytest.mark.parametrize("digest", ["", "sha0", "sha256,", "__init__"])
def test_unknown_digest(digest: str) -> None:
    """A digest that Django could not have is wrong usage."""
    with pytest.raises(UsageError, match="digest"):
        formats.get("django", digest=digest)


def test_quotes() -> None:
    """The double quotes of Python 2's http.cookies are taken off."""
    assert formats.get("django").verify(f'"{COOKIE}"', [KEY], now=NOW).valid


def test_a_genuine_list_is_no_session() -> None:
    """A payload that is signed rightly but no object is genuine, with a warning."""
    verdict = formats.get("django").verify(made("WzFd"), [KEY], now=NOW)
    assert verdict.valid
    assert [warn.code for warn in verdict.warnings] == ["no-session"]


def test_numbers_that_json_has_not() -> None:
    """Python's json writes NaN and Infinity; they are told apart from text."""
    text = formats.get("django").encode({"a": 0}, [KEY]).split(":", 1)[1]
    payload = signing.pack(b'{"a":NaN,"b":[-Infinity]}')
    data = formats.get("django").decode(f"{payload}:{text}").data
    assert data == {
        "a": {"__type__": "float", "value": "NaN"},
        "b": [{"__type__": "float", "value": "-Infinity"}],
    }


def test_bomb() -> None:
    """A payload that would become larger than asked for is refused, genuine or not."""
    bomb = signing.pack(b'{"a":"' + b"x" * 2_000_000 + b'"}')
    assert formats.get("django").verify(made(bomb), [KEY], now=NOW).reason == "malformed"
    with pytest.raises(MalformedError, match="max-size"):
        formats.get("django").decode(made(bomb))
    assert formats.get("django").decode(made(bomb), max_size=3_000_000).data


def test_pickle_is_read_and_never_run() -> None:
    """A pickle that would run a command is shown, not run."""
    payload = signing.pack(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.", compress=False)
    decoded = formats.get("django").decode(made(payload))
    assert decoded.payload_type == "pickle"
    assert "system" in json.dumps(decoded.data)


@pytest.mark.parametrize("serializer", ["json", "pickle"])
@pytest.mark.parametrize("data", [{}, {"a": 1, "ü": [None, 2**70, "😀"]}, {"long": "x" * 3000}])
def test_round_trip(serializer: str, data: dict[str, object]) -> None:
    """What was encoded is verified and read back as it was."""
    form = formats.get("django", serializer=serializer)
    text = form.encode(data, [KEY, "old"], now=NOW)
    assert form.verify(text, ["old", KEY], now=NOW).key_index == 1
    assert form.decode(text).data == data
    assert form.decode(text).payload_type == serializer


def test_encode_gives_the_bytes_of_django() -> None:
    """The same data, key and time give the text that Django gave."""
    assert formats.get("django").encode({"user_id": 42, "username": "alice"}, [KEY], now=NOW) == COOKIE


def test_encode_refuses() -> None:
    """No key, no object and no JSON are refused."""
    form = formats.get("django")
    with pytest.raises(NoKeyError):
        form.encode({})
    with pytest.raises(UnserializableValueError):
        form.encode([1], [KEY])
    with pytest.raises(UnserializableValueError):
        form.encode({"a": {1, 2}}, [KEY])
    with pytest.raises(UnserializableValueError):
        form.encode({"a": float("nan")}, [KEY])


def test_flash() -> None:
    """A message lies in `_messages` as SessionStorage writes it, after those that are there."""
    form = formats.get("django")
    text = form.encode({"a": 1}, [KEY], flash={"success": "Gespeichert ü", "35": "x", "big": "y"})
    decoded = form.decode(text)
    assert json.loads(decoded.data["_messages"]) == [
        ["__json_message", 0, 25, "Gespeichert ü", ""],
        ["__json_message", 0, 35, "x", ""],
        ["__json_message", 0, 20, "y", "big"],
    ]
    assert decoded.flash == [
        {"level": "success", "message": "Gespeichert ü"},
        {"level": 35, "message": "x"},
        {"level": "info", "message": "y", "tags": "big"},
    ]
    assert form.with_flash(decoded.data, "error", "z")["_messages"].count("__json_message") == 4


@pytest.mark.parametrize("data", [[], {"_messages": 3}, {"_messages": "{"}])
def test_flash_where_there_is_no_place(data: object) -> None:
    """A message is not put over what is no list of messages."""
    with pytest.raises(UnserializableValueError):
        formats.get("django").with_flash(data, "info", "x")


@pytest.mark.parametrize(
    "messages", ["{", "3", 3, None, [["__json_message"]], [["__json_message", 0, [], {}, None]], "[" * 9000]
)
def test_hostile_messages(messages: object) -> None:
    """Whatever stands in `_messages`, the cookie is read."""
    text = signing.pack(json.dumps({"_messages": messages}).encode())
    assert formats.get("django").decode(f"{text}:{STAMP}:{SIGNATURE}").data == {"_messages": messages}


@pytest.mark.parametrize(
    ("text", "cookie_name", "low", "high"),
    [
        (COOKIE, None, 0.85, 0.94),
        (COOKIE, "sessionid", 0.95, 1.0),
        (COOKIE, "my_sid", 0.9, 0.95),
        (COOKIE, "token", 0.5, 0.7),
        (made("WzFd"), None, 0.1, 0.3),
        (f"{PAYLOAD}:000001:{SIGNATURE}", "sessionid", 0.0, 0.0),
        (f"{PAYLOAD}:{STAMP}:abc", "sessionid", 0.0, 0.0),
        ("a:b:c", None, 0.0, 0.0),
        ("::", None, 0.0, 0.0),
    ],
)
def test_detect(text: str, cookie_name: str | None, low: float, high: float) -> None:
    """A signed and timed object is Django's; its name tells sessions from other signed text."""
    assert low <= formats.get("django").detect(text, cookie_name=cookie_name) <= high


def test_signer_refuses_another_size() -> None:
    """The detail names the sizes that would be right."""
    with pytest.raises(BadSignatureError, match="43 of sha256 or 27 of sha1"):
        signing.digest_of(b"x", ("sha256", "sha1"))


@pytest.mark.parametrize("number", [0, 1, 61, 62, NOW, -1, -62, 2**63])
def test_base62(number: int) -> None:
    """A time comes back from base 62 as it was."""
    assert signing.seconds(signing.stamp_of(number)) == number
