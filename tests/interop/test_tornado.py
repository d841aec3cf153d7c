"""What Tornado writes is read, and what is written is read by Tornado."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import unquote

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEYS = {0: "key-zero", 1: "key-one-ü"}


@pytest.fixture
def web() -> Any:
    """Tornado's web module."""
    return pytest.importorskip("tornado.web")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("value", ["42", "", "Zoë 😀", "2|1:0|x|"])
def test_both_ways(web: Any, version: int, value: str) -> None:
    """A value goes both ways in both versions."""
    form = formats.get("tornado", version=str(version))
    ours = form.encode(value, [KEYS[1]], cookie_name="user")
    assert web.decode_signed_value(KEYS[1], "user", unquote(ours)) == value.encode()
    assert web.decode_signed_value(KEYS[1], "admin", unquote(ours)) is None
    theirs = web.create_signed_value(KEYS[1], "user", value, version=version).decode()
    assert form.verify(theirs, [KEYS[1]], cookie_name="user").valid
    assert not form.verify(theirs, [KEYS[1]], cookie_name="admin").valid
    assert form.decode(theirs).data == value


def test_key_versions(web: Any) -> None:
    """Key versions pick the key on both sides."""
    form = formats.get("tornado", key_versions="1,0")
    ring = [KEYS[1], KEYS[0]]
    assert web.decode_signed_value(KEYS, "user", unquote(form.encode("x", ring, cookie_name="user"))) == b"x"
    theirs = web.create_signed_value(KEYS, "user", "x", key_version=0).decode()
    assert form.verify(theirs, ring, cookie_name="user").key_index == 1
