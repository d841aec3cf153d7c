# ruff: noqa: F811 - fixtures of other folders are imported, and taken by name
"""A real Chromium logs in by what we wrote, and what it recorded tells the session's story."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

pytest.importorskip("flask")

from sessionctl.refusals import refusals
from sessionctl.sources.base import parse_set_cookie
from tests.cli.conftest import home, run  # noqa: F401 - fixtures
from tests.interop.shops import SECRET, cookie_page, flask_shop, served
from tests.servers import certificates  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Answer
    from tests.interop.conftest import Browser, Node

    Run = Callable[..., Answer]

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture(scope="module")
def flask_url() -> Iterator[str]:
    """A Flask application with a log-in."""
    with served(flask_shop()) as url:
        yield url


def test_logged_in_by_storage_state(run: Run, browser: Browser, flask_url: str) -> None:
    """The storageState of `--output playwright` logs the browser in, without a form."""
    made = ["create", "-f", "flask", "--secret", SECRET, "--set", "user_id=ada"]
    state = run(*made, "--output", "playwright", "--url", flask_url).json
    seen = browser.visit(("goto", f"{flask_url}/"), ("text", "#who"), state=state)["seen"]
    assert seen[-1] == "ada"
    assert browser.visit(("goto", f"{flask_url}/"), ("text", "#who"))["seen"][-1] == "guest"


@pytest.mark.parametrize("name", ["session", "__Secure-session", "__Host-session"])
@pytest.mark.parametrize(
    "place",
    ["http://localhost", "http://127.0.0.1", "http://[::1]", "https://shop.test", "https://bücher.test"],
)
def test_a_storage_state_for_every_place(
    run: Run, browser: Browser, certificates: Path, name: str, place: str
) -> None:
    """The browser sends it to IPv4, IPv6, a name beyond ASCII, with and without TLS, whatever prefix its name has."""
    files = (str(certificates / "server.pem"), str(certificates / "server.key"))
    secure = {"ssl_context": files} if place.startswith("https") else {}
    app = flask_shop(SESSION_COOKIE_NAME=name, SESSION_COOKIE_SECURE=name != "session")
    made = ["create", "-f", "flask", "--secret", SECRET, "--set", "user_id=ada", "--cookie-name", name]
    with served(app, "::1" if "[" in place else "127.0.0.1", **secure) as url:
        there = f"{place}:{url.rpartition(':')[2]}/"
        state = run(*made, "--output", "playwright", "--url", there).json
        hosts = ["shop.test", "xn--bcher-kva.test"]
        assert browser.visit(("goto", there), ("text", "#who"), state=state, hosts=hosts)["seen"][-1] == "ada"


def recorded(browser: Browser, url: str, path: Path) -> list[str]:
    """Visit a shop as a guest, log in, look around and log out, and record it all."""
    steps = [
        ("goto", f"{url}/"),
        ("goto", f"{url}/login"),
        ("fill", ["input[name=user]", "ada"]),
        ("click", "#enter"),
        ("text", "#who"),
        ("goto", f"{url}/"),
        ("click", "#leave"),
    ]
    return list(browser.visit(*steps, har=str(path))["seen"])


def story(answer: Answer) -> list[tuple[str, str, str]]:
    """Kind, method and path of each event of `timeline --json`."""
    events = [json.loads(line) for line in answer.out.splitlines()]
    return [(event["kind"], event["method"], urlsplit(event["url"]).path) for event in events]


def test_timeline_of_a_visit_to_flask(run: Run, browser: Browser, flask_url: str, tmp_path: Path) -> None:
    """Set by the first page, flashed by the log-in, shown once, and cleared by the log-out."""
    path = tmp_path / "visit.har"
    assert recorded(browser, flask_url, path)[4] == "ada"
    assert story(run("timeline", str(path), "--json")) == [
        ("set", "GET", "/"),
        ("flashed", "POST", "/login"),
        ("changed", "GET", "/"),
        ("cleared", "POST", "/logout"),
    ]


@pytest.mark.parametrize("regenerate", [False, True], ids=["keeps the ID", "makes a new ID"])
def test_timeline_of_a_visit_to_express(
    run: Run, browser: Browser, node: Node, tmp_path: Path, regenerate: bool
) -> None:
    """A log-in that keeps the ID is flagged; one that makes a new one is told as regenerated."""
    path = tmp_path / "visit.har"
    port = node("express.shop.open", regenerate=regenerate)
    assert recorded(browser, f"http://127.0.0.1:{port}", path)[4] == "ada"
    node("express.shop.close", port=port)
    assert story(run("timeline", str(path), "--json")) == [
        ("set", "GET", "/"),
        ("regenerated" if regenerate else "same-id-at-login", "POST", "/login"),
        ("cleared", "POST", "/logout"),
        ("set", "GET", "/login"),
    ]


# Set-Cookie texts, of which a browser refuses some; NAME stands for a name of its own.
COOKIES = [
    "NAME=a",
    "NAME=a; Secure",
    "NAME=a; SameSite=None",
    "NAME=a; SameSite=None; Secure",
    "NAME=a; Partitioned",
    "NAME=a; Partitioned; Secure; SameSite=None; Path=/",
    "NAME=a; Domain=HOST",
    "NAME=a; Domain=.HOST",
    "NAME=a; Domain=other.example",
    "NAME=a; Domain=sub.HOST",
    "NAME=a; Domain=test",
    "NAME=a; Domain=",
    "NAME=" + "v" * 4086,
    "NAME=" + "v" * 4100,
    "NAME=a; Path=/" + "p" * 1100,
    "NAME=a; Max-Age=99999999999",
    "NAME=a; SameSite=Wrong",
    "NAME=a b",
    "NAME=a\x01b",
    'NAME="q"',
    "__Secure-NAME=a",
    "__Secure-NAME=a; Secure",
    "__secure-NAME=a",
    "__Host-NAME=a; Secure; Path=/",
    "__Host-NAME=a; Secure",
    "__Host-NAME=a; Secure; Path=/set",
    "__Host-NAME=a; Secure; Path=/; Domain=HOST",
    "__Host-NAME=a; Path=/",
    "__HoSt-NAME=a; Path=/",
    "__Http-NAME=a; Secure",
    "__Http-NAME=a; Secure; HttpOnly",
    "__Host-Http-NAME=a; Secure; Path=/",
    "__Host-Http-NAME=a; Secure; Path=/; HttpOnly",
    "=__Host-NAME",
]


PLACES = ["http://shop.test", "https://shop.test", "http://127.0.0.1", "http://a.localhost"]


def test_what_chromium_refuses(browser: Browser, certificates: Path) -> None:
    """Of every Set-Cookie we say what a real browser does with it, on http and https, here and elsewhere."""
    files = (str(certificates / "server.pem"), str(certificates / "server.key"))
    # Chromium takes a Domain that is the IP address itself for none; by the RFC it is one.
    pairs = [
        pair
        for pair in itertools.product(PLACES, COOKIES)
        if "127" not in pair[0] or "Domain=H" not in pair[1]
    ]
    texts = [
        (place, text.replace("NAME", f"c{number:03}").replace("HOST", place.partition("//")[2]))
        for number, (place, text) in enumerate(pairs)
    ]
    app = cookie_page([text for _, text in texts])
    with served(app) as plain, served(app, ssl_context=files) as secure:
        ports = {"http": plain.rpartition(":")[2], "https": secure.rpartition(":")[2]}
        urls = [f"{place}:{ports[place.partition(':')[0]]}/set/{n}" for n, (place, _) in enumerate(texts)]
        steps: list[tuple[str, str]] = []
        for place in PLACES:
            own = [url for url in urls if url.startswith(f"{place}:")]
            steps += [("goto", own[0]), *(("fetch", url) for url in own)]
        kept = browser.visit(*steps, hosts=["shop.test"])["cookies"]
    held = " ".join(f"{cookie['name']} {cookie['value']}" for cookie in kept)
    theirs = {(place, text): f"c{number:03}" in held for number, (place, text) in enumerate(texts)}
    ours = {
        (place, text): not refusals(parse_set_cookie(text), url)
        for url, (place, text) in zip(urls, texts, strict=True)
    }
    assert ours == theirs
