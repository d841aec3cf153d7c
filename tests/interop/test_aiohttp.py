"""What aiohttp-session writes is read, and what is written is read by aiohttp-session."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.sources import read_cookie

pytestmark = [pytest.mark.interop, pytest.mark.slow]

RAW = bytes(range(32))
KEY = urlsafe_b64encode(RAW).decode()
DATA = {"user_id": 42, "name": "Zoë 😀; x", "list": [1, None, {"x": 1.5}]}


def storage(kind: str) -> Any:
    """The storage of aiohttp-session of that kind."""
    session = pytest.importorskip("aiohttp_session")
    if kind == "fernet":
        return pytest.importorskip("aiohttp_session.cookie_storage").EncryptedCookieStorage(KEY, max_age=600)
    if kind == "nacl":
        return pytest.importorskip("aiohttp_session.nacl_storage").NaClCookieStorage(RAW, max_age=600)
    return session.SimpleCookieStorage(max_age=600)


@pytest.mark.parametrize("kind", ["fernet", "nacl", "simple"])
def test_aiohttp_reads_it(kind: str) -> None:
    """A cookie made here gives aiohttp-session the same session."""
    utils = pytest.importorskip("aiohttp.test_utils")
    text = formats.get("aiohttp", kind=kind).encode(DATA, [KEY])
    request = utils.make_mocked_request("GET", "/", headers={"Cookie": f"AIOHTTP_SESSION={text}"})
    session = asyncio.run(storage(kind).load_session(request))
    assert dict(session) == DATA
    assert not session.new


@pytest.mark.parametrize("kind", ["fernet", "nacl", "simple"])
def test_it_reads_aiohttp(kind: str) -> None:
    """A cookie that aiohttp-session wrote verifies and says the same."""
    session = pytest.importorskip("aiohttp_session")
    web = pytest.importorskip("aiohttp.web")
    made, response = session.Session(None, data=None, new=True, max_age=600), web.Response()
    made.update(DATA)
    asyncio.run(storage(kind).save_session(None, response, made))
    source = read_cookie(response.cookies["AIOHTTP_SESSION"].OutputString())
    assert source.value is not None
    form = formats.get("aiohttp", kind=kind)
    assert form.decode(source.value, [KEY]).data == DATA
    verdict = form.verify(source.value, [KEY], max_age=600)
    assert verdict.reason == ("unsigned" if kind == "simple" else None), verdict
