"""What Litestar writes is read, and what is written is read by Litestar."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import unquote
from sessionctl.sources import read_cookie

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY = bytes(range(32))
DATA = {"user_id": 42, "name": "Zoë 😀; x", "list": [1, None, {"x": 1.5}]}


def backend() -> Any:
    """Litestar's cookie backend under the key."""
    module = pytest.importorskip("litestar.middleware.session.client_side")
    config = module.CookieBackendConfig(secret=KEY)
    return module.ClientSideSessionBackend(config)


@pytest.mark.parametrize("key", [KEY, KEY[:24], KEY[:16]])
def test_litestar_reads_it(key: bytes) -> None:
    """A cookie made here gives Litestar the same session."""
    module = pytest.importorskip("litestar.middleware.session.client_side")
    theirs = module.ClientSideSessionBackend(module.CookieBackendConfig(secret=key))
    text = formats.get("litestar").encode(DATA, [key])
    assert theirs.load_data([unquote(text).encode()]) == DATA


@pytest.mark.parametrize("length", [1, 5000, 20_000])
def test_it_reads_litestar(length: int) -> None:
    """A cookie that Litestar wrote verifies and says the same, cut into parts or whole."""
    data = {**DATA, "long": "x" * length}
    message: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}

    class Connection:
        cookies: dict[str, str] = {}  # noqa: RUF012 - never changed
        scope: dict[str, Any] = {}  # noqa: RUF012 - never changed

    asyncio.run(backend().store_in_message(data, message, Connection()))
    pairs = [header.decode().partition(";")[0] for name, header in message["headers"]]
    source = read_cookie(f"Cookie: {'; '.join(pairs)}", "session")
    assert source.value is not None
    form = formats.get("litestar")
    assert form.verify(source.value, [KEY]).valid
    assert form.decode(source.value, [KEY]).data == data
