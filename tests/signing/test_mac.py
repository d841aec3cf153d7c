"""HMAC with its state prepared."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionctl.signing.mac import Hmac


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@given(key=st.binary(max_size=300), messages=st.lists(st.binary(max_size=200), min_size=1, max_size=3))
def test_the_tag_is_that_of_the_standard_library(digest: str, key: bytes, messages: list[bytes]) -> None:
    """One prepared HMAC gives the standard library's tag for every message, keys over a block included."""
    mac = Hmac(key, digest)
    assert [mac.digest(message) for message in messages] == [
        hmac.digest(key, message, digest) for message in messages
    ]


@given(key=st.binary(max_size=80), message=st.binary(max_size=80), bit=st.integers(0, 255))
def test_one_bit_makes_another_tag(key: bytes, message: bytes, bit: int) -> None:
    """`verify` takes the tag and no other."""
    mac = Hmac(key)
    tag = mac.digest(message)
    other = bytearray(tag)
    other[bit // 8] ^= 1 << bit % 8
    assert mac.verify(message, tag)
    assert not mac.verify(message, bytes(other))
    assert not mac.verify(message, tag[:-1])
