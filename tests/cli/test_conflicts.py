"""Options that contradict each other, or mean nothing together, are wrong usage; none is ignored in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Answer

Run = Callable[..., Answer]

HAR = str(Path(__file__).parent.parent / "recorded" / "flask-chromium.har")
ID = "an-id-of-a-session"
URL = "http://shop.test/"

CONFLICTS = {
    "an ID and a HAR": ["get", "--id", ID, "a", "--har", HAR],
    "a ref and a jar": ["inspect", "--ref", "0123456789ab", "--cookie-jar", HAR],
    "an ID and a ref": ["regenerate", "--id", ID, "--ref", "0123456789ab"],
    "a HAR and a jar": ["verify", "--har", HAR, "--cookie-jar", HAR],
    "a HAR and a COOKIE": ["decode", "--har", HAR, "COOKIE"],
    "a record and a HAR": ["decode", "--record", HAR, "--har", HAR],
    "many sessions and one": ["destroy", "--where", "a=1", "--id", ID],
    "many watched and one": ["watch", "--where", "a=1", "--ref", "0123456789ab", "--for", "0s"],
    "many sessions and a cookie's form": ["set", "--where", "a=1", "b=2", "--output", "pair"],
    "many sessions and a cookie's place": ["set", "--where", "a=1", "b=2", "--url", URL],
    "a place that nothing needs": ["create", "--url", URL],
    "the place of a store": ["doctor", "--url", URL],
    "an ID where there is none": ["create", "-f", "flask", "--secret", "k", "--id", ID],
    "two IDs of one": ["create", "--count", "2", "--id", ID],
}


@pytest.mark.parametrize("words", CONFLICTS.values(), ids=CONFLICTS)
def test_conflict(run: Run, home: Path, words: list[str]) -> None:
    """It ends 2 with a word, and nothing is made."""
    answer = run(*words)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err
    assert not list(home.rglob("sessions"))


def test_json_with_another_form(run: Run) -> None:
    """Beside --json the form that --output asks for stands in the object."""
    made = run("create", "--json", "--output", "curl", "--url", URL).json
    assert made["output"] == f"curl -b session={made['cookie']} {URL}"
    assert "output" not in run("create", "--json", "--output", "json").json
    assert run("create", SESSIONCTL_URL=URL).status == 0


def test_a_storage_that_nothing_goes_to(run: Run, tmp_path: Path) -> None:
    """Whoever names a storage for another framework's session is told that nothing went there."""
    answer = run("create", "-f", "flask", "--secret", "k", "-s", f"fs:{tmp_path}/store")
    assert (answer.status, "nothing was stored" in answer.err) == (0, True)
    assert run("create", "-f", "flask", "--secret", "k").err == ""


def test_an_age_that_cannot_be_told(run: Run) -> None:
    """A limit of age on a cookie that keeps no time is told to say nothing."""
    cookie = run("create", "-f", "express", "--secret", "k").text
    answer = run("verify", "-f", "express", "--secret", "k", cookie, "--max-age", "1s")
    assert (answer.status, "says nothing" in answer.err) == (0, True)
    assert run("verify", "-f", "express", "--secret", "k", cookie).err == ""


@pytest.mark.parametrize("option", ["--har", "--id", "--ref"])
def test_a_cookie_beside_what_stands_for_one(run: Run, option: str) -> None:
    """An option that names the session is named where a COOKIE is given beside it."""
    value = HAR if option == "--har" else "0123456789ab"
    answer = run("inspect", "a.b.c", option, value)
    assert (answer.status, answer.out) == (2, "")
    assert f"1 more argument than this command takes; {option} stands in place of a COOKIE" in answer.err
    assert "goes in quotes" in run("inspect", "a", "b").err
