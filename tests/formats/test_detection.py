"""Detection: the corpus comes out first without keys, and what is no session cookie gets no confident name."""

from __future__ import annotations

import random
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import SessionctlError
from sessionctl.formats import registry
from sessionctl.formats.registry import SURE
from sessionctl.identify import Setup, identify
from sessionctl.signing import KeyRing
from sessionctl.sources import Source, read_cookie
from sessionctl.unrecognised import SURELY
from tests.cases import cookie_cases
from tests.formats.no_session import NO_SESSION, SAME_TEXT

# An ID alone carries nothing of the framework; a text that is cut or empty neither.
TELLING = [
    row for row in cookie_cases()
    if row["expect"] in ("valid", "expired") and row["format"] in formats.names() and row.get("cookie_value") != ""
]  # fmt: skip
UNTOLD = {"php"}  # a bare ID of 26 characters


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
@pytest.mark.parametrize("name", [None, "session", "_ga", "token"])
def test_no_session(text: str, name: str | None) -> None:
    """Analytics, UUIDs, tokens and words are given no confident name, whatever their cookie is called."""
    found = formats.detect(text, cookie_name=name)
    assert not found or found[0][1] < SURE, found[:3]


@pytest.mark.parametrize("text", SAME_TEXT.values(), ids=SAME_TEXT)
def test_the_same_text(text: str) -> None:
    """What other programs write as a format does is named, but below the confidence of a mended text."""
    assert SURE <= formats.detect(text)[0][1] < SURELY


def test_random_bytes() -> None:
    """Base64 of random bytes, in either alphabet and padded or not, is given no confident name."""
    draw = random.Random(1)
    for _ in range(500):
        data = draw.randbytes(draw.choice((15, 16, 18, 20, 24, 32, 33, 48, 64, 65, 96, 128, 200)))
        for text in (b64encode(data), urlsafe_b64encode(data), urlsafe_b64encode(data).rstrip(b"=")):
            found = formats.detect(text.decode())
            assert not found or found[0][1] < SURE, (text, found[:3])


def test_cookie_name_of_something_else() -> None:
    """The name does not turn a text into what it is not."""
    assert not [
        name
        for name, score in formats.detect("GA1.2.1033501218.1368477899", cookie_name="session")
        if score >= SURE
    ]


@pytest.mark.parametrize(("name", "cookie_name"), [("flask", "session"), ("django", "sessionid")])
@pytest.mark.parametrize("damage", ["altered", "too large"])
def test_compressed_and_broken(name: str, cookie_name: str, damage: str) -> None:
    """What is compressed is known by its parts also where it cannot be read, so that the signature is judged."""
    text = formats.get(name).encode({"a": "b" * (200 if damage == "altered" else 3 << 20)}, ["s3cr3t"])
    if damage == "altered":
        text = f"{text[:12]}{'A' if text[12] != 'A' else 'B'}{text[13:]}"
    known = identify(Source(cookie_name, text), Setup(keys=KeyRing(["s3cr3t"])))
    reason = "bad-signature" if damage == "altered" else "malformed"
    assert (known.format.name, known.verdict.reason) == (name, reason)


def test_rank_is_sorted() -> None:
    """`detect` gives the best first, and numbers from 0 to 1."""
    for row in TELLING[::50]:
        source = read_cookie(row["input"], row.get("cookie_name"))
        scores = [score for _, score in formats.detect(source.value or "", cookie_name=source.name)]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)


def test_kin() -> None:
    """Of formats with default options only kin take the key of one another's texts for theirs."""
    settled = set[frozenset[str]]()
    for row in cookie_cases():
        if not row.get("keys") or row.get("options") or row["expect"] != "valid":
            continue
        source = read_cookie(row["input"], row.get("cookie_name"))
        setup = Setup(keys=KeyRing.parse(row["keys"]), now=row.get("now"))
        if source.value is not None:
            names = frozenset(name for name in formats.names() if _settles(name, source, setup))
            assert all(names <= set(registry.kin(name, source.value)) for name in names), names
            settled.add(names)
    assert {
        frozenset({"remix", "react-router", "fastify-cookie"}),
        frozenset({"jwt", "itsdangerous"}),
    } <= settled


def test_surest() -> None:
    """No format is surer of any text than it says it can be."""
    for row in cookie_cases():
        source = read_cookie(row["input"], row.get("cookie_name"))
        for name, score in formats.detect(source.value or "", cookie_name=source.name):
            assert score <= formats.get(name).surest, (row["id"], name)


def _settles(name: str, source: Source, setup: Setup) -> bool:
    try:
        return setup.open(name).judge(source.value or "", setup.context(name, source)).key_index is not None
    except SessionctlError:
        return False
