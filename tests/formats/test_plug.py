"""Cookies and tokens of Plug and Phoenix are opened, judged and made as Plug does."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import BadSignatureError, MalformedError, NoKeyError, UsageError
from sessionctl.formats.plug import Plug
from sessionctl.payload import etf
from sessionctl.signing.keys import Secret
from sessionctl.signing.plug import KeyParameters, make_mac, sign
from tests.cases import rows

KEY = "throw-away-key-of-sixty-four-bytes-or-more-for-the-examples-only!"
OLD = "older-throw-away-key-of-sixty-four-bytes-or-more-for-the-examples"
NOW = 1_795_425_470.5
SESSION = {"user": "Zażółć", "n": [1, -5, 2**70, 1.5, None, True, {"a": {}}], "phoenix_flash": {"info": "hi"}}

SIGNED = {"signing_salt": "s"}
SEALED = {"signing_salt": "s", "encryption_salt": "e"}
TOKEN = {"kind": "token", "salt": "user socket"}
SEALED_TOKEN = {**TOKEN, "encrypt": "true"}
COOKIE = {"kind": "cookie"}
KINDS = {"signed": SIGNED, "sealed": SEALED, "token": TOKEN, "sealed token": SEALED_TOKEN, "cookie": COOKIE}


def made(data: Any = SESSION, key: str = KEY, options: Any = SIGNED, **context: Any) -> str:
    """A cookie text made now."""
    return Plug(**options).encode(data, [key], **{"cookie_name": "c", "now": NOW, **context})


def token(term: Any) -> str:
    """A token of any term."""
    return sign(etf.dumps(term), make_mac(Secret(KEY), TOKEN["salt"], KeyParameters(), "sha256"))


def judged(text: str, keys: Any = (KEY,), options: Any = SIGNED, **context: Any) -> formats.Verdict:
    """The verdict of now."""
    return Plug(**options).verify(text, list(keys), **{"cookie_name": "c", "now": NOW, **context})


def test_example() -> None:
    """The example of the help page is signed by the key that the tests name."""
    assert Plug().decode(Plug.example).data == {"user_id": 42}
    assert judged(Plug.example, options={"signing_salt": "salt"}).valid


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_round_trip(options: dict[str, str]) -> None:
    """Data come back as they went in, whatever the kind, and the keys are tried newest first."""
    text = made(options=options)
    decoded = Plug(**options).decode(text, [KEY], cookie_name="c")
    assert decoded.data == SESSION
    assert decoded.flash == {"info": "hi"}
    assert decoded.payload_type == "etf"
    rotated = judged(text, (OLD, KEY), options)
    assert (rotated.valid, rotated.key_index, rotated.needs_resign) == (True, 1, True)


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_keys(options: dict[str, str]) -> None:
    """Without a key there is no answer, with a wrong one it is no."""
    text = made(options=options)
    assert judged(text, (), options).reason == "no-key"
    assert judged(text, (OLD,), options).reason == "bad-signature"


@pytest.mark.parametrize(
    ("text", "options", "missing"),
    [
        pytest.param(made(), {}, "signing-salt", id="session"),
        pytest.param(made(options=SEALED), {}, "encryption-salt", id="encrypted session"),
        pytest.param(made(options=TOKEN), {"kind": "token"}, "salt", id="token"),
        pytest.param(made(options=COOKIE), {"kind": "cookie"}, "--cookie-name", id="cookie"),
    ],
)
def test_missing_salt(text: str, options: dict[str, str], missing: str) -> None:
    """A salt is part of the key: the answer names the option that gives it."""
    verdict = Plug(**options).verify(text, [KEY])
    assert verdict.reason == "no-key"
    assert missing in verdict.detail


def test_decode_without_key() -> None:
    """What is signed is read without a key, what is encrypted is not."""
    assert Plug().decode(made()).data == SESSION
    with pytest.raises(NoKeyError):
        Plug().decode(made(options=SEALED))
    with pytest.raises(BadSignatureError):
        Plug(**SEALED).decode(made(options=SEALED), [OLD])


def test_signed_where_encrypted_is_asked_for() -> None:
    """With an encryption salt Plug refuses a signed session."""
    verdict = judged(made(), options=SEALED)
    assert verdict.reason == "bad-signature"
    assert "encryption-salt" in verdict.detail


def test_kind_is_seen() -> None:
    """Without the option a signed text says itself whether it is a session, a cookie or a token."""
    assert Plug().verify(made(options=COOKIE), [KEY], cookie_name="c", now=NOW).valid
    assert Plug(salt="user socket").verify(made(options=TOKEN), [KEY], now=NOW).valid
    assert Plug().decode(made(options=TOKEN)).issued_at == NOW


@pytest.mark.parametrize("options", [TOKEN, SEALED_TOKEN, COOKIE], ids=["token", "sealed token", "cookie"])
def test_age(options: dict[str, str]) -> None:
    """The age inside the token counts, the reader's overrules it, equal is not too old."""
    text = made(1, options=options, max_age=60)
    assert judged(text, options=options, now=NOW + 60).valid
    late = judged(text, options=options, now=NOW + 60.1)
    assert (late.reason, late.expired, late.issued_at) == ("expired", True, NOW)
    assert judged(text, options=options, now=NOW + 100, max_age=200).valid
    assert judged(text, options=options, now=NOW + 50, max_age=20).reason == "expired"
    assert judged(text, options=options, now=NOW + 1e6, max_age=None).valid
    assert judged(text, options=options, max_age=0).reason == "expired"


def test_default_age_and_none() -> None:
    """A token lives for a day; with no limit it says `:infinity`."""
    assert Plug(**TOKEN).decode(made(1, options=TOKEN)).expires_at == NOW + 86400
    assert Plug(**TOKEN).decode(made(1, options=TOKEN, max_age=None)).expires_at is None


@pytest.mark.parametrize(
    "term", [("x", 1000), {"data": "x", "signed": 1000}], ids=["plug_crypto 1.1", "Phoenix of old"]
)
def test_old_tokens(term: Any) -> None:
    """Tokens of older releases carry no age of their own: they have a day."""
    assert Plug(**TOKEN).decode(token(term)).data == "x"
    assert judged(token(term), options=TOKEN, now=86401).valid
    assert judged(token(term), options=TOKEN, now=86402).reason == "expired"


@pytest.mark.parametrize("term", ["x", [], ("x", "y", 1), ("x", 1, "soon"), ("x", 2**60, 1)], ids=repr)
def test_no_token_inside(term: Any) -> None:
    """A genuine text that holds no token is malformed as one."""
    assert judged(token(term), options=TOKEN).reason == "malformed"


def test_token_of_tomorrow() -> None:
    """A token that was signed later than now is accepted by the releases that there are, with a warning."""
    verdict = judged(made(1, options=TOKEN), options=TOKEN, now=NOW - 100)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["from-the-future"]


def test_old_encryption_needs_resign() -> None:
    """A cookie of plug_crypto 1, which 2 would not write any more, needs to be made anew."""
    row = next(row for row in rows("plug") if row["id"] == "plug-crypto1-encrypted-terms")
    verdict = judged(
        row["cookie_value"], row["keys"], {"signing_salt": "sign-salt", "encryption_salt": "encrypt-salt"}
    )
    assert (verdict.valid, verdict.needs_resign, verdict.algorithm) == (True, True, "AES-128-GCM")


def test_lenient_signature() -> None:
    """Padding and stray low bits of the signature pass, as Elixir's base64 has it, with a warning."""
    text = made()
    last = text[-1]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for odd in (text + "=", text[:-1] + letters[letters.index(last) ^ 1]):
        verdict = judged(odd)
        assert verdict.valid
        assert [warning.code for warning in verdict.warnings] == ["non-canonical"]
    assert judged(text + "==").reason == "malformed"  # one is what the length asks for


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("options", [SEALED, SEALED_TOKEN], ids=["session", "token"])
def test_lenient_base64_of_what_is_encrypted(options: dict[str, str]) -> None:
    """What is encrypted is read as leniently, with the same warning, from `verify` and from `decode`."""
    texts = [made({"n": "a" * count}, options=options) for count in range(3)]
    for text in texts:
        assert not judged(text, options=options).warnings
    text = next(text for text in texts if len(text.removeprefix("XCP.")) % 4 == 2)
    for odd in (f"{text}==", text[:-1] + _LETTERS[_LETTERS.index(text[-1]) ^ 1]):
        verdict = judged(odd, options=options)
        assert (verdict.valid, [warning.code for warning in verdict.warnings]) == (True, ["non-canonical"])
        assert "non-canonical" in {each.code for each in Plug(**options).decode(odd, [KEY]).warnings}


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_a_part_of_the_padding(options: dict[str, str]) -> None:
    """Padding that is not whole is refused, as Elixir's base64 refuses it."""
    for count in range(3):
        text = made({"n": "a" * count}, options=options)
        size = len(text.rpartition(".")[2]) % 4
        for padding in {"=", "=="} - {"=" * (-size % 4)}:
            assert judged(text + padding, options=options).reason == "malformed"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("SFMyNTY.g3QAAAAA", id="no signature"),
        pytest.param("SFMyNTY.g3QAAAAA.abc.def", id="four parts"),
        pytest.param("SFMxOTI.g3QAAAAA.abc", id="another digest"),
        pytest.param("XCP.abc", id="too short"),
        pytest.param("XCP.!", id="no base64"),
        pytest.param("QTEyOEdDTQ.a.b.c", id="a part is missing"),
        pytest.param("QTEyOEdDTQ.YQ.YQ.YQ.YQ", id="parts that are cut"),
        pytest.param("SFMyNTY.é.é", id="beyond ASCII"),
    ],
)
def test_malformed(text: str) -> None:
    """A text without all its parts is malformed."""
    assert judged(text, options=SEALED).reason == "malformed"
    with pytest.raises(MalformedError):
        Plug(**SEALED).decode(text, [KEY])


@pytest.mark.parametrize("name", ["iterations", "key_length"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1e3", "99999999999", "²"])
def test_numbers_are_bounded(name: str, value: str) -> None:
    """The cost of a key is bounded, and an option that is no number is wrong usage."""
    with pytest.raises(UsageError):
        Plug(**SIGNED, **{name: value}).verify(made(), [KEY])


def test_short_key() -> None:
    """A key that is too short for the cipher is wrong usage, not a wrong key."""
    with pytest.raises(UsageError):
        Plug(**SEALED, key_length="16").encode({}, [KEY])


def test_unreadable_payload() -> None:
    """A genuine session that is no term (an own serializer) is shown as it is."""
    text = sign(b'{"a":1}', make_mac(Secret(KEY), "s", KeyParameters(), "sha256"))
    assert judged(text).valid
    decoded = Plug().decode(text)
    assert (decoded.data, decoded.payload_type) == ('{"a":1}', "text")
    assert [warning.code for warning in decoded.warnings] == ["unreadable"]


def test_with_flash() -> None:
    """A message is added where Phoenix keeps it."""
    data = {"a": 1, "phoenix_flash": {"info": "hi"}}
    assert Plug().with_flash(data, "error", "ho") == {"a": 1, "phoenix_flash": {"info": "hi", "error": "ho"}}
    assert Plug().with_flash({}, "info", "x") == {"phoenix_flash": {"info": "x"}}
    with pytest.raises(UsageError):
        Plug().with_flash([], "a", 1)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        pytest.param(made(), 0.95, 1.0, id="session"),
        pytest.param(made(options=SEALED), 0.95, 1.0, id="encrypted session"),
        pytest.param(made(options=TOKEN), 0.95, 1.0, id="token"),
        pytest.param("SFMyNTY.e30.abc", 0.0, 0.0, id="a signature of another size"),
        pytest.param("eyJhbGciOiJIUzI1NiJ9.e30.abc", 0.0, 0.0, id="a JWT"),
        pytest.param("XCP.x", 0.0, 0.0, id="too short"),
    ],
)
def test_detect(text: str, least: float, most: float) -> None:
    """A text is known by its first part and the sizes of the others."""
    assert least <= formats.get("plug").detect(text) <= most
