"""Encrypted records of express-session's stores, as session-file-store and connect-memcached wrote them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sessionctl.errors import BadSignatureError, MalformedError, NoKeyError
from sessionctl.stores import read_record

_FILE = (
    "eyJobWFjIjoiXG5NwqDDmFhcdTAwMWV7RC5Ow5dEXCJQw4RewpZcdTAwMTjCnXFcdTAwMGLDocOJw43Dj3nDpcOaXHUwMDAw"
    "Qlx1MDAwMcO6dMK7d2HCp3PCocKOXHUwMDAww7XCmETCo8OWwo/DnsK5wqBcdTAwMDDDn8KDwojCtT4sYcK5Zlx1MDAwMcKO"
    "wrlcdTAwMTAiLCJjdCI6IsOTQnlse8K7ZMK4M1bDgk7CoTBnIEx6XHUwMDFlw6ROwoBcdTAwMWVcZsK4w7jCgMK4wqgndMKl"
    "wo7CtsKnPMKHR8KxwoY0ZCFmw49twoZkwqdcdTAwMDRcIsOtwo1JwrRcdTAwMDHDoFx1MDAwYklfaMO5wqjDgMKTXHUwMDFm"
    "wrrDtVx1MDAxZlx1MDAxZsKMw5HCrFc9wqDCkFx1MDAwMMOvw6dcdTAwMTZKw4jCpFx1MDAxZcKKwqDDl19ZYsOwXHLDqcKa"
    "XHUwMDBiw6RTa8Ocw4jCqsK2wpLDs8OILiB4YEIyXHUwMDFmwpF7wr1cdTAwMDbCvMKawoVgN1x1MDAxZMOnwppcdFtcdTAw"
    "MTTCjFx1MDAwMXvDh8KbOE5ZXHUwMDA0alx1MDAwYlx1MDAwZcOhwpB2w4XDozvCvFxmwoM3S8Kzw4U6w5XClcKNwrvDoFx1"
    "MDAxZlx1MDAxY8OqcHNsdsKUWcKzw4HDqnR3QHUww5PCtjRcIsOww5EiLCJpdiI6eyJ0eXBlIjoiQnVmZmVyIiwiZGF0YSI6"
    "WzYzLDExOCw4NCwxNCwyMTcsMjIzLDgsMTQ5LDIxNywxMTYsMjE1LDE2OF19LCJzYWx0Ijp7InR5cGUiOiJCdWZmZXIiLCJk"
    "YXRhIjpbMzQsMjA4LDI0NiwxNTUsNTYsNzksOTQsMjEsOSwxMzYsMjM4LDE5Niw0NCwyMjIsMjAwLDIyOCw0NSwxMDUsMTMs"
    "MTIsMjIwLDIzNCw3Niw1NSwyMDMsMTU1LDE1MywxOTIsMjI4LDE5MSwxMzAsOTMsNzAsMjIwLDExNywyMTIsMjExLDIxMSwx"
    "MjgsMjUxLDExMiwxNTQsMjQxLDEwOCwxMDgsNjksMTIyLDEwNSwxNzAsMjAwLDEzMiwxMzUsMTgwLDE2NiwyMDgsMTIwLDMs"
    "ODYsNjcsMTc0LDE1LDIzMSwyNDgsNzYsODYsNTQsNTEsMjEwLDU4LDIzMywxMjcsNDYsNDksNTgsODQsMjE2LDE1MywxODYs"
    "MjE2LDEwOCwxMDQsMjA0LDIzNiwyMDMsMTY4LDgzLDE5LDIwMCw3MSwxNDAsMTIyLDM2LDcyLDIxNiwxNjUsMTM5LDksMTc3"
    "LDIzMyw3MiwzOCwxOTgsMTEzLDEyNCwyNDIsMjI0LDExMCw5MiwyMDIsMTIxLDYzLDgwLDQ4LDI0NiwyNDcsMTM0LDM5LDEx"
    "MSwxNiwxODAsNDcsMTU1LDEwNSw1LDEyNCwyMjEsODEsNDJdfSwiYWFkIjoiw4FcdTAwMThNwpBkLi90PkJITMKcZ1x1MDAw"
    "N8KRw5XCsMOxXHUwMDAww4BswpZGLcKLUzTDn3DDvcKKw7DDgkfCt1FSMMOmWWnDrinCiMOwwqA4wrPDsMOTXcOqw4lcdTAw"
    "MDNcdTAwMGIyPcOgwrxEwqBow4siLCJhdCI6eyJ0eXBlIjoiQnVmZmVyIiwiZGF0YSI6WzIxNywyMzcsMTIsMjAzLDIzNSwx"
    "NjQsMTI0LDE1MSwxMjQsMTY5LDEzOSwyNDYsMzcsMjE5LDIyLDE4N119fQ=="
)
"""session-file-store 1.5.0 with kruptein 2.2.3, secret `file-secret`, in base64."""

_MEMCACHED = (
    "MIICKgSB0E9qV3NGSHYvVFBHNVJZWDUxcEt0ZmtMa3NZeHBRM2twYk9jRzd1amZhVTN2QjJYSXFFV3E2clJHSkNQZXJ5Rkdm"
    "N2hZUjI1dVp3Ykd4bGYxNlhpL1d6RVQ5L0N1c2VraFYvcXRqaHdnQlJ1UXNBMUtJY3hadi9nbjNFVzA0RXlUQ0txRGRwdHVF"
    "aHNPVUJkWlRMdHFmMXRGdjJ1U3BQTGZXeks4OUkrS2twTDlvQ2NjTGdiNWltbXlGQ3lEUlBQa0dsN1hNWUViREFkKzd4MlcE"
    "WGdwV1NVdmwva3hGenh2L0MxMkpNVU1iZE9BZmpFS1EwcEs5bkVsN291cnNLTS8xL3NacG82a1gyL1RFS1F0UWVZS1NPdzVa"
    "K2pqSVJPZXg0cGcwNWtRPT0EDBbr7O3xStidQL0mcgSBgHTm6Rh8dOxfibTS9HPVobzt4S9eukC2KjYOhIx/g8BaR9WO2rEj"
    "6X0EIRTG71/lMQ+5RrZcyUFxCpAHHJ++g6WUTDDkSc54eDOOPrnBP2P07pnPcFGd/Z1zKB/4Dnupk8UoVOpCGwUsOemmZXI0"
    "3P7sAOa8t2Ng+s/ds9ydolwdBBBpstxlbkL6RiWn6aQjhXOFBFh1VERnRWJhQ0FIYTg2ckdTODkwYWVZdGlMRXVtSjk0TUJZ"
    "Umo1dG5IWHNkNEZDb3lQM3ppQjBFd1ljTmlPbzBpYUZDRlczUVYyMDhndWtGMHBQNlloZz09"
)
"""connect-memcached 3.0.0 with kruptein 3.1.7, secret `S3cr3t!!LongKEY99`."""

FILE, FILE_SECRET = base64.b64decode(_FILE), "file-secret"
MEMCACHED, MEMCACHED_SECRET = _MEMCACHED.encode(), "S3cr3t!!LongKEY99"
SESSION = {"user": "alice", "visits": 3, "name": "Zażółć 😀"}

BOTH = pytest.mark.parametrize(
    ("content", "secret"),
    [
        pytest.param(FILE, FILE_SECRET, id="session-file-store"),
        pytest.param(MEMCACHED, MEMCACHED_SECRET, id="connect-memcached"),
    ],
)


@BOTH
@pytest.mark.parametrize("name", [None, "express"])
def test_read(content: bytes, secret: str, name: str | None) -> None:
    """The store's secret opens the record, also as an older key of a ring."""
    record = read_record(content, name, keys=["newer", secret])
    assert record.data == SESSION
    assert record.encrypted
    assert record.status == "valid"
    assert record.verdict is not None
    assert record.verdict.key_index == 1


def test_end_of_file() -> None:
    """A file ends an hour after its last access, where its cookie sets no age."""
    assert read_record(FILE, keys=[FILE_SECRET]).expires_at == 1795425808 + 3600


@BOTH
def test_no_key(content: bytes, secret: str) -> None:
    """Without a key it stays closed, and that is said."""
    with pytest.raises(NoKeyError):
        read_record(content)


@BOTH
def test_wrong_key(content: bytes, secret: str) -> None:
    """A wrong key does not open it."""
    with pytest.raises(BadSignatureError):
        read_record(content, keys=[f"{secret}x"])


def _changed(member: str) -> bytes:
    value: dict[str, Any] = json.loads(FILE)
    if isinstance(value[member], dict):
        value[member]["data"][0] ^= 1
    else:
        value[member] = chr(ord(value[member][0]) ^ 1) + value[member][1:]
    return json.dumps(value).encode()


@pytest.mark.parametrize("member", ["ct", "hmac", "iv", "salt", "aad", "at"])
def test_changed(member: str) -> None:
    """A change in any part is seen."""
    with pytest.raises(BadSignatureError):
        read_record(_changed(member), keys=[FILE_SECRET])


@pytest.mark.parametrize("count", range(0, len(MEMCACHED), 37))
def test_cut(count: int) -> None:
    """A record that was cut is no record."""
    with pytest.raises(MalformedError):
        read_record(MEMCACHED[:count], "express", keys=[MEMCACHED_SECRET])


@pytest.mark.parametrize(
    "member",
    [
        {"iv": {"type": "Buffer", "data": [300]}},
        {"iv": {"type": "Buffer", "data": ["a"]}},
        {"iv": None},
        {"ct": 5},
        {"ct": "😀"},
        {"salt": {"type": "Buffer", "data": [0] * 5000}},
        {"at": {"type": "Buffer", "data": []}},
    ],
    ids=repr,
)
def test_hostile_envelope(member: dict[str, Any]) -> None:
    """Parts of the wrong kind or size are refused before any key is derived."""
    content = json.dumps({**json.loads(FILE), **member}).encode()
    with pytest.raises(MalformedError):
        read_record(content, keys=[FILE_SECRET])
