"""What Bottle writes is read, and what is written is read by Bottle."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sessionctl import formats

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Bottle 0.13 about values that are no text
]

KEY = "clé-日本"
VALUES = ["text", {"a": [1, None, 2.5], "é": "😀"}, [1, 2], 2**70]


@pytest.fixture(scope="module")
def bottle() -> Any:
    """The module."""
    return pytest.importorskip("bottle")


@pytest.mark.parametrize("digest", ["sha256", "md5"])
@pytest.mark.parametrize("value", VALUES)
def test_both_ways(bottle: Any, value: Any, digest: str) -> None:
    """A signed cookie is read and verified on both sides."""
    form = formats.get("bottle", digest=digest)
    method = getattr(hashlib, digest)
    response = bottle.BaseResponse()
    response.set_cookie("account", value, secret=KEY, digestmod=method)
    header = next(line for name, line in response.headerlist if name == "Set-Cookie")
    text = header.partition("=")[2].partition(";")[0]
    assert form.decode(text).data == value
    assert form.verify(text, [KEY], cookie_name="account").valid

    made = form.encode(value, [KEY], cookie_name="account")
    request = bottle.BaseRequest({"HTTP_COOKIE": f"account={made}"})
    assert request.get_cookie("account", secret=KEY, digestmod=method) == value
    assert request.get_cookie("account", secret="other", digestmod=method) is None
