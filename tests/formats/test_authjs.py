"""Session tokens of Auth.js 5 and NextAuth.js 4: the secret and the cookie's name make the key."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import BadSignatureError, NoKeyError
from sessionctl.formats.authjs import derive_key, thumbprint
from sessionctl.signing import KeyRing, Secret, jose

NOW = 1_795_423_666
SECRET = "authjs-secret"
NAME, SECURE = "authjs.session-token", "__Secure-authjs.session-token"
V4 = "next-auth.session-token"
CLAIMS = {
    "name": "Ala",
    "sub": "42",
    "iat": NOW,
    "exp": NOW + 2_592_000,
    "jti": "3f962426-37b8-42ce-a52a-4dbdad4d46a5",
}
FORMAT = formats.get("authjs")


def make(claims: Any = CLAIMS, name: str | None = NAME, secret: str = SECRET, **options: str) -> str:
    """A token as the library of that cookie name writes it."""
    return formats.get("authjs", **options).encode(claims, [secret], cookie_name=name, now=NOW)


def verify(text: str, name: str | None = NAME, *, now: float = NOW, **options: str) -> formats.Verdict:
    """The verdict with the right secret, by default at the second of issue."""
    return formats.get("authjs", **options).verify(text, [SECRET], cookie_name=name, now=now)


@pytest.mark.parametrize("name", [NAME, SECURE, V4, "__Secure-next-auth.session-token", "my.next-auth"])
def test_round_trip(name: str) -> None:
    """What is made for a cookie is read under the name of that cookie."""
    text = make(name=name)
    decoded = FORMAT.decode(text, [SECRET], cookie_name=name)
    assert (decoded.data, decoded.encrypted, decoded.issued_at) == (CLAIMS, True, NOW)
    assert decoded.expires_at == CLAIMS["exp"]
    verdict = verify(text, name)
    assert (verdict.valid, verdict.key_index, verdict.algorithm) == (True, 0, decoded.algorithm)


@pytest.mark.parametrize(
    ("name", "kind", "algorithm"),
    [(NAME, "auto", "dir A256CBC-HS512"), (V4, "auto", "dir A256GCM"), ("sid", "next-auth", "dir A256GCM")],
)
def test_the_name_or_the_kind_says_which_release(name: str, kind: str, algorithm: str) -> None:
    """A cookie named after NextAuth.js is made as release 4 does, others as Auth.js 5, unless told."""
    assert FORMAT.decode(make(name=name, kind=kind), [SECRET], cookie_name=name).algorithm == algorithm


def test_without_a_name_the_usual_names_are_tried() -> None:
    """A bare token is read where it was made for one of the library's own cookie names."""
    assert verify(make(name=NAME), None).valid
    assert verify(make(name=SECURE), None).valid
    assert not verify(make(name="other"), None).valid


def test_another_name_is_refused_and_told() -> None:
    """A token moved to a cookie of another name is refused; the reason names the cookie it was made for."""
    verdict = verify(make(name=NAME), SECURE)
    assert verdict.reason == "bad-signature"
    assert f"a cookie named '{NAME}'" in verdict.detail


def test_the_salt_can_be_told() -> None:
    """A salt of the application's own takes the place of the cookie's name, in both releases."""
    assert verify(make(salt="own"), salt="own").valid
    assert verify(make(name=V4, salt="own"), V4, salt="own").valid
    assert not verify(make(name=V4, salt="own"), V4).valid
    assert not verify(make(name=V4), V4, salt="own").valid


def test_rotation() -> None:
    """An older secret still reads, and the token should be made anew."""
    verdict = FORMAT.verify(make(), ["new", SECRET], cookie_name=NAME, now=NOW)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign, verdict.keys) == (True, 1, True, 2)


@pytest.mark.parametrize(
    ("claims", "after", "reason"),
    [
        ({**CLAIMS, "exp": NOW}, 14.9, None),
        ({**CLAIMS, "exp": NOW}, 15, "expired"),
        ({**CLAIMS, "nbf": NOW + 15}, 0, None),
        ({**CLAIMS, "nbf": NOW + 16}, 0, "not-yet-valid"),
        ({**CLAIMS, "exp": "soon"}, 0, "malformed"),
        ([1], 0, "malformed"),
    ],
)
def test_times(claims: Any, after: float, reason: str | None) -> None:
    """Fifteen seconds of leeway are granted, as the libraries do; content that is no object is malformed."""
    assert verify(make(claims), now=NOW + after).reason == reason


@pytest.mark.parametrize("name", [NAME, V4])
@pytest.mark.parametrize("part", [2, 3, 4])
def test_a_changed_token_is_refused(name: str, part: int) -> None:
    """A change in the IV, the ciphertext or the tag is a bad signature, when verifying and when decoding."""
    parts = make(name=name).split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    text = ".".join(parts)
    verdict = verify(text, name)
    assert verdict.reason == "bad-signature"
    with pytest.raises(BadSignatureError, match="changed"):
        FORMAT.decode(text, [SECRET], cookie_name=name)


@pytest.mark.parametrize("name", [NAME, V4])
def test_padding_is_told(name: str) -> None:
    """Base64's padding at the end passes with a warning, as jose 4.15 to 6.0 let it (@auth/core 0.20 to 0.41)."""
    verdict = FORMAT.verify(make(name=name) + "=", [SECRET], cookie_name=name, now=NOW)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["non-canonical"]
    head, rest = make(name=name).split(".", 1)
    assert not FORMAT.verify(f"{head}=.{rest}", [SECRET], cookie_name=name, now=NOW).valid


def test_keys_are_needed() -> None:
    """Without a secret an encrypted token says nothing."""
    assert FORMAT.verify(make()).reason == "no-key"
    with pytest.raises(NoKeyError):
        FORMAT.decode(make())


@pytest.mark.parametrize(
    "text",
    [
        "a.b.c.d.e",
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
        make()[:100],
        formats.get("jwt", enc="A128GCM").encode(CLAIMS, [bytes(16)]),
        formats.get("jwt", enc="A256GCM", alg="A256KW").encode(CLAIMS, [bytes(32)]),
        "%zz",
    ],
)
def test_malformed(text: str) -> None:
    """What Auth.js would not even try to open is malformed."""
    assert verify(text).reason == "malformed"


def test_auth_js_reads_a256gcm_too() -> None:
    """A token with A256GCM and the thumbprint of a key of 32 bytes opens, as @auth/core allows."""
    key = derive_key(Secret(SECRET), 32, "authjs", NAME)
    header = {"alg": "dir", "enc": "A256GCM", "kid": thumbprint(key.octets)}
    assert verify(jose.encrypt(header, b'{"sub":"42"}', key)).valid
    assert verify(jose.encrypt({"alg": "dir", "enc": "A256GCM"}, b'{"sub":"42"}', key)).valid


def test_a_secret_is_never_a_pem() -> None:
    """Whatever a secret looks like, its text is what the key is derived from."""
    secret = "-----BEGIN NOTHING-----"
    assert FORMAT.decode(make(secret=secret), [secret], cookie_name=NAME).data == CLAIMS


def test_claims_are_added_where_they_are_missing() -> None:
    """A new token has `iat`, `exp` and `jti` like every token of the library; what is there stays."""
    data = FORMAT.decode(make({"sub": "42", "exp": NOW + 5}), [SECRET], cookie_name=NAME).data
    assert (data["iat"], data["exp"], data["sub"], len(data["jti"])) == (NOW, NOW + 5, "42", 36)
    hour = FORMAT.encode({}, [SECRET], cookie_name=NAME, now=NOW, max_age=3600)
    assert FORMAT.decode(hour, [SECRET], cookie_name=NAME).expires_at == NOW + 3600
    endless = FORMAT.encode({}, [SECRET], cookie_name=NAME, now=NOW, max_age=None)
    assert FORMAT.decode(endless, [SECRET], cookie_name=NAME).expires_at is None


@pytest.mark.parametrize(
    ("text", "name", "low", "high"),
    [
        (make(), NAME, 0.95, 1.0),
        (make(), None, 0.85, 0.94),
        (make(name=V4), V4, 0.95, 1.0),
        (make(name=V4), None, 0.4, 0.6),
        (formats.get("jwt", enc="A128GCM").encode(CLAIMS, [bytes(16)]), None, 0.0, 0.3),
        (formats.get("jwt").example, NAME, 0.0, 0.0),
        ("a.b.c.d.e", NAME, 0.0, 0.0),
    ],
)
def test_detect(text: str, name: str | None, low: float, high: float) -> None:
    """The thumbprint in the header, or the name of the cookie, tells a session token from other JWE."""
    assert low <= FORMAT.detect(text, cookie_name=name) <= high


def test_a_ring_of_many_is_refused_in_plain_words() -> None:
    """The reason says how many secrets were tried and what else the key depends on."""
    verdict = FORMAT.verify(make(name="other"), KeyRing(["a", "b"]), cookie_name="third", now=NOW)
    assert verdict.detail.startswith("none of the 2 secrets opens the token; the name of its cookie counts")
