"""The commands do what DESIGN.md section 6 says, on every storage of the core."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from sessionctl import Cookie, formats, open_storage
from tests.cli.conftest import Answer

Run = Callable[..., Answer]

INSPECT_KEYS = {
    "format", "candidates", "cookie_name", "id", "ref", "data", "flash", "signature", "encrypted", "issued_at",
    "expires_at", "expired", "size", "storage", "found", "attributes", "warnings",
}  # fmt: skip
MADE_KEYS = {"cookie", "set_cookie", "cookie_name", "format", "storage", "id", "ref"}


@pytest.fixture(params=["default", "fs", "cookie", "remix-fs", "remix-cookie"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The options that name a storage, a secret and a format."""
    return {
        "default": [],
        "fs": ["-s", f"fs:{tmp_path}/store", "--secret", "s3cret"],
        "cookie": ["-s", "cookie:", "--secret", "s3cret"],
        "remix-fs": ["-s", f"fs:{tmp_path}/store", "--secret", "s3cret", "-f", "remix"],
        "remix-cookie": ["-s", "cookie:", "--secret", "s3cret", "-f", "remix"],
    }[request.param]


def test_one_session_through_all_commands(run: Run, place: list[str]) -> None:
    """A session is made, read, changed, renewed and ended with nothing but the text of its cookie."""
    cookie = run("create", "--set", "userId=mj", "--flash", "notice=hi", *place).text
    assert run("verify", cookie, *place).status == 0
    assert run("get", cookie, "userId", *place).text == "mj"
    cookie = run("set", cookie, "a:=1", 'b={"c":[1,2]}', *place).text
    cookie = run("flash", cookie, "error=oops", *place).text
    cookie = run("unset", cookie, "a", *place).text
    report = run("inspect", cookie, "--json", *place).json
    assert report["data"] == {"userId": "mj", "b": {"c": [1, 2]}}
    assert report["flash"] == {"notice": "hi", "error": "oops"}
    assert report["signature"]["status"] == "valid"
    renewed = run("regenerate", cookie, "--delete-old", *place).text
    assert renewed != cookie
    assert run("get", renewed, "b.c.1", *place).text == "2"
    ended = run("destroy", renewed, "--json", *place)
    stored = "cookie:" not in place
    assert ended.status == 0
    assert ended.json["revocable"] is stored
    assert run("inspect", renewed, *place).status == (1 if stored and place else 0)


def test_old_id_is_gone(run: Run, tmp_path: Path) -> None:
    """After `regenerate --delete-old` the old cookie names nothing; without, it still does."""
    place = ["-s", f"fs:{tmp_path}/store"]
    first = run("create", "--set", "a=1", *place).text
    second = run("regenerate", first, *place).text
    third = run("regenerate", second, "--delete-old", *place).text
    assert run("get", first, "a", *place).text == "1"
    assert run("get", second, "a", *place).status == 1
    assert run("get", third, "a", *place).text == "1"


def test_decode_prints_json(run: Run) -> None:
    """The data stand on stdout as JSON, text and IDs too."""
    made = run("create", "--set", "a=1", "--json").json
    assert json.loads(run("decode", made["cookie"]).out) == made["id"]


def test_json_keys(run: Run) -> None:
    """The keys of the contract are there."""
    made = run("create", "--set", "a=1", "--json")
    assert made.json.keys() >= MADE_KEYS
    cookie = made.json["cookie"]
    assert run("inspect", cookie, "--json").json.keys() >= INSPECT_KEYS
    assert run("set", cookie, "a=2", "--json").json.keys() >= MADE_KEYS
    assert run("decode", cookie, "--json").json.keys() >= {
        "format", "id", "data", "flash", "issued_at", "encrypted", "signed"
    }  # fmt: skip
    verdict = run("verify", cookie, "--json").json
    assert verdict.keys() >= {
        "valid", "format", "key_index", "keys", "needs_resign", "reason", "issued_at", "expired"
    }  # fmt: skip
    assert run("get", cookie, "nope", "--json").json == {"key": "nope", "value": None, "found": False}
    assert run("destroy", cookie, "--json").json == {"matched": 1, "destroyed": 1, "revocable": True}


def test_inspect_finds_what_is_stored(run: Run) -> None:
    """The report names the store, and whether the session is there."""
    cookie = run("create", "--set", "userId=42").text
    report = run("inspect", f"session={cookie}", "--json").json
    assert (report["found"], report["data"], report["cookie_name"]) == (True, {"userId": 42}, "session")
    assert report["ref"]
    assert report["storage"].startswith("fs:")
    run("destroy", cookie)
    gone = run("inspect", cookie)
    assert gone.status == 0
    assert "session not found" in gone.out.splitlines()[0]
    assert "logged out" in gone.out


def test_inspect_consumes_nothing(run: Run, tmp_path: Path) -> None:
    """Reading a session leaves its file as it was, flash included."""
    store = tmp_path / "store"
    cookie = run("create", "--flash", "notice=hi", "-s", f"fs:{store}").text
    path = next(path for path in store.rglob("*") if path.is_file())
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    run("inspect", cookie, "-s", f"fs:{store}")
    run("get", cookie, "notice", "-s", f"fs:{store}")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    "command", [["inspect", "a.b.c"], ["decode", "a.b.c"], ["verify", "a.b.c"], ["get", "a.b.c", "k"]]
)
def test_reading_creates_nothing(run: Run, home: Path, command: list[str]) -> None:
    """A reading command on an empty home leaves it empty."""
    run(*command)
    assert list(home.rglob("*")) == []


def test_default_secret_is_private(run: Run, home: Path) -> None:
    """The embedded secret has mode 0600, its directory 0700."""
    run("create")
    secret = next(home.rglob("secret"))
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700


def test_default_secret_serves_native_alone(run: Run) -> None:
    """Another format without a key answers `no-key`, and making one is wrong usage."""
    run("create")
    foreign = run("create", "-f", "remix", "-s", "cookie:", "--secret", "x", "--set", "a=1").text
    answer = run("verify", foreign, "--json")
    assert (answer.status, answer.json["reason"], answer.json["valid"]) == (1, "no-key", False)
    assert run("create", "-f", "remix").status == 2


def test_rotation(run: Run) -> None:
    """A cookie of the old key verifies, says so, and is signed with the new one at the next save."""
    ring = ["--secret", "new", "--secret", "old", "-s", "cookie:"]
    cookie = run("create", "--set", "a=1", "--secret", "old", "-s", "cookie:").text
    verdict = run("verify", cookie, "--json", *ring).json
    assert (verdict["valid"], verdict["key_index"], verdict["keys"], verdict["needs_resign"]) == (
        True,
        1,
        2,
        True,
    )
    assert "needs-resign" in {
        warning["code"] for warning in run("inspect", cookie, "--json", *ring).json["warnings"]
    }
    again = run("set", cookie, "b=2", *ring).text
    assert run("verify", again, "--secret", "new", "--json").json["key_index"] == 0


def test_session_by_id_and_ref(run: Run, tmp_path: Path) -> None:
    """--id and --ref name a stored session, and every positional argument is then a key."""
    place = ["-s", f"fs:{tmp_path}/store"]
    made = run("create", "--id", "known-id-1", "--set", "a=1", "--json", *place).json
    assert made["id"] == "known-id-1"
    assert run("get", "--id", "known-id-1", "a", *place).text == "1"
    changed = run("set", "--ref", made["ref"], "a=2", "--json", *place)
    assert (changed.status, changed.json["cookie"], changed.json["ref"]) == (0, None, made["ref"])
    assert run("get", "--ref", made["ref"], "a", *place).text == "2"
    assert run("inspect", "--ref", made["ref"], "--json", *place).json["data"] == {"a": 2}
    assert run("destroy", "--ref", made["ref"], *place).status == 0
    assert run("get", "--id", "known-id-1", "a", *place).status == 1


def test_id_taken(run: Run) -> None:
    """`create --id` does not overwrite a session."""
    assert run("create", "--id", "mine").status == 0
    assert run("create", "--id", "mine").status == 2


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("k=42", 42),
        ("k=text", "text"),
        ("k=true", True),
        ('k="42"', "42"),
        ("k:=[1]", [1]),
        ("k=", ""),
        ("k=a=b", "a=b"),
        ("k=NaN", "NaN"),
        ("k=żółć", "żółć"),
    ],
)
def test_assignment(run: Run, word: str, value: Any) -> None:
    """V is JSON where it parses as JSON, else text."""
    cookie = run("create", "--set", word, "-s", "cookie:").text
    assert run("decode", cookie, "--json").json["data"] == {"k": value}


@pytest.mark.parametrize("word", ["k:=text", "k:=", "novalue", "=1", "k=123456789012345678901"])
def test_wrong_assignment(run: Run, word: str) -> None:
    """What is no K=V, no JSON after :=, or no exact JSON, is wrong usage."""
    answer = run("create", "--set", word, "-s", "cookie:")
    assert answer.status == 2
    assert answer.err.count("\n") == 1


def test_create_from_what_decode_printed(run: Run, tmp_path: Path) -> None:
    """`create --from` writes back what `decode --json` printed."""
    cookie = run("create", "--set", "a=[1]", "--flash", "f=1", "-s", "cookie:").text
    printed = run("decode", cookie, "--json").out
    again = run("create", "--from", "-", "-s", "cookie:", stdin=printed).text
    first, second = json.loads(printed), run("decode", again, "--json").json
    assert (first["id"], first["data"], first["flash"]) == (second["id"], second["data"], second["flash"])


APP_KEY = "base64:Zml4dHVyZS1rZXktZml4dHVyZS1rZXktMzItYnl0ZXM="


@pytest.mark.parametrize(
    ("name", "session_id"),
    [
        ("laravel", "5Yw0aUqX1cPzKkR3tNfJ8sVbLhD2mGoE7iQxTpW4"),
        ("gorilla", "EKEZC2BMXOGWX7NFZDZ7DBQI4RT6QMCFAABRKATN43EY23W27XEQ"),
        ("react-router", "8903f1d27b93f2bc"),
        ("php", "rca5s8h9onui1egclkj800rfjb"),
    ],
)
def test_create_the_cookie_of_an_id(run: Run, name: str, session_id: str) -> None:
    """Where a framework's cookie may be the ID of a stored session, --id makes that one."""
    cookie = run("create", "-f", name, "--id", session_id, "--secret", APP_KEY).text
    printed = run("decode", "-f", name, "--secret", APP_KEY, "--json", cookie).json
    assert (printed["id"], printed["data"]) == (session_id, session_id)


@pytest.mark.parametrize("name", ["plug", "rack", "litestar", "aiohttp", "laravel", "iron"])
def test_create_with_a_key_that_cannot_be(run: Run, name: str) -> None:
    """A key that a format cannot use, or a salt that is missing, is wrong usage: there was nothing to judge."""
    answer = run("create", "-f", name, "--secret", "short", "--set", "a=1", "--json")
    assert (answer.status, answer.json["error"]["code"]) == (2, "bad-secret")


def test_create_without_a_key_what_has_none(run: Run) -> None:
    """PHP signs nothing, so its cookie is made without a secret; others are not."""
    assert (
        run("create", "-f", "php", "--id", "rca5s8h9onui1egclkj800rfjb").text == "rca5s8h9onui1egclkj800rfjb"
    )
    assert run("create", "-f", "express", "--id", "rca5s8h9onui1egclkj800rfjb").status == 2


def test_create_has_no_place_for_an_id(run: Run) -> None:
    """An ID that the session of a framework does not keep is wrong usage."""
    answer = run("create", "-f", "flask", "--id", "abc", "--secret", "k")
    assert (answer.status, answer.err) == (
        2,
        "sessionctl: format 'flask' has no place for such an ID: leave --id out\n",
    )


def test_create_from_a_session_of_h3(run: Run) -> None:
    """A session of h3 has an `id` and `data` of its own, which are no answer of `decode`."""
    key = ["--secret", "complex_password_at_least_32_characters_long"]
    session = {"id": "1", "createdAt": 1795426200000, "data": {"userId": 42}}
    cookie = run("create", "-f", "iron", *key, "--from", "-", stdin=json.dumps(session)).text
    assert run("decode", f"h3={cookie}", *key).json == session


def test_a_new_beaker_cookie_is_recognised(run: Run) -> None:
    """A session of Beaker by its cookie's name, though Beaker has not put its own items in yet."""
    cookie = run("create", "-f", "beaker", "--set", "a=1", "--secret", "k").text
    assert run("decode", f"beaker.session.id={cookie}").json == {"a": 1}


def test_library_and_command_line_share_sessions(run: Run, tmp_path: Path) -> None:
    """What a program stores, the command line reads, and the other way round."""
    storage = open_storage(f"fs:{tmp_path}/store")
    cookie = Cookie("session", secrets=["s3cret"])
    session = storage.read(None)
    session.set("userId", 42)
    header = cookie.serialize(storage.save(session) or "")
    place = ["-s", f"fs:{tmp_path}/store", "--secret", "s3cret"]
    assert run("get", f"Set-Cookie: {header}", "userId", *place).text == "42"
    text = run("set", header.split(";")[0], "userId=43", *place).text
    assert storage.read(cookie.parse(f"session={text}")).get("userId") == 43


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pair", "session={}"),
        ("header", "Cookie: session={}"),
        ("set-cookie", "Set-Cookie: session={}; HttpOnly; Path=/; SameSite=Lax; Secure"),
        ("curl", "curl -b session={} https://example.com/app"),
    ],
)
def test_output(run: Run, kind: str, expected: str) -> None:
    """--output gives the cookie in the form that another program takes."""
    url = ["--url", "https://example.com/app"]
    made = run("create", "--id", "fixed-id-123", "--now", "1700000000", *url, "--output", kind).text
    text = run("set", "--id", "fixed-id-123", "a=1", "--now", "1700000000").text
    assert made == expected.format(text)


def test_output_for_browsers(run: Run) -> None:
    """The cookie jar is Netscape's, the storage state is Playwright's."""
    jar = run("create", "--output", "cookie-jar", "--url", "http://localhost:8000/").text.splitlines()
    assert jar[0] == "# Netscape HTTP Cookie File"
    assert jar[1].split("\t")[:6] == ["#HttpOnly_localhost", "FALSE", "/", "FALSE", "2147483647", "session"]
    state = run("create", "--output", "playwright", "--url", "https://example.com").json
    assert state["cookies"][0]["domain"] == "example.com"
    assert run("create", "--output", "curl").status == 2


def test_purge(run: Run, tmp_path: Path) -> None:
    """`purge` deletes what was last saved before, and tells what it did."""
    place = ["-s", f"fs:{tmp_path}/store"]
    for number in range(5):
        run("create", "--set", f"n={number}", *place)
    assert run("purge", "--older-than", "1h", *place, "--json").json["deleted"] == 0
    dry = run("purge", "--older-than", "1h", "--dry-run", "--now", "4000000000", "--json", *place).json
    assert (dry["matched"], dry["deleted"], dry["dry_run"]) == (5, 0, True)
    limited = run("purge", "--older-than", "1h", "--limit", "2", "--now", "4000000000", "--json", *place).json
    assert (limited["deleted"], limited["complete"]) == (2, False)
    quiet = run("purge", "--older-than", "1h", "--now", "4000000000", "--quiet", *place)
    assert (quiet.status, quiet.out, quiet.err) == (0, "", "")
    assert run("purge", "--older-than", "0s", "--json", *place).json["scanned"] == 0


def test_purge_refuses_what_is_no_store(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/`, a home directory and a directory of other things are refused; --force only for the last."""
    (tmp_path / "docs" / "letters").mkdir(parents=True)
    (tmp_path / "docs" / "a.txt").write_text("x")
    assert run("purge", "--older-than", "1d", "-s", "fs:/").status == 2
    assert run("purge", "--older-than", "1d", "-s", f"fs:{home}", "--force").status == 2
    assert run("purge", "--older-than", "1d", "-s", f"fs:{tmp_path}/docs").status == 2
    assert run("purge", "--older-than", "1d", "-s", f"fs:{tmp_path}/docs", "--force").status == 0
    assert (tmp_path / "docs" / "a.txt").exists()
    owner = SimpleNamespace(pw_dir=str(tmp_path / "docs"))
    monkeypatch.setattr("pwd.getpwuid", {(tmp_path / "docs").stat().st_uid: owner}.__getitem__)
    assert run("purge", "--older-than", "1d", "-s", f"fs:{tmp_path}/docs", "--force").status == 2


def test_purge_of_a_misspelt_place_is_told(run: Run, tmp_path: Path) -> None:
    """A directory that is not there is told, even with --quiet, so that cron mails it; it is no failure."""
    answer = run("purge", "--older-than", "1d", "-s", f"fs:{tmp_path}/typo", "--quiet")
    assert (answer.status, answer.out) == (0, "")
    assert "is the path right?" in answer.err


@pytest.mark.parametrize("missing", [1, 2, 3, 4, 8, 12, 20])
def test_a_cut_cookie_is_recognised(run: Run, missing: int) -> None:
    """A cookie whose end is lost is named, called not genuine, and said to be cut."""
    cookie = "session=eyJ1c2VyX2lkIjo0Mn0.awP70w.VW7FqYZCkXy2E0NEWHHEB3NXhqo"[:-missing]
    answer = run("inspect", cookie, "--secret", "x")
    assert answer.out.startswith("flask cookie: NOT genuine")
    assert "cut" in answer.out


def test_an_empty_cookie_is_not_called_genuine(run: Run) -> None:
    """A cleared cookie is said to be empty."""
    answer = run("inspect", "session=")
    assert answer.out.startswith("empty cookie")
    assert run("inspect", "session=", "--json").json["signature"]["status"] == "unchecked"


def test_an_empty_value_may_be_signed(run: Run) -> None:
    """An empty text under a signature is no empty cookie: it is genuine or not like any other."""
    options = ["-f", "tornado", "--secret", "k", "--cookie-name", "user"]
    cookie = formats.get("tornado").encode("", ["k"], cookie_name="user")
    assert run("inspect", *options, "--json", "--", f'user="{cookie}"').json["signature"]["status"] == "valid"
    assert "tornado cookie: genuine" in run("inspect", *options, "--", f'user="{cookie}"').out


def test_a_cookie_that_was_encoded_too_often_is_told(run: Run) -> None:
    """The report names the format that it is of once it is decoded, and is a no; `decode` says what to do."""
    cookie = run("create", "-f", "django", "--secret", "x", "--set", "a=1").text.replace(":", "%3A")
    answer = run("inspect", f"sessionid={cookie}", "--secret", "x")
    told = "django cookie: NOT genuine: it was percent-encoded once too often"
    assert (answer.status, answer.out[: len(told)]) == (1, told)
    assert "the text fits once it is percent-decoded" in answer.out
    decoded = run("decode", f"sessionid={cookie}")
    assert (decoded.status, "a cookie of django once it is percent-decoded" in decoded.err) == (3, True)


def test_nothing_is_stored_that_cannot_be_printed(run: Run, tmp_path: Path) -> None:
    """A command that cannot print the cookie changes nothing: wrong usage ends before the save."""
    place = ["-s", f"fs:{tmp_path}/store", "--secret", "k"]
    cookie = run("create", "--set", "a=1", *place).text
    assert (
        run("regenerate", cookie, "--delete-old", "--output", "curl", "--url", "ftp://x", *place).status == 2
    )
    assert run("get", cookie, "a", *place).text == "1"
    assert run("create", "-f", "remix", "-s", f"fs:{tmp_path}/other").status == 2
    assert run("create", "--cookie-name", "a b", "-s", f"fs:{tmp_path}/other", "--secret", "k").status == 2
    assert not (tmp_path / "other").exists()


def test_now_reaches_the_storage(run: Run, tmp_path: Path) -> None:
    """`--now` judges stored sessions too, and an expired one ends `inspect` with 1."""
    place = ["-s", f"fs:{tmp_path}/store?ttl=1h", "--secret", "k"]
    cookie = run("create", "--set", "a=1", *place).text
    assert run("get", cookie, "a", *place).status == 0
    assert run("get", cookie, "a", "--now", "2099-01-01", *place).status == 1
    assert run("inspect", cookie, "--now", "2099-01-01", *place).status == 1
    held = ["-s", "cookie:?ttl=1h", "--secret", "k"]
    cookie = run("create", "--set", "a=1", *held).text
    assert run("inspect", cookie, *held).status == 0
    late = run("inspect", cookie, "--now", "2099-01-01", "--json", *held)
    assert (late.status, late.json["expired"]) == (1, True)


@pytest.mark.parametrize("how", ["pairs", "header"])
def test_a_name_with_a_colon_is_read(run: Run, how: str) -> None:
    """koa-session's default name before version 6, `koa:sess`, is read though no server should set such a name."""
    signed = "koa:sess=eyJ1c2VyIjoiYm9iIn0=; koa:sess.sig=qJLZ4p1qAqy8kqid8ztU6IiAlNg"
    text = signed if how == "pairs" else f"Cookie: theme=dark; {signed}"
    told = run("verify", "--json", "--secret", "k-1", "--cookie-name", "koa:sess", text).json
    assert (told["valid"], told["format"]) == (True, "cookie-session")
    assert run("verify", text, "--secret", "k-1").status == 0
    assert run("verify", text, "--secret", "k-1", "--cookie-name", "koa sess").status == 2


def test_verify_of_nothing_is_no_yes(run: Run) -> None:
    """An empty standard input is malformed, and so is an empty line."""
    assert run("verify", "-", stdin="").status == 3
    answer = run("verify", "-", "--json", stdin="\n\n")
    assert (answer.status, answer.out.count('"malformed"')) == (3, 2)


def test_verify_answers_with_its_own_keys(run: Run) -> None:
    """A text of no known format gets a verdict, not an error."""
    for text in ("garbage", "", "Cookie: "):
        told = run("verify", text, "--json")
        assert (told.status, told.json["valid"], told.json["reason"], told.json["format"]) == (
            3,
            False,
            "malformed",
            None,
        )


def test_too_large_a_cookie_is_refused(run: Run) -> None:
    """What browsers would drop is not printed; the largest key is named."""
    answer = run(
        "create",
        "-s",
        "cookie:",
        "--set",
        "small=1",
        "--from",
        "-",
        stdin=json.dumps({"big": list(range(2000))}),
    )
    assert answer.status == 2
    assert "big" in answer.err


def test_a_corrupt_session_can_be_ended(run: Run, tmp_path: Path) -> None:
    """`destroy` needs not read what it deletes."""
    place = ["-s", f"fs:{tmp_path}/store"]
    cookie = run("create", "--id", "broken-one", *place).text
    path = next(path for path in (tmp_path / "store").rglob("*") if path.is_file())
    path.write_text("[{")
    assert run("get", cookie, "a", *place).status == 3
    assert run("destroy", cookie, "--json", *place).json["destroyed"] == 1
    assert not path.exists()


def test_an_age_needs_its_unit(run: Run) -> None:
    """30 days that were meant are not taken for 30 seconds."""
    answer = run("purge", "--older-than", "30")
    assert answer.status == 2
    assert "30d" in answer.err


def test_secret_new(run: Run) -> None:
    """A new secret has 256 random bits unless told otherwise, and is never the same."""
    one, other = run("secret", "new").text, run("secret", "new").text
    assert one != other
    assert len(one) == 43
    assert len(run("secret", "new", "--bytes", "64", "--json").json["secret"]) == 86


def test_config_path(run: Run, home: Path) -> None:
    """`config path` says where things would be, and makes none of them."""
    places = run("config", "path", "--json").json
    assert all(str(home) in places[name] for name in ("config", "storage", "secret"))
    assert list(home.iterdir()) == []


def test_profile(run: Run, home: Path, tmp_path: Path) -> None:
    """A profile gives storage, secrets and cookie name; an option still wins."""
    config = Path(run("config", "path").text)
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[profiles.shop]\nstorage = "fs:{tmp_path}/shop"\nsecrets = ["env:SHOP"]\n'
        'cookie_name = "sid"\nformat = "remix"\n'
    )
    made = run("create", "-p", "shop", "--set", "a=1", "--json", SHOP="s3cret").json
    assert (made["format"], made["cookie_name"], made["storage"]) == ("remix", "sid", f"fs:{tmp_path}/shop")
    assert run("get", made["cookie"], "a", "-p", "shop", SHOP="s3cret").text == "1"
    assert run("verify", made["cookie"], "-p", "shop", "--secret", "other", SHOP="s3cret").status == 1
    near = run("create", "-p", "shopp")
    assert (near.status, "'shop'" in near.err) == (2, True)


@pytest.mark.parametrize(("times", "told"), [(1, "once"), (2, "twice")])
def test_encoded_too_often(run: Run, times: int, told: str) -> None:
    """A cookie of Express that was encoded twice is taken for no other framework's: a key refuses it and says why."""
    for session_id in ("id-0", "id-1", "id-2", "id-3"):  # with `+` or `/` in the signature, and without
        whole = run("create", "-f", "express", "--secret", "k", "--id", session_id).text
        text = whole
        for _ in range(times):
            text = quote(text, safe="")
        words = [f"connect.sid={text}", "--secret", "k"]
        answer = run("inspect", *words)
        first, *_, last = answer.out.splitlines()
        assert answer.status == 1
        assert first == f"express cookie: NOT genuine: it was percent-encoded {told} too often (--secret)"
        assert last == f"hint     the text fits once it is percent-decoded: it was encoded {told} too often"
        verified = run("verify", *words, "--json")
        assert (verified.status, verified.json["reason"], len(verified.json["warnings"])) == (
            1, "bad-signature", 1,
        )  # fmt: skip
        without = run("inspect", words[0])
        assert (without.status, f"note     it was percent-encoded {told} too often: " in without.out) == (
            0,
            True,
        )
        other = run("inspect", words[0], "--secret", "other")
        assert (
            other.status,
            f"; besides, it was percent-encoded {told} too often (--secret)" in other.out,
        ) == (1, True)
        pair = quote(f"connect.sid={text}", safe="")
        assert run("inspect", pair).out.startswith("express cookie: not checked")
        if times == 1:
            assert "has encoded it once too often; decode it" in run("decode", words[0]).err


def test_the_cookie_that_was_taken_is_named(run: Run) -> None:
    """Of several none of which is known, the error names the one that it is about."""
    assert "sessionctl: a: 1 character that is no session" in run("inspect", "Cookie: a=b; c=d").err


def test_paths(run: Run) -> None:
    """get, set, unset and --where mean the same place by the same words, of one session and of many."""
    made = run("create", "--set", 'cart:=[{"q":2}]')
    cookie = run("set", made.text, "cart.0.q=5").text
    assert run("get", cookie, "cart").text == '[{"q":5}]'
    assert run("set", "--where", "cart.0.q=5", "cart.0.q=6").text == "1"
    assert run("get", cookie, "cart.0.q").text == "6"
    assert run("unset", "--where", "cart.0.q=6", "cart.0").text == "1"
    assert run("get", cookie, "cart").text == "[]"
    refused = run("set", "--where", "cart", "cart.7=1")
    assert (refused.status, "'cart'" in refused.err) == (4, True)
    assert run("get", cookie, "cart").text == "[]"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["-f", "express", "--set", "user_id=42"], "not-express-session", "reads an ID alone"),
        (["-f", "django", "--flash", "success=Saved"], "django-messages", "-O kind=messages"),
    ],
    ids=["express", "django"],
)
def test_where_the_framework_looks_elsewhere(run: Run, words: list[str], code: str, says: str) -> None:
    """What the framework's usual setting would not find is made, and a note says so."""
    made = run("create", "--secret", "k", *words)
    assert (made.status, says in made.err) == (0, True)
    assert run("create", "--secret", "k", *words, "--quiet").err == ""
    answer = run("create", "--secret", "k", *words, "--json")
    assert ([warning["code"] for warning in answer.json["warnings"]], answer.err) == ([code], "")
    plain = run("create", "--secret", "k", "-f", words[1])
    assert (plain.status, plain.err) == (0, "")


def test_a_message_for_django(run: Run) -> None:
    """The note comes with `flash` too."""
    made = run("create", "--secret", "k", "-f", "django", "--set", "user_id=42")
    flashed = run("flash", "--secret", "k", "-f", "django", f"sessionid={made.text}", "success=Saved")
    assert (flashed.status, "SessionStorage" in flashed.err) == (0, True)


def test_the_age_of_a_format(run: Run) -> None:
    """A format's own maximum age can be read, and typed in again."""
    line = run("formats", "flask").out.splitlines()[2]
    assert line == "max-age: 2678400s (31 days)"


def test_files_in_the_home_directory(run: Run, home: Path) -> None:
    """Behind an `@` the tilde means the home directory, for a cookie and for a secret: no shell expands it there."""
    cookie = run("create", "-f", "flask", "--secret", "s3cret", "--set", "a=1").text
    (home / "request.txt").write_text(f"Cookie: session={cookie}")
    (home / "key").write_text("s3cret\n")
    assert run("verify", "-f", "flask", "--secret", "@~/key", "@~/request.txt").status == 0


@pytest.mark.parametrize("place", ["fs:{}?ttl=60s", "fs:{}?lifetime=60s", "cookie:?ttl=60s"])
@pytest.mark.parametrize("words", [["get", "a"], ["set", "b=2"]])
def test_an_expired_session_is_called_so(run: Run, tmp_path: Path, place: str, words: list[str]) -> None:
    """A session that is there but has expired is not said to be in another store, logged out or purged."""
    where = ["-s", place.format(tmp_path / "s")]
    cookie = run("create", "--set", "a=1", "--now", "1800000000", *where).text
    answer = run(words[0], cookie, words[1], "--now", "1800000180", *where)
    assert answer.status == 1
    assert "has the session, but it expired 2 minutes ago" in answer.err


@pytest.mark.parametrize("named", ["cookie", "--id"])
def test_an_expired_record_is_still_shown(run: Run, tmp_path: Path, named: str) -> None:
    """`inspect` shows what lies in the store of an expired session, and ends 1."""
    place = ["-s", f"fs:{tmp_path}/s?lifetime=60s"]
    made = run("create", "--set", "a=1", "--json", "--now", "1800000000", *place).json
    which = [made["cookie"]] if named == "cookie" else ["--id", made["id"]]
    answer = run("inspect", *which, "--json", "--now", "1800000180", *place)
    assert (answer.status, answer.json["expired"], answer.json["data"]) == (1, True, {"a": 1})
    assert [warning["code"] for warning in answer.json["warnings"]] == ["record-expired"]
    assert ("expired" in run("inspect", *which, "--now", "1800000180", *place).out.splitlines()[0]) is True
    assert run("inspect", *which, "--now", "1800000030", *place).status == 0


@pytest.mark.parametrize("words", [["inspect"], ["get", "a"]])
def test_a_misspelt_directory_is_named(run: Run, tmp_path: Path, words: list[str]) -> None:
    """Where the directory of a store is not there, this is said of a session that is not found in it."""
    cookie = run("create", "--set", "a=1", "-s", f"fs:{tmp_path}/store").text
    answer = run(words[0], cookie, *words[1:], "-s", f"fs:{tmp_path}/typo")
    assert answer.status == 1
    assert f"there is no {tmp_path}/typo; is the path right?" in " ".join((answer.out + answer.err).split())


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_another_cookie_needs_no_home(run: Run, command: str) -> None:
    """A service user's HOME=/dev/null keeps nobody from reading a cookie that the default secret does not serve."""
    cookie = run("create", "-f", "flask", "--secret", "tiger", "--set", "a=1").text
    answer = run(command, f"session={cookie}", "--json", HOME="/dev/null")
    assert answer.json["format"] == "flask"
    assert answer.status == (0 if command == "inspect" else 1)
    made = run("create", "--set", "a=1", HOME="/dev/null")
    assert (made.status, "there is no home directory" in made.err) == (2, True)


def test_no_home_is_no_failing_store(run: Run) -> None:
    """Where no default store can be, `inspect` of a session's ID only tells, and `config path` names none."""
    cookie = run("create", "--set", "a=1").text
    assert run("inspect", cookie, HOME="/dev/null").status == 0
    assert run("config", "path", HOME="/dev/null")[:2] == (0, "/dev/null/.config/sessionctl/config.toml\n")
    assert run("config", "path", "--json", HOME="/dev/null").json["storage"] is None


def test_inspect_goes_on_without_the_default_secret(run: Run, home: Path) -> None:
    """Where the default secret cannot be read, `inspect` and `get` say why and read the cookie all the same."""
    cookie = run("create", "-f", "flask", "--secret", "tiger", "--set", "a=1").text
    (home / ".local/share/sessionctl/secret").mkdir(parents=True)
    answer = run("inspect", f"session={cookie}", "--json")
    assert (answer.status, answer.json["data"]) == (0, {"a": 1})
    assert "cannot read the default secret" in answer.json["warnings"][-1]["message"]
    assert run("get", f"session={cookie}", "a")[:2] == (0, "1\n")
    assert run("create", "--set", "a=1").status == 2


def test_a_corrupt_record_hides_no_cookie(run: Run, tmp_path: Path) -> None:
    """`inspect` tells what it knows of a cookie whose record cannot be read, and then ends 3."""
    place = ["-s", f"fs:{tmp_path}/s"]
    cookie = run("create", "--set", "a=1", *place).text
    next(path for path in (tmp_path / "s").glob("*/*") if path.is_file()).write_bytes(b"{bad")
    told = run("inspect", cookie, *place)
    assert (told.status, told.out.startswith("native cookie: genuine")) == (3, True)
    assert f"found in fs:{tmp_path}/s" in " ".join(told.out.split())
    assert "the record is not JSON" in told.err
    answer = run("inspect", cookie, "--json", *place)
    assert (answer.status, answer.json["error"]["code"]) == (3, "corrupt-record")
    assert answer.json["signature"]["status"] == "valid"


@pytest.mark.parametrize(("words", "code"), [(["-s", "memory:"], "not-kept"), (["-f", "php"], "not-stored")])
def test_values_that_nobody_keeps_are_told(run: Run, words: list[str], code: str) -> None:
    """A session that is gone with the program, and values that a cookie of an ID has no place for, are not silent."""
    assert [each["code"] for each in run("create", "--set", "a=1", "--json", *words).json["warnings"]] == [
        code
    ]
    answer = run("create", "--set", "a=1", *words)
    assert (answer.status, answer.err.count("\n")) == (0, 1)
    assert run("create", "-f", "php").err == ""


def test_an_id_for_php_is_one_that_php_takes(run: Run) -> None:
    """PHP allows no `_` in an ID, which a random one of ours has every other time."""
    made = [run("create", "-f", "php") for _ in range(20)]
    assert all(re.fullmatch("[0-9a-f]{32}", answer.text) for answer in made)
