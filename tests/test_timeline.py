"""The story that a recorded visit tells of its session cookie."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sessionctl import formats
from sessionctl.checkup import examine_visit
from sessionctl.errors import MalformedCookieError
from sessionctl.identify import Setup
from sessionctl.signing.keys import KeyRing
from sessionctl.sources.har import read_visit
from sessionctl.timeline import Event, story
from tests.visits import START, exchange, har

SAFE = "; Path=/; HttpOnly; Secure; SameSite=Lax"


def flask(data: Any, second: float = 0) -> str:
    """A Flask cookie's text."""
    return formats.get("flask").encode(data, ["s3cret"], now=START + second)


def express(session_id: str) -> str:
    """An express-session cookie's text."""
    return formats.get("express").encode(session_id, ["s3cret"], id=session_id)


PASSWORD = '"variables":{"password":"p"}}'
FORM = '<form method="post"><input name="password"></form>'
ONE, TWO = express("kq3Zp7vX0bN5tR8wL1yC4mD6fGhJ2sKe"), express("Wq3Zp7vX0bN5tR8wL1yC4mD6fGhJ2sKa")


def told(*entries: dict[str, Any], **setup: Any) -> list[Event]:
    """The story of a visit."""
    return story(read_visit(har(*entries)), Setup(**setup))


def kinds(*entries: dict[str, Any], **setup: Any) -> list[str]:
    """The kinds of its events."""
    return [event.kind for event in told(*entries, **setup)]


def test_a_whole_life() -> None:
    """Set, changed, flashed, refreshed and cleared are each told once, by the request that did it."""
    empty, cart = flask({"a": 1}), flask({"a": 1, "cart": [7]}, 1)
    flash = flask({"a": 1, "cart": [7], "_flashes": [{" t": ["message", "hi"]}]}, 2)
    again = flask({"a": 1, "cart": [7]}, 9)
    events = told(
        exchange(0, "GET", "/", 200, "", f"session={empty}{SAFE}"),
        exchange(1, "POST", "/cart", 302, f"session={empty}", f"session={cart}{SAFE}"),
        exchange(2, "POST", "/buy", 302, f"session={cart}", f"session={flash}{SAFE}"),
        exchange(3, "GET", "/", 200, f"session={flash}", f"session={cart}{SAFE}"),
        exchange(9, "GET", "/", 200, f"session={cart}", f"session={again}{SAFE}"),
        exchange(10, "GET", "/nothing", 200, f"session={again}"),
        exchange(11, "POST", "/logout", 302, f"session={again}", f"session=; Max-Age=0{SAFE}"),
        exchange(12, "GET", "/", 200),
    )
    assert [event.kind for event in events] == [
        "set",
        "changed",
        "flashed",
        "changed",
        "refreshed",
        "cleared",
    ]
    assert [event.url[-5:] for event in events[1:3]] == ["/cart", "t/buy"]
    assert [change.place for change in events[1].changes] == ["data.cart"]
    assert events[0].time == START


def test_a_new_id() -> None:
    """Another ID is a regenerated session, with the new session's ref."""
    events = told(
        exchange(0, "GET", "/", 200, "", f"connect.sid={ONE}{SAFE}"),
        exchange(1, "POST", "/login", 302, f"connect.sid={ONE}", f"connect.sid={TWO}{SAFE}"),
    )
    assert [event.kind for event in events] == ["set", "regenerated"]
    assert events[0].ref != events[1].ref


def native(session_id: str, data: dict[str, Any]) -> str:
    """A native cookie's text that holds the session."""
    from sessionctl import records

    value = records.dump_value(records.Record(data, {}, id=session_id))
    return formats.get("native").encode(value, ["s3cret"])


@pytest.mark.parametrize(
    ("entries", "flagged"),
    [
        ([exchange(1, "POST", "/login", 302, f"sid={ONE}")], True),
        ([exchange(1, "POST", "/account/sign-in", 303, f"sid={ONE}", f"sid={ONE}{SAFE}")], True),
        ([exchange(1, "POST", "/login", 200, f"sid={ONE}", media_type="text/html; charset=utf-8")], False),
        ([exchange(1, "POST", "/login", 401, f"sid={ONE}", media_type="application/json")], False),
        ([exchange(1, "POST", "/login", 200, f"sid={ONE}", media_type="application/json")], True),
        ([exchange(1, "POST", "/login", 200, f"sid={ONE}", media_type="text/html", text="ok")], True),
        ([exchange(1, "POST", "/login", 200, f"sid={ONE}", media_type="text/html", text=FORM)], False),
        ([exchange(1, "POST", "/login", 200, f"sid={ONE}", body="{}", media_type="text/html")], True),
        (
            [
                exchange(
                    1,
                    "POST",
                    "/login",
                    200,
                    f"sid={ONE}",
                    body="{}",
                    media_type="text/html",
                    text="<b>ok</b>",
                )
            ],
            True,
        ),
        (
            [exchange(1, "POST", "/login", 200, f"sid={ONE}", body="{}", media_type="text/html", text=FORM)],
            False,
        ),
        (
            [
                exchange(
                    1, "POST", "/login/do", 200, f"sid={ONE}", body=f"{{{PASSWORD}", media_type="text/plain"
                )
            ],
            True,
        ),
        ([exchange(1, "POST", "/auth/signup", 200, f"sid={ONE}", body=f"{{{PASSWORD}")], False),
        ([exchange(1, "POST", "/api/v1/auth", 204, f"sid={ONE}", f"sid={ONE}{SAFE}")], True),
        ([exchange(1, "POST", "/sessions/7/events", 204, f"sid={ONE}")], False),
        ([exchange(1, "POST", "/auth/logout", 204, f"sid={ONE}")], False),
        (
            [
                exchange(
                    1, "POST", "/graphql", 200, f"sid={ONE}", body=f'{{"operationName":"Login",{PASSWORD}'
                )
            ],
            True,
        ),
        ([exchange(1, "POST", "/users", 201, f"sid={ONE}", body=f'{{"login":"mj",{PASSWORD}')], False),
        ([exchange(1, "POST", "/login", 302, f"sid={ONE}", f"sid={TWO}{SAFE}")], False),
        ([exchange(1, "POST", "/logins-report", 302, f"sid={ONE}")], False),
        ([exchange(1, "GET", "/login", 302, f"sid={ONE}")], False),
    ],
    ids=[
        "no Set-Cookie",
        "the same again",
        "the form again",
        "refused",
        "JSON",
        "a word, which Express calls HTML",
        "the form again, as recorded",
        "JSON sent, and HTML that was not recorded",
        "JSON sent, and HTML without fields",
        "JSON sent, and the form again",
        "a password to what is below a log-in",
        "a password to a sign-up",
        "204",
        "below a session",
        "log-out",
        "named in the body",
        "a field of that name",
        "new ID",
        "another path",
        "a look at the form",
    ],
)
def test_fixation(entries: list[dict[str, Any]], flagged: bool) -> None:
    """A log-in that succeeds and leaves the ID as it was is a fault."""
    found = kinds(exchange(0, "GET", "/", 200, "", f"sid={ONE}{SAFE}"), *entries)
    assert ("same-id-at-login" in found) is flagged


def test_fixation_by_what_the_session_gains() -> None:
    """A user in the session under the same ID is a log-in, whatever the path is called."""
    guest, user = (
        native("some-id-of-a-session", {"cart": 1}),
        native("some-id-of-a-session", {"cart": 1, "userId": 42}),
    )
    found = kinds(
        exchange(0, "GET", "/", 200, "", f"session={guest}{SAFE}"),
        exchange(1, "POST", "/enter", 200, f"session={guest}", f"session={user}{SAFE}"),
    )
    assert found == ["set", "changed", "same-id-at-login"]


def test_a_cookie_that_the_browser_refuses() -> None:
    """What is refused is told with the reason, and the browser goes on with what it had."""
    events = told(
        exchange(0, "GET", "http://shop.test/", 200, "", f"sid={ONE}; Path=/; Secure"),
        exchange(1, "GET", "http://shop.test/", 200, "", f"sid={TWO}; Path=/; Secure"),
    )
    assert [event.kind for event in events] == ["refused", "refused"]
    assert "plain http" in events[0].detail
    assert events[0].severity == "error"
    assert events[0].mend


def test_a_cookie_that_is_sent_no_more() -> None:
    """A cookie that was set and is not sent to its host and path is lost; for another path it is not."""
    first = exchange(0, "GET", "/app/", 200, "", f"sid={ONE}; Path=/app")
    assert kinds(first, exchange(1, "GET", "/app/x", 200)) == ["set", "lost"]
    assert kinds(first, exchange(1, "GET", "/other", 200)) == ["set"]
    assert kinds(first, exchange(1, "GET", "https://cdn.test/app/x", 200)) == ["set"]


def test_what_is_sent_is_judged() -> None:
    """With a key a value that the application does not take says why; without one nothing is said."""
    value, later = flask({"user_id": 1}), flask({"user_id": 1, "cart": [7]}, 3)
    visit = (
        exchange(0, "POST", "/in", 302, "", f"session={value}{SAFE}"),
        exchange(1, "GET", "/", 200, f"session={value}"),
        exchange(2, "GET", "/", 200, f"session={value[:-4]}"),
        exchange(3, "GET", "/", 200, f"session={value[:-4]}", f"session={later}{SAFE}"),
        exchange(9e6, "GET", "/", 200, f"session={flask({}, 4)}"),
    )
    events = told(*visit, keys=KeyRing(["s3cret"]))
    assert [(event.kind, event.reason, event.severity) for event in events] == [
        ("set", None, None), ("replaced", "bad-signature", "error"), ("changed", None, None),
        ("replaced", "expired", "error"),
    ]  # fmt: skip
    assert "; NOT genuine: the signature has 23 characters in place of 27 of sha1" in events[1].detail
    assert [change.place for change in events[2].changes] == ["data.cart"]
    assert "; genuine, but it expired" in events[3].detail
    wrong = told(*visit, keys=KeyRing(["other"]))
    assert {event.reason for event in wrong} == {"bad-signature"}
    assert wrong[0].detail == "NOT genuine: the signature does not fit the key"
    assert [("another secret" in event.mend) for event in wrong] == [True, False, False, False]
    assert {event.reason for event in told(*visit)} == {None}
    early = exchange(-90, "POST", "/in", 302, "", f"session={value}{SAFE}")  # the browser's clock is behind
    assert [event.reason for event in told(early, keys=KeyRing(["s3cret"]))] == [None]
    garbage = told(exchange(0, "GET", "/", 200, "session=+"), cookie_name="session", keys=KeyRing(["s3cret"]))
    assert [(event.kind, event.reason) for event in garbage] == [("sent", "malformed")]


@pytest.mark.parametrize(
    ("received", "asked", "status", "kind", "detail"),
    [
        ("Path=/app", "/account", 401, "not-sent", "its Path=/app does not cover /account"),
        ("HttpOnly", "/", 302, "not-sent", "its Path=/app/in does not cover /"),
        ("Path=/", "https://test/", 401, None, ""),
        ("Path=/", "https://api.shop.test/me", 401, "not-sent",
         "shop.test set it without Domain, so that api.shop.test does not get it"),
        ("Path=/; Domain=shop.test", "https://api.shop.test/me", 401, "lost", "the browser sends it no more"),
        ("Path=/", "https://other.test/me", 401, None, ""),
        ("Path=/; Secure", "http://shop.test/me", 401, "lost",
         "it is Secure, and this request goes over plain http"),
        ("Path=/; Secure", "http://shop.test/me", 301, "lost",
         "it is Secure, and this request goes over plain http"),
        ("Path=/; Max-Age=5", "/me", 200, "lost", "it expired 5 seconds after it was set"),
        ("Path=/; Expires=Sat, 01 Jan 2028 00:00:00 GMT", "/me", 401, "lost", "the browser sends it no more"),
        ("Path=/; SameSite=Strict", "/me", 401, "lost", "the browser sends it no more"),
    ],
)  # fmt: skip
def test_why_a_cookie_is_not_sent(
    received: str, asked: str, status: int, kind: str | None, detail: str
) -> None:
    """A request that the cookie does not go with is told with the rule of the browser that keeps it back, once."""
    log_in = exchange(0, "POST", "/app/in/do", 302, "", f"sid={ONE}; {received}")
    events = told(log_in, exchange(19, "GET", asked, status), exchange(20, "GET", asked, status))
    assert [event.kind for event in events] == ["set", *([kind] if kind else [])]
    assert events[-1].detail.endswith(detail)
    assert kind is None or (events[-1].severity == "warning" and events[-1].mend)


def test_a_cookie_that_needs_not_be_sent() -> None:
    """To other paths, hosts and schemes much goes that needs no session, and is answered; that is not told."""
    log_in = exchange(0, "POST", "/app/in", 302, "", f"sid={ONE}; Path=/app; Secure")
    again = exchange(9, "GET", "/app/", 200, f"sid={ONE}")
    for asked in ("/logo.svg", "https://static.shop.test/x.js", "http://shop.test/app/"):
        assert kinds(log_in, exchange(1, "GET", asked, 200), again) == ["set"]
    assert kinds(log_in, exchange(1, "GET", "http://shop.test/app/", 301), again) == ["set"]
    assert kinds(log_in, exchange(1, "OPTIONS", "/me", 401), again) == ["set"]
    told = kinds(log_in, exchange(1, "GET", "http://shop.test/app/", 401), again)
    assert told == ["set", "not-sent"]


@pytest.mark.parametrize(
    ("first", "then", "mend"),
    [
        ("www.shop.test", "shop.test", "Domain=shop.test"),
        ("www.shop.test", "api.shop.test", "Domain=shop.test"),
        ("shop.test", "www.shop.test", "Domain=shop.test"),
        ("a.co.uk", "b.co.uk", None),
    ],
)
def test_a_cookie_of_another_host_of_the_site(first: str, then: str, mend: str | None) -> None:
    """A cookie of one host alone is missed by a page of another one of the site, and the domain they share is told."""
    events = told(
        exchange(0, "GET", f"https://{first}/", 200, "", f"sid={ONE}; Path=/"),
        exchange(1, "GET", f"https://{then}/", 200, media_type="text/html", text="<a>Log in</a>"),
    )
    assert [event.kind for event in events] == (["set", "not-sent"] if mend else ["set"])
    assert mend is None or events[1].mend.endswith(mend)


def test_two_cookies_of_one_name() -> None:
    """Two places for one name, or two values in one header, are flagged."""
    places = kinds(
        exchange(0, "GET", "/", 200, "", f"sid={ONE}; Path=/"),
        exchange(1, "GET", "/", 200, f"sid={ONE}", f"sid={TWO}; Path=/; Domain=shop.test"),
    )
    assert places == ["set", "two-cookies", "regenerated"]
    assert kinds(exchange(0, "GET", "/", 200, f"sid={ONE}; sid={TWO}")) == ["two-cookies", "sent"]
    assert kinds(exchange(0, "GET", "/", 200, f"sid={ONE}; sid={ONE}")) == ["sent"]


def test_of_two_cookies_the_framework_s_is_followed() -> None:
    """Of two values in one header the story goes on with the one that the framework takes: Django's the last."""
    django = formats.get("django-signed").encode({"a": 1}, ["k"], now=START)
    other = formats.get("django-signed").encode({"a": 2}, ["k"], now=START)
    told = kinds(
        exchange(0, "GET", "/", 200, "", f"sessionid={django}; Path=/"),
        exchange(1, "GET", "/", 200, f"sessionid={other}; sessionid={django}"),
        exchange(2, "GET", "/", 200, f"sessionid={django}; sessionid={other}"),
    )
    assert told == ["set", "two-cookies", "two-cookies", "replaced"]


def test_a_session_from_before_and_from_elsewhere() -> None:
    """A cookie that the visit did not set was there before; one that changed without a Set-Cookie was replaced."""
    assert kinds(exchange(0, "GET", "/", 200, f"sid={ONE}"), exchange(1, "GET", "/", 200, f"sid={TWO}")) == [
        "sent",
        "replaced",
    ]


@pytest.mark.parametrize(
    "end",
    [
        "Max-Age=0",
        "Max-Age=-1",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Expires=Thu, 01-Jan-1970 00:00:00 GMT",
    ],
)
def test_ends(end: str) -> None:
    """However a server ends a cookie, with or without a value, it is cleared."""
    for value in ("", "deleted"):
        found = kinds(
            exchange(0, "GET", "/", 200, f"sid={ONE}"),
            exchange(1, "GET", "/", 200, f"sid={ONE}", f"sid={value}; {end}; Path=/"),
        )
        assert found == ["sent", "cleared"]


def test_encrypted_sessions() -> None:
    """Without the key a new text is a change; with it the data tell what changed."""
    rails = formats.get("rails")
    key = "a" * 32
    texts = [
        rails.encode({"a": 1}, [key], cookie_name="_app_session"),
        rails.encode({"a": 2}, [key], cookie_name="_app_session"),
    ]
    entries = [exchange(n, "GET", "/", 200, "", f"_app_session={text}{SAFE}") for n, text in enumerate(texts)]
    assert kinds(entries[0] | {}, _sent(entries[1], texts[0])) == ["set", "changed"]
    events = told(entries[0], _sent(entries[1], texts[0]), keys=KeyRing([key]))
    assert [change.place for change in events[1].changes] == ["data.a"]


def _sent(entry: dict[str, Any], text: str) -> dict[str, Any]:
    return {
        **entry,
        "request": {**entry["request"], "headers": [{"name": "Cookie", "value": f"_app_session={text}"}]},
    }


def test_a_visit_without_cookies() -> None:
    """It is malformed input, with the reason."""
    with pytest.raises(MalformedCookieError):
        told(exchange(0, "GET", "/", 200))


@pytest.mark.interop
def test_a_real_flask_log_in() -> None:
    """The story of a real Flask application: Flask has no ID, so that nothing is fixed by a log-in."""
    flask_library = pytest.importorskip("flask", reason="Flask IS MISSING: no real visit was told")
    app = flask_library.Flask("shop")
    app.secret_key = "s3cret"

    @app.route("/login", methods=["POST"])
    def login() -> str:
        flask_library.session["user_id"] = 42
        flask_library.flash("Welcome")
        return ""

    @app.route("/")
    def home() -> str:
        return str(flask_library.get_flashed_messages())

    @app.route("/logout", methods=["POST"])
    def logout() -> str:
        flask_library.session.clear()
        return ""

    entries, cookie = [], ""
    for second, (method, path) in enumerate(
        [("POST", "/login"), ("GET", "/"), ("GET", "/"), ("POST", "/logout")]
    ):
        answer = app.test_client(use_cookies=False).open(
            path, method=method, headers={"Cookie": cookie} if cookie else {}
        )
        received = answer.headers.getlist("Set-Cookie")
        entries.append(exchange(second, method, path, answer.status_code, cookie, *received))
        cookie = received[0].partition(";")[0] if received else cookie
    events = told(*entries, keys=KeyRing(["s3cret"]))
    assert [event.kind for event in events] == ["set", "changed", "cleared"]
    assert [change.place for change in events[0].changes] == ["data._flashes", "data.user_id", "flash"]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://[bad"},
        {"url": None},
        {"attributes": f"; Max-Age={'9' * 5000}"},
        {"attributes": "; Max-Age=-0"},
        {"attributes": "; Expires=Fri, 99 Foo 99999 99:99:99 GMT"},
        {"started": "0001-01-01T00:00:00Z"},
        {"started": 7},
    ],
    ids=str,
)
def test_hostile_visits(change: dict[str, Any]) -> None:
    """What a recorded file says wrongly is no fault of the program, and no event is lost by it."""
    entry = exchange(0, "GET", "/", 200, "", f"sid={ONE}{change.get('attributes', '')}")
    if "url" in change:
        entry["request"]["url"] = change["url"]
    if "started" in change:
        entry["startedDateTime"] = change["started"]
    assert kinds(entry)[:1] in (["set"], [])
    examine_visit(read_visit(har(entry)), Setup())


RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flask-chromium", ["set /", "flashed /login", "changed /", "cleared /logout"]),
        ("express-chromium", ["set /", "same-id-at-login /login", "cleared /logout", "set /login"]),
        ("flask-firefox", ["set /", "flashed /login", "changed /", "changed /account", "cleared /logout"]),
    ],
)
def test_what_browsers_recorded(name: str, expected: list[str]) -> None:
    """Visits that Playwright recorded with Chromium (tests/interop/test_browser.py makes such anew), and one that
    the developer tools of Firefox 153 ESR exported.
    """
    events = story(read_visit((RECORDED / f"{name}.har").read_bytes()), Setup())
    assert [f"{event.kind} {urlsplit(event.url).path}" for event in events] == expected


def from_cache(entry: dict[str, Any], browser: str) -> dict[str, Any]:
    """The entry as the browser's developer tools export what came from the cache: no cookies were sent."""
    return (
        {**entry, "cache": {"afterRequest": None}}
        if browser == "firefox"
        else {**entry, "_fromCache": "disk"}
    )


@pytest.mark.parametrize("browser", ["firefox", "chrome"])
def test_what_came_from_the_cache(browser: str) -> None:
    """An answer of the browser's cache has no Cookie header, and perhaps an old Set-Cookie: it tells nothing."""
    found = kinds(
        exchange(0, "GET", "/", 200, "", f"sid={ONE}{SAFE}"),
        from_cache(exchange(1, "GET", "/a.js", 200, "", f"sid={TWO}{SAFE}"), browser),
        exchange(2, "GET", "/b", 0),
    )
    assert found == ["set"]


def test_a_request_that_carries_no_cookies() -> None:
    """A manifest or a preflight without the cookie, which the next request sends again, is no loss."""
    found = kinds(
        exchange(0, "GET", "/", 200, "", f"sid={ONE}{SAFE}"),
        exchange(1, "GET", "/manifest.json", 200),
        exchange(2, "GET", "/b", 200, f"sid={ONE}"),
        exchange(3, "OPTIONS", "/api", 204),
    )
    assert found == ["set"]


def test_hosts_have_cookies_of_their_own() -> None:
    """One name on two hosts is two sessions, but with a Domain above both it is one."""
    first = exchange(0, "GET", "/", 200, "", f"sid={ONE}{SAFE}")
    other = exchange(1, "GET", "https://id.shop.test/", 200, "", f"sid={TWO}{SAFE}")
    assert kinds(first, other, exchange(2, "GET", "/", 200, f"sid={ONE}")) == ["set", "set"]
    first = exchange(0, "GET", "/", 200, "", f"sid={ONE}{SAFE}; Domain=shop.test")
    other = exchange(
        1, "GET", "https://id.shop.test/", 200, f"sid={ONE}", f"sid={TWO}{SAFE}; Domain=shop.test"
    )
    assert kinds(first, other, exchange(2, "GET", "/", 200, f"sid={TWO}")) == ["set", "regenerated"]
