"""cookie-session and koa-session."""

from __future__ import annotations

import pytest

from sessionctl import formats
from sessionctl.errors import NoKeyError, NotSupportedError, UsageError
from sessionctl.formats import Context
from sessionctl.signing import KeyRing

VALUE = "eyJ1c2VyIjoiYWxpY2UiLCJ2aXNpdHMiOjN9"
SIGNED = {"session": VALUE, "session.sig": "EWMsIk59QNxpeJu7KiZxZogAvKE"}
UUID = "b0025c97-3e80-4722-b5c2-61821a365f10"
FORM = formats.get("cookie-session")


def test_the_session_is_in_the_cookie() -> None:
    """The value is base64 of the session's JSON."""
    decoded = FORM.decode(VALUE, cookies=SIGNED)
    assert decoded.data == {"user": "alice", "visits": 3}
    assert (decoded.signed, decoded.algorithm) == (True, "HMAC-SHA1")


def test_an_unsigned_session_of_koa_tells_its_times() -> None:
    """Without `.sig` nothing is genuine, but its times are told all the same."""
    text = "eyJfZXhwaXJlIjoxNzk1NTEyMjEyNDQwLCJfbWF4QWdlIjo4NjQwMDAwMH0="
    for now, expired in ((1795512212, False), (1795512213, True)):
        verdict = formats.get("cookie-session").verify(text, [], cookie_name="koa.sess", now=now)
        assert (verdict.reason, verdict.expired) == ("unsigned", expired)
        assert verdict.issued_at == pytest.approx(1795425812.44)


def test_without_its_companion_a_cookie_is_unsigned() -> None:
    """Only the companion cookie says that there is a signature."""
    assert not FORM.decode(VALUE).signed


@pytest.mark.parametrize(
    ("value", "cookies", "name", "keys", "reason"),
    [
        pytest.param(VALUE, SIGNED, "session", ["k1"], None, id="right key"),
        pytest.param(VALUE, SIGNED, None, ["k1"], None, id="no name given: the usual one"),
        pytest.param(f'"{VALUE}"', SIGNED, "session", ["k1"], None, id="in double quotes"),
        pytest.param(VALUE, SIGNED, "session", ["k0", "k1"], None, id="older key"),
        pytest.param(VALUE, SIGNED, "session", ["no"], "bad-signature", id="wrong key"),
        pytest.param(VALUE, SIGNED, "session", [], "no-key", id="no key"),
        pytest.param(VALUE, {}, "session", ["k1"], "bad-signature", id="companion gone"),
        pytest.param(VALUE, {}, "session", [], "unsigned", id="unsigned"),
        pytest.param(VALUE, {"x.sig": SIGNED["session.sig"]}, "x", ["k1"], "bad-signature", id="other name"),
        pytest.param(VALUE + "A", SIGNED, "session", ["k1"], "bad-signature", id="changed value"),
        pytest.param("\ud83d", SIGNED, "session", ["k1"], "malformed", id="lone surrogate"),
    ],
)
def test_reasons(
    value: str, cookies: dict[str, str], name: str | None, keys: list[str], reason: str | None
) -> None:
    """The verdict names the reason."""
    verdict = FORM.verify(value, keys, cookies=cookies, cookie_name=name)
    assert verdict.reason == reason, verdict


def test_the_missing_companion_is_named() -> None:
    """The report says which cookie to look for."""
    assert "my-sess.sig" in FORM.verify(VALUE, ["k1"], cookie_name="my-sess").detail


def koa(expire: object, age: object = 86_400_000) -> str:
    """A koa-session cookie that ends at `expire` milliseconds."""
    return FORM.encode({"user": "alice", "_expire": expire, "_maxAge": age}, ["k"])


def verdict_at(text: str, now: float, name: str = "koa.sess") -> formats.Verdict:
    """The verdict on a cookie with its companion."""
    context = Context(keys=KeyRing(["k"]), cookie_name=name, now=now)
    cookies = FORM.companions(text, context)
    return FORM.verify(text, ["k"], cookie_name=name, cookies=cookies, now=now)


@pytest.mark.parametrize(("now", "reason"), [(99.999, None), (100.0, None), (100.001, "expired")])
def test_koa_expires_after_its_time(now: float, reason: str | None) -> None:
    """koa-session refuses what ended before now, to the millisecond."""
    verdict = verdict_at(koa(100_000), now)
    assert (verdict.reason, verdict.expired) == (reason, reason == "expired")
    assert verdict.expires_at == 100


def test_koa_times() -> None:
    """The time of issue is the end less the age."""
    decoded = FORM.decode(koa(1_795_512_212_378))
    assert decoded.expires_at == 1_795_512_212.378
    assert decoded.issued_at == pytest.approx(1_795_425_812.378)


@pytest.mark.parametrize("odd", ["soon", None, True, 1e300, -1e300, 10**400, [], {}])
def test_odd_times_do_not_count(odd: object) -> None:
    """What is no time is data like any other."""
    import json

    from sessionctl.encoding import b64encode

    text = b64encode(json.dumps({"_expire": odd, "_maxAge": odd}).encode())
    decoded = FORM.decode(text)
    assert decoded.expires_at is decoded.issued_at is None


def test_what_koa_adds_is_not_shown_to_people() -> None:
    """The report shows the session without koa-session's own members; the data keep them."""
    decoded = FORM.decode(koa(100_000))
    assert FORM.for_people(decoded) == {"user": "alice"}


def test_the_key_of_a_store_is_an_id() -> None:
    """With a store, koa-session's cookie is the store's key as it is."""
    decoded = FORM.decode(UUID)
    assert (decoded.data, decoded.id, decoded.payload_type, decoded.warnings) == (UUID, UUID, "text", ())
    assert verdict_at(UUID, 0).valid


def test_a_genuine_value_that_is_no_session_is_valid_with_a_warning() -> None:
    """cookie-session starts an empty session there and says nothing."""
    verdict = verdict_at("e25v!", 0)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["not-a-session"]


@pytest.mark.parametrize(
    ("options", "signature"),
    [
        ({"digest": "sha256"}, "2VveM-vz9AzVQTFLx3e8YgPu70xZSYcRoaxF7mP-JUI"),
        (
            {"digest": "sha256", "encoding": "hex"},
            "d95bde33ebf3f40cd541314bc777bc6203eeef4c59498711a1ac45ee63fe2542",
        ),
    ],
    ids=["sha256", "sha256 in hex"],
)
def test_keygrip_of_ones_own(options: dict[str, str], signature: str) -> None:
    """Digest and encoding follow the application's Keygrip."""
    form = formats.get("cookie-session", **options)
    context = Context(keys=KeyRing(["kk1"]), cookie_name="session")
    assert form.companions(VALUE, context) == {"session.sig": signature}
    assert form.verify(VALUE, ["kk1"], cookies={"session.sig": signature}).valid


def test_an_unknown_digest_is_refused() -> None:
    """The choices are named."""
    with pytest.raises(UsageError, match="sha256"):
        formats.get("cookie-session", digest="crc32")


def test_encode_writes_what_the_framework_wrote() -> None:
    """Value and companion are the framework's own, byte for byte."""
    assert FORM.encode({"user": "alice", "visits": 3}, ["k1"]) == VALUE
    context = Context(keys=KeyRing(["k1", "k0"]), cookie_name="session")
    assert FORM.companions(VALUE, context) == {"session.sig": SIGNED["session.sig"]}


def test_encode_needs_a_key() -> None:
    """A cookie without a signature is not made by mistake."""
    with pytest.raises(NoKeyError):
        FORM.encode({}, [])


def test_flash_lies_where_connect_flash_keeps_it() -> None:
    """The member `flash` holds a list for each type, and new messages go to its end."""
    text = FORM.encode({"flash": {"info": ["a"]}}, ["k"], flash={"info": ["b", "c"], "error": "d"})
    assert FORM.decode(text).flash == {"info": ["a", "b", "c"], "error": ["d"]}


@pytest.mark.parametrize("data", [UUID, {"flash": "text"}, {"flash": {"info": "text"}}])
def test_flash_needs_its_place(data: object) -> None:
    """An ID has no place for flash, nor has a session that uses the member for something else."""
    with pytest.raises(NotSupportedError):
        FORM.encode(data, ["k"], flash={"info": "b"})


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(koa(1_795_512_212_378), "koa.sess", 0.97, 1.0, id="koa-session"),
        pytest.param(koa(1_795_512_212_378), None, 0.9, 0.97, id="koa-session, any name"),
        pytest.param(VALUE, "session", 0.55, 0.7, id="cookie-session"),
        pytest.param(VALUE, None, 0.4, 0.6, id="cookie-session, any name"),
        pytest.param("e30=", "session", 0.5, 0.7, id="an empty session"),
        pytest.param(UUID, "koa.sess", 0.0, 0.3, id="a UUID"),
        pytest.param("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + "a" * 43, "session", 0.0, 0.0, id="a JWT"),
        pytest.param(
            "eyJpIjoibWoiLCJkIjpbe30se31dfQ==", "session", 0.0, 0.2, id="an unsigned cookie of Remix 3"
        ),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """koa-session's own members make it sure; plain base64 JSON may be of others."""
    assert least <= FORM.detect(text, cookie_name=name) <= most
