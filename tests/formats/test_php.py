"""PHP's cookie holds an ID alone; its records say the rest."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import MalformedError, NotSupportedError, UsageError
from sessionctl.formats.php import Php
from tests.cases import rows

ID = Php.example


def test_decode() -> None:
    """The data of the cookie are the ID."""
    decoded = Php().decode(ID)
    assert (decoded.data, decoded.id, decoded.signed) == (ID, ID, False)


@pytest.mark.parametrize("keys", [[], ["any"]])
def test_never_signed(keys: list[str]) -> None:
    """Nothing is signed, so no key can verify it."""
    assert Php().verify(ID, keys).reason == "unsigned"


@pytest.mark.parametrize("text", ["a" * 257, "a" * 25 + "_", "a" * 30 + "%00", "%zz" + "a" * 30, "ż" * 26])
def test_malformed(text: str) -> None:
    """What PHP would not take as an ID is malformed."""
    assert Php().verify(text).reason == "malformed"
    with pytest.raises(MalformedError):
        Php().decode(text)


def test_short() -> None:
    """An ID that session_id() set may be shorter than any that PHP makes; only its cookie's name tells whose it is."""
    assert Php().decode("cart-7").id == "cart-7"
    assert Php().verify("cart-7").reason == "unsigned"
    assert Php().detect("cart-7", cookie_name="PHPSESSID") > 0.5
    assert Php().detect("cart-7") == 0


def test_comma_is_percent_encoded() -> None:
    """PHP percent-encodes the comma that an ID may have, and takes it back."""
    text = Php().encode("a,b" + "c" * 23)
    assert "%2C" in text
    assert Php().decode(text).id == "a,b" + "c" * 23


def test_encode() -> None:
    """The ID is the cookie; where the data are a session, the ID beside them is."""
    assert Php().encode(ID) == ID
    assert Php().encode({"user": "mj"}, id=ID) == ID


@pytest.mark.parametrize(("data", "identity"), [({}, None), ("a b", None), ("", None), ({}, "a/b")])
def test_encode_without_id(data: Any, identity: str | None) -> None:
    """There is no cookie without an ID that PHP would take."""
    with pytest.raises(UsageError):
        Php().encode(data, id=identity)


def test_no_flash() -> None:
    """PHP has no flash messages of its own."""
    with pytest.raises(NotSupportedError):
        Php().with_flash({}, "notice", "hi")


@pytest.mark.parametrize(
    ("text", "name", "lowest", "highest"),
    [
        (ID, "PHPSESSID", 0.85, 1.0),
        (ID, None, 0.1, 0.3),
        ("d41d8cd98f00b204e9800998ecf8427e", None, 0.1, 0.3),
        ("550e8400-e29b-41d4-a716-446655440000", None, 0.0, 0.1),
        ("GA1.2.123.456", "PHPSESSID", 0.0, 0.0),
    ],
)
def test_detect(text: str, name: str | None, lowest: float, highest: float) -> None:
    """An ID could be anybody's: only the cookie's name tells."""
    assert lowest <= Php().detect(text, cookie_name=name) <= highest


SYMFONY = rows("symfony")


@pytest.mark.parametrize("row", SYMFONY, ids=[row["id"] for row in SYMFONY])
def test_symfony_record(row: dict[str, Any]) -> None:
    """Of a record of Symfony the attributes are the data; flashes and time of creation stand beside them."""
    decoded = Php().decode_record(base64.b64decode(row["value_b64"]))
    assert decoded.data == row["session_data"]
    assert decoded.flash == row["flash"]
    assert decoded.issued_at == pytest.approx(row["issued_at"], abs=1)


def test_symfony_flashes() -> None:
    """Symfony's flashes are lists by type."""
    record = b'_symfony_flashes|a:1:{s:6:"notice";a:1:{i:0;s:2:"hi";}}_sf2_meta|a:1:{s:1:"c";i:5;}'
    decoded = Php().decode_record(record)
    assert (decoded.data, decoded.flash, decoded.issued_at) == ([], {"notice": ["hi"]}, 5.0)


def test_record_of_one_handler() -> None:
    """With the handler named, only its layout is taken."""
    assert Php().decode_record(b"a|i:1;", handler="php").data == {"a": 1}
    with pytest.raises(MalformedError):
        Php().decode_record(b"a|i:1;", handler="php_serialize")


def test_registered() -> None:
    """The registry finds the format by its name."""
    assert isinstance(formats.get("php"), Php)
