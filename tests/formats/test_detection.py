"""Detection: the corpus comes out first without keys, and what is no session cookie gets no confident name."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import SessionctlError
from sessionctl.identify import SURE, Setup, identify
from sessionctl.signing import KeyRing
from sessionctl.sources import read_cookie
from tests.cases import cookie_cases

# An ID alone carries nothing of the framework; a text that is cut or empty neither.
TELLING = [
    row for row in cookie_cases()
    if row["expect"] in ("valid", "expired") and row["format"] in formats.names() and row.get("cookie_value") != ""
]  # fmt: skip
UNTOLD = {"php"}  # a bare ID of 26 characters

NO_SESSION = {
    "a UUID": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "Google Analytics": "GA1.2.1033501218.1368477899",
    "Google Analytics 4": "GS1.1.1700000000.5.1.1700000300.0.0.0",
    "a hex digest": "9e107d9d372bb6826bd81d3542a419d6",
    "a SHA-256": "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592",
    "a CSRF token of Django": "vUqjbRyVLGCFzNzA1cvTYB9kRBQxQ4zaIjcvHfCg6FVrUMeBLkYjCZ9pnVz0bF9s",
    "an OAuth state": "af0ifjsldkj",
    "an OAuth code": "4/0AX4XfWjYZ1TQjYv3gG5w7mFh2m9QJXb1Jr3nM6ZkUe8c",
    "a Facebook pixel": "fb.1.1558571054389.1098115397",
    "a number": "1700000000",
    "a word": "accepted",
    "a language": "en-US",
    "consent": "CPzHq4APzHq4AAHABBENDPCsAP_AAH_AAAAAJrNf_X__b3_j-_59f_t0eY1P9_7_v-0zjhfdt-8N2f_X",
    "a JSON of settings": "%7B%22theme%22%3A%22dark%22%7D",
    "Cloudflare": "0HfYq8VpT1c9Yq2Y3mCk5o8m2Jr1wX0bS7eN4dLzGtU-1700000000-1.2.1.1-abcdefghijklmnop",
    "Stripe": "d5b7a2f0-8a3e-4c6b-9d1f-2e3a4b5c6d7e8f9a0b",
    "an e-mail": "user@example.com",
    "an IP address": "192.168.0.1",
    "a version": "1.2.3",
    "a date": "2026-01-31T12:00:00Z",
}


def first(row: dict[str, Any], *, keys: bool = False) -> str | None:
    """The format that comes out first."""
    source = read_cookie(row["input"], row.get("cookie_name"))
    ring = KeyRing.parse(row["keys"]) if keys and row.get("keys") else KeyRing()
    try:
        return identify(
            source, Setup(keys=ring, now=row.get("now"), cookie_name=row.get("cookie_name"))
        ).format.name
    except SessionctlError:
        return None


def test_corpus_without_keys() -> None:
    """At least 95 of 100 corpus cookies come out first without keys."""
    wrong = Counter[tuple[str, str | None]]()
    for row in TELLING:
        found = first(row)
        if found != row["format"]:
            wrong[row["format"], found] += 1
    share = 1 - sum(wrong.values()) / len(TELLING)
    assert share >= 0.95, f"{share:.3f}: {wrong.most_common()}"


@pytest.mark.parametrize("text", NO_SESSION.values(), ids=NO_SESSION)
def test_no_session(text: str) -> None:
    """Analytics, UUIDs, tokens and words are given no confident name."""
    found = formats.detect(text)
    assert not found or found[0][1] < SURE, found[:3]


def test_cookie_name_of_something_else() -> None:
    """The name does not turn a text into what it is not."""
    assert not [
        name
        for name, score in formats.detect("GA1.2.1033501218.1368477899", cookie_name="session")
        if score >= SURE
    ]


def test_rank_is_sorted() -> None:
    """`detect` gives the best first, and numbers from 0 to 1."""
    for row in TELLING[::50]:
        source = read_cookie(row["input"], row.get("cookie_name"))
        scores = [score for _, score in formats.detect(source.value or "", cookie_name=source.name)]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)
