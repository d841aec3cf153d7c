"""Rails' cookies are opened, judged and made as Rails does."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any
from urllib.parse import unquote

import pytest

from sessionctl import formats
from sessionctl.errors import (
    BadSignatureError,
    MalformedError,
    NoKeyError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.formats.rails import Rails
from sessionctl.signing.keys import KeyRing, Secret
from sessionctl.signing.rails import make_mac
from tests.cases import rows

KEY = "throw-away-key-of-sixty-four-bytes-or-more-for-the-examples-only!"
OLD = "another throw-away key"
NAME = "_app_session"
NOW = 1_795_425_111.0
SESSION = {
    "session_id": "0f6ab2c49d1e7f3a8b5c6d7e8f901234",
    "user": "Zażółć",
    "n": [1, 1.5, None, True, {"a": {}}],
}

CIPHERS = ["aes-256-gcm", "aes-192-gcm", "aes-128-gcm", "aes-256-cbc"]
SERIALIZERS = [
    "json",
    "marshal",
    "hybrid",
    "json-allow-marshal",
    "message-pack",
    "message-pack-allow-marshal",
]


def made(data: Any = SESSION, key: str = KEY, name: str | None = NAME, **options: str) -> str:
    """A cookie text made now."""
    return Rails(**options).encode(data, [key], cookie_name=name, now=NOW)


def signed(payload: bytes, key: str = KEY, digest: str = "sha1") -> str:
    """A signed cookie text of any payload."""
    body = base64.b64encode(payload).decode()
    mac = make_mac(Secret(key), "signed cookie", "sha256", digest)
    return f"{body}--{mac.digest(body.encode()).hex()}"


def test_example() -> None:
    """The example of the help page opens with the key that the tests name."""
    assert Rails().decode(Rails.example, [KEY]).data["user_id"] == 42
    assert Rails().verify(Rails.example, [KEY], cookie_name=NAME).valid


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_round_trip(cipher: str, serializer: str) -> None:
    """A session comes back as it went in, whatever seals and serializes it, with no option needed."""
    text = made(cipher=cipher, serializer=serializer)
    decoded = Rails().decode(text, [KEY], cookie_name=NAME)
    assert decoded.data == SESSION
    assert decoded.id == SESSION["session_id"]
    assert decoded.encrypted
    assert Rails(cipher=cipher).verify(text, [KEY], cookie_name=NAME).warnings == ()


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("data", ["text", 42, None, {"a": [1]}, [1, "ż"]], ids=repr)
def test_signed_round_trip(data: Any, digest: str) -> None:
    """A signed cookie holds any value, which is read without a key."""
    text = made(data, kind="signed", digest=digest)
    decoded = Rails().decode(text)
    assert (decoded.data, decoded.encrypted, decoded.algorithm) == (data, False, f"HMAC-{digest.upper()}")
    assert Rails().verify(text, [KEY], cookie_name=NAME).valid


@pytest.mark.parametrize(
    ("serializer", "kind"), [("json", "json"), ("marshal", "marshal"), ("message-pack", "msgpack")]
)
def test_payload_type(serializer: str, kind: str) -> None:
    """The bytes say which serializer wrote them."""
    assert Rails().decode(made(serializer=serializer), [KEY]).payload_type == kind


# -- verdicts -----------------------------------------------------------------------------------------


def test_rotated_key() -> None:
    """A cookie under an older key is genuine and needs to be made anew."""
    verdict = Rails().verify(made(key=OLD), [KEY, OLD], cookie_name=NAME)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)


@pytest.mark.parametrize("options", [{}, {"cipher": "aes-256-cbc"}, {"kind": "signed"}], ids=str)
def test_no_key_and_wrong_key(options: dict[str, str]) -> None:
    """Without a key there is no answer, with a wrong one it is no."""
    text = made(**options)
    assert Rails().verify(text, cookie_name=NAME).reason == "no-key"
    verdict = Rails().verify(text, [OLD, "third"], cookie_name=NAME)
    assert (verdict.reason, verdict.keys) == ("bad-signature", 2)


@pytest.mark.parametrize("cipher", CIPHERS)
def test_decode_of_an_encrypted_cookie(cipher: str) -> None:
    """What is encrypted is not read without its key."""
    with pytest.raises(NoKeyError):
        Rails().decode(made(cipher=cipher))
    with pytest.raises(BadSignatureError):
        Rails().decode(made(cipher=cipher), [OLD])


@pytest.mark.parametrize("options", [{}, {"cipher": "aes-256-cbc"}, {"kind": "signed"}], ids=str)
def test_another_name(options: dict[str, str]) -> None:
    """A cookie that was made for another name is refused, unless no purpose is asked for."""
    text = made(**options)
    verdict = Rails().verify(text, [KEY], cookie_name="other")
    assert verdict.reason == "bad-signature"
    assert "cookie._app_session" in verdict.detail
    assert Rails(metadata="false").verify(text, [KEY], cookie_name="other").valid


def test_no_purpose() -> None:
    """A cookie that says no name is accepted, as Rails does, with a warning."""
    verdict = Rails().verify(made(metadata="false"), [KEY], cookie_name=NAME)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["no-purpose"]


def test_unknown_name() -> None:
    """Where the cookie's name is not known, the answer says that the purpose was not checked."""
    verdict = Rails().verify(made(), [KEY])
    assert [warning.code for warning in verdict.warnings] == ["purpose-unchecked"]


def test_expiry() -> None:
    """The time inside the cookie decides, to the moment: Rails wants it to be later than now."""
    text = Rails().encode("x", [KEY], cookie_name=NAME, now=NOW, max_age=60)
    before = Rails().verify(text, [KEY], cookie_name=NAME, now=NOW + 59.9)
    after = Rails().verify(text, [KEY], cookie_name=NAME, now=NOW + 60)
    assert (before.reason, before.expires_at) == (None, NOW + 60)
    assert (after.reason, after.expired, after.key_index) == ("expired", True, 0)
    assert Rails().decode(text, [KEY], now=NOW + 100).data == "x"


@pytest.mark.parametrize(
    ("made_with", "warned"),
    [
        ({"key-digest": "sha1"}, "key-digest=sha1"),
        ({"cipher": "aes-128-gcm"}, "cipher=aes-128-gcm"),
        ({"cipher": "aes-256-cbc"}, "cipher=aes-256-cbc"),
    ],
)
def test_other_generation(made_with: dict[str, str], warned: str) -> None:
    """Without an option what the text can be of is tried, and the answer names the option."""
    text = made(**{name.replace("-", "_"): value for name, value in made_with.items()})
    verdict = Rails().verify(text, [KEY], cookie_name=NAME)
    assert verdict.valid
    assert [warning.message for warning in verdict.warnings] == [f"the key fits with -O {warned}"]


def test_given_options_are_strict() -> None:
    """An option that was given is not overruled by another that would fit."""
    assert Rails(key_digest="sha256").verify(made(key_digest="sha1"), [KEY]).reason == "bad-signature"
    assert Rails(cipher="aes-256-gcm").verify(made(cipher="aes-128-gcm"), [KEY]).reason == "bad-signature"
    assert Rails(digest="sha256").verify(made(1, kind="signed"), [KEY]).reason == "malformed"
    assert Rails(kind="signed").verify(made(), [KEY]).reason == "malformed"
    assert Rails(kind="encrypted").verify(made(1, kind="signed"), [KEY]).reason == "malformed"


def test_cbc_needs_resign() -> None:
    """Rails that writes GCM reads CBC and writes it anew."""
    assert Rails().verify(made(cipher="aes-256-cbc"), [KEY], cookie_name=NAME).needs_resign
    assert not Rails(cipher="aes-256-cbc").verify(made(cipher="aes-256-cbc"), [KEY]).needs_resign


def test_salts() -> None:
    """Salts that the application changed are told by options."""
    for options in ({"salt": "a"}, {"salt": "a", "cipher": "aes-256-cbc", "signing_salt": "b"}):
        text = made(**options)
        assert Rails(**options).verify(text, [KEY], cookie_name=NAME).valid
        assert Rails().verify(text, [KEY], cookie_name=NAME).reason == "bad-signature"
    writer, reader, keys = Rails(cipher="aes-256-cbc", salt="a"), Rails(cipher="aes-256-cbc"), KeyRing([KEY])
    for _ in range(2000):  # with the wrong salt the padding seems right in one of 256
        verdict = reader.verify(writer.encode(SESSION, keys), keys)
        assert not verdict.valid
        assert "salt" in verdict.detail


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.split("--")[0], id="no-tag"),
        pytest.param(lambda text: text[:40], id="cut"),
        pytest.param(lambda text: unquote(text)[:-4], id="tag-cut"),
        pytest.param(lambda text: text + "%", id="escape-cut"),
        pytest.param(lambda text: text + "%2", id="escape-half"),
        pytest.param(lambda text: text + "é", id="beyond-ascii"),
        pytest.param(lambda text: "--" + text.split("--")[-1], id="no-payload"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"cipher": "aes-256-cbc"}, {"kind": "signed"}], ids=str)
def test_malformed(change: Any, options: dict[str, str]) -> None:
    """A text without all its parts is malformed, not badly signed."""
    assert Rails().verify(change(made(**options)), [KEY], cookie_name=NAME).reason == "malformed"


@pytest.mark.parametrize("options", [{}, {"cipher": "aes-256-cbc"}, {"kind": "signed"}], ids=str)
def test_encoded_twice(options: dict[str, str]) -> None:
    """A text that was percent-encoded twice is refused."""
    text = next(text for size in (1, 17, 33) if "%" in (text := made({"a": "x" * size}, **options)))
    verdict = Rails().verify(text.replace("%", "%25"), [KEY], cookie_name=NAME)
    assert verdict.reason == "bad-signature"


def test_pasted_text() -> None:
    """A text whose percent-encoding was taken off is read, with a warning: Rails would misread it."""
    text = made().replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    while "+" not in text:
        text = made().replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    verdict = Rails().verify(text, [KEY], cookie_name=NAME)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["not-encoded"]


def test_stray_bits() -> None:
    """Ruby's base64 refuses stray low bits: the tag's last character is not free."""
    text = made().replace("%3D", "=")
    assert text.endswith("==")
    last = {"A": "B", "Q": "R", "g": "h", "w": "x"}[text[-3]]
    assert Rails().verify(f"{text[:-3]}{last}==", [KEY], cookie_name=NAME).reason == "bad-signature"


@pytest.mark.parametrize(
    ("payload", "kind"),
    [(b"\xff\x00", "bytes"), (b"no json", "text"), (b"\x04\x08?", "bytes"), (b"\xcc\x80\xc1", "bytes")],
    ids=["bytes", "text", "broken Marshal", "broken MessagePack"],
)
def test_genuine_but_unreadable(payload: bytes, kind: str) -> None:
    """A payload that cannot be read is shown as it is, and the cookie stays genuine."""
    decoded = Rails().decode(signed(payload))
    assert decoded.payload_type in {kind, "text"}
    assert [warning.code for warning in decoded.warnings] == ["unreadable"]
    assert Rails().verify(signed(payload), [KEY]).valid


@pytest.mark.parametrize(
    "inside",
    [{"message": 1}, [], {"message": "!", "pur": None}, {"message": "MQ==", "exp": "soon"}],
    ids=["a number", "a list", "no base64", "no time"],
)
def test_odd_envelopes(inside: Any) -> None:
    """An envelope of another shape is the application's own data, or malformed, never a crash."""
    text = signed(json.dumps({"_rails": inside}, separators=(",", ":")).encode())
    assert Rails().verify(text, [KEY]).reason in {None, "malformed"}
    with contextlib.suppress(MalformedError):
        Rails().decode(text)


# -- flash, data, detection ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row", [row for row in rows("rails") if row["id"].endswith("-session-flash")], ids=str
)
def test_flash_of_the_corpus(row: dict[str, Any]) -> None:
    """The messages that Rails flashed are seen."""
    options = {name.replace("-", "_"): value for name, value in row["options"].items()}
    decoded = Rails(**options).decode(row["cookie_value"], row["keys"])
    assert decoded.flash == row["data"]["flash"]["flashes"]


def test_with_flash() -> None:
    """A message is added where Rails keeps it; what is used up goes."""
    flash = {"discard": ["old"], "flashes": {"old": 1, "notice": "hi"}}
    data = Rails().with_flash({"a": 1, "flash": flash}, "alert", "ho")
    assert data == {"a": 1, "flash": {"discard": [], "flashes": {"notice": "hi", "alert": "ho"}}}
    assert flash["discard"] == ["old"]
    with pytest.raises(UsageError):
        Rails().with_flash("text", "a", 1)


def test_encode_with_flash_and_id() -> None:
    """A new session gets its ID and its messages inside."""
    text = Rails().encode({"a": 1}, [KEY], id="ab" * 16, flash={"notice": "hi"}, cookie_name=NAME)
    decoded = Rails().decode(text, [KEY])
    assert decoded.id == "ab" * 16
    assert decoded.flash == {"notice": "hi"}


def test_encode_refuses() -> None:
    """What cannot be written is refused with the reason."""
    with pytest.raises(NoKeyError):
        Rails().encode({})
    with pytest.raises(UnserializableValueError):
        Rails(serializer="marshal").encode({"a": {1, 2}}, [KEY])
    with pytest.raises(UsageError):
        Rails().encode({}, [KEY], max_age=1e15)


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(made(), None, 0.95, 1.0, id="encrypted"),
        pytest.param(made(cipher="aes-256-cbc"), None, 0.95, 1.0, id="encrypted by CBC"),
        pytest.param(made(1, kind="signed"), None, 0.95, 1.0, id="signed"),
        pytest.param(signed(b'"x"'), None, 0.8, 0.9, id="signed, of old"),
        pytest.param(signed(b'{"session_id":"x"}'), None, 0.4, 0.6, id="a session that is signed"),
        pytest.param(signed(b'{"session_id":"x"}'), NAME, 0.85, 1.0, id="the same under a name of Rails"),
        pytest.param(signed(b"\xff\xfe"), None, 0.0, 0.3, id="signed bytes"),
        pytest.param("abc--" + "z" * 40, None, 0.0, 0.0, id="no hexadecimal"),
        pytest.param("some-slug--with-hyphens", None, 0.0, 0.0, id="a slug"),
        pytest.param("GA1.2.1234567890.1700000000", None, 0.0, 0.0, id="analytics"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """A text is known by its parts; of what Rack writes too the cookie's name decides."""
    assert least <= formats.get("rails").detect(text, cookie_name=name) <= most


@pytest.mark.parametrize(
    ("name", "data", "options", "wants"),
    [
        ("_app_session", {"user": 1}, {}, True),
        ("_app_session", {"session_id": "ab" * 16}, {}, False),
        ("_app_session", "text", {}, False),
        ("user_id", {"user": 1}, {}, False),
        ("_app_session", {"user": 1}, {"kind": "signed"}, False),
    ],
)
def test_a_new_session_gets_the_id_without_which_rails_reads_nothing(
    name: str, data: object, options: dict[str, str], *, wants: bool
) -> None:
    """A session without `session_id` wants one, as Rails makes it; another cookie of the application does not."""
    form = formats.get("rails", **options)
    assert form.wants_id(data, name) is wants
    assert len(bytes.fromhex(form.new_id())) == 16
