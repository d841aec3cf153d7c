"""Every cookie of the corpus is judged and read as its own framework did."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import RefusedError, SessionctlError
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


@pytest.mark.parametrize("row", [case for case in CASES if case.values[0]["expect"] in ("valid", "expired")])
def test_data(row: dict[str, Any]) -> None:  # noqa: C901 - one rule for each oddity of a row
    """A genuine cookie says what the framework put into it."""
    if row.get("quirk") and row["expect"] not in (row.get("accept") or [row["expect"]])[:1]:
        pytest.skip("depends on a fault of the framework")
    _, form, text, context = judge(row)
    try:
        decoded = form.decode(text, **context)
    except RefusedError:
        assert row["expect"] == "expired"
        return
    except SessionctlError:
        assert "malformed" in (row.get("accept") or [])
        return
    if text == "":
        assert decoded.data is None  # a cleared cookie says nothing
        return
    if row["data"] is None and row["expect"] == "expired":
        return  # what it said is not recorded
    if row["data"] is None and row.get("value_b64"):
        assert decoded.data == row["value_b64"]  # bytes that are no text
        return
    if row["data"] is None and row["format"] == "rails" and "session_data" in row:
        assert decoded.data == row["session_data"]  # Ruby objects, as Ruby prints them
        return
    if row["id"] in ("h3-v1-expired", "h3-v2-expired"):
        assert decoded.data["data"] == row["data"]  # h3's envelope is not recorded with these two
        return
    assert decoded.data == row["data"]
    if row["format"] == "rails":
        return  # when it was made is not in the text
    if row["format"] in ("iron", "fastify-secure") and decoded.issued_at is None:
        return  # only h3, and secure-session since 7.3, write when it was made
    if (
        row.get("issued_at") is not None and not row.get("store") and not row.get("session_data")
    ):  # a record has a time of its own
        assert decoded.issued_at == pytest.approx(row["issued_at"], abs=1)
    if row.get("session_id") is not None:
        assert decoded.id == row["session_id"]
