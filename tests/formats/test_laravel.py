"""Laravel's sealed cookies are opened, judged and made as Laravel does."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import (
    BadSignatureError,
    MalformedError,
    NoKeyError,
    NotSupportedError,
    SecretError,
    SessionctlError,
    UnserializableValueError,
    UsageError,
    WrongKeyTypeError,
)
from sessionctl.formats.laravel import Laravel
from sessionctl.signing import KeyRing
from sessionctl.signing.mac import Hmac
from tests.cases import rows

KEY = b"an example key that opens naught"
OLD = b"another key of thirty-two bytes!"
SHORT = b"sixteen bytes..."
NAME = "laravel_session"
ID = "5Yw0aUqX1cPzKkR3tNfJ8sVbLhD2mGoE7iQxTpW4"
NOW = 1_795_425_111
SESSION = {"_token": "t/é", "user": {"id": 42}, "ok": True, "_flash": {"old": [], "new": []}}


def sealed(data: Any, key: bytes = KEY, name: str | None = NAME, **options: str) -> str:
    """A cookie text made now."""
    return Laravel(**options).encode(data, [key], cookie_name=name, now=NOW)


def parts_of(text: str) -> dict[str, str]:
    """The JSON inside."""
    plain = text.replace("%3D", "=").replace("%2B", "+").replace("%2F", "/")
    parts: dict[str, str] = json.loads(base64.b64decode(plain))
    return parts


def with_parts(parts: Any) -> str:
    """The text of changed JSON."""
    return base64.b64encode(json.dumps(parts).encode()).decode()


def test_example() -> None:
    """The example of the help page opens with the key that the tests name."""
    assert Laravel().decode(Laravel.example, [KEY], cookie_name=NAME).id == ID
    assert Laravel().verify(Laravel.example, [KEY], cookie_name=NAME).valid


CIPHERS = [("aes-256-cbc", KEY), ("aes-128-cbc", SHORT), ("aes-256-gcm", KEY), ("aes-128-gcm", SHORT)]


@pytest.mark.parametrize(("cipher", "key"), CIPHERS)
@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({}, "héllo/+="),
        ({"serialize": "true"}, "héllo"),
        ({"kind": "crypt"}, {"a": [1, 2.5, None]}),
        ({"kind": "crypt-string"}, "raw"),
        ({}, SESSION),
        ({"serialization": "json"}, SESSION),
        ({"serialize": "true"}, SESSION),
    ],
)
def test_round_trip(cipher: str, key: bytes, options: dict[str, str], data: Any) -> None:
    """What is made of data says these data, under every cipher, and is genuine."""
    text = sealed(data, key, cipher=cipher, **options)
    form = Laravel(cipher=cipher, **options)
    decoded = form.decode(text, [key], cookie_name=NAME, now=NOW)
    assert (decoded.data, decoded.encrypted, decoded.warnings) == (data, True, ())
    assert form.verify(text, [key], cookie_name=NAME, now=NOW).valid


@pytest.mark.parametrize(("cipher", "key"), CIPHERS)
def test_cipher_is_told_by_key_and_text(cipher: str, key: bytes) -> None:
    """Without the option, the key's length and the iv say which cipher it was."""
    verdict = Laravel().verify(sealed("x", key, cipher=cipher), [key], cookie_name=NAME)
    assert verdict.valid
    assert verdict.algorithm is not None
    assert verdict.algorithm.lower().startswith(cipher)


def test_cipher_that_was_asked_for_is_demanded() -> None:
    """With the option, a text of another mode is malformed, as Laravel has it."""
    text = sealed("x", cipher="aes-256-gcm")
    verdict = Laravel(cipher="aes-256-cbc").verify(text, [KEY], cookie_name=NAME)
    assert verdict.reason == "malformed"
    assert "GCM" in verdict.detail


def test_percent_encoding() -> None:
    """A cookie is percent-encoded, a text of Crypt is not; both are read either way."""
    text = sealed("x")
    assert "%3D" in text or "=" not in text
    assert "%" not in sealed("x", kind="crypt")
    assert Laravel().verify(text.replace("%3D", "="), [KEY], cookie_name=NAME).valid


@pytest.mark.parametrize(
    ("ring", "index", "resign"), [([KEY], 0, False), ([OLD, KEY], 1, True), ([KEY, OLD], 0, False)]
)
def test_previous_keys(ring: list[bytes], index: int, resign: bool) -> None:
    """Any key of the ring verifies; an older one means re-signing."""
    verdict = Laravel().verify(sealed("x"), ring, cookie_name=NAME)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, index, resign)


def test_prefix_by_another_key() -> None:
    """The prefix may be made with another key of the ring than the encryption."""
    prefix = Hmac(OLD, "sha1").digest(NAME.encode() + b"v2").hex()
    text = sealed(f"{prefix}|x", kind="crypt-string")
    assert Laravel().verify(text, [KEY, OLD], cookie_name=NAME).valid
    assert Laravel().verify(text, [KEY], cookie_name=NAME).reason == "bad-signature"


@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-256-gcm"])
def test_wrong_key(cipher: str) -> None:
    """A key that does not fit gives `bad-signature`, and `decode` raises."""
    text = sealed("x", cipher=cipher)
    assert Laravel().verify(text, [OLD], cookie_name=NAME).reason == "bad-signature"
    with pytest.raises(BadSignatureError):
        Laravel().decode(text, [OLD], cookie_name=NAME)


def test_no_key() -> None:
    """Without a key nothing can be said."""
    assert Laravel().verify(sealed("x"), cookie_name=NAME).reason == "no-key"
    with pytest.raises(NoKeyError):
        Laravel().decode(sealed("x"), cookie_name=NAME)


@pytest.mark.parametrize(("options", "key"), [({}, b"short"), ({"cipher": "aes-256-cbc"}, SHORT)])
def test_key_of_wrong_length(options: dict[str, str], key: bytes) -> None:
    """A key that AES, or the cipher that was asked for, does not take is of the wrong type."""
    assert Laravel(**options).verify(sealed("x"), [key], cookie_name=NAME).reason == "wrong-key-type"
    with pytest.raises(WrongKeyTypeError):
        Laravel(**options).decode(sealed("x"), [key], cookie_name=NAME)


def test_other_name() -> None:
    """A cookie that was moved to another name is refused, though it decrypts; decoding warns."""
    verdict = Laravel().verify(sealed("x"), [KEY], cookie_name="other")
    assert verdict.reason == "bad-signature"
    assert "another name" in verdict.detail
    decoded = Laravel().decode(sealed("x"), [KEY], cookie_name="other")
    assert decoded.data == "x"
    assert [warn.code for warn in decoded.warnings] == ["other-name"]


@pytest.mark.parametrize(
    ("made_for", "codes"), [(NAME, []), ("XSRF-TOKEN", []), ("remember", ["name-unchecked"])]
)
def test_bare_value(made_for: str, codes: list[str]) -> None:
    """Of a bare value the usual names are tried; of any other name a warning is all that can be said."""
    verdict = Laravel().verify(sealed("x", name=made_for), [KEY])
    assert verdict.valid
    assert [warn.code for warn in verdict.warnings] == codes


@pytest.mark.parametrize("name", [NAME, None])
def test_text_of_crypt_is_no_cookie(name: str | None) -> None:
    """A text of Crypt has no prefix, so the cookie middleware drops it; the detail says which kind it is."""
    verdict = Laravel().verify(sealed("x", kind="crypt-string"), [KEY], cookie_name=name)
    assert verdict.reason == "bad-signature"
    assert "kind=crypt" in verdict.detail


CHANGES: list[tuple[str, Any, str]] = [
    ("iv missing", {"iv": None}, "malformed"),
    ("iv short", {"iv": "AAAA"}, "malformed"),
    ("iv no text", {"iv": 5}, "malformed"),
    ("value missing", {"value": None}, "malformed"),
    ("mac missing", {"mac": None}, "malformed"),
    ("mac beyond ASCII", {"mac": "é"}, "malformed"),
    ("mac changed", {"mac": "0" * 64}, "bad-signature"),
    ("value changed", {"value": "AAAAAAAAAAAAAAAAAAAAAA=="}, "bad-signature"),
    ("tag with CBC", {"tag": "AAAA"}, "malformed"),
    ("tag no text", {"tag": ["x"]}, "malformed"),
]


@pytest.mark.parametrize(("change", "reason"), [pytest.param(c, r, id=n) for n, c, r in CHANGES])
def test_changed_parts(change: dict[str, Any], reason: str) -> None:
    """Each part is demanded as `Encrypter::validPayload` does, and each change is seen."""
    text = with_parts({**parts_of(sealed("x")), **change})
    assert Laravel().verify(text, [KEY], cookie_name=NAME).reason == reason


@pytest.mark.parametrize(
    "text", ["", "hello", "aGVsbG8=", with_parts([1]), with_parts({}), "%zz", "é" * 10, "A"]
)
def test_not_sealed(text: str) -> None:
    """What is no base64 of such JSON is malformed, but for the cleared cookie."""
    assert Laravel().verify(text, [KEY], cookie_name=NAME).reason == ("malformed" if text else None)


def test_genuine_but_undecryptable() -> None:
    """A ciphertext of no whole blocks is malformed even under a right MAC."""
    parts = {**parts_of(sealed("x")), "value": "AAAA"}
    parts["mac"] = Hmac(KEY).digest((parts["iv"] + parts["value"]).encode()).hex()
    verdict = Laravel().verify(with_parts(parts), [KEY], cookie_name=NAME)
    assert verdict.reason == "malformed"
    assert "the MAC fits" in verdict.detail


def test_foreign_characters_in_base64() -> None:
    """PHP drops what is foreign to base64, so such a text is valid; it is told as a warning."""
    verdict = Laravel().verify(sealed("x", kind="crypt-string") + "\n", [KEY])
    assert verdict.reason == "bad-signature"
    verdict = Laravel(kind="crypt-string").verify(sealed("x", kind="crypt-string") + "!", [KEY])
    assert verdict.valid
    assert [warn.code for warn in verdict.warnings] == ["non-canonical"]


@pytest.mark.parametrize(
    ("tail", "passes"),
    [
        ("", True),  # Laravel 8.83 on PHP 8.2 said so of each
        ("%", True),
        ("%2D", True),
        ("%3D%", True),
        ("9", False),
        ("%3", False),
        ("=9", False),
        ("A=", False),
        ("AAAA", False),
    ],
)
def test_broken_end(tail: str, passes: bool) -> None:
    """PHP drops broken escapes and what is foreign to base64, and padding counts for nothing; more is a change."""
    text = next(text for text in (sealed({"a": "x" * n}) for n in range(9)) if text.endswith("0%3D"))
    verdict = Laravel().verify(text.removesuffix("%3D") + tail, [KEY], cookie_name=NAME, now=NOW)
    assert verdict.reason == (None if passes else "malformed")


def test_a_last_character_alone() -> None:
    """A character that begins a byte and is left alone is dropped by PHP."""
    text = next(
        text for text in (sealed({"a": "x" * n}) for n in range(0, 99, 16)) if not text.endswith("%3D")
    )
    assert Laravel().verify(text + "A", [KEY], cookie_name=NAME, now=NOW).valid
    assert not Laravel().verify(text + "AA", [KEY], cookie_name=NAME, now=NOW).valid


def test_not_serialized() -> None:
    """With `serialize` the plain text must be a serialized string; with `kind=crypt` a serialized value."""
    assert Laravel(serialize="true").verify(sealed("x"), [KEY], cookie_name=NAME).reason == "malformed"
    assert Laravel(kind="crypt").verify(sealed("x"), [KEY]).reason == "malformed"


# -- the session driver cookie ------------------------------------------------------------------------


@pytest.mark.parametrize("serialization", ["php", "json"])
@pytest.mark.parametrize(
    ("now", "reason"), [(NOW, None), (NOW + 7200, None), (NOW + 7200.9, None), (NOW + 7201, "expired")]
)
def test_end_of_driver_cookie(serialization: str, now: float, reason: str | None) -> None:
    """A session in the cookie ends after `lifetime`, in whole seconds; before that its times are told."""
    text = sealed(SESSION, name=ID, serialization=serialization)
    verdict = Laravel().verify(text, [KEY], cookie_name=ID, now=now)
    assert (verdict.reason, verdict.issued_at, verdict.expires_at) == (reason, NOW, NOW + 7200)
    decoded = Laravel().decode(text, [KEY], cookie_name=ID, now=now)
    assert (decoded.data, decoded.id, decoded.payload_type) == (SESSION, ID, serialization)


def test_lifetime() -> None:
    """`lifetime` is that of the application, in minutes."""
    text = sealed(SESSION, name=ID, lifetime="1")
    assert Laravel(lifetime="1").verify(text, [KEY], cookie_name=ID, now=NOW + 61).reason == "expired"
    assert Laravel(lifetime="1").decode(text, [KEY], cookie_name=ID).issued_at == NOW
    with pytest.raises(UsageError):
        Laravel(lifetime="soon")


def test_encrypted_session_in_driver_cookie() -> None:
    """With `session.encrypt` the session inside is sealed once more, and serialized twice."""
    inner = sealed('a:1:{s:1:"a";i:1;}', kind="crypt")
    text = sealed(json.dumps({"data": inner, "expires": NOW}), name=ID)
    assert Laravel().decode(text, [KEY], cookie_name=ID, now=NOW).data == {"a": 1}


def test_flash() -> None:
    """Flashed values are those that `_flash` names, dots leading inside."""
    data = {"a": 1, "b": {"c": 2}, "_flash": {"old": ["a", "b.c", "gone"], "new": []}}
    decoded = Laravel().decode(sealed(data, name=ID), [KEY], cookie_name=ID)
    assert decoded.flash == {"a": 1, "b.c": 2, "gone": None}
    assert Laravel().decode(sealed({"a": 1}, name=ID), [KEY], cookie_name=ID).flash is None


def test_with_flash() -> None:
    """A flashed value lies among the others, its name where the next request sees it."""
    data = {"a": 1, "_flash": {"old": ["x"], "new": ["notice"]}}
    flashed = Laravel().with_flash(data, "notice", "hi")
    assert flashed == {"a": 1, "notice": "hi", "_flash": {"old": ["x", "notice"], "new": []}}
    assert data == {"a": 1, "_flash": {"old": ["x"], "new": ["notice"]}}
    text = Laravel().encode({}, [KEY], cookie_name=ID, flash={"notice": "hi"})
    assert Laravel().decode(text, [KEY], cookie_name=ID).flash == {"notice": "hi"}
    with pytest.raises(NotSupportedError):
        Laravel().with_flash(ID, "notice", "hi")


# -- writing ------------------------------------------------------------------------------------------


def test_names() -> None:
    """An ID goes into the session cookie; a session into the cookie named by its ID."""
    text = Laravel().encode(ID, [KEY])
    assert Laravel().verify(text, [KEY], cookie_name=NAME).valid
    text = Laravel().encode(SESSION, [KEY], id=ID, now=NOW)
    assert Laravel().verify(text, [KEY], cookie_name=ID, now=NOW).valid
    with pytest.raises(UsageError):
        Laravel().encode(SESSION, [KEY])


@pytest.mark.parametrize(
    ("data", "keys", "options", "error"),
    [
        ("x", [], {}, NoKeyError),
        ("x", [b"short"], {}, SecretError),
        ("x", [SHORT], {"cipher": "aes-256-gcm"}, SecretError),
        (42, [KEY], {}, UnserializableValueError),
        ("\ud800", [KEY], {}, UnserializableValueError),
        ({"a": 1}, [KEY], {"kind": "crypt-string"}, UnserializableValueError),
    ],
)
def test_unwritable(
    data: Any, keys: list[bytes], options: dict[str, str], error: type[SessionctlError]
) -> None:
    """What Laravel could not have, or no key can seal, is refused."""
    with pytest.raises(error):
        Laravel(**options).encode(data, keys, cookie_name=NAME)


def test_json_as_php_writes_it() -> None:
    """The driver's JSON escapes slashes and what is beyond ASCII, as `json_encode` does."""
    text = sealed({"a": "é/"}, name=ID, serialization="json")
    plain = Laravel(kind="crypt-string").decode(text, [KEY]).data.partition("|")[2]
    assert plain == r'{"data":"{\"a\":\"\\u00e9\\\/\"}","expires":1795432311}'


# -- records ------------------------------------------------------------------------------------------

RECORDS = [row for row in rows("laravel") if row.get("store")]


@pytest.mark.parametrize("row", RECORDS, ids=[row["id"] for row in RECORDS])
@pytest.mark.parametrize("in_base64", [False, True])
def test_record(row: dict[str, Any], in_base64: bool) -> None:
    """A record of a store is read, sealed or not, also in base64 as the database driver keeps it."""
    data = base64.b64decode(row["value_b64"])
    record = base64.b64encode(data) if in_base64 else data
    decoded = Laravel().decode_record(record, KeyRing.parse(row["keys"]))
    assert decoded.data == row["data"]
    assert decoded.encrypted == bool(row["keys"])


def test_broken_records() -> None:
    """What is no session is malformed; a sealed one asks for its key; nothing is an empty session."""
    with pytest.raises(MalformedError):
        Laravel().decode_record(b"garbage")
    with pytest.raises(NoKeyError):
        Laravel().decode_record(sealed("x", kind="crypt").encode())
    assert Laravel().decode_record(b"").data == []


# -- detection ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-256-gcm"])
def test_detect(cipher: str) -> None:
    """The JSON with iv, value and mac is distinctive; it is first among all formats."""
    text = sealed("x", cipher=cipher)
    assert Laravel().detect(text) > 0.95
    assert formats.get("laravel").detect(text) == Laravel().detect(text)


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "eyJhIjoxfQ==",
        "550e8400-e29b-41d4-a716-446655440000",
        with_parts({"iv": "AAAAAAAAAAAAAAAAAAAAAA==", "value": "x", "mac": "x"}),
        "eyJ",
    ],
)
def test_not_detected(text: str) -> None:
    """A JWT, other JSON and IDs are not taken for it."""
    assert Laravel().detect(text) == 0
