"""Each --output is taken by the real program that it is for."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.cookiejar import MozillaCookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sessionctl.cli.options import output_options
from sessionctl.outputs import KINDS, PLACED
from tests.cli.conftest import Answer

Run = Callable[..., Answer]

# Values that programs quote or cut: an express cookie as sent, and one with quotes and spaces in its data.
FORMATS = [
    ["-f", "express", "--secret", "k", "--id", "one-fixed-session-id"],
    ["-f", "cookie-session", "--secret", "k", "--set", "a=x y"],
    ["-s", "cookie:", "--id", "one-fixed-session-id"],
]


class _Echo(BaseHTTPRequestHandler):
    """Answer with the Cookie header that came."""

    def do_GET(self) -> None:
        """Send the header back."""
        body = (self.headers.get("Cookie") or "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """A server that answers with the Cookie header it got."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/app"
    server.shutdown()
    server.server_close()
    thread.join()


def ran(words: list[str], **more: object) -> str:
    """What a program printed; it is skipped, and that is said, where it is not installed."""
    program = words[0]
    if shutil.which(program) is None and not os.path.exists(program):
        pytest.skip(f"{program} IS MISSING: its --output was not tried")
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, **more)  # type: ignore[call-overload]
    return str(done.stdout).strip()


def send(kind: str, text: str, url: str, folder: Path) -> str:
    """Hand the output to its program, and give the Cookie header that the server got."""
    file = folder / "output"
    file.write_text(text)
    if kind == "curl":
        return ran([*shlex.split(text), "--silent", "--show-error"])
    if kind == "wget":
        return ran([*shlex.split(text), "--quiet", "-O", "-"])
    if kind == "cookie-jar":
        return ran(["curl", "--silent", "-b", str(file), url])
    if kind == "httpie":
        program = Path(sys.executable).parent / "http"
        return ran(
            [str(program), "--ignore-stdin", "--body", f"--session-read-only={file}", url],
            env={**os.environ, "HOME": str(folder)},
        )
    program = text.replace("print(response.status_code, response.url)", "print(response.text)")
    return ran([sys.executable, "-W", "ignore", "-c", program])


@pytest.mark.slow
@pytest.mark.parametrize("arguments", FORMATS, ids=["express", "cookie-session", "native"])
@pytest.mark.parametrize("kind", ["curl", "wget", "cookie-jar", "httpie", "requests", "httpx"])
def test_the_program_sends_it(run: Run, url: str, tmp_path: Path, kind: str, arguments: list[str]) -> None:
    """The server gets the very cookies that `--output pair` names."""
    common = ["create", "--now", "1795423900", *arguments]
    pair = run(*common, "--output", "pair").text
    text = run(*common, "--output", kind, "--url", url).text
    assert pair
    assert sorted(send(kind, text, url, tmp_path).split("; ")) == sorted(pair.split("; "))


PLACES = [
    "http://x.test:8080/a", "http://localhost:5000/", "localhost:5000", "http://shop/", "http://10.0.0.1/",
    "http://[2001:db8::1]:8000/x", "http://bücher.example/", "http://straße.example/", "http://X.TEST/a b/ä?q='x y'",
    "http://x.test/$HOME`id`?a=b&c=d#e",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["curl", "wget", "cookie-jar", "httpie", "requests", "httpx"])
def test_every_place_gets_it(
    run: Run, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    """Ports, IPv6, names beyond ASCII, names without a dot, spaces and quotes in the path: the cookie goes there."""
    monkeypatch.setenv("http_proxy", url.removesuffix("/app"))  # which answers for every host
    monkeypatch.setenv("no_proxy", "")
    common = ["create", "--id", "one-fixed-session-id", "--now", "1795423900", "-s", "cookie:"]
    text = run(*common, "--output", kind, "--url", place).text
    asked = shlex.split(run(*common, "--output", "curl", "--url", place).text)[-1]
    assert send(kind, text, asked, tmp_path) == run(*common, "--output", "pair").text


def test_a_jar_that_python_reads(run: Run, tmp_path: Path) -> None:
    """http.cookiejar takes the cookie for one that has not expired, with the place's host and Secure."""
    file = tmp_path / "jar"
    for place, secure in (("https://x.test/a", True), ("http://x.test/a", False)):
        file.write_text(run("create", "--output", "cookie-jar", "--url", place).out)
        jar = MozillaCookieJar(file)
        jar.load()
        assert [(one.name, one.domain, one.path, one.secure) for one in jar] == [
            ("session", "x.test", "/", secure)
        ]


@pytest.mark.parametrize("kind", ["cookie-jar", "playwright"])
def test_a_prefix_is_bound_to_https(run: Run, kind: str) -> None:
    """A jar would drop a `__Host-` cookie that is not Secure, also of localhost."""
    answer = run("create", "--cookie-name", "__Host-id", "--output", kind, "--url", "http://localhost:5000/")
    assert ("\tTRUE\t2147483647" in answer.out) or answer.json["cookies"][0]["secure"]


@pytest.mark.parametrize(
    "place",
    [
        "http:///x",
        "ftp://x.test/",
        "http://x.test:99999/",
        "http://x.test:no/",
        "http://[::1/",
        "http://x\n.test/",
        "http://x.test/\x1b[0m",
        "/a",
    ],
)
def test_what_is_no_place(run: Run, home: Path, place: str) -> None:
    """It is wrong usage, and nothing is made."""
    answer = run("create", "--output", "curl", "--url", place)
    assert (answer.status, "--url" in answer.err, list(home.rglob("*"))) == (2, True, [])


def test_env(run: Run, tmp_path: Path) -> None:
    """`--env` is a line that a shell and a .env reader take for the same value."""
    common = ["create", "--id", "x", "--now", "1795423900", "-s", "cookie:", "--cookie-name", "connect.sid"]
    cookie = run(*common).text
    line = run(*common, "--env").text
    assert line == run(*common, "--output", "env").text
    assert line.startswith("CONNECT_SID=")
    (tmp_path / ".env").write_text(f"{line}\n")
    assert ran(["sh", "-euc", f'. {tmp_path}/.env; printf %s "$CONNECT_SID"']) == cookie
    script = "process.stdout.write(process.env.CONNECT_SID)"
    assert ran(["node", f"--env-file={tmp_path}/.env", "-e", script]) == cookie


def test_kinds_are_the_library_s() -> None:
    """The command offers what the library renders."""
    option = next(item for item in output_options(lambda: None).__click_params__ if "--output" in item.opts)  # type: ignore[attr-defined]
    assert tuple(option.type.choices) == KINDS


@pytest.mark.parametrize("kind", PLACED)
def test_a_place_is_needed(run: Run, home: Path, kind: str) -> None:
    """Without --url nothing is made."""
    assert run("create", "--output", kind).status == 2
    assert list(home.rglob("*")) == []


def test_url_of_a_profile(run: Run, home: Path) -> None:
    """A profile's url is the place where none is given."""
    path = Path(run("config", "path").text)
    path.parent.mkdir(parents=True)
    path.write_text('[profiles.a]\nurl = "https://shop.test/"\n')
    assert run("create", "-p", "a", "--output", "curl").text.endswith("https://shop.test/")


def test_count(run: Run) -> None:
    """--count makes so many sessions, one JSON object a line, each with an ID of its own."""
    answer = run("create", "--count", "20", "--set", "role=load", "-s", "cookie:")
    made = [json.loads(line) for line in answer.out.splitlines()]
    assert len({one["id"] for one in made}) == 20
    assert run("get", made[7]["cookie"], "role", "-s", "cookie:").text == "load"
    assert run("create", "--count", "3", "--output", "pair").out.count("session=") == 3
    assert run("create", "--count", "2", "--id", "x").status == 2
    assert run("create", "--count", "0").status == 2


@pytest.mark.parametrize("name", ["many.json", "many.yaml"])
def test_a_file_of_sessions(run: Run, tmp_path: Path, name: str) -> None:
    """--from makes each session of a list; --set adds to all."""
    text = '[{"userId": 1}, {"data": {"userId": 2}, "flash": {"notice": "hi"}, "id": "known-id"}]'
    if name.endswith("yaml"):
        text = "- userId: 1\n- data: {userId: 2}\n  flash: {notice: hi}\n  id: known-id\n"
    (tmp_path / name).write_text(text)
    answer = run("create", "--from", str(tmp_path / name), "--set", "role=x")
    made = [json.loads(line) for line in answer.out.splitlines()]
    assert made[1]["id"] == "known-id"
    report = run("inspect", made[1]["cookie"], "--json").json
    assert (report["data"], report["flash"]) == ({"userId": 2, "role": "x"}, {"notice": "hi"})


def test_sessions_one_a_line(run: Run, tmp_path: Path) -> None:
    """NDJSON is read too: values, what `decode --json` and `list --data --json` print, and what `export` writes."""
    store = f"fs:{tmp_path}/store"
    own = ("-s", "cookie:", "--secret", "k")
    cookie = run("create", "--set", "userId=1", "--flash", "n=hi", *own).text
    lines = '{"userId": 7}\n\n' + run("decode", cookie, "--json").out
    made = run("create", "--from", "-", "--set", "role=x", "-s", store, stdin=lines).out.splitlines()
    assert [run("get", json.loads(line)["cookie"], "userId", "-s", store).text for line in made] == ["7", "1"]
    run("export", str(tmp_path / "all.ndjson"), "-s", store)
    listed = run("list", "--data", "--json", "-s", store).out
    for text in ((tmp_path / "all.ndjson").read_text(), listed):
        again = run("create", "--from", "-", *own, stdin=text).out.splitlines()
        found = [run("decode", json.loads(line)["cookie"], "--json").json for line in again]
        assert sorted(one["data"]["userId"] for one in found) == [1, 7]
        assert {} in [one["flash"] for one in found]
        assert {"n": "hi"} in [one["flash"] for one in found]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": 2}\n{"a": 3\n', "line 3: not JSON"),
        ('{"a": 1}\n{"a": 2}\n[3]\n', "line 3: no object"),
        ('{"a": 1}\n{"a": 2}\n\n{"id": "", "data": {}}\n', "line 4: an ID is text"),
        ('{"a": 1}\n{"a": 2}\n{"id": "known", "data": {}}\n', "line 3: .* has a session of that ID"),
        ('[{"a": 1}, {"a": 2}, {"id": "known", "data": {}}]', "session 3: .* has a session of that ID"),
    ],
)
def test_an_error_among_many_names_its_place(run: Run, tmp_path: Path, text: str, message: str) -> None:
    """What comes before it has been made, and printed."""
    store = ("-s", f"fs:{tmp_path}/store")
    run("create", "--id", "known", *store)
    answer = run("create", "--from", "-", *store, stdin=text)
    assert re.search(message, answer.err)
    assert (answer.status in (2, 3), len(answer.out.splitlines())) == (True, 2)


@pytest.mark.parametrize("text", ["", " \n", "[1, 2", '{"a": 1'])
def test_no_sessions(run: Run, home: Path, text: str) -> None:
    """A file without a session, or that breaks off, ends 3, and nothing is made."""
    answer = run("create", "--from", "-", stdin=text)
    assert (answer.status, answer.out, list(home.rglob("*"))) == (3, "", [])


def test_many_sessions_take_no_memory(home: Path, tmp_path: Path) -> None:
    """Sessions are made as their lines come: ten times as many need no more memory."""
    program = (
        "import resource, sys; from sessionctl.cli import main; sys.argv = ['x', *sys.argv[1:]]\n"
        "try: main()\nfinally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )

    def peak(count: int) -> int:
        file = tmp_path / "many.ndjson"
        file.write_text("".join(f'{{"userId": {n}, "text": "{"x" * 200}"}}\n' for n in range(count)))
        words = ["create", "--from", str(file), "-s", "cookie:", "--secret", "k", "--output", "value"]
        done = subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, check=True, timeout=120
        )
        assert done.stdout.count(b"\n") == count
        return int(done.stderr)

    assert peak(20_000) < peak(2_000) + 2_000  # KiB


def test_a_broken_file_of_sessions(run: Run, tmp_path: Path) -> None:
    """What is no YAML or JSON is unreadable input, with the line."""
    (tmp_path / "a.yaml").write_text("a: 1\n b: [\n")
    answer = run("create", "--from", str(tmp_path / "a.yaml"))
    assert (answer.status, "line" in answer.err) == (3, True)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("value", "json")])
@pytest.mark.parametrize("text", ["a\nSet-Cookie: admin=1", "a; Domain=evil.test", "a\x00"])
def test_a_text_that_ends_its_header(run: Run, kind: str, text: str, tmp_path: Path) -> None:
    """A format that signs a text as it is makes no second header or attribute; the text alone can be had."""
    source = tmp_path / "session.json"
    source.write_text(json.dumps(text))
    made = ["create", "-f", "itsdangerous", "-O", "signer=Signer", "--secret", "k", "--from", str(source)]
    place = ["--url", "https://a.example/"] if kind in PLACED else []
    answer = run(*made, "--output", kind, *place)
    assert (answer.status, answer.out) == (2, "")
    assert run(*made).out.startswith(text)
    told = run(*made, "--json")
    assert (told.status, told.json["set_cookie"]) == (0, None)


def test_a_cookie_of_several_has_no_set_cookie(run: Run) -> None:
    """What its framework cuts over several cookies is no Set-Cookie of one."""
    answer = run(
        "create", "-f", "authjs", "--secret", "k", "--set", f"a={'x' * 5000}", "--output", "set-cookie"
    )
    assert (answer.status, answer.out) == (2, "")


@pytest.mark.parametrize(
    "attributes",
    [
        "Path=/app; Max-Age=3600; SameSite=Strict; HttpOnly",
        "Domain=shop.test; Expires=Wed, 21 Oct 2065 07:28:00 GMT; Priority=High; Secure; Partitioned",
    ],
)
def test_a_set_cookie_keeps_its_attributes(run: Run, attributes: str) -> None:
    """What was taken from a Set-Cookie header is written, and cleared, with that header's attributes."""
    text = run("create", "-f", "flask", "--secret", "k", "--set", "a=1").text
    response = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: session={text}; {attributes}\r\n\r\nhello"
    )
    answer = run("set", "-", "a=2", "--secret", "k", "--output", "set-cookie", stdin=response)
    assert answer.text.startswith("Set-Cookie: session=")
    assert answer.text.partition("; ")[2] == attributes
    cleared = run("destroy", "-", "--secret", "k", stdin=response).text
    kept = [one for one in attributes.split("; ") if not one.startswith(("Max-Age", "Expires"))]
    assert cleared == "; ".join(["session=", *kept, "Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])


def test_a_browsers_cookie_has_the_domain_that_it_says(run: Run) -> None:
    """In a storageState a domain without a dot in front is the host alone: no Domain is made of it."""
    text = run("create", "-f", "flask", "--secret", "k", "--set", "a=1").text
    for domain, said in (("shop.test", ""), (".shop.test", "; Domain=.shop.test")):
        cookie = {
            "name": "session",
            "value": text,
            "domain": domain,
            "path": "/",
            "httpOnly": True,
            "secure": True,
        }
        state = json.dumps({"cookies": [cookie], "origins": []})
        answer = run("set", "-", "a=2", "--secret", "k", "--output", "set-cookie", stdin=state)
        assert answer.text.partition("; ")[2] == f"HttpOnly; Secure; Path=/{said}"


@pytest.mark.parametrize("name", ["session", "koa.sess"])
def test_what_is_printed_is_taken_again(run: Run, name: str) -> None:
    """What `create` and its like print without --output brings the signature, so that it goes into the next command."""
    secret = ["--secret", "k", *(["--cookie-name", name] if name != "session" else [])]
    cookie = run("create", "-f", "cookie-session", "--set", "a=1", *secret).text
    for words in (["set", "b=2"], ["flash", "notice=hi"], ["unset", "a"]):
        cookie = run(words[0], cookie, *words[1:], "--secret", "k").text
    assert run("verify", cookie, "--secret", "k").status == 0
    assert run("decode", cookie).json == {"b": 2, "flash": {"notice": ["hi"]}}
    value = run("create", "-f", "cookie-session", "--set", "a=1", *secret, "--output", "value").text
    assert value == "eyJhIjoxfQ=="


def test_set_cookie_brings_the_companion(run: Run) -> None:
    """cookie-session's signature is a cookie of its own, without which the session is refused."""
    answer = run("create", "-f", "cookie-session", "--secret", "k", "--set", "a=1", "--output", "set-cookie")
    first, second = answer.out.splitlines()
    assert first.startswith("Set-Cookie: session=eyJhIjoxfQ==; ")
    assert second.startswith("Set-Cookie: session.sig=m1RDbMezLWgr9wzByZQo5H_SP7o; ")
    assert first.partition("; ")[2] == second.partition("; ")[2]
    assert run("verify", "-f", "cookie-session", "--secret", "k", answer.out).status == 0
