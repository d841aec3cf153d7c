"""Each rule of the security report fires where it should, stays quiet where it should, and names its source."""

from __future__ import annotations

import base64
import random
import secrets
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionctl import formats
from sessionctl.checkup import Finding, examine, examine_visit, worst
from sessionctl.errors import MalformedCookieError
from sessionctl.identify import Setup
from sessionctl.signing.keys import KeyRing, Secret
from sessionctl.sources import read_cookie
from sessionctl.sources.har import read_visit
from sessionctl.strength import WELL_KNOWN, id_bits, weakness_of
from tests.visits import START, exchange, har

KEY = "NmU0ZjQ3YTU2ZGYxNDQ0YWE5ZjE5MmVkYzFhYzk"
GOOD = "; Path=/; HttpOnly; Secure; SameSite=Lax"
RANDOM = random.Random(5)
BLOB = RANDOM.randbytes(3000).hex()
UUID_4 = str(uuid.UUID(int=RANDOM.getrandbits(128), version=4))
ID = "kq3Zp7vX0bN5tR8wL1yC4mD6fGhJ2sKe"


def flask(data: Any, key: str = KEY, now: float = START) -> str:
    """A Flask cookie's text."""
    return formats.get("flask").encode(data, [key], now=now)


def jwt(claims: dict[str, Any]) -> str:
    """A JWT's text."""
    return formats.get("jwt").encode(claims, [KEY], now=START)


def express(session_id: str, key: str = KEY) -> str:
    """An express-session cookie's text."""
    return formats.get("express").encode(session_id, [key], id=session_id)


def findings(text: str, *keys: str, url: str | None = None, **setup: Any) -> dict[str, Finding]:
    """The findings on a cookie, by their codes."""
    found = examine(read_cookie(text), Setup(keys=KeyRing(keys), now=START + 60, **setup), url=url)
    return {finding.code: finding for finding in found}


def test_a_good_cookie() -> None:
    """A cookie as it should be has no finding above a note."""
    assert worst(findings(f"__Host-id={express(ID)}{GOOD}", KEY).values()) is None
    assert worst(findings(f"__Host-id={express(ID)}", KEY).values()) is None


@pytest.mark.parametrize(
    ("attributes", "codes"),
    [
        ("; Path=/", {"no-httponly", "no-secure", "no-samesite"}),
        ("; Path=/; Secure; SameSite=Lax", {"no-httponly", "no-prefix"}),
        ("; Path=/; HttpOnly; SameSite=Lax", {"no-secure"}),
        ("; Path=/; HttpOnly; Secure", {"no-samesite", "no-prefix"}),
        ("; HttpOnly; Secure; SameSite=None", {"samesite-none-sent", "no-prefix"}),
        ("; HttpOnly; SameSite=None", {"samesite-none", "samesite-none-sent", "no-secure"}),
        ("; HttpOnly; Secure; SameSite=Lax; Domain=shop.test", {"wide-domain"}),
        ("; HttpOnly; Secure; SameSite=Lax; Max-Age=604800", {"persistent", "no-prefix"}),
        ("; HttpOnly; Secure; SameSite=Lax; Max-Age=99999999", {"persistent", "max-age-capped", "no-prefix"}),
        ("; HttpOnly; Secure; SameSite=Lax; Max-Age=3600", {"no-prefix"}),
    ],
)
def test_attributes(attributes: str, codes: set[str]) -> None:
    """Each attribute that is missing or too wide is told; without a Set-Cookie nothing is said about them."""
    assert set(findings(f"id={express(ID)}{attributes}", KEY)) == codes
    assert not set(findings(f"id={express(ID)}", KEY)) & codes


def test_where_it_came_from() -> None:
    """With a URL a Secure cookie over plain http is refused."""
    assert (
        findings(f"id={express(ID)}{GOOD}", KEY, url="http://shop.test/")["secure-on-http"].severity
        == "error"
    )


@pytest.mark.parametrize(
    ("text", "keys", "codes"),
    [
        (f"session={flask({'user_id': 1})}", [KEY], {"old-hash"}),
        (f"session={flask({'user_id': 1}, now=START - 60 * 86400)}", [], {"old", "old-hash"}),
        (f"session={flask({'blob': BLOB[:4600]})}", [KEY], {"nearly-too-large", "old-hash"}),
        (f"session={flask({'blob': BLOB})}", [KEY], {"too-large", "old-hash"}),
        (f"session={flask({'password': 'x', 'user': {'api_key': 'y'}})}", [KEY], {"secret-data", "old-hash"}),
        (f"session={flask({'email': 'mj@shop.test'})}", [KEY], {"personal-data", "old-hash"}),
        (f"session={flask({'a': 1})}", ["x" * 40 + "yzabcdef"], {"not-genuine", "old-hash"}),
        (f"session={flask({'a': 1}, now=START + 86400)}", [], {"not-yet-valid", "old-hash"}),
        (f"session={flask({'a': 1}, now=START + 86400)}", [KEY], {"not-yet-valid", "old-hash"}),
        (f"session={flask({'a': 1}, now=START + 90)}", [], {"old-hash"}),
        (f"session={jwt({'iat': START, 'nbf': START + 86400})}", [], {"not-yet-valid"}),
        (f"session={jwt({'iat': START, 'nbf': START + 86400})}", [KEY], {"not-yet-valid"}),
        (f"session={jwt({'iat': START, 'nbf': 10**400})}", [], set()),
        (f"session={jwt({'iat': START, 'nbf': 10**400})}", [KEY], {"not-yet-valid"}),
        (f"session={flask({'a': 1})[:-4]}", [], {"cut", "old-hash"}),
        (f"session={flask({'a': 1})[:-4]}", [KEY], {"cut", "not-genuine", "old-hash"}),
        (f"session={flask({'user': 'alice'})[:25]}{GOOD}", [], {"cut", "no-prefix"}),
        (f"session={flask({'user': 'alice'})[:25]}…{GOOD}", [], {"cut", "no-prefix"}),
        (f"PHPSESSID={ID.lower()[:26]}", [], {"default-name"}),
        (f"connect.sid={express(ID)}", [KEY], {"default-name"}),
        (f"sid={express('17')}", [KEY], {"weak-id"}),
        (f"sid={express(str(uuid.UUID('d8f1b4a0-8a3c-11ee-b9d1-0242ac120002')))}", [KEY], {"time-id"}),
        (f"sid={express(UUID_4)}", [KEY], set()),
        (f"sid={express('user-42')}", [KEY], {"weak-id"}),
    ],
)
def test_the_text(text: str, keys: list[str], codes: set[str]) -> None:
    """Size, age, hash, contents, name and ID are judged by the text alone."""
    assert set(findings(text, *keys)) == codes


def test_unsigned() -> None:
    """A session that anybody can write is an error."""
    text = base64.b64encode(b'{"user":"mj"}').decode()
    assert findings(f"session={text}", format="cookie-session")["unsigned"].severity == "error"


@pytest.mark.parametrize("given", [True, False])
def test_a_secret_that_everybody_knows(given: bool) -> None:
    """It is found whether it was given or not."""
    found = findings(f"session={flask({'a': 1}, 'keyboard cat')}", *(["keyboard cat"] if given else []))
    assert found["known-secret"].severity == "error"


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        (KEY, None),
        (RANDOM.randbytes(32), None),
        ("secret", "known-secret"),
        ("django-insecure-" + "x7#k" * 12, "known-secret"),
        ("short", "weak-secret"),
        ("a" * 64, "weak-secret"),
        (RANDOM.randbytes(10).hex(), "short-secret"),
        ("correct horse battery staple again and again", "phrase-secret"),
        ("-----BEGIN PRIVATE KEY-----\nshort", None),
    ],
)
def test_secrets(secret: str | bytes, code: str | None) -> None:
    """A secret is judged by length, variety and whether it stands in tutorials; the words do not hold it."""
    found = weakness_of(Secret(secret))
    assert (found[0] if found else None) == code
    if found and isinstance(secret, str) and len(secret) > 6:
        assert secret not in found[2]


def test_findings_hold_no_secret() -> None:
    """No finding tells the secret, the ID or a value of the session."""
    text = f"session={flask({'password': 'hunter2value'}, 'mysecret')}"
    told = str(examine(read_cookie(text), Setup(keys=KeyRing(["mysecret"]))))
    assert "hunter2value" not in told
    assert "mysecret" not in told


def test_every_finding_has_a_source_and_a_way_out() -> None:
    """Whatever is found names its rule and what mends it."""
    texts = [
        f"session={flask({'password': 1, 'email': 2}, 'secret')}; Domain=com; SameSite=None; Max-Age=99999999",
        f"PHPSESSID={express('1')}",
    ]
    for text in texts:
        for finding in findings(text, "secret").values():
            assert finding.source
            assert finding.mend
            assert finding.message


@given(st.integers(min_value=16, max_value=64))
def test_random_ids_are_strong(size: int) -> None:
    """What a random generator made is not called weak."""
    for make in (secrets.token_hex, secrets.token_urlsafe):
        assert id_bits(make(size)) >= 64


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "17",
        "12345678",
        "a" * 40,
        "abcdefghijklmnopqrstuvwxyz012345",
        "0" * 30 + "17",
        "user-42",
        "1795423923",
        "session-1795423923",
    ],
)
def test_guessable_ids_are_weak(text: str) -> None:
    """Counters, times, repetition and alphabets are under the least that OWASP asks for."""
    assert id_bits(text) < 64


def test_the_well_known_are_known_once() -> None:
    """The list has no secret twice."""
    assert len(set(WELL_KNOWN)) == len(WELL_KNOWN)


def test_a_visit() -> None:
    """A recorded visit adds what the browser and the server did with the cookie, each by its request."""
    one = express(ID)
    visit = read_visit(har(
        exchange(0, "GET", "http://shop.test/", 200, "", f"sid={one}; Path=/; HttpOnly; SameSite=Lax"),
        exchange(1, "POST", "http://shop.test/login", 302, f"sid={one}"),
        exchange(2, "POST", "http://shop.test/logout", 302, f"sid={one}", "sid=; Path=/; Max-Age=0"),
    ))  # fmt: skip
    found = {finding.code: finding for finding in examine_visit(visit, Setup(keys=KeyRing([KEY])))}
    assert set(found) == {"no-secure", "plain-http", "same-id-at-login"}
    assert found["same-id-at-login"].where == "POST http://shop.test/login"
    assert worst(found.values()) == "error"


def test_a_text_of_no_known_format() -> None:
    """A Set-Cookie header is judged also where its value is an ID of a server's own; a bare text is not."""
    found = examine(read_cookie("Set-Cookie: JSESSIONID=1234; Path=/"), Setup())
    codes = {finding.code for finding in found}
    assert {"no-httponly", "no-secure", "weak-id", "default-name", "unknown-format"} <= codes
    assert all(finding.source and finding.mend for finding in found)
    with pytest.raises(MalformedCookieError):
        examine(read_cookie("1234"), Setup())


@pytest.mark.parametrize(
    ("cookie", "codes"),
    [
        ("_ga=GA1.2.1033501218.1368477899; Path=/", {"no-session"}),
        ("theme=dark; Path=/; SameSite=None", {"no-session", "samesite-none"}),
        ("XSRF-TOKEN=eyJpdiI6IjEifQ==; Path=/; Secure", {"no-session", "no-prefix"}),
        ("csrftoken=vUqjbRyVLGCFzNzA1cvTYB9kRBQxQ4za; Path=/", {"no-session", "no-secure"}),
        ("csrftoken=vUqjbRyVLGCFzNzA1cvTYB9kRBQxQ4za", {"no-session"}),
    ],
    ids=["analytics", "a preference", "Angular's token", "Django's token", "a token without attributes"],
)
def test_what_is_no_session(cookie: str, codes: set[str]) -> None:
    """What is for something else by its name is not judged as a session: scripts may read it, and it may be short."""
    assert {finding.code for finding in examine(read_cookie(cookie), Setup())} == codes


@pytest.mark.parametrize("name", ["_gateway_session", "_mp_session", "language_session", "session"])
def test_a_session_whose_name_begins_like_another(name: str) -> None:
    """A session is judged as one also where its application's name begins as that of analytics does."""
    assert "no-httponly" in findings(f"{name}={flask({'a': 1})}; Path=/")


def test_a_visit_without_a_session() -> None:
    """A visit with analytics alone is not judged by a session's rules, nor by what its requests did."""
    ga = "_ga=GA1.2.1033501218.1368477899"
    visit = read_visit(har(exchange(0, "GET", "http://shop.test/", 200, ga, f"{ga}; Path=/")))
    assert [finding.code for finding in examine_visit(visit, Setup())] == ["no-session"]


@pytest.mark.parametrize(
    ("attributes", "codes"),
    [
        ("; Path=/; Max-Age=0", {"cleared"}),
        ("; Path=/; SameSite=None", {"cleared", "samesite-none"}),
        ("", {"cleared"}),
    ],
)
def test_a_cookie_that_ends_the_session(attributes: str, codes: set[str]) -> None:
    """An empty cookie ends a session: only whether browsers do as it says is judged."""
    assert set(findings(f"session={attributes}")) == codes
