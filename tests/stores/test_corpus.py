"""Every stored session of the corpus is read as its framework reads it: by itself, and by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl.errors import MalformedError
from sessionctl.signing import KeyRing
from sessionctl.stores import StoredRecord, read_record
from tests.cli.conftest import Answer
from tests.stores.cases import content_of, is_malformed, record_cases, session_of

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., Answer]

CASES = record_cases()
READABLE = [pytest.param(row, id=row["id"]) for row in CASES if not is_malformed(row)]
BROKEN = [pytest.param(row, id=row["id"]) for row in CASES if is_malformed(row)]

SHARED = {"json", "pickle", "msgpack", "marshal"}
"""Formats of records that several frameworks write just the same."""

ALSO = {"fastify-cookie": "express", "cookie-session": "koa"}
"""Cookies whose sessions lie in the store of another name."""


def read(row: dict[str, Any], name: str | None = None) -> StoredRecord:
    content = content_of(row)
    assert content is not None
    return read_record(
        content,
        name,
        keys=KeyRing.parse(row.get("keys") or []),
        cookie_name=row.get("cookie_name"),
        options=row.get("options") or {},
        now=row.get("now"),
    )


@pytest.mark.parametrize("named", [False, True], ids=["by its bytes", "by its name"])
@pytest.mark.parametrize("row", READABLE)
def test_data(row: dict[str, Any], named: bool) -> None:
    """The session is what the framework kept, whether or not its name is told."""
    record = read(row, row["format"] if named else None)
    try:
        expected = session_of(row)
    except KeyError:
        return
    assert record.data == expected


@pytest.mark.parametrize("row", READABLE)
def test_format(row: dict[str, Any]) -> None:
    """The bytes tell the framework; where several write the same, it is one of those named."""
    record = read(row)
    wanted = ALSO.get(row["format"], row["format"])
    if record.format in SHARED:
        assert wanted in record.candidates
    else:
        assert wanted in (record.format, *record.candidates) or record.format == "symfony"


@pytest.mark.parametrize("row", READABLE)
def test_verdict(row: dict[str, Any]) -> None:
    """A signed record is genuine or not as the framework found; one without signature is never refused."""
    record = read(row)
    if row["expect"] == "bad-signature":
        assert record.verdict is not None
        assert record.verdict.reason in ("bad-signature", "malformed")
        assert record.as_json()["signature"]["status"] == "invalid"
    else:
        assert record.genuine


@pytest.mark.parametrize("row", READABLE)
def test_end(row: dict[str, Any]) -> None:
    """What the record itself says about its end is told."""
    expired = row.get("store_expect", row["expect"]) == "expired"
    if expired and "valid" in (row.get("accept") or []):
        return  # the end stands in a column beside it
    assert read(row).is_expired(row.get("now") or 0) is expired


@pytest.mark.parametrize("row", BROKEN)
def test_broken(row: dict[str, Any]) -> None:
    """What the framework could not read is refused."""
    with pytest.raises(MalformedError):
        read(row)


@pytest.mark.parametrize("source", ["file", "-"])
@pytest.mark.parametrize("row", READABLE)
def test_command(row: dict[str, Any], source: str, run: Run, tmp_path: Path) -> None:
    """`decode --record` gives the same from a file and from standard input."""
    content = content_of(row)
    assert content is not None
    (tmp_path / "record").write_bytes(content)
    where = [str(tmp_path / "record")] if source == "file" else ["-"]
    keys = [word for key in row.get("keys") or [] for word in ("--secret", key)]
    options = [
        word for name, value in (row.get("options") or {}).items() for word in ("-O", f"{name}={value}")
    ]
    answer = run("decode", "--json", "--record", *where, *keys, *options, stdin=content)
    assert answer.status == (1 if row["expect"] == "bad-signature" else 0)
    assert answer.json["data"] == json.loads(json.dumps(read(row).data))
    assert {
        "format",
        "id",
        "data",
        "flash",
        "issued_at",
        "encrypted",
        "signed",
        "payload_type",
    } <= answer.json.keys()


@pytest.mark.parametrize("content", [b"", b"\n"], ids=["psql", "redis-cli"])
def test_nothing_on_standard_input(run: Run, content: bytes) -> None:
    """Where a query has found no record that is said; only of PHP nothing may be a session."""
    for options in ([], ["-f", "django"]):
        answer = run("decode", "--record", "-", *options, stdin=content)
        assert (answer.status, answer.out) == (3, "")
        assert "standard input is empty" in answer.err
    for name in ("php", "symfony"):
        assert run("decode", "--record", "-", "-f", name, stdin=content).json == []
