"""`diff`, `inspect --diff-with` and `timeline` at the command line."""

from __future__ import annotations

import codecs
import json
import shlex
from base64 import b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sessionctl import formats
from tests.cli.conftest import Answer
from tests.visits import exchange, har

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., Answer]


def test_diff(run: Run) -> None:
    """The places that differ are told, and the status says whether any does."""
    one = run("create", "--set", "a=1", "--set", 'cart:=["x"]', "-s", "cookie:").text
    two = run("set", one, "a=2", 'cart:=["x","y"]', "role=admin", "-s", "cookie:").text
    same = run("diff", one, one)
    assert (same.status, same.text) == (0, "nothing differs")
    answer = run("diff", one, two, "--json")
    assert (answer.status, answer.json["same"]) == (1, False)
    changes = {(change["kind"], change["part"], change["path"]) for change in answer.json["changes"]}
    assert {("changed", "data", "a"), ("added", "data", "cart.1"), ("added", "data", "role")} <= changes
    plain = run("diff", one, two)
    assert '+ data.role  "admin"' in plain.out.splitlines()
    assert "~ data.a  1 -> 2" in plain.out.splitlines()
    assert run("diff", one, two, "-q").out == ""


def test_diff_of_stored_sessions(run: Run, tmp_path: Path) -> None:
    """`id:` and `ref:` name stored sessions, `@FILE` a cookie in a file."""
    place = ["-s", f"fs:{tmp_path}/store"]
    run("create", "--id", "first-session", "--set", "a=1", *place)
    second = run("create", "--id", "second-session", "--set", "a=2", "--json", *place).json
    answer = run("diff", "id:first-session", f"ref:{second['ref']}", "--json", *place).json
    assert ("changed", "a") in {(change["kind"], change["path"]) for change in answer["changes"]}
    (tmp_path / "cookie").write_text(f"Cookie: session={second['cookie']}\n")
    len(second["cookie"])
    assert run("diff", f"@{tmp_path}/cookie", second["cookie"], "--json", *place).json["changes"] == [
        {"kind": "changed", "part": "cookie_name", "path": "", "before": "session", "after": None},
        {
            "kind": "changed",
            "part": "size",
            "path": "",
            "before": len(second["cookie"]) + 7,
            "after": len(second["cookie"]),
        },
    ]


def test_inspect_diff_with(run: Run) -> None:
    """`inspect --diff-with` tells the same as `diff`."""
    one = run("create", "--set", "a=1", "-s", "cookie:").text
    two = run("set", one, "a=2", "-s", "cookie:").text
    answer = run("inspect", one, "--diff-with", two)
    assert (answer.status, answer.out) == (1, run("diff", one, two).out)


@pytest.mark.parametrize("words", [["diff", "-", "-"], ["inspect", "-", "--diff-with", "-"]])
def test_standard_input_is_one_session(run: Run, words: list[str]) -> None:
    """What is read once cannot be both sessions: the second would be empty."""
    answer = run(*words, stdin=formats.get("flask").encode({"a": 1}, ["k"]))
    assert (answer.status, "stands there twice" in answer.err) == (2, True)


@pytest.mark.parametrize("other", ["nonsense", "id:unknown", "ref:0000", "@/no/such/file", ""])
def test_diff_says_which_cannot_be_read(run: Run, other: str) -> None:
    """The error names the one of the two that it is about, with the code and status of its own."""
    flask = formats.get("flask").encode({"a": 1}, ["k"])
    alone = run("inspect", other).status if other[:1] not in ("i", "r") else 1
    for words, side in (((other, flask), "A, the first session"), ((flask, other), "B, the second session")):
        answer = run("diff", *words)
        assert (answer.status, answer.err.startswith(f"sessionctl: {side}: ")) == (alone, True)
        assert run("diff", *words, "--json").json["error"]["message"].startswith(f"{side}: ")
    told = run("inspect", flask, "--diff-with", other)
    assert (told.status, told.err.startswith("sessionctl: --diff-with: ")) == (alone, True)


def test_diff_takes_two(run: Run) -> None:
    """One session or three are wrong usage."""
    assert run("diff", "a").status == 2
    assert run("diff", "a", "b", "c").status == 2


def visit() -> bytes:
    """A visit whose log-in keeps the ID, with hostile text in its URL."""
    session_id = "kq3Zp7vX0bN5tR8wL1yC4mD6fGhJ2sKe"
    cookie = formats.get("express").encode(session_id, ["s3cret"], id=session_id)
    return har(
        exchange(0, "GET", "/\x1b[31mx", 200, "", f"sid={cookie}; Path=/; HttpOnly"),
        exchange(3, "POST", "/login", 302, f"sid={cookie}"),
    )


def test_timeline(run: Run, tmp_path: Path) -> None:
    """A line for each event with its request; faults say what mends them; nothing in it is obeyed."""
    path = tmp_path / "visit.har"
    path.write_bytes(visit())
    answer = run("timeline", str(path))
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert lines[0].split()[:3] == ["08:51:40", "set", "sid"]
    assert "same-id-at-login" in lines[1]
    assert any("mend: regenerate" in line for line in lines)
    assert "\x1b" not in answer.out
    assert run("timeline", "-", stdin=visit()).out == answer.out
    assert run("timeline", "--har", str(path)).out == answer.out
    assert [run("timeline", *words).status for words in ([], [str(path), "--har", str(path)])] == [2, 2]


def test_timeline_json(run: Run) -> None:
    """One object a line, with the keys of the contract."""
    events = [json.loads(line) for line in run("timeline", "-", "--json", stdin=visit()).out.splitlines()]
    assert [event["kind"] for event in events] == ["set", "same-id-at-login"]
    assert events[1]["severity"] == "error"
    assert {
        "time",
        "kind",
        "cookie",
        "ref",
        "method",
        "url",
        "status",
        "detail",
        "changes",
        "mend",
        "source",
    } <= events[0].keys()


def test_timeline_of_what_is_no_har(run: Run) -> None:
    """It is unreadable input."""
    assert run("timeline", "-", stdin=b"{}").status == 3
    assert run("timeline", "/nonexistent").status == 2


def test_doctor_of_a_cookie(run: Run) -> None:
    """A cookie is judged by its header and its secret; the status says whether anything is more than a note."""
    text = formats.get("flask").encode({"user_id": 1}, ["keyboard cat"])
    bad = run("doctor", f"Set-Cookie: session={text}; Path=/", "--json")
    codes = {json.loads(line)["code"] for line in bad.out.splitlines()}
    assert (bad.status, codes) == (1, {"no-httponly", "no-secure", "no-samesite", "known-secret", "old-hash"})
    good = run("create", "-s", "cookie:", "--cookie-name", "__Host-id", "--output", "set-cookie").text
    fine = run("doctor", good)
    assert (fine.status, fine.out) == (0, "")
    assert "secure-on-http" in run("doctor", good, "--url", "http://shop.test/").out


def test_doctor_of_a_visit(run: Run, tmp_path: Path) -> None:
    """A HAR is judged as a visit, by --har and as @FILE; --fix has nothing to do with it."""
    path = tmp_path / "visit.har"
    path.write_bytes(visit())
    answer = run("doctor", "--har", str(path))
    assert answer.status == 1
    assert "same-id-at-login" in answer.out
    assert run("doctor", f"@{path}").out == answer.out
    assert run("doctor", "-", stdin=path.read_bytes()).out == answer.out
    assert run("doctor", "--har", str(path), "--fix").status == 2


FLASK = "eyJ1c2VyX2lkIjo0MiwidXNlcm5hbWUiOiJhbGljZSJ9.awP70w.ztx6gJoVYfMU0-5LnD-jhCLFNFY"
FLASK_KEY = "dev-secret-key-not-for-prod"
STARLETTE = "eyJ1c2VyX2lkIjogIm1qIn0=.awpeCA.Kbqvz4s4Lzu88qd3Cxq3akuNuL4"  # of Starlette 1.10.0
PADDED = "eyJ1c2VyIjogIm0ifQ==.awpeCA.Yj_nieYkCyYbDPSx-FNvTMMcwCQ"
PLUS = "eyJ1c2VyIjogIj8/Pz4+In0=.awpeCA.nQmHJgppNrmvx7CNvM-6Ba9qFkY"
STARLETTE_KEY = "my-right-key-of-the-application-0123456789"


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (codecs.BOM_UTF8 + f"{FLASK_KEY}\r\n".encode(), "the secret fits without the byte order mark"),
        (f"{FLASK_KEY}\r\n".encode("utf-16"), "the secret fits once its file is read as UTF-16: save the file"),
        (codecs.BOM_UTF16_BE + FLASK_KEY.encode("utf-16-be"), "the secret fits once its file is read as UTF-16"),
    ],
    ids=["UTF-8 with a mark", "UTF-16", "UTF-16, big end first"],
)  # fmt: skip
def test_a_secret_in_a_file_of_windows(run: Run, tmp_path: Path, content: bytes, hint: str) -> None:
    """A file with a byte order mark is taken as it is, and told where that is why the key does not fit."""
    (tmp_path / "secret").write_bytes(content)
    answer = run("verify", f"session={FLASK}", "--now", "1795000000", "--secret", f"@{tmp_path}/secret")
    assert (answer.status, hint in answer.err) == (1, True)


def test_which_of_several_keys(run: Run) -> None:
    """Of several keys the hint says which; of one there is nothing to say."""
    words = [
        "verify",
        f"session={FLASK}",
        "--now",
        "1795000000",
        "--secret",
        "other",
        "--secret",
        f"{FLASK_KEY} ",
    ]
    assert "hint: key 1 fits without the white space around it" in run(*words).err


def test_a_secret_for_what_nothing_signs(run: Run, tmp_path: Path) -> None:
    """A secret for an ID that nothing signs is told to play no part; of a database nothing is said beside a store."""
    words = ["inspect", "sessionid=gn9cik6uaeoto3m4oki7xbe8bk3byw5t"]
    plain, keyed = run(*words), run(*words, "--secret", "k")
    assert (plain.status, "plays no part" in plain.out) == (0, False)
    assert (keyed.status, "the secret plays no part" in keyed.out) == (1, True)
    assert "perhaps it is a row of the database" in keyed.out
    assert "the database" not in run(*words, "-s", f"fs:{tmp_path}?layout=django-file").out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["-f", "flask", "--secret", FLASK_KEY, f"session={FLASK[:60]} {FLASK[60:]}"], "without the white space"),
        (["--secret", f"'{FLASK_KEY}'", f"session={FLASK}"], "the secret fits without the quotes around it"),
        (["-f", "flask", "--secret", STARLETTE_KEY, f"session={STARLETTE}"], "as starlette it is genuine: -f star"),
        (["-f", "starlette", "--secret", FLASK_KEY, f"session={FLASK}"], "as flask it is genuine: -f flask"),
        (["--secret", STARLETTE_KEY, f"session={PADDED.replace('=', '%3D')}"], "the text fits once it is"),
        (["--secret", STARLETTE_KEY, f"session={PLUS.replace('+', ' ')}"], "as starlette, the text fits with + where"),
        (["--secret", FLASK_KEY, f"session=session={FLASK}"], "as flask, the text fits without the name in front"),
        (["-f", "django", "--secret", FLASK_KEY, f"session={FLASK}"], "as flask it is genuine: -f flask"),
    ],
)  # fmt: skip
def test_verify_hints(run: Run, words: list[str], hint: str) -> None:
    """`verify` tells what would make the cookie genuine, on stderr and among the warnings of its JSON."""
    words = ["verify", "--now", "2026-11-28T05:00:00Z", *words]
    answer = run(*words)
    assert answer.status in (1, 3)
    assert hint in answer.err
    assert run(*words, "-q").err == ""
    told = run(*words, "--json").json["warnings"]
    assert any(hint in one["message"] for one in told if one["code"] == "hint")


@pytest.mark.parametrize(
    ("name", "options", "data", "said"),
    [
        ("flask", {"salt": "confirm-salt"}, {"a": 1}, "it fits with -O salt=confirm-salt"),
        ("flask", {"salt": "auth", "digest": "sha256"}, {"a": 1}, "it fits with -O salt=auth -O digest=sha256"),
        ("flask", {"key_derivation": "concat", "digest": "sha256"}, {"a": 1},
         "it fits with -O key-derivation=concat -O digest=sha256"),
        ("itsdangerous", {"salt": "wtf-csrf-token"}, "6a7f", "it fits with -O salt=wtf-csrf-token"),
        ("itsdangerous", {"salt": "quart auth salt", "digest": "sha512"}, "42",
         "it fits with -O salt='quart auth salt' -O digest=sha512"),
        ("itsdangerous", {"salt": "activate"}, {"a": 1},
         "as itsdangerous it is genuine: -f itsdangerous -O salt=activate"),
        ("django-signed", {"salt": "registration"}, "bob", "it fits with -O salt=registration"),
        ("django-signed", {"salt": "account"}, {"a": 1},
         "as django-signed it is genuine: -f django-signed -O salt=account"),
    ],
)  # fmt: skip
def test_hint_at_a_usual_salt(run: Run, name: str, options: dict[str, str], data: object, said: str) -> None:
    """The salt, derivation and hash of a well-known library are told in one hint, which makes the cookie genuine."""
    words = ["verify", "--secret", "tiger", formats.get(name, **options).encode(data, ["tiger"])]
    answer = run(*words, "--json")
    assert answer.status == 1
    assert [one["message"] for one in answer.json["warnings"] if one["code"] == "hint"] == [said]
    asked = shlex.split(said)
    begin = next(index for index, word in enumerate(asked) if word in ("-f", "-O"))
    assert run(*words, *asked[begin:]).status == 0


ANOTHER_SECRET = (
    "another secret signed it: it changed at a deployment, is made anew at each start, "
    "or differs between machines"
)
NOT_JUDGED = {"cookie-session", "php", "aiohttp", "plug"}
"""Formats whose example no secret alone judges: its signature stands elsewhere or nowhere, or a salt is asked for."""


@pytest.mark.parametrize("name", [name for name in formats.names() if name not in NOT_JUDGED])
def test_hint_at_another_secret(run: Run, name: str) -> None:
    """Of a whole cookie that no key fits, of whatever format, one hint says first to look at the secret."""
    form = formats.get(name)
    text = f"{form.cookie_names[0]}={form.example}" if form.cookie_names else form.example
    words = [text, "-f", name, "--secret", "w" * 32]
    told = [
        one["message"] for one in run("verify", *words, "--json").json["warnings"] if one["code"] == "hint"
    ]
    assert [hint.replace("encrypted it", "signed it").split("; or ")[0] for hint in told] == [
        f"perhaps {ANOTHER_SECRET}"
    ]
    assert "hint     perhaps another secret" in run("inspect", *words).out


def test_hint_at_the_default_secret(run: Run) -> None:
    """A cookie that was judged by the default secret alone wants the application's."""
    run("create")
    answer = run("inspect", formats.get("native").example)
    assert "only the default secret was tried: --secret gives the application's" in answer.out


def test_a_cookie_that_was_encoded_is_taken_for_no_other(run: Run) -> None:
    """A payload with %3D for its padding is no text that something else signed, also where no key fits."""
    text = f"session={PADDED.replace('=', '%3D')}"
    for secret, told in (
        (STARLETTE_KEY, "it was percent-encoded once too often"),
        ("x", "the signature does not fit the key; besides, it was percent-encoded once too often"),
    ):
        answer = run("inspect", text, "--secret", secret)
        assert (answer.status, answer.out.splitlines()[0]) == (
            1, f"starlette cookie: NOT genuine: {told} (--secret)",
        )  # fmt: skip
        assert '"m"' in answer.out


def test_hint_at_a_salt_of_its_own(run: Run) -> None:
    """Where nothing explains a misfit, the salt is named that an application may have chosen; `-O` with it fits."""
    words = ["--secret", "tiger", formats.get("flask", salt="shop").encode({"a": 1}, ["tiger"])]
    told = f"perhaps {ANOTHER_SECRET}; or the application has its own salt: -O salt=... gives it"
    assert f"hint: {told}" in run("verify", *words).err
    assert f"hint {told}" in " ".join(run("inspect", *words).out.split())
    assert (
        "it fits with -O salt=cookie-session"
        in run("verify", "-O", "salt=x", "--secret", FLASK_KEY, FLASK).err
    )
    assert "salt" not in run("verify", *words, "-O", "salt=other").err
    assert run("verify", *words, "-O", "salt=shop").status == 0
    assert "hint" not in run("verify", "--secret", "tiger", FLASK[:-2], "-f", "flask").err


def test_hint_at_a_salt_of_a_view(run: Run) -> None:
    """A signed cookie of Django's with a salt of its view is told of the salt, not of a kind that is right already."""
    form = formats.get("django-signed", kind="set_signed_cookie", salt="prefs")
    cookie = form.encode("dark", ["tiger"], cookie_name="theme")
    words = ["--secret", "tiger", f"theme={cookie}"]
    answer = run("inspect", *words)
    assert "; or the application has its own salt: -O salt=... gives it" in " ".join(answer.out.split())
    assert "-O kind" not in answer.out
    assert run("verify", *words, "-f", "django-signed", "-O", "salt=prefs").status == 0
    nameless = run("verify", "--secret", "tiger", cookie)
    assert "give name=value or --cookie-name" in " ".join(nameless.out.split())
    assert nameless.err == ""


def test_a_comment_in_a_file_of_secrets(run: Run, tmp_path: Path) -> None:
    """A line that looks like a comment is a secret all the same, which is told; -q is silent."""
    path = tmp_path / "keys"
    path.write_text(f"# my keys\n{FLASK_KEY}\n#no-comment\n")
    words = [
        "verify",
        "--secret-file",
        str(path),
        "--now",
        "2026-11-28T05:00:00Z",
        f"session={FLASK}",
        "--json",
    ]
    answer = run(*words)
    assert answer.err.count("begins with # like a comment") == 1
    assert (answer.json["key_index"], answer.json["keys"]) == (1, 3)
    assert run(*words, "-q").err == ""


LARAVEL_KEY = "pX7y3bq0n8k5v1c6m2a9s4d7f0g3h6j1k4l7z0x3c5E="


@pytest.mark.parametrize(
    ("name", "given", "hint"),
    [
        ("flask", "the-key", "the secret fits as the content of the file of that name: give it as @FILE"),
        ("flask", "SECRET_KEY=tiger", 'the secret fits without "SECRET_KEY="'),
        ("flask", "export SECRET_KEY='tiger'", 'the secret fits without "export SECRET_KEY="'),
        ("laravel", LARAVEL_KEY, "the secret fits once it is decoded from base64: give it as base64:..."),
        ("laravel", f"APP_KEY=base64:{LARAVEL_KEY}", 'the secret fits without "APP_KEY="'),
    ],
)
def test_hint_at_a_secret_given_as_what_it_is_not(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: str, hint: str
) -> None:
    """A file's name without its @, a line of a .env file, and base64 without its prefix are told where they fit."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "the-key").write_text("tiger\n")
    key = b64decode(LARAVEL_KEY) if name == "laravel" else "tiger"
    text = formats.get(name).encode({"a": 1}, [key], cookie_name="laravel_session")
    text = f"laravel_session={text}"
    answer = run("verify", "-f", name, "--secret", given, text)
    assert (answer.status, hint in answer.err) == (1, True)
    assert "the secret fits" not in run("verify", "-f", name, "--secret", f"{given}x", text).err


def test_hint_at_another_format(run: Run, tmp_path: Path) -> None:
    """A format that was asked for, or that a profile sets, and that is the wrong one is told, by `inspect` too."""
    words = [f"session={STARLETTE}", "--secret", STARLETTE_KEY, "--now", "2026-11-28T05:00:00Z"]
    said = run("inspect", *words, "-f", "flask").out
    assert "hint     as starlette it is genuine: -f starlette" in said
    assert "hint" not in run("inspect", *words, "-f", "starlette").out
    assert "hint" not in run("verify", *words).err


def test_size_of_a_cookie_in_chunks(run: Run) -> None:
    """Browsers drop a chunk over their limit, not the cookie that is put together from them; a missing one is told."""
    name, full = "authjs.session-token", 3936
    text = formats.get("authjs").encode({"sub": "x" * full}, ["s3cr3t"], cookie_name=name)
    pairs = [f"{name}.{index}={text[index * full : (index + 1) * full]}" for index in range(2)]
    report = run("inspect", f"Cookie: {'; '.join(pairs)}", "--secret", "s3cr3t", "--json").json
    assert report["size"] == {"bytes": len(name) + len(text), "limit": 2 * 4096}
    assert "too-large" not in {warning["code"] for warning in report["warnings"]}
    one = run("inspect", f"Cookie: {name}={text}", "--secret", "s3cr3t", "--json").json
    assert "too-large" in {warning["code"] for warning in one["warnings"]}
    alone = run("inspect", f"Cookie: {pairs[0]}", "--secret", "s3cr3t")
    assert (alone.status, f"the next chunk is missing, as it seems: give {name}.1 too" in alone.err) == (
        3,
        True,
    )


@pytest.mark.parametrize("command", ["verify", "inspect", "decode"])
def test_broken_by_copying(run: Run, command: str) -> None:
    """White space inside a cookie, of which no format can be, is told with the format that it hides."""
    answer = run(command, f"session={FLASK[:60]} {FLASK[60:]}")
    assert (answer.status, "a cookie of flask without the white space inside" in answer.err) == (3, True)


def test_hints_on_what_is_no_text(run: Run) -> None:
    """A byte that is no UTF-8 in a cookie gets a verdict like any other."""
    cookie = f"session={FLASK[:-1]}\udcff"
    for command in ("verify", "inspect"):
        answer = run(command, cookie, "-f", "flask", "--secret", FLASK_KEY, "--json")
        assert answer.status == 1
        assert "bad-signature" in answer.out


def test_watch_names_the_first_of_many(run: Run, tmp_path: Path) -> None:
    """Thousands of lines about what is there already would hide what happens."""
    store = f"fs:{tmp_path}/many"
    run("create", "--count", "30", "--set", "a=1", "-s", store)
    plain = run("watch", "--where", "a", "-s", store, "--for", "0.1s")
    assert (plain.out.count("found"), plain.err) == (20, "sessionctl: watching 30 sessions\n")
    told = run("watch", "--where", "a", "-s", store, "--for", "0.1s", "--json")
    assert (told.out.count("found"), told.err) == (30, "")


@pytest.mark.parametrize("meant", ["--where a=1", "--id abc"])
def test_watch_of_a_place_that_is_not_there(run: Run, tmp_path: Path, meant: str) -> None:
    """A directory that does not exist is told, since it may be misspelt; it is watched all the same."""
    answer = run("watch", *meant.split(), "-s", f"fs:{tmp_path}/nowhere", "--for", "0s")
    assert (answer.status, answer.out) == (0, "")
    assert f"warning: there is no {tmp_path}/nowhere; is the path right?" in answer.err
    assert ("there is no such session yet" in answer.err) == (meant == "--id abc")


SEALED = ["--secret", "a secret of thirty-two characters"]


def test_what_is_encrypted_is_not_the_same(run: Run) -> None:
    """Of two encrypted cookies nothing is said to be the same that no key has opened; with the key the data is."""
    words = ["create", "-f", "iron", *SEALED, "--now", "2026-03-16T16:00:00Z", "--set"]
    one, other = (run(*words, f"a={number}").text for number in (1, 2))
    told = run("diff", one, other)
    assert (told.status, told.out) == (1, "")
    assert "cannot be compared without its key" in told.err
    quiet = run("diff", one, other, "-q")
    assert (quiet.status, quiet.out, quiet.err) == (1, "", "")
    assert run("diff", one, other, "--json").json == {"same": False, "changes": []}
    assert run("diff", one, one).status == 0
    assert "~ data.a  1 -> 2" in run("diff", one, other, *SEALED).out


def test_a_difference_in_the_signature_alone(run: Run) -> None:
    """Where the data are the same and the texts are not, that is said; with the key the signature differs."""
    broken = FLASK[:-2] + ("AA" if FLASK[-2:] != "AA" else "BB")
    told = run("diff", FLASK, broken)
    assert (told.status, told.out) == (0, "nothing differs\n")
    assert "though the texts differ: in their signatures" in told.err
    assert run("diff", FLASK, broken, "--secret", FLASK_KEY).status == 1


def test_timeline_says_whose_story_it_tells(run: Run, tmp_path: Path) -> None:
    """Of several cookies the one that is followed is named; one that is not in the visit is an error."""
    file = tmp_path / "visit.har"
    file.write_bytes(har(exchange(0, "GET", "/", 200, f"theme=dark; session={FLASK}")))
    told = run("timeline", str(file))
    assert told.status == 0
    assert "of 2 cookies, session looks most like a session; the others: theme" in told.err
    assert (
        run("timeline", str(file), "-q").err == run("timeline", str(file), "--cookie-name", "theme").err == ""
    )
    missing = run("timeline", str(file), "--cookie-name", "sid")
    assert (missing.status, missing.out) == (3, "")
    assert missing.err.startswith("sessionctl: there is no cookie 'sid' among theme, session; --cookie-name")
    assert "is a file" not in missing.err
    judged = run("doctor", f"@{file}")
    assert "of 2 cookies, session looks most like a session; the others: theme" in judged.err


@pytest.mark.parametrize(
    ("name", "options", "data"),
    [
        ("itsdangerous", {"separator": "~"}, {"a": 1}),
        ("django-signed", {"separator": "~"}, ["a"]),
        ("express", {"prefix": ""}, "hello"),
        ("express", {"prefix": "sess:"}, "hello"),
        ("fastify-cookie", {"prefix": "s:"}, "hello"),
    ],
)
def test_options_take_part_in_detection(run: Run, name: str, options: dict[str, str], data: object) -> None:
    """A text that is of a format only with the options that were given is found by them, without -f."""
    text = formats.get(name, **options).encode(data, ["k"])
    words = [word for key, value in options.items() for word in ("-O", f"{key}={value}")]
    assert run("verify", f"c={text}", "--secret", "k", *words).status == 0
    assert run("decode", f"c={text}", *words, "--json").json["data"] == data


def test_option_whose_value_no_format_takes(run: Run) -> None:
    """What is wrong is told of the value where the option is there, of the option where no format has it."""
    wrong = run("verify", FLASK, "--secret", "k", "-O", "digest=sha7")
    assert (wrong.status, "option 'digest' of format 'flask' is one of md5, sha1" in wrong.err) == (2, True)
    unknown = run("verify", FLASK, "--secret", "k", "-O", "nonsense=1")
    assert (unknown.status, "takes the option nonsense" in unknown.err) == (2, True)


def test_value_that_looks_like_a_pair(run: Run) -> None:
    """A bare value with a `=` in it is read as a pair, and where it fits as a whole a hint says how to give it."""
    text = formats.get("express", prefix="").encode("hello=world", ["k"])
    words = ["--secret", "k", "-O", "prefix="]
    answer = run("verify", text, *words)
    assert answer.status == 1
    assert "the text fits with hello= in front, which is no name but part of it" in answer.err
    assert run("verify", f"NAME={text}", *words).status == 0
