"""The stored sessions of the corpus: entries of stores, and what a cookie's case says about its store."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.cases import all_rows

_FIELDS = ("memory_entry_b64", "store_entry_b64")


def content_of(row: dict[str, Any]) -> bytes | None:
    """The bytes of a case's stored session, or None where it has none."""
    if row.get("store") and row.get("value_b64"):
        return base64.b64decode(row["value_b64"])
    for field in _FIELDS:
        if row.get(field):
            return base64.b64decode(row[field])
    if row.get("store_entry"):
        return json.dumps(row["store_entry"], ensure_ascii=False, separators=(",", ":")).encode()
    return None


def record_cases() -> list[dict[str, Any]]:
    """Every case that has a stored session."""
    return [row for row in all_rows() if content_of(row) is not None]


def is_malformed(row: dict[str, Any]) -> bool:
    """Whether the framework could not read the record."""
    return row.get("store_expect") == "malformed"


def session_of(row: dict[str, Any]) -> Any:
    """The session that the record holds; raises `KeyError` where the case does not tell."""
    if row["id"] == "scs-mixed":  # what the corpus marks with bytes: are bytes
        return {
            name: value.removeprefix("bytes:") if isinstance(value, str) else value
            for name, value in row["data"].items()
        }
    if row["framework"] == "php-native-session" and "php-types" in row["id"]:
        raise KeyError(row["id"])  # objects, which the corpus does not show
    if "session_data" in row:
        return row["session_data"]
    if row.get("input") or row["data"] is None:
        raise KeyError(row["id"])
    return row["data"]
