"""What `inspect`, `verify` and `decode` say of a cookie that its framework would not take."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sessionctl import formats
from sessionctl.stores.layouts import every
from tests.cli.conftest import Answer

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., Answer]

NOON = 1795608000
SECRET_KEY_BASE = "k" * 64
KEY = b"\xff" * 32


@pytest.mark.parametrize(
    ("name", "data", "reason", "detail"),
    [
        ("flask", {"a": 1}, "expired", "made 10 minutes in the future"),
        ("jwt", {"sub": "42", "nbf": NOON}, "not yet valid", "not valid for another 10 minutes"),
    ],
    ids=["made in the future", "valid only later"],
)
def test_a_time_to_come_is_told_first(run: Run, name: str, data: object, reason: str, detail: str) -> None:
    """A cookie that is signed, and refused for a time in the future, is not called genuine alone."""
    cookie = formats.get(name).encode(data, ["tiger"], now=NOON)
    words = ["inspect", cookie, "--secret", "tiger", "-f", name, "--now"]
    answer = run(*words, str(NOON - 600))
    headline = answer.out.splitlines()[0]
    assert answer.status == 1
    assert headline.startswith(f"{name} cookie: {reason}: genuine, but {detail}")
    assert headline.endswith(" (--secret)")
    assert run(*words, str(NOON)).out.startswith(f"{name} cookie: genuine, by the secret")


@pytest.mark.parametrize(
    ("cookie", "keys", "missing"),
    [
        pytest.param(
            formats.get("plug", signing_salt="abc").encode({"a": 1}, [SECRET_KEY_BASE]),
            [SECRET_KEY_BASE],
            "plug cookie: not checked, the salt of the session is needed too: -O signing-salt=...",
            id="a salt of Plug",
        ),
        pytest.param(
            formats.get("beaker", crypto_type="cryptography").encode({"a": 1}, ["one", "two"]),
            ["one"],
            "beaker cookie, encrypted: not checked, an encrypted session needs secrets in pairs:"
            " validate_key, then encrypt_key",
            id="the second key of Beaker",
        ),
    ],
)
def test_what_is_missing_beside_a_secret_is_told_first(
    run: Run, cookie: str, keys: list[str], missing: str
) -> None:
    """Where a secret was given that does not suffice, the report says what is missing, not that none was given."""
    name = missing.split(maxsplit=1)[0]
    secrets = [word for key in keys for word in ("--secret", key)]
    assert run("inspect", cookie, "-f", name, *secrets).out.splitlines()[0] == missing
    assert ": not checked, no secret was given (--secret" in " ".join(
        run("inspect", cookie, "-f", name).out.split()
    )


@pytest.mark.parametrize("keys", [[], ["--secret", "w" * 32]], ids=["no key", "a wrong key"])
@pytest.mark.parametrize("name", ["iron", "litestar"])
def test_an_expiry_in_clear_text_is_told_without_the_key(run: Run, name: str, keys: list[str]) -> None:
    """What stands beside the ciphertext is told, whether or not a key opens it."""
    cookie = formats.get(name).encode({"a": 1}, ["p" * 32], now=NOON, max_age=3600)
    for now, expired in ((NOON, False), (NOON + 7200, True)):
        told = run("inspect", cookie, "-f", name, *keys, "--now", str(now), "--json").json
        assert (told["data"], told["encrypted"]) == (None, True)
        assert (told["expires_at"], told["expired"]) == ("2026-11-25T13:00:00Z", expired)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ("Max-Age=0", "dropped"),
        ("Max-Age=-1; Expires=Thu, 25 Nov 2027 12:00:00 GMT", "dropped"),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", "dropped"),
        ("Expires=Wed, 25-Nov-2026 11:59:59 GMT", "dropped"),
        ("Max-Age=no; Expires=Thu, 01 Jan 1970 00:00:00", "dropped"),
        ("Max-Age=3600; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "dropped-early"),
        ("Expires=Wed, 25 Nov 2026 13:00:00 GMT", "dropped-early"),
        ("Max-Age=2678340", None),
        ("Max-Age=" + "9" * 5000, None),
        ("Expires=soon", None),
        ("Path=/", None),
    ],
)
def test_the_browsers_end_of_a_cookie(run: Run, attributes: str, code: str | None) -> None:
    """A Set-Cookie by which the browser drops the cookie, now or well before its session ends, is told as that."""
    cookie = formats.get("flask").encode({"a": 1}, ["tiger"], now=NOON)
    header = f"Set-Cookie: session={cookie}; {attributes}; Secure; HttpOnly; SameSite=Lax"
    words = ["inspect", header, "--secret", "tiger", "--now", str(NOON)]
    answer = run(*words, "--json")
    assert answer.status == 0
    assert [one["code"] for one in answer.json["warnings"]] == ([] if code is None else [code])
    assert ("note     " in run(*words).out) == (code is not None)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("flask", "PERMANENT_SESSION_LIFETIME"),
        ("starlette", "max_age"),
        ("django", "SESSION_COOKIE_AGE"),
        ("tornado", "max_age_days"),
        ("pyramid", "timeout"),
        ("gorilla", "MaxAge"),
        ("fastify-secure", "expiry"),
    ],
)
def test_an_end_by_the_frameworks_default_is_told_as_that(run: Run, name: str, setting: str) -> None:
    """An end that stands nowhere in the cookie is the default's, and the setting is named by which it may be other."""
    data = {"a": 1, "__ts": NOON} if name == "fastify-secure" else {"a": 1}
    cookie = formats.get(name).encode(data, [KEY], cookie_name="session", now=NOON)
    words = [
        "inspect",
        f"session={cookie}",
        "-f",
        name,
        "--secret",
        f"hex:{KEY.hex()}",
        "--now",
        str(NOON + 6),
    ]
    told = " ".join(run(*words).out.split())
    assert f", by {name}'s default; --max-age is your {setting})" in told
    assert run(*words, "--json").json["expires_by"] == "default"
    asked = run(*words, "--max-age", "1h")
    assert "default" not in asked.out
    assert run(*words, "--max-age", "1h", "--json").json["expires_by"] in ("max-age", "cookie")
    assert run(*words, "--max-age", "5s").status == 1


def test_every_default_life_has_the_name_of_its_setting() -> None:
    """A format or layout that ends sessions by a default says what an application calls its own."""
    ends = [form for form in map(formats.get, formats.names()) if form.default_max_age is not None]
    assert [form.name for form in ends if not form.age_setting] == []
    assert [one.name for one in every() if one.max_age is not None and not one.age_setting] == []


def test_an_end_in_the_text_is_the_cookies(run: Run) -> None:
    """What says its end itself is not told as if it were a default."""
    cookie = formats.get("iron").encode({"a": 1}, ["p" * 32], now=NOON, max_age=3600)
    words = ["inspect", cookie, "-f", "iron", "--secret", "p" * 32, "--now", str(NOON)]
    assert "(in 1 hour)" in run(*words).out
    assert run(*words, "--json").json["expires_by"] == "cookie"


def test_a_browser_that_dropped_it_and_the_default_end_are_told_together(run: Run) -> None:
    """The life in a Set-Cookie is offered as the limit where the session's own end is only a default."""
    cookie = formats.get("flask").encode({"a": 1}, ["tiger"], now=NOON)
    header = (
        f"Set-Cookie: session={cookie}; Expires=Wed, 25 Nov 2026 12:00:05 GMT; Secure; HttpOnly; SameSite=Lax"
    )
    told = run("inspect", header, "--secret", "tiger", "--now", str(NOON + 6)).out
    assert "known only by default, --max-age 5s judges it by that life" in " ".join(told.split())


@pytest.mark.parametrize(
    ("more", "end", "by", "status"),
    [
        ([], "2026-11-25T13:00:00Z", "default", 0),
        (["&ttl=3s"], "2026-11-25T12:00:03Z", "store", 1),
        (["&ttl=1d"], "2026-11-26T12:00:00Z", "store", 0),
        (["", "--max-age", "3s"], "2026-11-25T12:00:03Z", "store", 1),
        (["", "--max-age", "1d"], "2026-11-26T12:00:00Z", "store", 0),
    ],
)
def test_the_life_of_a_file_that_does_not_say_it(
    run: Run, tmp_path: Path, more: list[str], end: str, by: str, status: int
) -> None:
    """session-file-store's `ttl` stands in no file: an hour by default, told as that, and --max-age or ttl= are it."""
    session_id = "a1B2" * 8
    file = tmp_path / f"{session_id}.json"
    file.write_text(
        json.dumps({"cookie": {"originalMaxAge": None, "path": "/"}, "__lastAccess": NOON * 1000})
    )
    cookie = formats.get("express").encode(session_id, ["k"], id=session_id)
    query, *options = more or [""]
    place = f"fs:{tmp_path}?layout=express-file{query}"
    words = [
        "inspect",
        f"connect.sid={cookie}",
        "--secret",
        "k",
        "-s",
        place,
        *options,
        "--now",
        str(NOON + 10),
    ]
    answer = run(*words, "--json")
    assert (answer.json["expires_at"], answer.json["expires_by"], answer.status) == (end, by, status)
    assert ("by express-file's default" in run(*words).out) == (by == "default")


@pytest.mark.parametrize(
    ("pasted", "by"),
    [
        ("PHPSESSID=deleted", "PHP"),
        ("Set-Cookie: PHPSESSID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/", "PHP"),
        ('session=""', ""),
        ("session=", ""),
        ('Set-Cookie: sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/', ""),
        ("Set-Cookie: session=null; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly", "Starlette"),
    ],
)
def test_cleared_cookie(run: Run, pasted: str, by: str) -> None:
    """What a framework sends to end a session is told as that, once, by every command, whatever format is asked for."""
    for more in ([], ["-f", "php"], ["--secret", "k"]):
        answer = run("inspect", pasted, *more)
        assert answer.status == 0
        assert answer.out.startswith("empty cookie: the application ended the session\n")
        assert answer.out.count("ended the session") == 1
        assert ("in place of an empty value" in answer.out) == bool(by)
        assert by in answer.out
        assert "without HttpOnly" not in answer.out
        assert run("inspect", pasted, *more, "--json").json["warnings"][0]["code"] == "cleared"
        assert run("verify", pasted, *more, "--secret", "x").status == 0
        decoded = run("decode", pasted, *more)
        assert (decoded.text, "ended the session" in decoded.err) == ("null", True)
    assert "cleared" in run("doctor", pasted).out


@pytest.mark.parametrize(
    "pasted", ["session=null", "Set-Cookie: session=null; Path=/; Max-Age=3600", "s=delete"]
)
def test_what_clears_nothing(run: Run, pasted: str) -> None:
    """`null` that the browser is to keep, and other words, are no cleared cookies."""
    assert run("inspect", pasted).status == 3


@pytest.mark.parametrize("keys", [[], ["--secret", "w" * 32]], ids=["no key", "a wrong key"])
@pytest.mark.parametrize("name", ["iron", "rails", "rack", "laravel", "litestar", "fastify-secure", "authjs"])
def test_what_is_encrypted_is_said_once(run: Run, name: str, keys: list[str]) -> None:
    """The first line says that it is encrypted and what is wrong; no note says it again, though the JSON has one."""
    words = ["inspect", formats.get(name).example, *keys]
    out = run(*words).out
    assert out.startswith(f"{name} cookie, encrypted: ")
    assert "note " not in out
    codes = [warning["code"] for warning in run(*words, "--json").json["warnings"]]
    assert codes == (["bad-signature", "hint"] if keys else ["no-key"])


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("rack", "short", "wrong kind of key: the secret has 5 bytes; Rack asks for 32 or more"),
        ("laravel", "short", "wrong kind of key: the key has 5 bytes in place of 16 or 32"),
        ("iron", "hex:00", "wrong kind of key: the keys of this seal were made from a password"),
        ("iron", "short", "NOT genuine: the key does not open it: it was made with another, or changed; iron refuses "),
    ],
)  # fmt: skip
def test_key_that_cannot_be_one(run: Run, name: str, key: str, said: str) -> None:
    """A key that the format cannot have tells nothing of the cookie, so the report does not call it forged."""
    answer = run("inspect", formats.get(name).example, "--secret", key)
    assert answer.status == 1
    assert " ".join(answer.out.split()).startswith(f"{name} cookie, encrypted: {said}")


NONE_JWT = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJhIjoxfQ."


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("__session=eyJhIjoxfQ%3D%3D", "react-router cookie: NOT signed: the cookie carries no signature"),
        (
            "session=eyJhIjoxfQ==",
            "cookie-session cookie: NOT signed: there is no cookie session.sig, which holds the",
        ),
        (NONE_JWT, "jwt cookie: NOT signed: the token says alg none"),
        (f"{NONE_JWT}AAAA", "jwt cookie: NOT signed: the token says alg none"),
    ],
)
def test_without_a_signature(run: Run, pasted: str, said: str) -> None:
    """Where there is no signature that a key could fit, the report says so; the reason is a refusal."""
    answer = run("inspect", pasted, "--secret", "k")
    assert answer.status == 1
    assert " ".join(answer.out.split()).startswith(said)
    assert run("inspect", pasted, "--secret", "k", "--json").json["signature"]["reason"] == "bad-signature"
    assert "not signed, anybody could have written it" in run("inspect", pasted).out


@pytest.mark.parametrize(("name", "place"), [("flask", "first"), ("starlette", "last")])
def test_hint_at_the_other_cookie_of_a_name(run: Run, name: str, place: str) -> None:
    """Of two cookies of one name, the one that the framework does not look at is told where the key fits it."""
    texts = [formats.get(name).encode({"user": user}, [user]) for user in ("one", "two")]
    header = f"Cookie: session={texts[0]}; theme=dark; session={texts[1]}"
    unseen = "two" if place == "first" else "one"
    told = run("inspect", header, "--secret", unseen, "--json")
    assert told.status == 1
    hints = [one["message"] for one in told.json["warnings"] if one["code"] == "hint"]
    fits = (
        f"another value of session in that header fits, but {name} takes the {place}: the browser has two, "
    )
    assert [hint.startswith(fits) for hint in hints] == [True]
    assert "another value" not in run("verify", header, "--secret", "three").err


def test_decode_says_what_is_encrypted(run: Run) -> None:
    """Without a key `decode` names the format and says that the cookie is encrypted, with its exit status."""
    answer = run("decode", formats.get("iron").example)
    assert answer.status == 1
    assert answer.err.startswith("sessionctl: iron cookie, encrypted: no secret was given")


@pytest.mark.parametrize("name", ["iron", "rails", "rack", "laravel", "litestar", "fastify-secure", "authjs"])
def test_decode_with_a_wrong_key(run: Run, name: str) -> None:
    """Where no key opens it, `decode` names the format of what is encrypted, as text and in its JSON."""
    words = ["decode", formats.get(name).example, "--secret", "w" * 32]
    answer = run(*words)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.startswith(f"sessionctl: {name} cookie, encrypted: the ")
    told = run(*words, "--json").json
    assert (told["error"]["code"], told["format"]) == ("bad-signature", name)


def test_hints_at_options_that_were_not_the_mistake(run: Run) -> None:
    """An option is hinted at only with the others as they were given, and never one that drops a check."""
    cookie = formats.get("tornado", version="1").encode({"a": 1}, ["k"], cookie_name="user")
    words = ["inspect", f"user={cookie}", "--secret", "k", "-O", "min-version=2", "--json"]
    hints = [one["message"] for one in run(*words).json["warnings"] if one["code"] == "hint"]
    assert hints == ["it fits with -O min-version=1"]
    cookie = formats.get("rails").encode({"a": 1}, ["k"], cookie_name="_a_session")
    told = run("inspect", f"_b_session={cookie}", "--secret", "k", "--json").json
    assert "_a_session" in told["signature"]["detail"]
    assert [one["code"] for one in told["warnings"]] == []


def test_a_report_in_a_pipe_keeps_its_order(process: Run) -> None:
    """What is written without colours stands in the order of the report, with the blank lines between its parts."""
    out = process("inspect", formats.get("flask").example, "-f", "flask").out
    begun = [line.partition(" ")[0] for line in out.splitlines()]
    assert begun == ["flask", "cookie", "issued", "", "data", "", ""]


FLASK = formats.get("flask").encode({"a": 1}, ["tiger"], now=NOON)


@pytest.mark.parametrize("asked", ["django", "express", "iron", "jwt", "rails", "tornado"])
def test_a_wrong_format_is_told_as_that(run: Run, asked: str) -> None:
    """What another format would read is told first, with a key as what it fits, and only then how it fails as this."""
    words = [f"session={FLASK}", "-f", asked, "--now", str(NOON)]
    looks = "by its looks it is a cookie of flask: -f flask"
    for command in ("inspect", "decode"):
        answer = run(command, *words)
        assert (answer.status, answer.out) == (3, "")
        assert answer.err.startswith(f"sessionctl: {looks}; as {asked}: ")
    answer = run("inspect", *words, "--secret", "tiger")
    assert answer.status == 3
    assert answer.err.startswith(f"sessionctl: as flask it is genuine: -f flask; as {asked}: ")
    assert run("get", *words[:1], "a", *words[1:], "--secret", "tiger").err.startswith(f"sessionctl: {looks}")
    assert looks in run("verify", *words, "--secret", "another").err
    assert "as flask it is genuine: -f flask" in run("verify", *words, "--secret", "tiger").err


@pytest.mark.parametrize("text", ["abc", "eyJhIjoxfQ", FLASK[:14]], ids=["a word", "JSON", "a part"])
def test_what_is_no_format_s_is_not_told_as_one(run: Run, text: str) -> None:
    """A text that might be of another format at a stretch is not sent there."""
    assert "by its looks" not in run("inspect", f"session={text}", "-f", "jwt").err
