"""Iron seals of iron-session, hapi and h3."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import b64encode_urlsafe
from sessionctl.errors import BadSignatureError, NoKeyError, NotSupportedError, SecretError, UsageError
from sessionctl.signing.mac import Hmac
from tests.limits import assert_quick

NOW = 1_795_423_525
PASSWORD = "complex_password_at_least_32_characters_long"
OTHER = "another_password_that_is_also_long_enough_2"
SEAL = (
    "Fe26.2*1*8d079a98fb8ab2c83083fdd065c20b7d179bda5a878e6b4902319c3237337006*8UIKpDfF7GNI5if1ag_UQA"
    "*wFLZc-xwnagAmOf_JGCwaAEgHt27jrMQhONVCLCVb6g*1796633125770"
    "*9014b2dcd9a73a47f3ad54e6cafdfd2237b9b83ece074e8cb3602779c61b78da*cAgsh2bCRvi5RrkP7_QmGZIxCptLHY39uwBOzxjEqNs~2"
)
EXPIRY = 1_796_633_125.770
H3 = {"id": "466cdd61-fd54-4672-a3d7-6e28cd29e22f", "createdAt": NOW * 1000 + 613, "data": {"user": "alice"}}
YAR = {
    "id": "08d58e92-57c4-4ebc-acca-990e6ce928c9",
    "_store": {"user": "alice", "_flash": {"info": ["hello"]}},
}
FORMAT = formats.get("iron")


def verify(
    text: str, *keys: str | bytes, now: float = NOW, options: Any = None, **context: Any
) -> formats.Verdict:
    """The verdict, by default with the right password at the second of sealing."""
    return formats.get("iron", **(options or {})).verify(text, keys or [PASSWORD], now=now, **context)


def seal(data: Any, *keys: str | bytes, max_age: float | None = -1.0, **options: str) -> str:
    """A seal as its library makes it."""
    return formats.get("iron", **options).encode(data, keys or [PASSWORD], now=NOW, max_age=max_age)


def test_a_real_seal() -> None:
    """A seal of iron-session says its data, its expiry and nothing about when it was made."""
    decoded = FORMAT.decode(SEAL, [PASSWORD])
    assert (decoded.data, decoded.encrypted) == ({"user": "alice", "visits": 3}, True)
    assert (decoded.expires_at, decoded.issued_at, decoded.id) == (EXPIRY, None, None)
    assert verify(SEAL).valid


def test_the_version_suffix_is_not_sealed() -> None:
    """What follows `~` does not count; where it is not 2, a warning says how iron-session 6 and 8 read the seal."""
    assert verify(SEAL).warnings == ()
    for end in ("", "~7", "~"):
        verdict = verify(SEAL.removesuffix("~2") + end)
        assert verdict.valid
        assert [warning.code for warning in verdict.warnings] == ["no-version"]


@pytest.mark.parametrize(
    ("data", "kind", "ends", "identifier", "issued_at"),
    [
        ({"user": "alice"}, "iron-session", "~2", None, None),
        (H3, "h3", "", H3["id"], NOW + 0.613),
        (YAR, "hapi", "", YAR["id"], None),
        ("text", "iron-session", "~2", None, None),
        (None, "iron-session", "~2", None, None),
    ],
)
def test_round_trip(data: Any, kind: str, ends: str, identifier: str | None, issued_at: float | None) -> None:
    """Data are sealed as the library seals them whose data they look like, and come back as they were."""
    text = seal(data)
    assert text.endswith("~2") == bool(ends)
    assert text.split("*")[1] == ("1" if kind == "iron-session" else "")
    decoded = FORMAT.decode(text, [PASSWORD])
    assert (decoded.data, decoded.id, decoded.issued_at) == (data, identifier, issued_at)


@pytest.mark.parametrize(
    ("now", "reason"),
    [(EXPIRY, None), (EXPIRY + 59.9, None), (EXPIRY + 60, "expired"), (EXPIRY + 1e6, "expired")],
)
def test_expiry(now: float, reason: str | None) -> None:
    """A minute of skew is granted; an expired seal is still readable."""
    verdict = verify(SEAL, now=now)
    assert (verdict.reason, verdict.expired, verdict.expires_at) == (reason, reason is not None, EXPIRY)
    assert FORMAT.decode(SEAL, [PASSWORD], now=now).data == {"user": "alice", "visits": 3}


@pytest.mark.parametrize(("age", "reason"), [(3600.6, None), (3601, "expired")])
def test_the_age_of_h3_sessions(age: float, reason: str | None) -> None:
    """An age limit counts from h3's `createdAt`, without skew."""
    verdict = verify(seal(H3), now=NOW + age, max_age=3600)
    assert (verdict.reason, verdict.issued_at) == (reason, NOW + 0.613)


def test_an_age_that_cannot_be_told() -> None:
    """Where the seal does not say when it was made, an age limit gives a warning."""
    assert [warning.code for warning in verify(SEAL, max_age=1).warnings] == ["no-time"]


@pytest.mark.parametrize(
    ("max_age", "expires_at"), [(-1.0, NOW + 1_209_600), (60, NOW + 60), (None, None), (0, None)]
)
def test_how_long_a_new_seal_lives(max_age: float | None, expires_at: float | None) -> None:
    """Fourteen days as in iron-session, or as asked for; 0 and none are without end."""
    assert verify(seal({}, max_age=max_age)).expires_at == expires_at
    assert verify(seal(H3)).expires_at is None


def test_rotation() -> None:
    """Any password of the ring opens a seal; an older one asks for a new one. The newest has the top ID."""
    verdict = verify(SEAL, OTHER, PASSWORD)
    assert (verdict.key_index, verdict.needs_resign) == (1, True)
    assert seal({}, OTHER, PASSWORD).split("*")[1] == "2"
    assert seal({}, OTHER, **{"password-id": "new"}).split("*")[1] == "new"


@pytest.mark.parametrize("part", range(1, 8))
def test_a_changed_seal_is_refused(part: int) -> None:
    """A change in any part but the prefix is a bad signature; without a password there is nothing to read."""
    parts = SEAL.removesuffix("~2").split("*")
    parts[part] = ("1" if parts[part][0] != "1" else "2") + parts[part][1:]
    text = "*".join(parts)
    assert verify(text).reason == "bad-signature"
    with pytest.raises(BadSignatureError):
        FORMAT.decode(text, [PASSWORD])
    with pytest.raises(NoKeyError):
        FORMAT.decode(text)


@pytest.mark.parametrize(
    "text",
    [
        "Fe26.2",
        SEAL[:200],
        SEAL.replace("Fe26.2", "Fe26.1"),
        SEAL.removesuffix("~2") + "*",
        SEAL.replace("1796633125770", "soon"),
        SEAL.replace("1796633125770", "-1"),
        SEAL.replace("1796633125770", "1" * 400),
        SEAL.replace("8UIKpDfF7GNI5if1ag_UQA", "8UIKpDfF7GNI5if1ag_U"),
        SEAL.replace("cAgsh2b", "cA!sh2b"),
        SEAL.replace("8d079a", "é"),
        "%zz",
    ],
)
def test_malformed(text: str) -> None:
    """What is no seal is malformed, whatever the password."""
    assert verify(text).reason == "malformed"


def test_other_base64_of_the_mac_is_told() -> None:
    """iron-session 9 compares the bytes of the mac: valid, with a warning. @hapi/iron and h3 compare its text."""
    text = SEAL.replace("NjEqNs~2", "NjEqNt~2").replace("xjEqNs~2", "xjEqNt~2")
    assert text != SEAL
    verdict = verify(text)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["non-canonical"]
    assert verify(SEAL.removesuffix("~2")).valid
    assert verify(text.removesuffix("~2")).reason == "bad-signature"


def test_keys_of_bytes() -> None:
    """Bytes are the key itself; a password and bytes are never taken for each other."""
    text = seal({"a": 1}, bytes(32))
    assert text.split("*")[2] == text.split("*")[6] == ""
    assert verify(text, bytes(32)).valid
    assert verify(text, b"\1" * 32).reason == "bad-signature"
    assert verify(text, PASSWORD).reason == "wrong-key-type"
    assert verify(SEAL, PASSWORD.encode()).reason == "wrong-key-type"
    assert verify(text, bytes(16)).reason == "wrong-key-type"
    assert verify(text, PASSWORD, bytes(32)).key_index == 1
    for size in (16, 33):
        with pytest.raises(SecretError):
            seal({}, bytes(size))


def test_short_passwords() -> None:
    """A password that no iron library takes makes no seal."""
    with pytest.raises(SecretError):
        seal({}, "short")


def test_two_passwords() -> None:
    """There may be one password for the content and one for the mac, as hapi allows."""
    options = {"integrity-secret": OTHER}
    text = seal({"a": 1}, **options)
    assert verify(text, options=options).valid
    assert verify(text).reason == "bad-signature"
    assert "integrity-secret" in verify(text, OTHER).detail
    older = verify(text, "w" * 40, PASSWORD, options=options)
    assert (older.valid, older.key_index) == (True, 1)


def test_the_other_cipher() -> None:
    """AES-128-CTR is read and written where the option says so."""
    options = {"cipher": "aes-128-ctr"}
    text = seal({"a": 1}, **options)
    assert formats.get("iron", **options).decode(text, [PASSWORD]).data == {"a": 1}
    assert verify(text).reason == "malformed"


@pytest.mark.parametrize(
    ("made", "read", "codes"),
    [
        ({"iterations": "8192"}, {}, []),
        ({}, {"iterations": "8192,1"}, ["legacy-rounds"]),
        (
            {"iterations": "5", "integrity-iterations": "7"},
            {"iterations": "5", "integrity-iterations": "7"},
            [],
        ),
    ],
)
def test_rounds(made: dict[str, str], read: dict[str, str], codes: list[str]) -> None:
    """One round and h3's 8192 are tried, or what the options say; h3 2 makes seals of one round anew."""
    verdict = verify(seal(H3, **made), options=read)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings if read] == codes


@pytest.mark.parametrize(
    "options",
    [
        {"iterations": "many"},
        {"iterations": "0"},
        {"iterations": "99999999"},
        {"iterations": "1,2", "integrity-iterations": "1,2,3"},
        {"cipher": "rot13"},
        {"kind": "nuxt"},
    ],
)
def test_wrong_options(options: dict[str, str]) -> None:
    """An option that cannot be is wrong usage."""
    with pytest.raises(UsageError):
        formats.get("iron", **options)


def test_a_wrong_password_id_is_wrong_usage() -> None:
    """The ID of a password has letters, digits and underscores, as @hapi/iron demands."""
    with pytest.raises(UsageError):
        seal({}, **{"password-id": "a*b"})


def test_flash() -> None:
    """Messages of @hapi/yar are seen and added; the other libraries have none."""
    assert FORMAT.decode(seal(YAR), [PASSWORD]).flash == {"info": ["hello"]}
    text = FORMAT.encode(YAR, [PASSWORD], flash={"info": "again", "error": "no"})
    assert FORMAT.decode(text, [PASSWORD]).flash == {"info": ["hello", "again"], "error": ["no"]}
    assert YAR["_store"]["_flash"] == {"info": ["hello"]}
    with pytest.raises(NotSupportedError):
        FORMAT.encode({"user": "alice"}, [PASSWORD], flash={"info": "x"})


@pytest.mark.parametrize("content", ['{"a":{"__proto__":{}}}', "{", "", "NaN", "[" * 10_000 + "]" * 10_000])
def test_genuine_nonsense(content: str) -> None:
    """A genuine seal with a content that @hapi/iron refuses is malformed."""
    assert verify(sealed_text(content)).reason == "malformed"


def test_proto_in_iron_session() -> None:
    """iron-session reads a member `__proto__`, so a seal of its own with one is valid."""
    assert verify(sealed_text('{"__proto__":{}}') + "~2").valid


def sealed_text(content: str) -> str:
    """A seal of any text, with the key of a password's one round."""
    import hashlib

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    key = hashlib.pbkdf2_hmac("sha1", PASSWORD.encode(), b"00", 1, 32)
    padder = PKCS7(128).padder()
    padded = padder.update(content.encode()) + padder.finalize()
    step = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    box = b64encode_urlsafe(step.update(padded) + step.finalize())
    body = f"Fe26.2**00*{b64encode_urlsafe(bytes(16))}*{box}*"
    return f"{body}*00*{b64encode_urlsafe(Hmac(key).digest(body.encode()))}"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (SEAL, 0.95, 1.0),
        (FORMAT.example, 0.95, 1.0),
        ("Fe26.2*1*2", 0.5, 0.7),
        ("Fe26.1" + SEAL[6:], 0.0, 0.0),
        ("x", 0, 0),
    ],
)
def test_detect(text: str, low: float, high: float) -> None:
    """The prefix and eight sound parts tell a seal."""
    assert low <= FORMAT.detect(text) <= high


def test_a_wrong_password_is_quick() -> None:
    """Even with the rounds of h3 2, a wrong password is refused in well under a tenth of a second."""
    assert_quick(lambda: verify(SEAL, OTHER))
