"""Cookies that are IDs alone: what the commands say of them, with their store and without.

The cookies and records were written by Django 5.2.19 and Flask-Session 0.8.0 with cachelib 0.17.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sessionctl import formats
from sessionctl.duration import parse_time
from sessionctl.formats.base import Context
from sessionctl.signing import KeyRing
from tests.cli.conftest import Answer
from tests.visits import exchange, har

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., Answer]

KEY = "my-right-key-of-the-application-0123456789"
NOW = "2026-11-28T05:00:00Z"

FLASK_ID = "KyL9TYjcs2Nquu15Nx0UYFSnLd580t3k2FzjdQd1Wlw"
FLASK_SIGNED = f"{FLASK_ID}.1dPJk3FUltDIooTLu1KI-5_Q-FE"
FLASK_RECORD = base64.b64decode("iDwza4AFlSIAAAAAAAAAfZQojApfcGVybWFuZW50lIiMB3VzZXJfaWSUjAJtapR1Lg==")

DJANGO_ID = "gn9cik6uaeoto3m4oki7xbe8bk3byw5t"
DJANGO_RECORD = b"eyJ1c2VyX2lkIjoibWoifQ:1xXAQC:6Tm48Y7tm-HhzO7vCmR-gQY62sPsVRemFMWcBW8YYTE"
MESSAGES = (
    "W1siX19qc29uX21lc3NhZ2UiLDAsMjUsIlNhdmVkIiwiIl1d:1xXAQC:U2kuzKrANf5k6z0rD1JISPqvC_al2x8T5D02OfDEYMw"
)


@pytest.fixture
def flask_store(tmp_path: Path) -> str:
    """The directory in which Flask-Session keeps the session, by cachelib."""
    (tmp_path / "flask").mkdir()
    (tmp_path / "flask" / hashlib.sha256(f"session:{FLASK_ID}".encode()).hexdigest()).write_bytes(
        FLASK_RECORD
    )
    return f"fs:{tmp_path}/flask"


@pytest.fixture
def django_store(tmp_path: Path) -> str:
    """The directory in which Django's file backend keeps the session."""
    (tmp_path / "django").mkdir()
    (tmp_path / "django" / f"sessionid{DJANGO_ID}").write_bytes(DJANGO_RECORD)
    return f"fs:{tmp_path}/django"


@pytest.mark.parametrize("more", [["?layout=flask-session"], ["", "-f", "flask"], ["", "-f", "itsdangerous"]])
def test_signed_id_of_flask_session(run: Run, flask_store: str, more: list[str]) -> None:
    """An ID that Flask-Session signed is genuine by the application's key, and its session is found."""
    place = ["-s", flask_store + more[0], *more[1:], "--now", NOW]
    answer = run("inspect", f"session={FLASK_SIGNED}", "--secret", KEY, "--json", *place)
    found = answer.json
    assert (answer.status, found["signature"]["status"], found["found"]) == (0, "valid", True)
    assert (found["id"], found["data"]["user_id"]) == (FLASK_ID, "mj")
    wrong = run("inspect", f"session={FLASK_SIGNED}", "--secret", "wrong", "--json", *place)
    assert (wrong.status, wrong.json["signature"]["reason"]) == (1, "bad-signature")
    assert run("inspect", f"session={FLASK_SIGNED}", "--json", *place).json["signature"]["reason"] == "no-key"


@pytest.mark.parametrize("more", [[], ["-f", "flask"], ["-f", "itsdangerous"]])
def test_verify_signed_id_of_flask_session(run: Run, more: list[str]) -> None:
    """`verify` says the same: genuine, and of another key that it does not fit."""
    assert run("verify", f"session={FLASK_SIGNED}", "--secret", KEY, *more).status == 0
    wrong = run("verify", f"session={FLASK_SIGNED}", "--secret", "wrong", "--json", *more)
    assert (wrong.status, wrong.json["reason"]) == (1, "bad-signature")


def test_changed_as_flask_session_signs() -> None:
    """Another ID in place of a signed one is signed as Flask-Session does."""
    form = formats.get("itsdangerous")
    context = Context(keys=KeyRing([KEY]), now=1.8e9)
    assert form.like(FLASK_SIGNED, context).encode(FLASK_ID, [KEY]) == FLASK_SIGNED


@pytest.mark.parametrize(
    ("cookie", "more"),
    [
        (f"sessionid={DJANGO_ID}", []),
        (DJANGO_ID, ["-f", "django"]),
        (f"session={FLASK_ID}", ["-f", "flask"]),
        ("session=8d622a47-553b-4ea0-a530-0fe0e65b6801", ["-f", "flask"]),
    ],
)
def test_id_alone(run: Run, cookie: str, more: list[str]) -> None:
    """Where name or -f tells the framework, an ID is told as one, with the layout of its store, and without alarm."""
    answer = run("inspect", cookie, *more)
    assert answer.status == 0
    assert "an ID, not signed; only its store can tell" in answer.out
    assert "?layout=" in answer.out
    assert "anybody" not in answer.out
    identity = cookie.rpartition("=")[2]
    told = run("decode", cookie, *more, "--json").json
    assert (told["data"], told["id"], told["signed"]) == (identity, identity, False)
    verified = run("verify", cookie, *more)
    assert (verified.status, "unsigned: an ID alone" in verified.out) == (1, True)
    assert "?layout=" in verified.out


EXPRESS_ID = "cpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx"
EXPRESS_SIGNATURE = "GkROtRRiwVq8PRjeg%2F3HNCczOPK%2Bs3itCuMFawWFK38"  # of express-session


@pytest.mark.parametrize(
    "text",
    [EXPRESS_ID, f"{EXPRESS_ID}.{EXPRESS_SIGNATURE}", "8d622a47-553b-4ea0-a530-0fe0e65b6801"],
    ids=["an ID", "an ID and its signature", "a UUID"],
)
def test_express_without_its_prefix(run: Run, text: str) -> None:
    """Under Express' own name an ID without `s:` is told as its cookie, unsigned, with what Express does."""
    pasted = f"connect.sid={text}"
    missing = "s: is missing in front: express-session takes it for unsigned, and begins a new session"
    said = " ".join(run("inspect", pasted).out.split())
    assert said.startswith("express cookie: an ID, not signed")
    assert f"note {missing}" in said
    verified = run("verify", pasted, "--json").json
    assert (verified["format"], verified["reason"], verified["detail"]) == ("express", "unsigned", missing)
    assert run("decode", pasted, "--json").json["id"] == text.partition(".")[0]
    refused = run("inspect", pasted, "--secret", "wrong")
    assert (refused.status, refused.out.splitlines()[0].startswith("express cookie: NOT signed: s: ")) == (
        1,
        True,
    )
    assert " ".join(refused.out.split()).count("is missing in front") == 1
    assert "cut or altered" not in refused.out + run("verify", pasted, "--secret", "wrong").err
    assert run("inspect", f"c={text}").out.startswith("express") is False


@pytest.mark.parametrize("session_id", [EXPRESS_ID, "a1B2" * 8], ids=["an ID", "an ID that is base64 too"])
def test_a_fitting_signature_without_the_prefix_is_not_genuine(run: Run, session_id: str) -> None:
    """Under Express' own name the key settles no framework that signs alike: Express begins a new session."""
    text = formats.get("fastify-cookie").encode(session_id, ["k"])
    answer = run("inspect", f"connect.sid={text}", "--secret", "k")
    assert answer.out.startswith("express cookie: NOT signed: s: is missing in front")
    assert answer.status == 1
    assert run("inspect", f"connect.sid={text}", "--json").json["candidates"][0] == "express"
    judged = run("verify", f"connect.sid={text}", "--secret", "k", "--json").json
    assert (judged["valid"], judged["format"]) == (False, "express")
    lines = run(
        "verify", "-", "--secret", "k", stdin=f"connect.sid={text}\nsessionId={text}\nconnect.sid={text}\n"
    )
    assert [line.split(":")[0] for line in lines.out.splitlines()] == ["express", "fastify-cookie", "express"]
    named = run("inspect", f"connect.sid={text}", "-f", "fastify-cookie", "--secret", "k")
    assert named.out.startswith("fastify-cookie cookie: genuine")
    assert "s: is missing in front: Express, whose cookie has this name" in " ".join(named.out.split())
    assert "missing" not in run("inspect", f"sessionId={text}", "--secret", "k").out


@pytest.mark.parametrize("name", ["express", "hono", "fastify-cookie"])
@pytest.mark.parametrize(
    ("cookie_name", "value", "is_value"),
    [
        ("u", "mj", True),
        ("theme", "dark", True),
        ("mail", "alice@example.com", True),
        ("ui", "reduce-motion-enabled-2", True),
        ("at", "2026-11-28 11:33", True),
        ("u", "cpg60MtR1Jpy_ffN4QkmaXDN_6EDlXmx", False),
        ("u", "8d622a47-553b-4ea0-a530-0fe0e65b6801", False),
        ("shop.sid", "mj", False),
        ("connect.sid" , "user:42", False),
    ],
)  # fmt: skip
def test_signed_value(
    run: Run, tmp_path: Path, name: str, cookie_name: str, value: str, *, is_value: bool
) -> None:
    """A signed text that looks like no ID, under a name of no session, is told as a value, unless a store is named."""
    text = formats.get(name).encode(value, ["k"], cookie_name=cookie_name)
    words = [f"{cookie_name}={text}", "-f", name, "--secret", "k"]
    out = run("inspect", *words).out
    assert ("a signed value, by its looks no session's ID" in out) is is_value
    assert ("an ID alone" in out) is not is_value
    assert (f'  "{value}"' in out) is is_value
    told, decoded = run("inspect", *words, "--json").json, run("decode", *words, "--json").json
    assert (
        (told["data"], told["id"]) == (decoded["data"], decoded["id"]) == (value, None if is_value else value)
    )
    place = ["-s", f"fs:{tmp_path}?layout=express-file"]
    assert run("inspect", *words, *place, "--json").json["id"] == value


@pytest.mark.parametrize("more", [["?layout=django-file"], [""], ["", "-f", "django"]])
def test_id_that_its_store_knows(run: Run, django_store: str, more: list[str]) -> None:
    """With the store the session is found, and that the ID is not signed is no fault."""
    answer = run("inspect", f"sessionid={DJANGO_ID}", "-s", django_store + more[0], *more[1:], "--now", NOW)
    assert answer.status == 0
    assert answer.out.startswith("django cookie: an ID, not signed; the store knows it\n")
    assert '"mj"' in answer.out
    other = run("inspect", f"sessionid={DJANGO_ID[::-1]}", "-s", django_store, "--now", NOW)
    assert (other.status, "the store does not know it" in other.out) == (1, True)


def test_id_of_nobody(run: Run) -> None:
    """Without a name that tells, no framework is named; the error says how an ID is looked up."""
    for cookie in (
        f"session={FLASK_ID}",
        DJANGO_ID,
        f"sid={DJANGO_ID}",
        f"sessionid={'0123456789abcdef' * 2}",
    ):
        answer = run("inspect", cookie)
        assert answer.status == 3
        assert "if this is the ID of a stored session, -s URL?layout=NAME finds it" in answer.err
    assert "layout" not in run("inspect", "session=two words").err


@pytest.mark.parametrize(
    "text", ["eyJ1c2VyX2lkIjo0MiwidXNlcm5hbWUiOiJhbGljZSJ9", ".eJxVz70OQDAYBdB3uXMliip9FREROiAGf5N4"]
)
def test_cut_session_is_no_id(run: Run, text: str) -> None:
    """A Flask session that was cut stays malformed, also where it has the length of an ID."""
    assert run("verify", text, "-f", "flask").status == 3


@pytest.mark.parametrize(
    ("cookie", "more"),
    [
        (f"sessionid={DJANGO_ID}", []),
        (f"session={FLASK_ID}", ["-f", "flask"]),
        (f"session={FLASK_SIGNED}", ["--secret", KEY]),
        ("PHPSESSID=rca5s8h9onui1egclkj800rfjb", []),
    ],
)
def test_id_is_not_changed(run: Run, cookie: str, more: list[str]) -> None:
    """What would change or read the session by such a cookie says that it lies elsewhere, and how it is read."""
    for words in (["get", cookie, "user_id"], ["set", cookie, "a=1"], ["destroy", cookie]):
        answer = run(*words, *more)
        assert (answer.status, "'inspect' and 'get' read one" in answer.err) == (2, True), words


HEADER = f"Cookie: messages={MESSAGES}; sessionid={DJANGO_ID}"


def test_messages_are_no_session(run: Run) -> None:
    """Of Django's two cookies the session is taken, not the messages, and what was chosen is told."""
    assert run("inspect", HEADER, "--json").json["cookie_name"] == "sessionid"
    for command in ("decode", "verify", "doctor"):
        answer = run(command, HEADER)
        assert "of 2 cookies, sessionid looks most like a session; the others: messages" in answer.err, (
            command
        )
        assert "of 2 cookies" not in run(command, HEADER, "-q").err
    for words in (
        ["get", HEADER, "a"],
        ["set", HEADER, "a=1"],
        ["flash", HEADER, "a=1"],
        ["destroy", HEADER],
    ):
        assert "of 2 cookies, sessionid looks" in run(*words).err, words
    assert run("decode", f"messages={MESSAGES}", "--json").json["format"] == "django-signed"


@pytest.mark.parametrize(
    "more",
    [["-f", "flask"], ["-s", "fs:x?layout=flask-session"], ["-s", "fs:x?ttl=1h&layout=scs"]],
    ids=["format", "layout", "layout of no format"],
)
def test_the_frameworks_own_name_wins(run: Run, more: list[str]) -> None:
    """Of several cookies the one is taken that -f or the layout has a name for, however the others look."""
    express = formats.get("express").encode("kq3Zp7vX0bN5tR8wL1yC4mD6fGhJ2sKe", [KEY])
    header = f"connect.sid={express}; session={FLASK_ID}; theme=dark"
    answer = run("inspect", header, *more, "--json").json
    assert answer["cookie_name"] == "session"
    told = [warning["message"] for warning in answer["warnings"] if warning["code"] == "source"]
    assert told == [
        "of 3 cookies, session has the framework's own name; the others: connect.sid, theme (--cookie-name chooses)"
    ]
    assert run("inspect", header, *more, "--cookie-name", "theme", "--json").status == 3
    assert run("inspect", header, "--json").json["cookie_name"] == "connect.sid"


def test_no_cookie_of_the_frameworks_own_name(run: Run) -> None:
    """Where no cookie has the framework's name, the likeliest is taken as before."""
    header = f"theme=dark; shop_session={FLASK_SIGNED}"
    assert run("inspect", header, "-f", "flask", "--json").json["cookie_name"] == "shop_session"


def test_the_frameworks_own_name_in_a_visit(run: Run, tmp_path: Path) -> None:
    """A HAR is read and judged by the cookie of the framework's own name too."""
    cookies = (
        f"connect.sid=s%3A{FLASK_ID}.GkROtRRiwVq8PRjeg%2F3HNCczOPK%2Bs3itCuMFawWFK38; session={FLASK_SIGNED}"
    )
    (tmp_path / "visit.har").write_bytes(har(exchange(0, "GET", "/", 200, cookies)))
    path = str(tmp_path / "visit.har")
    assert run("inspect", "--har", path, "--json").json["cookie_name"] == "connect.sid"
    assert run("inspect", "--har", path, "-f", "flask", "--json").json["cookie_name"] == "session"
    assert "(session)" in run("doctor", "--har", path, "-f", "flask").out
    assert "(session)" not in run("doctor", "--har", path).out


def test_size_of_a_record(run: Run, flask_store: str) -> None:
    """Of a session that its ID or ref names, the size is the record's."""
    place = ["-s", f"{flask_store}?layout=flask-session", "--now", NOW]
    ref = run("list", "--json", *place).json["ref"]
    assert run("inspect", "--ref", ref, "--json", *place).json["size"]["bytes"] == len(FLASK_RECORD)
    assert run("inspect", "--id", FLASK_ID, "--json", *place).json["size"]["bytes"] == len(FLASK_RECORD)
    assert f"record   {len(FLASK_RECORD)} bytes" in run("inspect", "--id", FLASK_ID, *place).out


def test_a_store_that_is_away_hides_nothing_of_the_cookie(run: Run) -> None:
    """What the cookie itself tells is told before the error; one that holds its session needs no store."""
    away = "redis://localhost:1/0"
    cookie = run("create", "-f", "native", "-s", "memory:", "--secret", "k", "--set", "a=1").text
    plain = run("inspect", "-f", "native", cookie, "--secret", "k", "-s", away)
    assert plain.status == 4
    assert plain.out.startswith("native cookie: genuine")
    assert "cannot be reached" in plain.err
    told = run("inspect", "-f", "native", cookie, "--secret", "k", "-s", away, "--json")
    assert told.status == 4
    assert told.json["error"]["code"] == "storage-unavailable"
    assert (told.json["signature"]["status"], told.json["found"]) == ("valid", None)
    flask = run("create", "-f", "flask", "--secret", "k", "--set", "a=1").text
    for secret, status in (("k", 0), ("other", 1)):
        answer = run("inspect", flask, "--secret", secret, "-s", f"{away}?layout=flask-session", "--json")
        assert (answer.status, answer.json["data"]) == (status, {"a": 1})


@pytest.mark.parametrize("more", [["?layout=django-file"], ["", "-f", "django"]])
def test_an_old_file_of_django_has_expired(
    run: Run, tmp_path: Path, django_store: str, more: list[str]
) -> None:
    """Django's file backend drops a session 14 days after its file's last change, or what --max-age or ttl says."""
    os.utime(tmp_path / "django" / f"sessionid{DJANGO_ID}", (parse_time(NOW) - 15 * 86400,) * 2)
    look = ["inspect", f"sessionid={DJANGO_ID}", "--now", NOW, "-s", django_store + more[0], *more[1:]]
    old = run(*look)
    assert (old.status, "the store knows it, as expired" in old.out) == (1, True)
    assert run(*look, "--max-age", "16d").status == 0
    assert run(*look, "--max-age", "none").status == 0
    if more[0]:
        assert run(*look[:-1], f"{django_store}{more[0]}&ttl=16d").status == 0


def test_list_and_stats_judge_the_age_of_files(run: Run, tmp_path: Path, django_store: str) -> None:
    """Where a framework drops files by their age, `list` and `stats` tell when, by its default or by --max-age."""
    laravel = tmp_path / "laravel"
    laravel.mkdir()
    for name, hours in (("A", 1), ("B", 3)):
        file = laravel / (name * 40)
        file.write_text('a:1:{s:6:"_token";s:40:"ZKbr1Fdfc33I5mbNyRDSrAxZKbr1FdfcZKbr1Fdf";}')
        os.utime(file, (parse_time(NOW) - hours * 3600,) * 2)
    store = ["-s", f"fs:{laravel}?layout=laravel-file", "--now", NOW]
    ends = {line.split("\t")[2]: line.split("\t")[3] for line in run("list", *store).out.splitlines()}
    assert [parse_time(end) - parse_time(saved) for saved, end in ends.items()] == [7200, 7200]
    for age, expired in (
        ([], 1),
        (["--max-age", "4h"], 0),
        (["--max-age", "30m"], 2),
        (["--max-age", "none"], 0),
    ):
        for more in ([], ["--data"], ["--where", "_token"]):
            assert len(run("list", *store, *age, *more, "--expired").out.splitlines()) == expired
        assert run("stats", *store, *age, "--json").json["by_expiry"].get("expired", 0) == expired
    sealed = tmp_path / f"session_{'A' * 52}"
    sealed.write_text(formats.get("gorilla").encode({"a": 1}, ["k"], cookie_name="session", now=1.7e9))
    for days, ended in ((29, False), (31, True)):  # as tried with gorilla/sessions 1.2.1
        os.utime(sealed, (parse_time(NOW) - days * 86400,) * 2)
        listed = run("list", "-s", f"fs:{tmp_path}?layout=gorilla", "--now", NOW, "--expired").out
        assert bool(listed) is ended
    os.utime(tmp_path / "django" / f"sessionid{DJANGO_ID}", (parse_time(NOW) - 15 * 86400,) * 2)
    old = ["list", "-s", f"{django_store}?layout=django-file", "--now", NOW, "--expired", "--json"]
    assert run(*old).json["expires_at"] is not None
    assert run(*old, "--max-age", "16d").out == ""


@pytest.mark.parametrize("more", [["?layout=django-file"], ["", "-f", "django"]])
def test_get_reads_the_store_of_an_id(run: Run, tmp_path: Path, django_store: str, more: list[str]) -> None:
    """`get` takes a value of the session that a cookie names in another framework's store, as `get --id` does."""
    place = ["-s", django_store + more[0], *more[1:], "--now", NOW]
    assert run("get", f"sessionid={DJANGO_ID}", "user_id", *place)[:2] == (0, "mj\n")
    unknown = run("get", f"sessionid={DJANGO_ID[::-1]}", "user_id", *place)
    assert (unknown.status, "has no such session" in unknown.err) == (1, True)
    wrong = run("get", f"sessionid={DJANGO_ID}", "user_id", "--secret", "wrong", *place)
    assert (wrong.status, wrong.out) == (1, "")
    os.utime(tmp_path / "django" / f"sessionid{DJANGO_ID}", (parse_time(NOW) - 15 * 86400,) * 2)
    assert "expired 1 day ago" in run("get", f"sessionid={DJANGO_ID}", "user_id", *place).err
    assert run("set", f"sessionid={DJANGO_ID}", "user_id=1", *place).status == 2


@pytest.mark.parametrize("more", [["?layout=flask-session"], ["", "-f", "flask"]])
def test_get_and_decode_of_a_bare_id(run: Run, flask_store: str, more: list[str]) -> None:
    """An ID that no format reads is one where its store is named, for `get` and `decode` as for `inspect`."""
    place = ["-s", flask_store + more[0], *more[1:], "--now", NOW]
    assert run("get", f"session={FLASK_ID}", "user_id", *place)[:2] == (0, "mj\n")
    assert run("decode", f"session={FLASK_ID}", *place)[:2] == (0, f'"{FLASK_ID}"\n')
    assert run("set", f"session={FLASK_ID}", "user_id=1", *place).status == 2


def test_get_of_a_signed_id_needs_its_key(run: Run, flask_store: str) -> None:
    """A signed ID opens its store with the key that signed it, and with no other."""
    place = ["user_id", "-s", f"{flask_store}?layout=flask-session", "--now", NOW]
    assert run("get", f"session={FLASK_SIGNED}", *place, "--secret", KEY)[:2] == (0, "mj\n")
    assert run("get", f"session={FLASK_SIGNED}", *place, "--secret", "wrong")[:2] == (1, "")
    assert run("get", f"session={FLASK_SIGNED}", *place)[:2] == (1, "")
