"""What itsdangerous' classes sign."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import b64encode_urlsafe
from sessionctl.errors import (
    BadSignatureError,
    MalformedError,
    NoKeyError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.formats import timed_token
from sessionctl.signing import Secret

KEY = "its-secret-key"
COOKIE = formats.get("itsdangerous").example
NOW = 1795424724
SIGNERS = ["Signer", "TimestampSigner"]
SERIALIZERS = ["Serializer", "TimedSerializer", "URLSafeSerializer", "URLSafeTimedSerializer"]
JWS = ["JSONWebSignatureSerializer", "TimedJSONWebSignatureSerializer"]
FLASK_SESSION = {"signer": "Signer", "salt": "flask-session", "key_derivation": "hmac"}
ID = "8d622a47-553b-4ea0-a530-0fe0e65b6801"


def code(text: str) -> str:
    """URL-safe base64 of a text."""
    return b64encode_urlsafe(text.encode())


def jws(header: str, payload: str = "[1]") -> str:
    """The header and the payload of a JWS."""
    return f"{code(header)}.{code(payload)}"


def hs256(value: str) -> str:
    """A JWS that is signed rightly, whatever it holds."""
    return timed_token.sign(value, timed_token.hmac_of(Secret(KEY), "", "none", "sha1", "sha256"))


def test_decode_needs_no_key() -> None:
    """The data, the time and the algorithm are read without a key."""
    decoded = formats.get("itsdangerous").decode(COOKIE)
    assert decoded.data == {"user_id": 42, "username": "alice"}
    assert (decoded.issued_at, decoded.algorithm) == (NOW, "HMAC-SHA1")


@pytest.mark.parametrize("signer", [*SIGNERS, *SERIALIZERS, *JWS])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"salt": "s"},
        {"digest": "sha256"},
        {"key_derivation": "hmac", "digest": "sha512"},
        {"key_derivation": "concat"},
        {"key_derivation": "none"},
        {"epoch": "1293840000"},
    ],
)
def test_round_trip(signer: str, options: dict[str, str]) -> None:
    """Every class, with every way to derive a key, verifies what it makes."""
    data: Any = "a.b ü" if signer in SIGNERS else {"é": [1, "a" * 200, None]}
    form = formats.get("itsdangerous", signer=signer, **options)
    text = form.encode(data, [KEY, "old"], now=NOW)
    verdict = form.verify(text, ["new", KEY], now=NOW)
    assert (verdict.reason, verdict.key_index, verdict.needs_resign) == (None, 1, True)
    assert form.decode(text).data == data
    assert form.verify(text, ["other"], now=NOW).reason == "bad-signature"
    timed = "Time" in signer
    assert verdict.issued_at == (NOW if timed else None)


@pytest.mark.parametrize("signer", [*SIGNERS, *SERIALIZERS, *JWS])
def test_the_shape_tells_the_class(signer: str) -> None:
    """Without the option `signer` a text is read and verified by its shape."""
    data: Any = "x-text" if signer in SIGNERS else {"a": [1, "b"]}
    text = formats.get("itsdangerous", signer=signer).encode(data, [KEY], now=NOW)
    plain = formats.get("itsdangerous")
    assert plain.decode(text).data == data
    assert plain.verify(text, [KEY], now=NOW).valid


def test_the_default_class_is_tried_too() -> None:
    """A genuine text of the default class is not lost because it looks like one of another class."""
    text = formats.get("itsdangerous").encode(7, [KEY], now=NOW).partition(".")[2]
    mac = timed_token.hmac_of(Secret(KEY), "itsdangerous", "django-concat", "sha1")
    broken = timed_token.sign("!!!", mac, ".", NOW)
    assert formats.get("itsdangerous").verify(broken, [KEY], now=NOW).reason == "malformed"
    assert formats.get("itsdangerous").verify(f"Nw.x{text}", [KEY], now=NOW).reason == "bad-signature"


def test_data_that_look_like_the_header_of_a_jws() -> None:
    """A session with a key `alg` is none: a time is no payload."""
    text = formats.get("itsdangerous").encode({"alg": "HS256"}, [KEY], now=NOW)
    assert formats.get("itsdangerous").decode(text).data == {"alg": "HS256"}


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        pytest.param(COOKIE[:-4], {}, "bad-signature", id="cut"),
        pytest.param("text", {}, "malformed", id="no separator"),
        pytest.param("a.b", {"signer": "TimestampSigner"}, "malformed", id="no time"),
        pytest.param("a.AAAAAAAAA.b", {"signer": "TimestampSigner"}, "bad-signature", id="neither"),
        pytest.param(COOKIE, {"separator": ":"}, "malformed", id="another separator"),
        pytest.param("unsigned.", {"signer": "Signer", "digest": "none"}, None, id="NoneAlgorithm"),
        pytest.param("signed.x", {"signer": "Signer", "digest": "none"}, "bad-signature", id="signed"),
    ],
)  # fmt: skip
def test_reasons(text: str, options: dict[str, str], reason: str | None) -> None:
    """Each verdict has the reason that itsdangerous has."""
    assert formats.get("itsdangerous", **options).verify(text, [KEY], now=NOW).reason == reason


def test_no_limit_unless_asked() -> None:
    """There is no age limit by default; one that is asked for counts in whole seconds."""
    form = formats.get("itsdangerous")
    assert form.verify(COOKIE, [KEY], now=NOW * 2).valid
    assert form.verify(COOKIE, [KEY], now=NOW + 10.9, max_age=10).valid
    assert form.verify(COOKIE, [KEY], now=NOW + 11, max_age=10).reason == "expired"
    assert form.verify(COOKIE, [KEY], now=NOW - 1, max_age=10).reason == "expired"


def test_a_signed_id() -> None:
    """Flask-Session signs the ID of a session: data and ID are that text."""
    form = formats.get("itsdangerous", **FLASK_SESSION)
    text = form.encode(ID, [KEY])
    decoded = form.decode(text)
    assert (decoded.data, decoded.id, decoded.payload_type) == (ID, ID, "text")
    assert form.verify(text, [KEY]).value == ID


@pytest.mark.parametrize("protocol", [b"\x80\x02K*.", b"I42\n."])
def test_pickles_are_read(protocol: bytes) -> None:
    """A serializer that pickles is told by the bytes, which are read and never run."""
    decoded = formats.get("itsdangerous").decode(f"{b64encode_urlsafe(protocol)}.awQB1A.{'A' * 27}")
    assert (decoded.data, decoded.payload_type) == (42, "pickle")


@pytest.mark.parametrize("options", [{"separator": "a"}, {"separator": ""}, {"signer": "x"}, {"epoch": "-1"}])
def test_wrong_options(options: dict[str, str]) -> None:
    """An option that cannot be is wrong usage."""
    with pytest.raises(UsageError):
        formats.get("itsdangerous", **options)


def test_signers_sign_text_alone() -> None:
    """A Signer has no serializer, so a value that is no text is refused."""
    with pytest.raises(UnserializableValueError):
        formats.get("itsdangerous", signer="Signer").encode({"a": 1}, [KEY])


@pytest.mark.parametrize("signer", [*SIGNERS, *SERIALIZERS, *JWS])
def test_no_key(signer: str) -> None:
    """Nothing is made or verified without a key."""
    form = formats.get("itsdangerous", signer=signer)
    with pytest.raises(NoKeyError):
        form.encode("x", now=NOW)
    assert form.verify(form.encode("x", [KEY], now=NOW)).reason == "no-key"


# -- JSON Web Signatures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        pytest.param(hs256(jws('{"alg":"HS256"}')), None, "", id="genuine"),
        pytest.param(hs256(jws('{"alg":"HS512"}')), "bad-signature", "sha512", id="another"),
        pytest.param(jws('{"alg":"none"}') + ".", "bad-signature", "nothing signs", id="none"),
        pytest.param(hs256(jws('{"alg":"RS256"}')), "bad-signature", "no algorithm", id="RS256"),
        pytest.param(hs256(jws('{"alg":[]}')), "bad-signature", "no algorithm", id="a list"),
        pytest.param(hs256(jws("[]")), "malformed", "no object", id="a header that is none"),
        pytest.param(hs256(code('{"alg":"HS256"}') + ".x"), "malformed", "payload", id="no payload"),
        pytest.param(hs256("x"), "malformed", "a header, a payload", id="no parts"),
    ],
)  # fmt: skip
def test_jws_reasons(text: str, reason: str | None, words: str) -> None:
    """A web signature is judged by the algorithm of its header, and `none` is none."""
    verdict = formats.get("itsdangerous", signer=JWS[0]).verify(text, [KEY], now=NOW)
    assert verdict.reason == reason
    assert words in verdict.detail


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ('"iat":1,"exp":1795424724', None),
        ('"exp":"1795424724"', None),
        ('"iat":1,"exp":1795424723', "expired"),
        ('"iat":1', "bad-signature"),
        ('"exp":[]', "malformed"),
        ('"exp":-1', "malformed"),
        ('"exp":1e400', "malformed"),
    ],
)
def test_timed_jws(times: str, reason: str | None) -> None:
    """A timed web signature ends at the `exp` of its header; the very second still passes."""
    text = hs256(jws(f'{{"alg":"HS256",{times}}}'))
    assert formats.get("itsdangerous", signer=JWS[1]).verify(text, [KEY], now=NOW).reason == reason


def test_none_only_on_demand() -> None:
    """A JWS with alg none passes only where digest=none asks for it, with a warning."""
    text = jws('{"alg":"none"}') + "."
    verdict = formats.get("itsdangerous", signer=JWS[0], digest="none").verify(text, [KEY], now=NOW)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["unsigned"]


def test_jws_digest_option() -> None:
    """With the option `digest` only that algorithm passes."""
    text = hs256(jws('{"alg":"HS256"}'))
    verdict = formats.get("itsdangerous", signer=JWS[0], digest="sha512").verify(text, [KEY], now=NOW)
    assert verdict.reason == BadSignatureError.code
    with pytest.raises(UsageError):
        formats.get("itsdangerous", signer=JWS[0], digest="md5").encode([1], [KEY])


def test_hostile_headers() -> None:
    """A header that is nested too deep is malformed."""
    with pytest.raises(MalformedError):
        formats.get("itsdangerous", signer=JWS[0]).decode(jws("[" * 10_000) + ".x")


# -- detection ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(COOKIE, "token", 0.88, 0.94, id="a token"),
        pytest.param(COOKIE, "session", 0.8, 0.9, id="rather Flask's"),
        pytest.param(f"{COOKIE}=", "token", 0.88, 0.94, id="padded, which itsdangerous takes"),
        pytest.param(f"{ID}.XRZrtysnhE6YlwGNOrY_BAOEXnk", "session", 0.85, 0.94, id="a signed ID"),
        pytest.param("hello.XRZrtysnhE6YlwGNOrY_BAOEXnk", None, 0.4, 0.6, id="a signed word"),
        pytest.param('{"a": 1}.XRZrtysnhE6YlwGNOrY_BAOEXnk', None, 0.85, 0.94, id="signed JSON"),
        pytest.param(f"hello.{'aB-0' * 10}aB0", None, 0.4, 0.5, id="a word signed with SHA-256"),
        pytest.param(f"hello.{'aB0' * 28}aA", None, 0.4, 0.5, id="a word signed with SHA-512"),
        pytest.param(f"hello.{'0123456789abcdef' * 4}", None, 0.0, 0.39, id="hexadecimal digits"),
        pytest.param(f"{ID}.{'A' * 43}", "sid", 0.0, 0.39, id="an ID as Node signs it"),
        pytest.param(formats.get("remix").example, None, 0.0, 0.6, id="Remix's"),
        pytest.param("a.b.c", None, 0.0, 0.0, id="dots"),
        pytest.param("GA1.2.123456789.1234567890", "_ga", 0.0, 0.0, id="analytics"),
        pytest.param(jws('{"alg":"HS256","typ":"JWT"}', "{}") + "." + "A" * 43, None, 0.0, 0.0, id="a JWT"),
    ],
)  # fmt: skip
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """Structure and name together say how sure it is."""
    assert least <= formats.get("itsdangerous").detect(text, cookie_name=name) <= most
