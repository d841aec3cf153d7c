"""What Django signs besides sessions."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import quote
from sessionctl.errors import NotSupportedError, UnserializableValueError, UsageError
from sessionctl.signing import Secret
from sessionctl.signing import django as signing

KEY = "django-insecure-!k3y_#for(tests)"
NOW = 1795423526
MESSAGES = formats.get("django-signed").example
MESSAGES_KEY = "old-key"
HELLO = [["__json_message", 0, 20, "hello", ""]]
DUMPS = "eyJhIjoxfQ:1xVPg1:90T1mMSMqBcjozUTs-SqNgGNStApUY2zYR33m5qjkmE"
SIGNER = "plain value:UG77wzzheqSr6fKN7iuaHuVHZdaBxDDjW_f6BODea8s"
COOKIE = "dark:1xVPfy:N99OQUwHV3jsY8Yqb-BjkR77WBG7edf7JIYTLUVgW30"
LEGACY = "dark:1xVPg1:6TkFnWBxVfybGbbMsIg6JRDYM585u0BoKPlllBe0e7w"
OLD_MESSAGES = r'"b851d1c5ca8a0522cb1713359436a19810f7f974$[[\"__json_message\"\0540\05420\054\"hello\"]]"'


def verify(text: str, key: str = KEY, cookie_name: str | None = None, **options: str) -> formats.Verdict:
    """The verdict shortly after the text was made."""
    return formats.get("django-signed", **options).verify(text, [key], now=NOW + 5, cookie_name=cookie_name)


@pytest.mark.parametrize(
    ("text", "options", "data", "flash", "issued_at"),
    [
        (DUMPS, {}, {"a": 1}, None, 1795423529),
        (DUMPS, {"kind": "TimestampSigner"}, "eyJhIjoxfQ", None, 1795423529),
        (MESSAGES, {"kind": "messages"}, HELLO, [{"level": "info", "message": "hello"}], NOW),
        (OLD_MESSAGES, {"kind": "messages"}, [HELLO[0][:4]], [{"level": "info", "message": "hello"}], None),
        (SIGNER, {"kind": "Signer"}, "plain value", None, None),
        (COOKIE, {"kind": "set_signed_cookie"}, "dark", None, NOW),
        ("a:b:c:1xVPfy:x", {"kind": "set_signed_cookie"}, "a:b:c", None, NOW),
        ("v/7lrhv", {"kind": "Signer", "separator": "/"}, "v", None, None),
        ("eyJhIjoxfQ:x", {"kind": "sign_object"}, {"a": 1}, None, None),
    ],
)
def test_decode(text: str, options: dict[str, str], data: Any, flash: Any, issued_at: float | None) -> None:
    """Each kind says what stands in it, without a key."""
    decoded = formats.get("django-signed", **options).decode(text)
    assert (decoded.data, decoded.flash, decoded.issued_at) == (data, flash, issued_at)


@pytest.mark.parametrize(
    ("text", "key", "cookie_name"),
    [
        (DUMPS, KEY, None),
        (MESSAGES, MESSAGES_KEY, None),
        (OLD_MESSAGES, KEY, None),
        (SIGNER, KEY, None),
        (COOKIE, KEY, "prefs"),
        (LEGACY, KEY, "prefs"),
    ],
)
def test_the_kind_shows_in_the_text(text: str, key: str, cookie_name: str | None) -> None:
    """Where no kind is given, the text is verified as what it looks like."""
    assert verify(text, key, cookie_name).valid


@pytest.mark.parametrize(
    ("text", "options", "cookie_name", "reason", "detail"),
    [
        (DUMPS, {"salt": "other"}, None, "bad-signature", "does not fit the key"),
        (DUMPS, {"kind": "messages"}, None, "bad-signature", "does not fit the key"),
        (DUMPS[:-1], {}, None, "bad-signature", "42 characters"),
        (DUMPS.replace("eyJhIjoxfQ", "eyK"), {}, "x", "bad-signature", "taken for kind=set_signed_cookie"),
        (COOKIE, {}, None, "bad-signature", "--cookie-name"),
        (COOKIE, {}, "other", "bad-signature", "does not fit"),
        (COOKIE, {"salt": "x"}, "prefs", "bad-signature", "does not fit"),
        (COOKIE, {"legacy-salt": "only"}, "prefs", "bad-signature", "does not fit"),
        (LEGACY, {"legacy-salt": "false"}, "prefs", "bad-signature", "does not fit"),
        (SIGNER, {"kind": "dumps"}, None, "malformed", "a value, a time and a signature"),
        ("nothing", {"kind": "Signer"}, None, "malformed", "a value and a signature"),
        (OLD_MESSAGES.replace("hello", "hallo"), {}, None, "bad-signature", "does not fit"),
    ],
)
def test_reasons(
    text: str, options: dict[str, str], cookie_name: str | None, reason: str, detail: str
) -> None:
    """Each way to be refused has its reason and a sentence that says what is wrong."""
    verdict = verify(
        text, KEY, cookie_name, **{name.replace("-", "_"): value for name, value in options.items()}
    )
    assert (verdict.valid, verdict.reason) == (False, reason)
    assert detail in verdict.detail


def test_no_key() -> None:
    """Without a key the answer is that one is needed, for old messages too."""
    form = formats.get("django-signed")
    assert {form.verify(text).reason for text in (DUMPS, OLD_MESSAGES, SIGNER)} == {"no-key"}


def test_age() -> None:
    """Nothing expires unless a limit is asked for, as `loads` and `get_signed_cookie` take one."""
    form = formats.get("django-signed", kind="dumps")
    assert form.verify(DUMPS, [KEY], now=NOW + 10**9).valid
    assert form.verify(DUMPS, [KEY], now=NOW + 100, max_age=60).reason == "expired"
    assert formats.get("django-signed", kind="Signer").verify(SIGNER, [KEY], now=1e12, max_age=1).valid


def test_the_salt_of_older_releases() -> None:
    """A cookie that the older salt verifies is genuine, with a warning."""
    assert [warn.code for warn in verify(LEGACY, cookie_name="prefs").warnings] == ["legacy-salt"]
    assert verify(LEGACY, cookie_name="prefs", legacy_salt="only").warnings == ()
    assert verify(COOKIE, cookie_name="prefs").warnings == ()


def test_messages_of_django_3_1() -> None:
    """Django 3.1 signed the JSON of the messages as it is."""
    mac = signing.signer(Secret(KEY), "django.contrib.messages", "sha256", signing.COOKIE_KEY_PREFIX)
    text = quote(signing.sign('[["__json_message",0,20,"hello",""]]:1xVPfy', mac))
    assert verify(text, kind="messages").valid
    assert formats.get("django-signed", kind="messages").decode(text).data == HELLO


@pytest.mark.parametrize("value", ["ü", "Ã¼", "é;日"])
@pytest.mark.parametrize("python", [2, 3])
def test_octal_escapes(value: str, python: int) -> None:
    """An escape is a character on Python 3 and a byte of UTF-8 on Python 2; both verify."""
    mac = signing.signer(Secret(KEY), "django.core.signing.TimestampSigner", "sha256")
    text = signing.sign(f"{value}:1xVPfy", mac)
    if python == 3:
        quoted = quote(text)
    else:
        raw = text.encode()
        quoted = (
            '"' + "".join(chr(byte) if byte < 128 and byte != 59 else f"\\{byte:03o}" for byte in raw) + '"'
        )
    assert verify(quoted, kind="TimestampSigner").valid


@pytest.mark.parametrize(
    ("options", "cookie_name", "data"),
    [
        ({"kind": "dumps"}, None, {"a": [1, "ü", None]}),
        ({"kind": "dumps", "salt": "mine", "digest": "sha1"}, None, "text"),
        ({"kind": "messages"}, "messages", [*HELLO, "__messagesnotfinished__"]),
        ({"kind": "messages"}, "messages", [HELLO[0]] * 30),
        ({"kind": "sign_object"}, None, [1, 2]),
        ({"kind": "Signer", "separator": "/", "digest": "sha512"}, None, "a/b;c"),
        ({"kind": "TimestampSigner"}, None, 'x y; z, "q" \\'),
        ({"kind": "set_signed_cookie", "salt": "extra"}, "prefs", "dark"),
        ({"kind": "set_signed_cookie", "legacy_salt": "only"}, "prefs", ""),
    ],
)
def test_round_trip(options: dict[str, str], cookie_name: str | None, data: Any) -> None:
    """What was encoded is verified and read back as it was."""
    form = formats.get("django-signed", **options)
    text = form.encode(data, [KEY], now=NOW, cookie_name=cookie_name)
    verdict = form.verify(text, [KEY], now=NOW, cookie_name=cookie_name)
    assert verdict.valid, verdict
    assert verdict.warnings == ()
    assert form.decode(text).data == data


@pytest.mark.parametrize(
    ("text", "key", "options", "cookie_name", "data"),
    [
        (MESSAGES, MESSAGES_KEY, {"kind": "messages"}, "messages", HELLO),
        (COOKIE, KEY, {"kind": "set_signed_cookie"}, "prefs", "dark"),
    ],
)
def test_encode_gives_the_bytes_of_django(
    text: str, key: str, options: dict[str, str], cookie_name: str, data: Any
) -> None:
    """The same data, key and time give the text that Django gave."""
    form = formats.get("django-signed", **options)
    assert form.encode(data, [key], now=NOW, cookie_name=cookie_name) == text


def test_encode_refuses() -> None:
    """A kind that signs text takes nothing else, and a signed cookie needs its name."""
    with pytest.raises(UsageError, match="text"):
        formats.get("django-signed", kind="Signer").encode({"a": 1}, [KEY])
    with pytest.raises(UsageError, match="cookie-name"):
        formats.get("django-signed", kind="set_signed_cookie").encode("x", [KEY])


@pytest.mark.parametrize("separator", ["", "a", "-", "=_"])
def test_unsafe_separator(separator: str) -> None:
    """A separator that base64 holds too is refused, as Django does."""
    with pytest.raises(UsageError, match="separator"):
        formats.get("django-signed", separator=separator)


def test_flash() -> None:
    """Messages go into the list before the word that more lie elsewhere; other kinds have none."""
    form = formats.get("django-signed", kind="messages")
    assert form.with_flash(["__messagesnotfinished__"], "error", "x") == [
        ["__json_message", 0, 40, "x", ""],
        "__messagesnotfinished__",
    ]
    assert form.decode(form.encode([], [KEY], flash={"warning": "w"})).flash == [
        {"level": "warning", "message": "w"}
    ]
    with pytest.raises(UnserializableValueError):
        form.with_flash({"a": 1}, "info", "x")
    with pytest.raises(NotSupportedError):
        formats.get("django-signed").with_flash([], "info", "x")


@pytest.mark.parametrize(
    ("text", "cookie_name", "low", "high"),
    [
        (MESSAGES, None, 0.95, 1.0),
        (OLD_MESSAGES, None, 0.95, 1.0),
        (COOKIE, None, 0.85, 0.95),
        (DUMPS, None, 0.4, 0.6),
        (DUMPS, "token", 0.85, 0.95),
        (DUMPS, "sessionid", 0.4, 0.6),
        (SIGNER, None, 0.4, 0.5),
        ("name:" + "0123456789abcdef" * 4, None, 0.0, 0.39),
        (f"{'0' * 40}$[1]", None, 0.0, 0.0),
        (f"{'0' * 40}$[", None, 0.0, 0.0),
        ("GA1.2.123.456", None, 0.0, 0.0),
        ("a:b", None, 0.0, 0.0),
        ("$", None, 0.0, 0.0),
        ("", None, 0.0, 0.0),
    ],
)
def test_detect(text: str, cookie_name: str | None, low: float, high: float) -> None:
    """Messages and signed values are known; objects are shared with sessions, and the name decides."""
    assert low <= formats.get("django-signed").detect(text, cookie_name=cookie_name) <= high
