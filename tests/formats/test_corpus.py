"""Every cookie of the corpus is judged and read as its own framework did."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.formats.base import DEFAULT_MAX_AGE
from sessionctl.signing import KeyRing
from sessionctl.sources import read_cookie
from tests.cases import cookie_cases

REASONS = {
    "valid": {None},
    "bad-signature": {"bad-signature"},
    "expired": {"expired"},
    "malformed": {"malformed"},
}

CUT = re.compile(r"trunc|-cut|-no-|short")
"""Cases whose text was cut: their signature may also be malformed."""

CASES = [pytest.param(row, id=row["id"]) for row in cookie_cases() if row["format"] in formats.names()]


def judge(row: dict[str, Any]) -> tuple[formats.Verdict, formats.Format, str, dict[str, Any]]:
    """The verdict on a case, as the command line would come to it."""
    source = read_cookie(row["input"], row.get("cookie_name"))
    assert source.value is not None
    options = {name.replace("-", "_"): str(value) for name, value in (row.get("options") or {}).items()}
    form = formats.get(row["format"], **options)
    context = {
        "cookie_name": row.get("cookie_name"),
        "cookies": source.cookies,
        "now": row.get("now"),
        "max_age": DEFAULT_MAX_AGE if row.get("max_age") is None else row["max_age"],
    }
    ring = KeyRing.parse(row.get("keys") or [])
    return form.verify(source.value, ring, **context), form, source.value, {"keys": ring, **context}


def accepted(row: dict[str, Any]) -> set[str | None]:
    """The reasons that are right for a case."""
    words = row.get("accept") or [row["expect"]]
    reasons = set[str | None]().union(*(REASONS.get(word, {word}) for word in words))
    if not row.get("keys") and row["expect"] == "valid":
        return {"unsigned"}
    if not row.get("keys") and row["expect"] == "expired":
        return {"expired", "unsigned"}
    if "bad-signature" in words and CUT.search(row["id"]):
        reasons.add("malformed")
    return reasons


@pytest.mark.parametrize("row", CASES)
def test_verdict(row: dict[str, Any]) -> None:
    """The reason is the one that the framework gave, or one of those that are right."""
    verdict, *_ = judge(row)
    assert verdict.reason in accepted(row), verdict
    assert verdict.valid == (verdict.reason is None)


READABLE = [case for case in CASES if case.values[0]["expect"] in ("valid", "expired")]

UNTIMED = {"rails", "iron", "fastify-secure"}
"""Formats whose texts, but for some kinds of them, do not say when they were made, though the corpus knows."""


def says_the_same(row: dict[str, Any], data: Any) -> bool:
    """Whether data are those that the corpus records: None where a text was cleared, or bytes that are no text."""
    if row["input"].endswith("=") and row.get("cookie_value") == "":
        return data is None
    if row["data"] is None:  # Ruby objects are recorded as Ruby prints them
        return row["expect"] == "expired" or data == row.get("value_b64", row.get("session_data"))
    if row["id"] in ("h3-v1-expired", "h3-v2-expired"):  # the envelope is not recorded with these two
        data = data["data"]
    return bool(data == row["data"])


@pytest.mark.parametrize("row", READABLE)
def test_data(row: dict[str, Any]) -> None:
    """A genuine cookie says what the framework put into it."""
    _, form, text, context = judge(row)
    assert says_the_same(row, form.decode(text, **context).data)


@pytest.mark.parametrize("row", READABLE)
def test_what_stands_beside_the_data(row: dict[str, Any]) -> None:
    """The time, the ID and the flashed messages are those of the framework."""
    _, form, text, context = judge(row)
    decoded = form.decode(text, **context)
    stored = row.get("store") or row.get("session_data")  # a record has a time and messages of its own
    if row.get("issued_at") is not None and not stored:
        if decoded.issued_at is None:
            assert row["format"] in UNTIMED
        else:
            assert decoded.issued_at == pytest.approx(row["issued_at"], abs=1)
    if row.get("flash") is not None and not stored:
        assert decoded.flash == row["flash"]
    if row.get("session_id") is not None and text:
        assert decoded.id == row["session_id"]
