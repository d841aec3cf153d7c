"""The corpus as tests read it: one object a line, one file per framework (see tests/corpus/README.md)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "corpus"


@cache
def rows(file: str) -> list[dict[str, Any]]:
    """The objects of one file. Lines end in LF alone: data may hold other line breaks."""
    text = (FOLDER / f"{file}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def all_rows() -> list[dict[str, Any]]:
    """Every cookie and store case; not the traces."""
    files = sorted(path.stem for path in FOLDER.glob("*.jsonl") if path.stem != "remix3-traces")
    return [row for file in files for row in rows(file)]


def cookie_cases(name: str | None = None) -> list[dict[str, Any]]:
    """The cases that are a cookie, of one format or of all."""
    return [row for row in all_rows() if row.get("input") and name in (None, row["format"])]


def store_cases() -> list[dict[str, Any]]:
    """The cases that are an entry of a framework's store."""
    return [row for row in all_rows() if row.get("store") and row.get("value_b64")]
