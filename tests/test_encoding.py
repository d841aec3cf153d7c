"""Base64 as the frameworks write and read it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionctl.encoding import (
    b64decode,
    b64decode_lenient,
    b64decode_urlsafe,
    b64encode,
    b64encode_tag,
    b64encode_urlsafe,
    b64encode_urlsafe_tag,
)
from sessionctl.errors import MalformedCookieError

if TYPE_CHECKING:
    from collections.abc import Callable


@given(st.binary(max_size=100))
def test_base64_is_that_of_the_standard_library(data: bytes) -> None:
    """Both alphabets, with and without padding, each way."""
    padded, urlsafe = base64.b64encode(data), base64.urlsafe_b64encode(data)
    assert b64encode(data) == padded.decode()
    assert b64encode_tag(data) == padded.rstrip(b"=")
    assert b64encode_urlsafe(data) == urlsafe.decode().rstrip("=")
    assert b64encode_urlsafe_tag(data) == urlsafe.rstrip(b"=")
    assert b64decode(b64encode(data)) == b64decode(b64encode(data).rstrip("=")) == data
    assert b64decode_urlsafe(urlsafe.decode()) == b64decode_urlsafe(b64encode_urlsafe(data)) == data


@given(st.text(st.sampled_from("AQz9-_+/= \u00e9\u0105"), max_size=12))
def test_lenient_is_as_python_reads_it(text: str) -> None:
    """As itsdangerous and Django decode: padding by the length, then `urlsafe_b64decode`."""
    raw = text.encode("ascii", "ignore")
    try:
        wanted = base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    except ValueError:
        with pytest.raises(MalformedCookieError):
            b64decode_lenient(text)
    else:
        assert b64decode_lenient(text) == wanted


@pytest.mark.parametrize(
    ("decode", "text"),
    [
        pytest.param(b64decode, "-_-_", id="the other alphabet"),
        pytest.param(b64decode_urlsafe, "+/+/", id="the standard alphabet"),
        pytest.param(b64decode_urlsafe, "-_+/", id="both alphabets"),
        pytest.param(b64decode, "A", id="one character"),
        pytest.param(b64decode, "QQ=", id="too little padding"),
        pytest.param(b64decode, "QUJD=", id="padding that nothing asks for"),
        pytest.param(b64decode, "Q===", id="three of padding"),
        pytest.param(b64decode, "QQ==QQ==", id="two texts"),
        pytest.param(b64decode, "QU JD", id="white space"),
        pytest.param(b64decode_urlsafe, "QU\u00e9", id="beyond ASCII"),
    ],
)
def test_strict(decode: Callable[[str], bytes], text: str) -> None:
    """What no encoder writes is refused."""
    with pytest.raises(MalformedCookieError):
        decode(text)
