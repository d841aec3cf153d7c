"""gorilla/securecookie's cookies are read, judged and made as it does."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import (
    BadSignatureError,
    CookieTooLargeError,
    MalformedError,
    NoKeyError,
    NotSupportedError,
    SecretError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.formats.gorilla import Gorilla
from sessionctl.signing import KeyRing
from tests.cases import rows

KEY = "an example hash key, 32 bytes ok"
OLD = "another hash key"
BLOCK = "base64:" + base64.b64encode(b"block-key-16-bts").decode()
OTHER_BLOCK = "block-key-32-bytes-long-block-ke"
NOW = 1_795_425_273
SESSION = {"user": "alice", "visits": 3, "_flash": ["hi"]}


def made(data: Any = SESSION, key: str = KEY, name: str | None = "sess", **options: str) -> str:
    """A cookie text made now."""
    return Gorilla(**options).encode(data, [key], cookie_name=name, now=NOW)


def judged(text: str, key: str = KEY, name: str | None = "sess", now: float = NOW, **options: str) -> Any:
    """The verdict on a text."""
    return Gorilla(**options).verify(text, [key], cookie_name=name, now=now)


def inside(text: str) -> bytes:
    """What the outer base64 holds."""
    return base64.urlsafe_b64decode(text)


def outside(data: bytes) -> str:
    """The reverse of `inside`."""
    return base64.urlsafe_b64encode(data).decode()


def test_example() -> None:
    """The example of the help page is genuine under a usual name, and of the key that the tests name."""
    assert Gorilla().decode(Gorilla.example).data == {"user": "alice", "visits": 3}
    assert Gorilla().verify(Gorilla.example, [KEY], cookie_name="session", now=NOW).valid


def test_quotes_are_taken_off() -> None:
    """Double quotes around the value do not count: net/http takes them off before securecookie sees it."""
    quoted = f'"{Gorilla.example}"'
    assert Gorilla().decode(quoted).data == {"user": "alice", "visits": 3}
    assert Gorilla().verify(quoted, [KEY], cookie_name="session", now=NOW).valid
    assert Gorilla().detect(quoted) == Gorilla().detect(Gorilla.example)


@pytest.mark.parametrize("block", [{}, {"block_key": BLOCK}, {"block_key": OTHER_BLOCK}])
@pytest.mark.parametrize("digest", ["sha256", "sha512", "sha384", "sha1", "md5"])
@pytest.mark.parametrize(
    ("options", "data", "kind"),
    [
        ({}, SESSION, "gob"),
        ({"serializer": "gob"}, "A" * 52, "gob"),
        ({"serializer": "json"}, {"a": "<é&\u2028>", "b": [1.5, None]}, "json"),
        ({"serializer": "nop"}, "AP8g", "bytes"),
    ],
)
def test_round_trip(
    block: dict[str, str], digest: str, options: dict[str, str], data: Any, kind: str
) -> None:
    """What is made of data says these data, whatever the options, and is genuine."""
    settings = {**block, "digest": digest, **options}
    text = made(data, **settings)
    decoded = Gorilla(**settings).decode(text)
    assert (decoded.data, decoded.payload_type, decoded.issued_at) == (data, kind, NOW)
    assert decoded.encrypted == bool(block)
    assert judged(text, **settings).valid


def test_serializer_is_told_by_the_payload() -> None:
    """Without the option gob and JSON are both read; with it only the one that was asked for."""
    text = made({"a": 1}, serializer="json")
    assert judged(text).valid
    assert judged(text).value == '{"a":1}'
    assert Gorilla().decode(text).payload_type == "json"
    assert judged(text, serializer="gob").reason == "malformed"
    assert judged(made(), serializer="json").reason == "malformed"


def test_keys() -> None:
    """Any key verifies, an older one means re-signing; none that fits, or none at all, is told."""
    text = made()
    verdict = Gorilla().verify(text, [OLD, KEY], cookie_name="sess", now=NOW)
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)
    assert judged(text, OLD).reason == "bad-signature"
    assert Gorilla().verify(text, cookie_name="sess").reason == "no-key"
    with pytest.raises(NoKeyError):
        Gorilla().encode({})


def test_name_is_signed() -> None:
    """The signature covers the cookie's name; of a bare value the usual names are tried."""
    verdict = judged(made(), name="other")
    assert verdict.reason == "bad-signature"
    assert "covers the cookie's name too, here 'other'" in verdict.detail
    assert judged(made(name="session-name"), name=None).valid
    verdict = judged(made(), name=None)
    assert verdict.reason == "bad-signature"
    assert "name" in verdict.detail


@pytest.mark.parametrize(
    ("later", "max_age", "reason"),
    [
        (0, None, None),
        (2_592_000, "default", None),
        (2_592_000.9, "default", None),
        (2_592_001, "default", "expired"),
        (10**9, None, None),
        (10**9, 0, None),
        (11, 10, "expired"),
        (-(10**6), "default", None),
    ],
)
def test_age(later: float, max_age: Any, reason: str | None) -> None:
    """30 days unless told otherwise, in whole seconds; 0 and none set no limit; the future passes."""
    context = {} if max_age == "default" else {"max_age": max_age}
    verdict = Gorilla().verify(made(), [KEY], cookie_name="sess", now=NOW + later, **context)
    assert (verdict.reason, verdict.expired, verdict.issued_at) == (reason, reason == "expired", NOW)


def test_expired_text_still_says_its_data() -> None:
    """Decoding does not ask how old a text is."""
    assert Gorilla().decode(made(), now=NOW + 10**9).data == SESSION


BROKEN: list[tuple[str, str]] = [
    ("too few parts", outside(b"1795425273|aGk=")),
    ("no base64", "MTc5!!!!"),
    ("standard alphabet", "MTc5NTQyNTI3M3x+/+8="),
    ("no padding", "MTc5NTQyNTI3M3x8eA"),
    ("more padding than Go reads", made() + "="),
    ("beyond ASCII", "MTc5é==="),
    ("too long", "M" * 4100),
]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in BROKEN])
def test_broken(text: str) -> None:
    """What securecookie could not take apart is malformed."""
    assert judged(text).reason == "malformed"
    if len(text) < 4096:
        with pytest.raises(MalformedError):
            Gorilla().decode(text)


@pytest.mark.parametrize("date", [b"", b"now", b"9" * 19, b"1.5", b"\xd9\xa1"])
def test_broken_date(date: bytes) -> None:
    """A date that is no number of seconds is malformed, be it genuine."""
    from sessionctl.signing.mac import Hmac

    signed = date + b"|" + inside(made()).split(b"|")[1]
    assert judged(outside(signed + b"|" + Hmac(KEY.encode()).digest(b"sess|" + signed))).reason == "malformed"


def test_mac_with_a_bar() -> None:
    """The mac is raw bytes and may hold the bar that parts the others."""
    texts = (made({"n": n}) for n in range(1000))
    text = next(text for text in texts if b"|" in inside(text)[-32:])
    assert judged(text).valid
    assert judged(outside(inside(text)[:-1])).reason == "bad-signature"


def test_block_key() -> None:
    """Without the block key an encrypted text says nothing; with another one it says nonsense."""
    text = made(block_key=BLOCK)
    with pytest.raises(NoKeyError, match="block-key"):
        Gorilla().decode(text)
    with pytest.raises(BadSignatureError):
        Gorilla(block_key=OTHER_BLOCK).decode(text)
    for options in ({}, {"block_key": OTHER_BLOCK}):
        verdict = judged(text, **options)
        assert verdict.reason == "malformed"
        assert verdict.detail.startswith("signed by the key")
    assert judged(made("", serializer="nop"), block_key=BLOCK, serializer="nop").reason == "malformed"


@pytest.mark.parametrize("value", ["short", "hex:00", "hex:zz"])
def test_wrong_block_key(value: str) -> None:
    """A block key that AES does not take, or that cannot be read, is wrong usage."""
    with pytest.raises((UsageError, SecretError)):
        Gorilla(block_key=value)


def test_id_of_a_store() -> None:
    """The cookies of stores hold an ID of 52 characters; other text is no ID."""
    assert Gorilla().decode(made("A" * 52)).id == "A" * 52
    assert Gorilla().decode(made("just a string")).id is None


RECORDS = [row for row in rows("gorilla") if row.get("store") and row.get("session_data")]


@pytest.mark.parametrize("row", RECORDS, ids=[row["id"] for row in RECORDS])
def test_record(row: dict[str, Any]) -> None:
    """A file of FilesystemStore is the text of a cookie of the same name."""
    form = Gorilla(**{name.replace("-", "_"): value for name, value in row["options"].items()})
    record = base64.b64decode(row["value_b64"])
    assert form.decode_record(record, KeyRing.parse(row["keys"])).data == row["session_data"]
    with pytest.raises(MalformedError):
        form.decode_record(b"\xff")


def test_flash() -> None:
    """Flashes are lists: the view shows gorilla's own key, and a message goes under the key that is given."""
    assert Gorilla().decode(made()).flash == ["hi"]
    assert Gorilla().decode(made({"a": 1})).flash is None
    assert Gorilla().with_flash(SESSION, "_flash", "again")["_flash"] == ["hi", "again"]
    assert Gorilla().with_flash(SESSION, "errors", "bad")["errors"] == ["bad"]
    assert SESSION["_flash"] == ["hi"]
    with pytest.raises(NotSupportedError):
        Gorilla().with_flash("A" * 52, "notice", "hi")


@pytest.mark.parametrize(
    ("data", "options"),
    [({"a": 2**64}, {}), (b"", {}), ({"a": 1}, {"serializer": "nop"}), ("é", {"serializer": "nop"})],
)
def test_unwritable(data: Any, options: dict[str, str]) -> None:
    """What Go could not have is refused."""
    with pytest.raises(UnserializableValueError):
        made(data, **options)


def test_too_large() -> None:
    """The library writes no text of more than 4096 characters."""
    with pytest.raises(CookieTooLargeError):
        made({"a": "x" * 4000})


@pytest.mark.parametrize("options", [{}, {"block_key": BLOCK}, {"digest": "sha512"}, {"serializer": "nop"}])
def test_detect(options: dict[str, str]) -> None:
    """Date, value and mac under the base64 are distinctive, also where the value is encrypted."""
    text = made("AP8g" if options.get("serializer") else SESSION, **options)
    assert Gorilla().detect(text) > 0.95
    assert formats.get("gorilla").detect(text) == Gorilla().detect(text)


@pytest.mark.parametrize(
    "text",
    [
        "MTIzNDU2Nzg5MA==",
        "MTc5NTQyNTI3M3xhR2k9fHh4",
        "550e8400-e29b-41d4-a716-446655440000",
        "M" * 64,
        outside(b"17|aGk=|" + b"x" * 32),
        outside(b"1795425273|a.k=|" + b"x" * 32),
        "GA1.2.123.456",
    ],
)
def test_not_detected(text: str) -> None:
    """Other base64, IDs and dates that cannot be are not taken for it."""
    assert Gorilla().detect(text) == 0
