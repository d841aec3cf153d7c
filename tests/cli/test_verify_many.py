"""`verify -` is lean, and its short cuts answer as the long way does."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sessionctl import formats, lines
from sessionctl.cli.commands import verify_many
from sessionctl.cli.output import json_text
from sessionctl.cli.views import verdict_lines
from sessionctl.cli.views.verdicts import answer
from sessionctl.encoding import b64encode, b64encode_urlsafe
from sessionctl.errors import MalformedCookieError
from sessionctl.formats.base import Verdict, Warn
from sessionctl.identify import Setup
from sessionctl.signing import KeyRing
from sessionctl.signing.mac import Hmac
from sessionctl.sources import read_cookie
from tests.limits import assert_small

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Answer

SECRET = "a-secret-of-more-than-32-characters-for-tests"
COOKIE = formats.get("flask").encode({"n": 1}, [SECRET], now=1_795_000_000.0)

NAMES = st.text("aZ0_.-%'`{", max_size=20) | st.sampled_from(
    [
        "session", "__session", "connect.sid", "session.0", "my-cookie", "cookie", "Set-Cookie", "x",
        "sessionid12345678", "eyJpZCI6MX0xMjM0NTY3OA", "a" * 48,
    ]
)  # fmt: skip
VALUES = st.text("aZ09+/=.-_%:|;,\"' \t{}ü\udc80", max_size=30) | st.sampled_from(
    [
        "v%3D",
        "s%3Aabc.def%3D",
        "cookie:a=b%3D",
        "__chunked__1",
        ".eJw.aw.sig",
        "=",
        '"a b"',
        "a; Path=/",
        "b; c=d",
    ]
)


class _Recorder:
    """In place of a format: keeps what it is asked."""

    name = "flask"

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def judge(self, text: str, context: formats.Context) -> Verdict:
        """Keep the text and the name."""
        self.asked.append((text, context.cookie_name, context.cookies.keys() - {context.cookie_name}))
        return Verdict(valid=True)


@given(NAMES, VALUES, st.sampled_from([None, "session"]))
@example("session", "v%3D", None)
@example("sessionid12345678", ".abc", None)
@example("session", ",", None)
@example("session", "abc\\n", None)
def test_pairs_are_read_as_elsewhere(name: str, value: str, wanted: str | None) -> None:
    """The short cut for `NAME=VALUE` takes the same value, name and companions as `read_cookie`."""
    _check_line(f"{name}={value}", wanted)


@given(
    NAMES,
    VALUES,
    st.sampled_from(["{}.sig", "other", "{}", ".sig", "Path"]),
    VALUES,
    st.sampled_from([None, "x"]),
)
@example("session", "abc", "{}.sig", "def", None)
@example("x", "abc", "{}.sig", "a=b", "x")
@example("x", "'", "{}.sig", "'", None)
def test_pairs_with_a_companion_are_read_as_elsewhere(
    name: str, value: str, other: str, second: str, wanted: str | None
) -> None:
    """The short cut for `NAME=VALUE; NAME.sig=VALUE` takes the same values and names as `read_cookie`."""
    _check_line(f"{name}={value}; {other.format(name)}={second}", wanted)


def _check_line(line: str, wanted: str | None) -> None:
    recorder = _Recorder()
    judge = lines.judge_as(Setup(format="flask", cookie_name=wanted), recorder)  # type: ignore[arg-type]
    line = line.strip()
    try:
        source = read_cookie(line, wanted)
    except MalformedCookieError:
        source = None
    if source is None or source.value is None:
        with pytest.raises(MalformedCookieError):
            judge(line)
        return
    judge(line)
    assert recorder.asked == [(source.value, source.name or wanted, source.cookies.keys() - {source.name})]


MOMENTS = st.none() | st.floats(allow_nan=True) | st.integers(-(10**11), 10**12).map(float)


@given(
    st.builds(
        Verdict,
        valid=st.booleans(),
        reason=st.sampled_from([None, "expired", "bad-signature"]),
        detail=st.text(max_size=20),
        key_index=st.none() | st.integers(0, 9),
        keys=st.integers(0, 9),
        needs_resign=st.booleans(),
        issued_at=MOMENTS,
        expires_at=MOMENTS,
        expired=st.booleans(),
        warnings=st.lists(st.builds(Warn, st.text(max_size=9), st.text(max_size=9)), max_size=2).map(tuple),
    ),
    st.sampled_from(["flask", None]),
)
def test_lines_of_json_are_the_answer(verdict: Verdict, name: str | None) -> None:
    """A line is the very text that `verify --json` prints for one cookie."""
    assert verdict_lines.json_line(name, verdict) == f"{json_text(answer(name, verdict))}\n"


def _run(data: bytes) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "sessionctl", "verify", "-", "-f", "flask", "--secret", SECRET, "--json",
         "--now", "1795000001"],
        input=data, capture_output=True, check=False,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("end", ["", "\n"], ids=["cut", "ended"])
def test_lines_across_chunks(end: str) -> None:
    """Each line gets one answer, in order, wherever the pieces in which they come in are cut."""
    lines = [f"session={COOKIE}", COOKIE, "session=x.y.z", "ü"] * 900
    answers = _run(("\n".join(lines) + end).encode())
    assert [one["reason"] for one in answers] == [None, None, "bad-signature", "malformed"] * 900


def test_cleared_cookies_among_the_lines(run: Callable[..., Answer]) -> None:
    """A line with what ends a session is judged as `verify` judges that cookie alone."""
    lines = ["PHPSESSID=deleted", 'PHPSESSID=""', "PHPSESSID=", '""']
    for more in (["-f", "php"], ["-f", "flask"], []):
        answer = run("verify", "-", "--secret", "k", *more, stdin="\n".join(lines).encode())
        assert answer.status == 0
        assert answer.out.count("nothing to verify, the cookie is empty") == len(lines)


@pytest.mark.parametrize("text", ["session=deleted", "deleted", "session=null"])
def test_words_that_flask_refuses(run: Callable[..., Answer], text: str) -> None:
    """What PHP and Starlette send to end a session is for another framework a text without a signature."""
    words = ["-f", "flask", "--secret", "k", "--json"]
    for told in (run("verify", text, *words), run("verify", "-", *words, stdin=text.encode())):
        assert (told.status, told.json["valid"], told.json["reason"]) == (3, False, "malformed")


def test_line_that_is_too_long() -> None:
    """A line of megabytes gets one answer, and the lines after it theirs."""
    answers = _run(b"x" * 3_000_000 + b"\n" + COOKIE.encode() + b"\n")
    assert [one["reason"] for one in answers] == ["malformed", None]


def test_long_names_are_not_kept() -> None:
    """A log of names of half a megabyte takes no more memory the longer it is, nor do the errors that quote them."""
    setup = Setup(keys=KeyRing([SECRET]), now=1_795_000_001.0)
    told = verify_many._answer_of(setup, {}, verdict_lines.json_line)
    long = "a" * 500_000
    assert_small(lambda: [told(f"{long}{number}={COOKIE}").status for number in range(110)])
    details = (Verdict(valid=False, reason="malformed", detail=f"{long}{number}") for number in range(110))
    assert_small(lambda: [len(verdict_lines.json_line(None, verdict)) for verdict in details])


def test_answers_come_at_once() -> None:
    """A line is answered before the next one comes: `tail -f access.log | sessionctl verify -`."""
    command = [sys.executable, "-m", "sessionctl", "verify", "-", "-f", "flask", "--secret", SECRET, "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{COOKIE}\n".encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["format"] == "flask"
        process.stdin.close()


def test_refused_lines_are_explained(run: Callable[..., Answer]) -> None:
    """What would mend refused lines is said once, at the end, by the line's number, but not with `--json` or `-q`."""
    words = ["verify", "-", "-f", "flask", "--now", "1795000001", "--secret", f"{SECRET} "]
    lines = f"nothing\n{COOKIE}\n\n{COOKIE}\n"
    answer = run(*words, stdin=lines)
    assert answer.status == 3
    assert answer.err == "sessionctl: hint for line 2: the secret fits without the white space around it\n"
    assert run(*words, "-q", stdin=lines).err == run(*words, "--json", stdin=lines).err == ""
    assert (
        run("verify", "-", "--secret", "other", stdin=lines).err == ""
    )  # nothing mends them: no guess is told


def test_few_refused_lines_are_explained(run: Callable[..., Answer]) -> None:
    """Only the first lines that were refused are looked at, so that a log of a million is not paid for twice."""
    lines = "\n".join(["session=a.b.c"] * 3 + [COOKIE])
    assert run("verify", "-", "-f", "flask", "--secret", f"{SECRET} ", stdin=lines).err == ""


def test_keys_are_derived_once_for_equal_rings() -> None:
    """A library user who gives a list of secrets each time does not pay for the derivation each time."""
    form = formats.get("flask")
    first = form._macs.of(KeyRing([SECRET]))  # type: ignore[attr-defined]
    assert form._macs.of(KeyRing([SECRET])) is first  # type: ignore[attr-defined]
    assert form._macs.of(KeyRing([SECRET, "other"])) is not first  # type: ignore[attr-defined]


def _cookies(number: int) -> list[str]:
    """A cookie of each of many formats, several under one name, and texts that are no cookies of these keys."""
    texts = {
        "native": {"n": number}, "remix": {"n": number}, "react-router": {"n": number}, "hono": f"user-{number}",
        "fastify-cookie": f"user-{number}", "flask": {"n": number}, "starlette": {"n": number},
        "itsdangerous": {"n": number}, "django": {"n": number}, "django-signed": {"n": number}, "jwt": {"n": number},
        "express": f"user-{number}", "rails": {"n": number},
    }  # fmt: skip
    lines = []
    for name, data in texts.items():
        for secret in (SECRET, "another-secret-of-more-than-32-characters"):
            text = formats.get(name).encode(data, [secret], cookie_name="session", now=1_795_000_000.0)
            lines += [f"session={text}", f"{name}={text}", text]
    return [*lines, f"session={number}", "accepted", f"session.{number}=a.b.c"]


def test_order_of_lines_is_no_matter() -> None:
    """A line gets the format and verdict that it gets alone, whatever came before it."""
    setup = Setup(keys=KeyRing([SECRET]), now=1_795_000_001.0)
    lines = [line for number in range(4) for line in _cookies(number)]
    random.Random(7).shuffle(lines)
    told = verify_many._answer_of(setup, {}, verdict_lines.json_line)
    for line in lines:
        assert told(line) == verify_many._answer_of(setup, {}, verdict_lines.json_line)(line), line


def test_order_is_no_matter_to_odd_texts() -> None:
    """Nor to texts that no format writes so but a key fits, nor to those that two formats sign alike."""
    flask, starlette, other = (_written(name) for name in ("flask", "starlette", "itsdangerous"))
    jws = formats.get("itsdangerous", signer="JSONWebSignatureSerializer")
    token = jws.encode({"iat": 1_795_000_000, "exp": 1_795_000_100}, [SECRET])
    lines = [
        f"flask={flask}", f'flask={flask[:-9]}"{flask[-9:]}',
        f"old={flask}", f"old={_written('flask', now=86_400.0)}",
        f"session={starlette}", f"session={other}", f"session={token}", f"session={starlette}",
        f'{{"cookie":"flask={flask}"}}', f'{{"cookie":"flask={flask}","cookie_name":"other"}}',
    ]  # fmt: skip
    setup = Setup(keys=KeyRing([SECRET]), now=1_795_000_001.0)
    told = verify_many._answer_of(setup, {}, verdict_lines.json_line)
    for line in lines:
        assert told(line) == verify_many._answer_of(setup, {}, verdict_lines.json_line)(line), line


@pytest.mark.parametrize("name", ["remix", "react-router", "fastify-cookie", "hono", "itsdangerous"])
def test_order_does_not_confuse_keys(name: str) -> None:
    """A JWT forged with the text of a public key is no genuine cookie of the format before either."""
    pem = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----"""
    genuine = formats.get(name).encode("user-0123456789" if name != "itsdangerous" else {"n": 1}, [pem])
    parts = [b64encode_urlsafe(json.dumps(part).encode()) for part in ({"alg": "HS256"}, {"admin": True})]
    message = ".".join(parts)
    tag = Hmac(pem.encode()).digest(message.encode())
    setup = Setup(keys=KeyRing([pem]), now=time.time())
    told = verify_many._answer_of(setup, {}, verdict_lines.json_line)
    assert told(f"session={genuine}").status == 0
    for signature in (b64encode_urlsafe(tag), b64encode(tag), quote(b64encode(tag))):
        line = f"session={message}.{signature}"
        assert told(line) == verify_many._answer_of(setup, {}, verdict_lines.json_line)(line)
        assert told(line).status == 1


def _written(name: str, now: float = 1_795_000_000.0) -> str:
    return formats.get(name).encode({"n": 1}, [SECRET], cookie_name=name, now=now)


def test_time_goes_on() -> None:
    """In `tail -f` a cookie that was genuine a moment ago is expired when its time is over."""
    command = [
        sys.executable,
        "-m",
        "sessionctl",
        "verify",
        "-",
        "--secret",
        SECRET,
        "--json",
        "--max-age",
        "2",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"it has begun\n")
        process.stdin.flush()
        process.stdout.readline()
        cookie = formats.get("native").encode({"n": 1}, [SECRET], now=time.time())
        reasons: list[str | None] = []
        while reasons[-1:] != ["expired"] and len(reasons) < 60:
            process.stdin.write(f"{cookie}\n".encode())
            process.stdin.flush()
            reasons.append(json.loads(process.stdout.readline())["reason"])
            time.sleep(0.25)
        process.stdin.close()
    assert set(reasons) == {None, "expired"}


@pytest.mark.parametrize("name", ["5", "[1]", '{"a":1}', "true", "1.5"])
def test_a_name_that_is_no_text(run: Callable[..., Answer], name: str) -> None:
    """A JSON line whose `cookie_name` is no text is judged as one without: it ended the whole answer."""
    lines = f'{{"cookie":"flask={COOKIE}","cookie_name":{name}}}\nflask={COOKIE}\n'
    answer = run("verify", "-", "--secret", SECRET, "--max-age", "none", "-f", "flask", stdin=lines)
    assert (answer.status, len(set(answer.out.splitlines()))) == (0, 1), answer
