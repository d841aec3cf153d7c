"""Tornado's signed cookies, versions 1 and 2."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import quote
from sessionctl.errors import MalformedError, UsageError
from sessionctl.signing.mac import Hmac

KEY = "tornado-cookie-secret-0123456789"
NOW = 1795423923
V2 = formats.get("tornado").example
V1 = "NDI=|1795423924|f515d988d9e403c344bec5a9a144b9e98c48bccf"
DAY = 86400


def version_1(value: str, stamp: str, name: str = "user") -> str:
    """A text of version 1 that is signed rightly, whatever it holds."""
    return f"{value}|{stamp}|{Hmac(KEY.encode(), 'sha1').digest(f'{name}{value}{stamp}'.encode()).hex()}"


def version_2(*fields: str, head: str = "2") -> str:
    """A text of version 2 that is signed rightly, whatever it holds."""
    message = f"{head}|" + "".join(f"{len(field.encode())}:{field}|" for field in fields)
    return message + Hmac(KEY.encode()).digest(message.encode()).hex()


def verify(text: str, keys: list[str] | None = None, **more: Any) -> formats.Verdict:
    """The verdict on a cookie named `user`, with Tornado's defaults."""
    context = {"now": NOW, "cookie_name": "user", **more}
    return formats.get("tornado").verify(text, [KEY] if keys is None else keys, **context)


def test_decode() -> None:
    """The value is text and not parsed, even where it is JSON."""
    decoded = formats.get("tornado").decode(V2)
    assert decoded.data == '{"user_id": 42, "username": "alice"}'
    assert (decoded.issued_at, decoded.payload_type, decoded.algorithm) == (NOW, "text", "HMAC-SHA256")
    decoded = formats.get("tornado").decode(f'"{V1}"')
    assert (decoded.data, decoded.issued_at, decoded.algorithm) == ("42", NOW + 1, "HMAC-SHA1")


def test_bytes_are_base64() -> None:
    """A value that is no UTF-8 is shown as base64."""
    decoded = formats.get("tornado").decode(version_1("AAH+/3w6", str(NOW)))
    assert (decoded.data, decoded.payload_type) == ("AAH+/3w6", "bytes")


@pytest.mark.parametrize("text", [V1, V2, quote(V1), version_2("0", str(NOW), "user", "")])
def test_genuine(text: str) -> None:
    """Both versions are genuine, quoted or not, and the name is checked."""
    verdict = verify(text)
    assert verdict.valid, verdict
    assert verdict.warnings == ()
    assert verdict.expires_at is not None
    assert verdict.expires_at - (verdict.issued_at or 0) == 31 * DAY


def test_any_key_verifies() -> None:
    """Without key versions the version in the cookie is ignored, as Tornado does with a plain secret."""
    verdict = verify(version_2("7", str(NOW), "user", "NDI="), ["new", KEY])
    assert (verdict.valid, verdict.key_index, verdict.needs_resign) == (True, 1, True)


@pytest.mark.parametrize(
    ("text", "more", "reason", "detail"),
    [
        (V2, {"keys": []}, "no-key", "secret"),
        (V1, {"keys": []}, "no-key", "secret"),
        (V2, {"keys": ["other"]}, "bad-signature", "does not fit the key"),
        (V2, {"cookie_name": "admin"}, "bad-signature", "signed by the key, but for a cookie named 'user'"),
        (V1, {"cookie_name": "admin"}, "bad-signature", "does not fit the key"),
        (V1, {"cookie_name": None}, "bad-signature", "name=value"),
        (V2.replace("NDI", "NDM"), {"keys": ["x"]}, "bad-signature", "does not fit"),
        (V2[:-1], {}, "bad-signature", "63 characters in place of 64"),
        (V2[:-64], {}, "bad-signature", "0 characters in place of 64"),
        (V2[:-64] + V2[-64:].upper(), {}, "bad-signature", "does not fit"),
        (V2, {"now": NOW + 31 * DAY + 1}, "expired", "1 second ago"),
        (V1, {"now": NOW + 120, "max_age": 60}, "expired", "59 seconds ago"),
        (version_1("NDI=", str(NOW + 31 * DAY + 1)), {}, "malformed", "digits moved"),
        (version_1("NDI=", f"0{NOW}"), {}, "malformed", "digits moved"),
        (version_1("NDI", str(NOW)), {}, "malformed", "base64"),
        (version_1("NDI=", "now"), {}, "malformed", "no number"),
        (version_1("NDI=", ""), {}, "malformed", "no number"),
        (version_2("0", "1_0", "user", "NDI="), {}, "malformed", "no number"),
        (version_2("0", "9" * 5000, "user", "NDI="), {}, "malformed", "no number"),
        (version_2("0", str(NOW), "user", "NDI"), {}, "malformed", "base64"),
        (version_2("0", str(NOW), "user", "NDI=", head="3"), {}, "malformed", "no version 3"),
        ("NDI=|1795423924", {}, "malformed", "version 1 has"),
        ("a|b|c|d", {}, "malformed", "version 1 has"),
        ("2|1:0|10:1795423924|", {}, "malformed", "length before it"),
        ("2|1:0|11:1795423924|x", {}, "malformed", "as long as"),
        ("2|-1:0|", {}, "malformed", "length before it"),
        ("2|" + "9" * 17 + ":0|", {}, "malformed", "as long as"),
        ("2|1:x|1:1|1:n|0:|x", {}, "malformed", "no number"),
        ("\ud800|1|x", {}, "malformed", "surrogate"),
        ("none", {}, "malformed", "version 1 has"),
    ],
)
def test_reasons(text: str, more: dict[str, Any], reason: str, detail: str) -> None:
    """Each way to be refused has its reason and a sentence that says what is wrong."""
    verdict = verify(text, **more)
    assert (verdict.valid, verdict.reason) == (False, reason), verdict
    assert detail in verdict.detail


def test_a_long_number_is_the_value_of_version_1() -> None:
    """A number of more than three digits before the first bar is no version."""
    assert verify(version_1("1234", str(NOW))).valid
    assert verify(version_1("999", str(NOW))).reason == "malformed"


def test_the_future() -> None:
    """Version 2 does not mind a time in the future, and version 1 not one of up to 31 days."""
    assert verify(version_2("0", str(NOW + 99 * DAY), "user", "NDI=")).valid
    assert verify(version_1("NDI=", str(NOW + 31 * DAY))).valid


def test_name_unknown() -> None:
    """Without the name of the cookie version 2 is genuine, with a warning."""
    assert [warn.code for warn in verify(V2, cookie_name=None).warnings] == ["name-unchecked"]


def test_key_versions() -> None:
    """With key versions the one that the cookie names alone may verify."""
    form = formats.get("tornado", key_versions="2,1,0")
    text = version_2("1", str(NOW), "user", "NDI=")
    assert form.verify(text, ["a", KEY, "c"], now=NOW).key_index == 1
    assert form.verify(text, [KEY, "b", "c"], now=NOW).reason == "bad-signature"
    unknown = form.verify(version_2("3", str(NOW), "user", "NDI="), [KEY, "b", "c"], now=NOW)
    assert (unknown.reason, "key version 3" in unknown.detail) == ("bad-signature", True)
    assert "no key version" in form.verify(V1, [KEY, "b", "c"], now=NOW).detail
    assert form.verify(text, [], now=NOW).reason == "no-key"
    with pytest.raises(UsageError, match="names 3 keys"):
        form.verify(text, [KEY], now=NOW)
    assert form.encode("x", [KEY, "b", "c"], now=NOW).startswith('"2|1:2|')


@pytest.mark.parametrize("versions", ["a", "1,", "-1", "1,٣"])
def test_wrong_key_versions(versions: str) -> None:
    """Key versions are numbers."""
    with pytest.raises(UsageError, match="key-versions"):
        formats.get("tornado", key_versions=versions)


def test_min_version() -> None:
    """A cookie of version 1 is refused where version 2 is asked for, though its signature fits."""
    form = formats.get("tornado", min_version="2")
    assert form.verify(V1, [KEY], now=NOW, cookie_name="user").reason == "malformed"
    assert form.verify(V2, [KEY], now=NOW, cookie_name="user").valid


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("data", ["42", "", "Zoë-日本-😀", "2|1:0|x:y|"])
def test_round_trip(version: str, data: str) -> None:
    """What was encoded is verified and read back as it was."""
    form = formats.get("tornado", version=version)
    text = form.encode(data, [KEY], now=NOW, cookie_name="näme")
    assert form.verify(text, [KEY], now=NOW, cookie_name="näme").valid
    assert form.decode(text).data == data


def test_encode() -> None:
    """The text is Tornado's; an object becomes JSON; base64 becomes the bytes that it stands for."""
    form = formats.get("tornado")
    assert form.encode('{"user_id": 42, "username": "alice"}', [KEY], now=NOW, cookie_name="user") == V2
    assert form.encode({"user_id": 42, "username": "alice"}, [KEY], now=NOW) == V2
    raw = formats.get("tornado", value_encoding="base64", version="1").encode("AAH+/3w6", [KEY], now=NOW)
    assert form.decode(raw).data == "AAH+/3w6"
    assert form.decode(raw).payload_type == "bytes"
    with pytest.raises(UsageError, match="surrogate"):
        form.encode("\ud800", [KEY])
    with pytest.raises(MalformedError, match="the data"):
        formats.get("tornado", value_encoding="base64").encode("?", [KEY])


@pytest.mark.parametrize(
    ("text", "cookie_name", "low", "high"),
    [
        (V2, None, 0.95, 1.0),
        (V2, "user", 0.95, 1.0),
        (V2, "admin", 0.85, 0.94),
        (quote(V1), None, 0.85, 0.94),
        ("alice|" + "0" * 128, "remember_token", 0.0, 0.0),
        ("a|b|c", None, 0.0, 0.0),
        ("2|a|b", None, 0.0, 0.0),
        ("||", None, 0.0, 0.0),
        (V1 + "é", None, 0.0, 0.0),
    ],
)
def test_detect(text: str, cookie_name: str | None, low: float, high: float) -> None:
    """Both versions are known by their structure."""
    assert low <= formats.get("tornado").detect(text, cookie_name=cookie_name) <= high
