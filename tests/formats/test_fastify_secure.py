"""The secretbox of @fastify/secure-session."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import percent_decode
from sessionctl.errors import BadSignatureError, NoKeyError, NotSupportedError, SecretError, UsageError

NOW = 1_795_423_788
KEY, OTHER = bytes(range(32)), bytes(32)
DATA = {"__ts": NOW, "user": "alice"}
FORMAT = formats.get("fastify-secure")


def verify(text: str, *keys: str | bytes, now: float = NOW, **context: Any) -> formats.Verdict:
    """The verdict, by default with the right key at the second of the last change."""
    return formats.get("fastify-secure").verify(text, keys or [KEY], now=now, **context)


@pytest.mark.parametrize("data", [DATA, {}, {"a": "ż😀", "b": [1, 2.5, None]}, {"user": "without a time"}])
def test_round_trip(data: dict[str, Any]) -> None:
    """What is sealed comes back as it was, under another nonce each time."""
    text = FORMAT.encode(data, [KEY])
    assert text != FORMAT.encode(data, [KEY])
    assert not set(text) & set(";+/=")
    decoded = FORMAT.decode(text, [KEY])
    assert (decoded.data, decoded.encrypted, decoded.issued_at) == (data, True, data.get("__ts"))
    assert verify(text).valid


@pytest.mark.parametrize(
    ("age", "max_age", "reason"),
    [
        (86400, -1.0, None),
        (86401, -1.0, "expired"),
        (59, 60, None),
        (60, 60, "expired"),
        (10**9, None, None),
        (-100, -1.0, None),
    ],
)
def test_expiry(age: float, max_age: float | None, reason: str | None) -> None:
    """A session has expired `expiry` seconds after `__ts`, to the second; it is readable all the same."""
    text = FORMAT.encode(DATA, [KEY])
    verdict = verify(text, now=NOW + age, max_age=max_age)
    assert (verdict.reason, verdict.issued_at) == (reason, NOW)
    assert FORMAT.decode(text, [KEY], now=NOW + age).data == DATA


@pytest.mark.parametrize("stamp", ["soon", None, True, 1e300])
def test_an_odd_time_never_expires(stamp: Any) -> None:
    """Where `__ts` is no date, JavaScript's comparison lets the session pass."""
    verdict = verify(FORMAT.encode({"__ts": stamp}, [KEY]), now=NOW * 2)
    assert (verdict.valid, verdict.issued_at) == (True, None)


def test_rotation() -> None:
    """Every key opens a box; an older one asks for a new box."""
    verdict = verify(FORMAT.encode(DATA, [KEY]), OTHER, KEY)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)


@pytest.mark.parametrize("place", [3, -3])
def test_a_changed_cookie_is_refused(place: int) -> None:
    """A change in the box or in the nonce is a bad signature."""
    text = percent_decode(FORMAT.encode(DATA, [KEY]))
    changed = ("A" if text[place] != "A" else "B").join((text[:place], text[place + 1 :]))
    assert verify(changed).reason == "bad-signature"
    with pytest.raises(BadSignatureError):
        FORMAT.decode(changed, [KEY])


def test_keys_are_needed() -> None:
    """Without a key the cookie says nothing; with another one it does not open."""
    text = FORMAT.encode(DATA, [KEY])
    assert FORMAT.verify(text).reason == "no-key"
    assert verify(text, OTHER).reason == "bad-signature"
    with pytest.raises(NoKeyError):
        FORMAT.decode(text)


@pytest.mark.parametrize("key", [bytes(31), bytes(33), "a short secret"])
def test_keys_that_cannot_be(key: str | bytes) -> None:
    """A key has 32 bytes and a secret at least as many; others are not tried and seal nothing."""
    assert verify(FORMAT.encode(DATA, [KEY]), key).reason == "wrong-key-type"
    assert verify(FORMAT.encode(DATA, [KEY]), key, KEY).key_index == 1
    with pytest.raises(SecretError):
        FORMAT.encode(DATA, [key])


@pytest.mark.parametrize(
    "text",
    [
        "AAAA",
        "AAAA;" + "A" * 32,
        "A" * 64 + ";AAAA",
        "A" * 64 + ";" + "A" * 31,
        "A" * 64 + ";" + "A" * 44,
        ";",
        "%zz",
        "\x00;\x00",
    ],
)
def test_malformed(text: str) -> None:
    """What has no box or no nonce of the right size is malformed."""
    assert verify(text).reason == "malformed"


def test_base64_is_read_as_node_reads_it() -> None:
    """Foreign characters do not count, and all ends at the first `=`; a warning tells of it."""
    box, nonce = percent_decode(FORMAT.encode(DATA, [KEY])).split(";")
    url_safe = box.replace("+", "-").replace("/", "_").rstrip("=")
    for text in (f"{url_safe};{nonce}", f"{box[:8]}!{box[8:]};{nonce}=AAAA", f"{box};{nonce};more"):
        verdict = verify(text)
        assert (verdict.valid, [warning.code for warning in verdict.warnings]) == (True, ["non-canonical"])
        assert "non-canonical" in {warning.code for warning in FORMAT.decode(text, [KEY]).warnings}
    assert not verify(f"{box};{nonce}").warnings


@pytest.mark.parametrize(
    ("content", "reason"), [("{", "malformed"), ("", "malformed"), ("[1]", None), ("null", None)]
)
def test_genuine_nonsense(content: str, reason: str | None) -> None:
    """A genuine box whose content is no session is told: no JSON is malformed, other JSON a warning."""
    from nacl.secret import SecretBox

    from sessionctl.encoding import b64encode

    sealed = SecretBox(KEY).encrypt(content.encode())
    verdict = verify(f"{b64encode(sealed.ciphertext)};{b64encode(sealed.nonce)}")
    assert verdict.reason == reason
    assert [warning.code for warning in verdict.warnings] == ([] if reason else ["no-session"])


def test_a_key_is_derived_only_where_it_must_be() -> None:
    """The slow key of a text secret is not made where a key of bytes fits, wherever it stands in the ring."""
    form = formats.get("fastify-secure")
    secret = "a secret of at least 32 bytes, as text"
    assert form.verify(form.encode(DATA, [KEY]), [secret, KEY], now=NOW).key_index == 1
    assert form._kept == {}


@pytest.mark.slow
def test_text_secrets() -> None:
    """The key of a text secret is Argon2id, with the built-in salt or another; a warning tells the price."""
    secret = "averylogphrasebiggerthanthirtytwochars"
    salted = formats.get("fastify-secure", salt="mysaltmysaltmysa")
    verdict = salted.verify(salted.encode(DATA, [secret]), [secret], now=NOW)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["slow-key"]
    assert verify(salted.encode(DATA, [secret]), secret).reason == "bad-signature"


@pytest.mark.parametrize("salt", ["short", "seventeen letters", "ż" * 16])
def test_a_salt_has_sixteen_characters(salt: str) -> None:
    """Another length, or a letter beyond ASCII, is wrong usage."""
    with pytest.raises(UsageError):
        formats.get("fastify-secure", salt=salt)


def test_flash() -> None:
    """Messages lie as @fastify/flash puts them: lists by kind in the member `flash`."""
    text = FORMAT.encode({"flash": {"info": ["one"]}}, [KEY], flash={"info": "two", "error": "no"})
    decoded = FORMAT.decode(text, [KEY])
    assert decoded.flash == {"info": ["one", "two"], "error": ["no"]}
    assert decoded.data == {"flash": decoded.flash}
    assert FORMAT.decode(FORMAT.encode({"flash": 1}, [KEY]), [KEY]).flash is None
    with pytest.raises(NotSupportedError):
        FORMAT.encode([], [KEY], flash={"info": "x"})


@pytest.mark.parametrize(
    ("text", "name", "low", "high"),
    [
        (FORMAT.example, "session", 0.95, 1.0),
        (FORMAT.example, None, 0.85, 0.94),
        (percent_decode(FORMAT.example), None, 0.85, 0.94),
        ("AAAA%3B" + "A" * 32, "session", 0.0, 0.0),
        ("a=b; c=d", None, 0.0, 0.0),
        ("%zz", None, 0.0, 0.0),
    ],
)
def test_detect(text: str, name: str | None, low: float, high: float) -> None:
    """A box and a nonce of 24 bytes tell the format."""
    assert low <= FORMAT.detect(text, cookie_name=name) <= high


def test_a_real_cookie_of_its_own_example() -> None:
    """The example of the help page opens with its throw-away key."""
    assert FORMAT.decode(FORMAT.example, [b"a throw-away key of 32 bytes, ok"]).data["userId"] == 42
