"""Of a cookie that was cut, `verify` and `inspect` say the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from sessionctl import formats
from tests.cases import cookie_cases
from tests.cli.conftest import Answer

Run = Callable[..., Answer]

ROWS = 2
"""Cookies of each format; more find nothing that these do not."""

LONG_ENOUGH = 30


def _rows(name: str) -> Iterator[dict[str, Any]]:
    whole = (
        row for row in cookie_cases(name) if row["expect"] == "valid" and len(row["input"]) > LONG_ENOUGH
    )
    return islice(whole, ROWS)


def _cut(text: str) -> Iterator[str]:
    """A cookie without its last characters: some, all of a signature, half of it."""
    size = len(text)
    for end in sorted(
        {size - 1, size - 2, size - 5, size - 12, size - 20, size - 28, size * 2 // 3, size // 2}
    ):
        yield text[:end]


def _words(row: dict[str, Any]) -> list[str]:
    words = [word for key, value in (row.get("options") or {}).items() for word in ("-O", f"{key}={value}")]
    if row.get("now") is not None:
        words += ["--now", str(row["now"])]
    if row["input"].startswith("Cookie:"):
        words += ["--cookie-name", row["cookie_name"]]
    return words


def _reason(answer: Answer) -> str | None:
    said = json.loads(answer.out)
    if "error" in said:
        return str(said["error"]["code"])
    reason: str | None = said["reason"] if "reason" in said else said["signature"]["reason"]
    return reason


@pytest.mark.parametrize("words", [["inspect"], ["verify", "--secret", "k"], ["decode"]])
def test_a_token_without_its_signature(run: Run, words: list[str]) -> None:
    """A JWT of which only the header and the payload are left is told as cut, not taken for another framework's."""
    token = formats.get("jwt").encode({"sub": "mj"}, ["k" * 32]).rpartition(".")[0]
    answer = run(*words, f"session={token}")
    assert answer.status == 3
    assert "this has two: its signature was cut off" in answer.err + answer.out
    judged = run("doctor", f"session={token}; Path=/; HttpOnly; Secure; SameSite=Lax").out
    assert judged.startswith("error: cut: a token has three parts, and this has two")
    assert "unknown-format" not in judged


@pytest.mark.parametrize("name", formats.names())
def test_verify_and_inspect_agree(name: str, run: Run) -> None:
    """Wherever a cookie ends too early, with keys and without, the format named or found: one reason."""
    for row in _rows(name):
        keys = [word for key in row["keys"] or () for word in ("--secret", key)]
        for text in _cut(row["input"]):
            for more in ([], keys, ["-f", name], ["-f", name, *keys]):
                words = ["--json", *_words(row), *more, "--", text]
                verified, inspected = run("verify", *words), run("inspect", *words)
                assert _reason(verified) == _reason(inspected), (row["id"], len(text), more)
                if keys and more[-2:] == keys[-2:]:
                    assert (verified.status == 0) == (inspected.status == 0), (row["id"], len(text), more)


FLASK = (  # of Flask 3.1.3
    ".eJxVz70OQDAYBdB3uXMliip9FREROiAGf5N4dyL5uF3Pdk507brDVScWuFhhmw447L6NYlzqVc2qRRPWRDRlTUUz1kzUsBrRnDUXtaxWtGAtREvW8l"
    "sEOf3vwt7zqxWOza_N0D84j7hudRhSwQ.awpeCA.zU9mxx2LJ8TTm_qWrJcBDTgtEIw"
)
DJANGO = "eyJ1c2VyX2lkIjoibWoifQ:1xXAQC:2kramqqiPANacl2rTZhhMgJsZxoa0kdh25lBxx_NzQU"  # of Django 5.2.19
STARLETTE = "eyJ1c2VyX2lkIjogIm1qIn0=.awpeCA.Kbqvz4s4Lzu88qd3Cxq3akuNuL4"  # of Starlette 1.10.0
EXPRESS = "s%3Acpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx.GkROtRRiwVq8PRjeg%2F3HNCczOPK%2Bs3itCuMFawWFK38"  # of express-session
JWT_HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (FLASK[:155], "flask"),
        (FLASK[:154], "flask"),
        (FLASK[:150], "flask"),
        (FLASK[:148], "flask"),
        (FLASK[:147], "flask or django"),
        (f"session={FLASK[:147]}", "flask"),
        (f"sessionid={FLASK[:147]}", "django"),
        (FLASK[:80], "flask or django"),
        (DJANGO[:30], "django"),
        (DJANGO[:29], "django"),
        (DJANGO[:23], "django"),
        (f"sessionid={DJANGO[:22]}", "django"),
        (STARLETTE[:31], "starlette"),
    ],
)
def test_cut_before_its_signature(text: str, named: str, run: Run) -> None:
    """What has lost its signature, or its time too, is told as what it is the beginning of, by each command alike."""
    for command in ("decode", "verify", "inspect", "doctor"):
        answer = run(command, text)
        assert answer.status == 3
        assert f"look like a cookie of {named} which was cut" in answer.err, command


@pytest.mark.parametrize("text", [JWT_HEADER, f"{JWT_HEADER}.eyJ1", DJANGO[:21], ".eJxVz70"])
def test_beginning_of_much_else(text: str, run: Run) -> None:
    """The header of a JWT, plain JSON and what is too short are given no name."""
    assert "which was cut" not in run("inspect", text).err


@pytest.mark.parametrize("text", [FLASK[:-1], FLASK[:156], DJANGO[:-1], DJANGO[:31]])
def test_decode_of_a_cut_signature(text: str, run: Run) -> None:
    """`decode`, which mends nothing, tells of a part of a signature too that the cookie was cut."""
    answer = run("decode", text)
    assert (answer.status, "which was cut" in answer.err) == (3, True)


@pytest.mark.parametrize(
    "text", [EXPRESS[:-6], EXPRESS[:-12], EXPRESS[:40], EXPRESS[:36], "connect.sid=s%3AID.gQv", "s:ID.abc"]
)
def test_cut_cookie_of_express(text: str, run: Run) -> None:
    """What begins as Express signs is told as a cookie of Express that was cut, also without a key."""
    assert "look like a cookie of express which was cut" in run("decode", text).err
    assert "it looks like a cookie of express whose end is missing" in run("inspect", text).out
    verified = run("verify", text)
    assert verified.out.startswith("express: ")
    assert "whose end is missing: was the text cut?" in verified.err


@pytest.mark.parametrize(
    ("name", "text", "keys", "said"),
    [
        ("flask", FLASK[:-6], "dev", "the signature has 21 characters in place of 27 of sha1"),
        ("flask", FLASK[:-3], "dev", "the signature has 24 characters in place of 27 of sha1"),
        ("django", DJANGO[:-6], "dev", "the signature has 37 characters in place of 43 of sha256"),
        ("express", EXPRESS[:-6], "dev", "the signature has 37 characters in place of 43 of sha256"),
        ("jwt", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.ie-fdqOsNmtDwS5tJyda2DF-zFob11NXPz6YF1pN", "k" * 32,
         "the signature has 30 bytes in place of 32 of sha256"),
        ("flask", FLASK[:-5], "dev",
         "22 characters in place of 27 of sha1: the text was cut, or is of md5 (-O digest=md5)"),
        ("iron", formats.get("iron").example[:-6], "w" * 32, "the signature has 29 bytes in place of 32 of sha256"),
        ("react-router", "eyJ1c2VyX2lkIjoxfQ%3D%3D.BML4BbiBZ78AD2GtAPgfG9TDPfe5Dt7RcMgxr", "dev",
         "the signature is no base64"),
    ],
)  # fmt: skip
def test_length_of_a_cut_signature(name: str, text: str, keys: str, said: str, run: Run) -> None:
    """How much of a signature is there is counted in the characters that a user sees, whatever they decode to."""
    answer = run("verify", "-f", name, "--secret", keys, "--", text)
    assert answer.status == 1
    assert said in answer.out
    assert "the text was cut" in answer.out


def _shown(text: str, sign: str) -> list[str]:
    """A cookie as a log or developer tools show it: its beginning, and the same with its last characters."""
    return [text[: len(text) // 2] + sign, text[:24] + sign, text[:20] + sign + text[-24:]]


@pytest.mark.parametrize("sign", ["...", "\u2026", "[truncated]", "[...]"])
@pytest.mark.parametrize("name", formats.names())
def test_cut_by_what_showed_it(name: str, sign: str, run: Run) -> None:
    """A cookie that a program has not shown whole is told as that by every command; none calls it genuine."""
    (first,) = formats.get(name).cookie_names[:1] or ("",)
    for text in _shown(formats.get(name).example, sign):
        pasted = f"{first}={text}" if first else text
        for command in ("decode", "verify", "inspect"):
            answer = run(command, pasted)
            assert (command, answer.status) != ("verify", 0)
            cut = f"a program that showed it has cut it: {sign} stands in place of its "
            assert cut in " ".join((answer.out + answer.err).split()), (command, pasted)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"session={FLASK[:80]}...", "flask"),
        ("session=eyJ1c2VyX2lkIjo0Mn0...", "flask or cookie-session"),
        (f"{STARLETTE[:20]}\u2026", "starlette"),
        (f"sessionid={DJANGO[:18]}...{DJANGO[-20:]}", "django"),
        (f"connect.sid={EXPRESS[:12]}...", "express"),
        (f"{JWT_HEADER[:16]}\u2026", "jwt"),
        ("session=MTc5NTQyNTI3M3xEdi1...", "gorilla"),
        ("PHPSESSID=rca5s8h9...", "php"),
        ("laravel_session=eyJpdiI6IjN2...", "laravel"),
    ],
)
def test_format_of_what_is_left(text: str, named: str, run: Run) -> None:
    """The format is named by what is left of the text, by its cookie's name where that says nothing."""
    answer = run("decode", text)
    assert answer.status == 3
    assert f"a cookie of {named}, as it seems, but a program" in " ".join(answer.err.split())


def test_dots_that_a_value_has(run: Run) -> None:
    """A genuine text with dots of its own is not called cut."""
    cookie = formats.get("express").encode("wait... what", ["k"])
    assert "cut" not in run("inspect", f"said={cookie}", "--secret", "k").out


@pytest.mark.parametrize(("name", "cookie"), [("flask", "session"), ("django", "sessionid")])
def test_copied_without_the_dot_in_front(name: str, cookie: str, run: Run) -> None:
    """A double click skips the dot of a compressed payload: whose the cookie is and what is missing is told."""
    whole = formats.get(name).encode({"a": "x" * 200}, ["k"])
    assert whole.startswith(".")
    text = f"{cookie}={whole[1:]}"
    mend = "the text fits with a '.' in front: its beginning was not copied"
    answer = run("inspect", text, "--secret", "k")
    told = f"{name} cookie: NOT genuine: its beginning is missing (--secret)"
    assert (answer.status, answer.out.splitlines()[0], mend in answer.out) == (1, told, True)
    assert "x" * 200 in answer.out
    other = run("inspect", text, "--secret", "other")
    assert "does not fit the key; besides, its beginning is missing" in other.out.splitlines()[0]
    without = run("inspect", text)
    assert (without.status, "note     its beginning is missing: " in without.out) == (0, True)
    named = run("verify", text, "-f", name, "--secret", "k")
    assert (named.status, mend in named.err.replace("\n  ", " ")) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["session=eyJyb2xlIjoiYWRtaW4iLCJ1c2VyX2lkIjo0Miwi"], "look like a cookie of flask or cookie-session which"),
        (["-f", "flask", "session=eyJyb2xlIjoiYWRtaW4iLCJ1c2VyX2lkIjo0Miwi"], "no '.'; 40 characters that look"),
        (["session=eyJ1c2VyX2lkIjogIm1qIiwgInJvbGUi"], "look like a cookie of starlette which was cut"),
        ([f"authjs.session-token={formats.get('authjs').example[:-5]}"],
         "in place of 32; it looks like a cookie of authjs that was cut or altered"),
    ],
)  # fmt: skip
def test_format_of_a_cut_text_is_named(words: list[str], said: str, run: Run) -> None:
    """What a cut text is of is told also without a whole part, and where a format is named that cannot read it."""
    answer = run("inspect", *words)
    assert (answer.status, said in " ".join(answer.err.split())) == (3, True)


def test_a_named_format_that_is_wrong(run: Run) -> None:
    """A text that does not look like the beginning of anything is not called cut because a format was named."""
    assert "cut" not in run("inspect", "-f", "flask", "session=garbage").err
