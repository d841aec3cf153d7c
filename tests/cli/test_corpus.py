"""Every corpus cookie through the command line, as a person would give it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionctl import formats
from tests.cases import cookie_cases
from tests.cli.conftest import Answer
from tests.formats.test_corpus import accepted, says_the_same

Run = Callable[..., Answer]

CASES = [row for row in cookie_cases() if row["format"] in formats.names()]
STATUS = {None: 0, "malformed": 3}


def options_of(row: dict[str, Any], *, named: bool) -> list[str]:
    """What the corpus README says to give."""
    words = ["-f", row["format"]] if named else []
    for name, value in (row.get("options") or {}).items():
        words += ["-O", f"{name}={value}"]
    for secret in row.get("keys") or []:
        words += [f"--secret={secret}"]
    if row.get("now") is not None:
        words += [f"--now={row['now']}"]
    if row.get("max_age") is not None:
        words += [f"--max-age={row['max_age']}s"]
    if row["input"].startswith("Cookie:"):
        words += [f"--cookie-name={row['cookie_name']}"]
    return words


@pytest.mark.parametrize("name", sorted({row["format"] for row in CASES}))
def test_verify(run: Run, name: str) -> None:
    """`verify --json` gives the right reason and exit status for every case of a format."""
    wrong = []
    for row in CASES:
        if row["format"] != name:
            continue
        answer = run("verify", "--json", *options_of(row, named=True), "--", row["input"])
        told = answer.json
        reason = told.get("reason") if "error" not in told else told["error"]["code"]
        if reason not in accepted(row) or answer.status != STATUS.get(reason, 1):
            wrong.append((row["id"], answer.status, told))
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("name", sorted({row["format"] for row in CASES}))
def test_verify_without_format(run: Run, name: str) -> None:
    """With the right key and no `-f`, a genuine cookie is found to be genuine and of its own format."""
    wrong = []
    rows = [row for row in CASES if row["format"] == name and row["expect"] == "valid" and row.get("keys")]
    for row in rows:
        if row.get("options") or row.get("cookie_value") == "":
            continue
        told = run("verify", "--json", *options_of(row, named=False), "--", row["input"]).json
        if not told.get("valid") or told["format"] != name:
            wrong.append((row["id"], told))
    assert len(wrong) <= len(rows) // 20, wrong[:5]


@pytest.mark.parametrize("name", sorted({row["format"] for row in CASES}))
def test_decode(run: Run, name: str) -> None:
    """`decode --json` gives the data of every genuine case, and of every expired one."""
    wrong = []
    for row in CASES:
        if row["format"] == name and row["expect"] in ("valid", "expired"):
            answer = run("decode", "--json", *options_of(row, named=True), "--", row["input"])
            if answer.status != 0 or not says_the_same(row, answer.json["data"]):
                wrong.append((row["id"], answer.status, answer.out[:300], str(row["data"])[:300]))
    assert not wrong, (len(wrong), wrong[:4])


@pytest.mark.parametrize("name", sorted({row["format"] for row in CASES}))
def test_inspect(run: Run, name: str) -> None:
    """`inspect` says in its first line whether a cookie is genuine, and ends 0 only where it is."""
    for row in [row for row in CASES if row["format"] == name and row.get("keys")][::3]:
        answer = run("inspect", *options_of(row, named=True), "--", row["input"])
        verdict = run("verify", "--json", *options_of(row, named=True), "--", row["input"])
        assert "Traceback" not in answer.err
        assert answer.status in ((0,) if verdict.status == 0 else (1, 3)), (row["id"], answer)
