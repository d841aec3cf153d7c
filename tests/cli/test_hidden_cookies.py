"""Requests in which the session's cookie does not count, for another of its name in front, or is not there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessionctl import formats
from tests.cli.conftest import Answer
from tests.visits import START, exchange, har

Run = Callable[..., Answer]

NOON = 1795608000
UUID = "11111111-2222-4333-8444-555555555555"
FLASK = formats.get("flask").encode({"a": 1}, ["tiger"], now=NOON)
DJANGO = formats.get("django").encode({"a": 1}, ["tiger"], now=NOON)
EXPRESS = formats.get("express").encode("a1B2" * 8, ["tiger"], id="a1B2" * 8)
HONO = formats.get("hono").encode("a1B2" * 8, ["tiger"], id="a1B2" * 8)

HEADERS = {
    "flask": f"Cookie: session=abc; session={FLASK}",
    "flask, a long one": f"Cookie: session=eyJ1c2VyX2lkIjo0Mn0; session={FLASK}",
    "flask, an empty one": f"Cookie: session=; session={FLASK}",
    "flask, an ended one": f"Cookie: session=deleted; session={FLASK}",
    "django": f"Cookie: sessionid={DJANGO}; sessionid=abc",
    "django, an empty one": f"Cookie: sessionid={DJANGO}; sessionid=",
    "express": f"Cookie: connect.sid=abc; connect.sid={EXPRESS}",
    "hono": f"Cookie: session=abc; session={HONO}",
}


def place_of(header: str) -> str:
    """Which of the values its framework takes."""
    return "last" if "sessionid" in header else "first"


@pytest.mark.parametrize("named", [False, True], ids=["", "with -f"])
@pytest.mark.parametrize("kind", HEADERS)
def test_a_text_that_hides_the_cookie_is_reported_with_the_one_that_fits(
    run: Run, kind: str, *, named: bool
) -> None:
    """The report says that the framework takes the text that is none, and that another one fits the key."""
    header, name = HEADERS[kind], kind.split(",", maxsplit=1)[0]
    words = [header, "--secret", "tiger", "--now", str(NOON), *(["-f", name] if named else [])]
    answer = run("inspect", *words)
    told = " ".join(answer.out.split())
    assert told.startswith(f"{name} cookie: NOT ")
    assert f"fits, but {name} takes the {place_of(header)}: the browser has two" in told
    assert answer.status in (1, 3)
    judged = run("verify", *words)
    assert judged.status in (1, 3)
    assert f"but {name} takes the {place_of(header)}" in " ".join(judged.err.split())
    assert run("verify", *words, "--json").json["valid"] is False
    report = run("inspect", *words, "--json").json
    assert report["signature"]["status"] in ("invalid", "unsigned")
    assert "hint" in [one["code"] for one in report["warnings"]]


def test_an_id_in_front_of_the_cookie(run: Run) -> None:
    """What may be the ID of a stored session hides a signed cookie just as well."""
    answer = run(
        "inspect", f"Cookie: session={UUID}; session={FLASK}", "--secret", "tiger", "--now", str(NOON)
    )
    assert answer.status == 1
    assert "fits, but flask takes the first: the browser has two" in " ".join(answer.out.split())


def test_without_a_key_the_other_is_told_by_its_looks(run: Run) -> None:
    """Nothing proves which is genuine, but the text that counts is still no cookie."""
    answer = run("inspect", HEADERS["flask"], "--now", str(NOON))
    told = " ".join(answer.out.split())
    assert answer.status == 3
    assert "another value of session there looks like a cookie of flask, but flask takes the first" in told
    assert "(none)" not in told


def test_two_texts_that_are_no_cookie_stay_an_error(run: Run) -> None:
    """Where no value is of a format, there is nothing to report on."""
    assert run("inspect", "Cookie: session=abc; session=xyz", "--secret", "tiger").status == 3


def test_doctor_and_timeline_say_which_one_counts(run: Run) -> None:
    """A recorded visit is judged by the value that the application takes, which is not called an ID that is weak."""
    visit = har(
        exchange(0, "GET", "/", 200, "", f"session={FLASK}; Path=/; HttpOnly; Secure; SameSite=Lax"),
        exchange(1, "GET", "/", 200, f"session=abc; session={FLASK}"),
    )
    words = ["--har", "-", "--secret", "tiger", "--now", str(START + 60)]
    found = run("doctor", *words, stdin=visit)
    assert "not-genuine" in found.out
    assert "weak-id" not in found.out
    told = " ".join(run("timeline", *words[:2], stdin=visit).out.split())
    assert (
        "sends two cookies of this name; flask takes the first, and browsers send the one of the longer Path"
        in told
    )


OTHERS = "theme=dark; csrftoken=abcdefghijABCDEFGHIJ0123456789xy"


@pytest.mark.parametrize("command", ["inspect", "verify", "decode", "doctor"])
@pytest.mark.parametrize(
    "pasted",
    [
        f"Cookie: {OTHERS}",
        f"GET / HTTP/1.1\nHost: shop.test\nCookie: {OTHERS}\n",
        "Cookie: csrftoken=abcdefghijABCDEFGHIJ0123456789xy",
    ],
    ids=["a header", "a request", "one cookie"],
)
@pytest.mark.parametrize(
    ("more", "name"),
    [
        ([], "session cookie"),
        (["-f", "django"], "sessionid"),
        (["-s", "fs:nowhere?layout=laravel-file"], "laravel_session"),
    ],
)
def test_a_request_without_a_session_is_told_as_that(
    run: Run, command: str, pasted: str, more: list[str], name: str
) -> None:
    """No other cookie is judged in place of the session's; the first line says that the browser does not send it."""
    answer = run(command, pasted, *more)
    assert (answer.status, answer.out) == (3, "")
    assert answer.err.split(":", 1)[1].lstrip().startswith(f"no {name} in this request: the browser")
    assert "csrftoken" in answer.err


def test_a_session_of_another_name_is_still_taken(run: Run) -> None:
    """What looks like a session, or may be one by its name, is judged though the framework calls its own otherwise."""
    for header in (f"Cookie: shop={DJANGO}; theme=dark", f"Cookie: messages={DJANGO}; theme=dark"):
        assert run("inspect", header, "-f", "django", "--secret", "tiger", "--now", str(NOON)).status == 0
    assert "in this request" not in run("inspect", "Cookie: shop=abc; theme=dark", "-f", "django").err


def test_a_named_cookie_is_judged_whatever_it_is_for(run: Run) -> None:
    """Who names the cookie, or gives it as a pair, means it."""
    for words in (["csrftoken=abc"], [f"Cookie: {OTHERS}", "--cookie-name", "csrftoken"]):
        assert "in this request" not in run("inspect", *words, "-f", "django").err
