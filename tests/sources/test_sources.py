# ruff: noqa: E501 - the texts are as they were pasted
"""Whatever a person pastes gives the one cookie that is meant, and what was done to get it is told."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest

from sessionctl import formats
from sessionctl.errors import MalformedCookieError, UsageError
from sessionctl.sources import (
    Source,
    decode_text,
    join_chunks,
    parse_cookie_header,
    read_cookie,
    read_cookie_jar,
    read_file,
    read_har,
)
from sessionctl.sources.har import read_visit
from tests.limits import assert_quick, assert_small
from tests.visits import exchange
from tests.visits import har as har_of

FLASK = "eyJ1c2VyX2lkIjo0Mn0.awP70w.Tj7v3gHYYZGmJ7hKyFJoJXgHxYk"
SPACED = "eyJ1c2VyIjogIm0ifQ==.awqlTQ.0S2DSGQ8Pl3mQ-g4o1v0yISRCoA"  # of Starlette, with padding
STARLETTE = "eyJ1c2VyX2lkIjogNDIsICJ1c2VybmFtZSI6ICJhbGljZSJ9.awQAmQ.e4qDJFDndpOS0asFmTIVUyexgQk"
DJANGO = formats.get("django").example
CSRF = "abcdefghabcdefghabcdefghabcdefgh"
JAR = f"# Netscape HTTP Cookie File\n\n#HttpOnly_x.test\tFALSE\t/\tTRUE\t0\tsession\t{FLASK}\n.x.test\tTRUE\t/\tFALSE\t0\ta\tb\n"
STATE = {
    "cookies": [
        {"name": "theme", "value": "dark", "domain": "x.test", "path": "/", "expires": -1, "httpOnly": False, "secure": False, "sameSite": "Lax"},
        {"name": "session", "value": FLASK, "domain": "x.test", "path": "/", "expires": -1, "httpOnly": True, "secure": True, "sameSite": "Strict"},
    ],
    "origins": [],
}  # fmt: skip

PASTED = {
    "a bare value": FLASK,
    "a pair": f"session={FLASK}",
    "pairs, as document.cookie gives them": f"theme=dark; session={FLASK}",
    "a Cookie header": f"Cookie: theme=dark; session={FLASK}",
    "a Cookie header in lower case": f"cookie: session={FLASK}",
    "a Set-Cookie header": f"Set-Cookie: session={FLASK}; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; Path=/",
    "a Set-Cookie header without its name": f"session={FLASK}; HttpOnly; Path=/",
    "request headers": f"GET /a?b=c HTTP/1.1\r\nHost: x.test\r\nCookie: theme=dark; session={FLASK}\r\nAccept: */*\r\n",
    "request headers of HTTP/2": f":method: GET\n:path: /\naccept: */*\ncookie: theme=dark\ncookie: session={FLASK}\n",
    "response headers": f"HTTP/2 200\ncontent-type: text/html\nset-cookie: theme=dark; Path=/\nset-cookie: session={FLASK}; Path=/",
    "headers with names and values on lines of their own": f"accept:\n*/*\ncookie:\nsession={FLASK}; theme=dark\nhost:\nx.test",
    "headers that a mail has folded": f"Host: x.test\nCookie: theme=dark;\n session={FLASK}\nAccept: */*",
    "what curl -v prints": f"* Connected\n> GET / HTTP/1.1\n> Host: x.test\n> Cookie: session={FLASK}\n>\n< HTTP/1.1 200 OK\n< Server: x\n",
    "curl from Chrome for bash": f"curl 'https://x.test/a' \\\n  -H 'accept: */*' \\\n  -b 'theme=dark; session={FLASK}' \\\n  --compressed",
    "curl from Firefox for bash": f"curl 'https://x.test/' --compressed -H 'User-Agent: x' -H 'Cookie: session={FLASK}'",
    "curl with bash's ANSI quoting": f"curl 'https://x.test/' -H $'cookie: a=\\u0021b\\'c; session={FLASK}'",
    "curl with double quotes": f'curl "https://x.test/" -H "Cookie: a=\\"q\\"; session={FLASK}"',
    "curl with words joined to options": f"curl -b'session={FLASK}' https://x.test/",
    "curl from Chrome for Windows": f'curl ^"https://x.test/^" ^\r\n  -H ^"accept: */*^" ^\r\n  -b ^"theme=d^%^22ark; session={FLASK}^" ^\r\n  --compressed',
    "curl from an older Chrome for Windows": f'curl "https://x.test/" -H "cookie: theme=a"^%"22b; session={FLASK}" --compressed',
    "two curl commands": f"curl 'https://x.test/1' -b 'theme=dark' ;\ncurl 'https://x.test/2' -b 'session={FLASK}'",
    "a Netscape jar": JAR,
    "a line of a jar": f"x.test\tFALSE\t/\tTRUE\t1900000000\tsession\t{FLASK}",
    "Playwright's storageState": json.dumps(STATE),
    "Puppeteer's cookies": json.dumps(STATE["cookies"], indent=2),
    "our own answer": json.dumps({"cookie": FLASK, "cookie_name": "session"}),
    "headers as JSON": json.dumps({"headers": {"Host": "x.test", "Cookie": f"session={FLASK}"}}),
    "a line of nginx's log": f'127.0.0.1 - - [23/Nov/2026:16:00:00 +0000] "GET /?a=b HTTP/1.1" 200 12 "-" "Mozilla/5.0 (X11)" "theme=dark; session={FLASK}"',
    "a line of logfmt": f'level=warn msg="bad signature" cookie="session={FLASK}; theme=dark" user=mj',
    "a line of a JSON log": f'2026-11-23 INFO {{"host": "x.test", "cookie": "session={FLASK}"}}',
    "a Python dictionary in a log": f"DEBUG headers={{'Host': 'x.test', 'Cookie': 'session={FLASK}'}}",
    "a pair in prose": f"2026-11-23 WARN bad signature for session={FLASK}, refused",
    "a value in prose": f"the user sends {FLASK} and is logged out",
    "in single quotes": f"'session={FLASK}'",
    "a row of Chrome's table": f"theme\tdark\tx.test\t/\tSession\t9\nsession\t{FLASK}\tx.test\t/\tSession\t63\t✓\t\tLax\t\tMedium",
    "what Firefox's storage panel copies": f'session:"{FLASK}"\nCreated:"Fri, 27 Nov 2026 21:15:24 GMT"\nHostOnly:true\nPath:"/"',
    "PowerShell from Chrome": f'$session.Cookies.Add((New-Object System.Net.Cookie("theme", "dark", "/", "x.test")))\n$session.Cookies.Add((New-Object System.Net.Cookie("session", "{FLASK}", "/", "x.test")))',
    "a wget command": f"wget --header='Cookie: theme=dark; session={FLASK}' https://x.test/",
    "curl's flags in one word": f"curl -sSb 'session={FLASK}' https://x.test",
    "a byte order mark": f"\ufeffsession={FLASK}",
    "spaces that nobody sees": f"\u200bsession={FLASK}\u200b",
    "curly quotes": f"“session={FLASK}”",
    "a code block": f"```http\nCookie: session={FLASK}\n```",
    "a shell's variable": f"export COOKIE='session={FLASK}'",
    "a comma after it": f"session={FLASK},",
    "headers of a HAR": json.dumps([{"name": "Host", "value": "x"}, {"name": "Cookie", "value": f"session={FLASK}"}]),
    "Set-Cookie headers joined by a comma": f"Set-Cookie: theme=dark; Expires=Wed, 21 Oct 2026 07:28:00 GMT, session={FLASK}; HttpOnly",
    "headers that are indented": f"\tCookie: session={FLASK}\n\tHost: x.test",
    "a log of Rails": f'Cookies: {{"_theme"=>"dark", "session"=>"{FLASK}"}}',
    "a log of Monolog": f'app.DEBUG: cookies {{"theme":"dark","session":"{FLASK}"}} []',
    "a list in brackets": f"[session={FLASK}; Path=/; HttpOnly]",
    "headers without colons": f"cookie\ntheme=dark; session={FLASK}\nuser-agent\nMozilla",
    "a mail's soft line break": f"session={FLASK[:30]}=\n{FLASK[30:]}",
    "in double quotes": f'"session={FLASK}"',
    "in backticks": f"`{FLASK}`",
    "broken over lines": f"session={FLASK[:30]}\n   {FLASK[30:]}",
    "a value broken over lines": f"{FLASK[:30]}\r\n{FLASK[30:]}\n",
    "a header broken over lines": f"Host: x.test\nCookie: session={FLASK[:30]}\n{FLASK[30:]}; theme=dark\nAccept: */*",
    "percent-encoded with its name": f"session%3D{FLASK}",
    "fetch from Chrome, for Node": f'fetch("http://x.test/", {{\n  "headers": {{\n    "accept": "*/*",\n    "cookie": "theme=dark; session={FLASK}"\n  }},\n  "method": "GET"\n}});',
    "PowerShell from Firefox": f'Invoke-WebRequest -UseBasicParsing -Uri "http://x.test/" `\n-WebSession $session `\n-Headers @{{\n"Accept" = "*/*"\n"Cookie" = "theme=dark; session={FLASK}"\n}}',
    "cookies of a response, as Firefox copies them": json.dumps({"Response Cookies": {"session": {"httpOnly": True, "path": "/", "value": FLASK}}}),
    "headers of a request, as Firefox copies them": json.dumps({"Request Headers (9 B)": {"headers": [{"name": "Host", "value": "x"}, {"name": "Cookie", "value": f"session={FLASK}"}]}}),
    "two columns of a table": f"session\t{FLASK}",
    "name and value below each other": f"session\n{FLASK}",
    "name and value after a colon": f"session: {FLASK}",
    "a jar that a terminal has copied": f"# Netscape HTTP Cookie File\n#HttpOnly_x.test  FALSE  /  FALSE  0  session  {FLASK}",
    "curl's option alone": f"-b 'theme=dark; session={FLASK}' \\",
    "HTTPie's command": f"http GET x.test 'Cookie:theme=dark; session={FLASK}'",
    "a collection of Postman": json.dumps({"item": [{"request": {"method": "GET", "header": [{"key": "Cookie", "value": f"session={FLASK}"}]}}]}),
    "an event of Sentry": json.dumps({"request": {"cookies": [["theme", "dark"], ["session", FLASK]], "headers": [["Host", "x"]]}}),
    "a request of AWS Lambda": json.dumps({"version": "2.0", "cookies": ["theme=dark", f"session={FLASK}"], "headers": {"host": "x"}}),
    "a response of AWS Lambda": json.dumps({"statusCode": 200, "cookies": [f"session={FLASK}; Path=/; HttpOnly"]}),
    "a line of pino's log": json.dumps({"level": 30, "req": {"headers": {"host": "x", "cookie": f"session={FLASK}"}}, "msg": "a"}),
    "a line of Docker's log": json.dumps({"log": f"WARN Cookie: session={FLASK}\n", "stream": "stderr"}),
    "Node's headers of a response": f"{{\n  'x-powered-by': 'Express',\n  'set-cookie': [\n    'session={FLASK}; Path=/; HttpOnly'\n  ]\n}}",
    "Python's headers of a response": f"{{'Vary': 'Cookie', 'Set-Cookie': 'session={FLASK}; HttpOnly; Path=/', 'Connection': 'close'}}",
    "Python's jar of cookies": f"<RequestsCookieJar[<Cookie session={FLASK} for x.test/>, <Cookie theme=dark for x.test/>]>",
    "Python's Cookie": f"Cookie(version=0, name='session', value='{FLASK}', port=None, domain='x.test', rest={{'HttpOnly': None}})",
    "a line of Python": f'client.set_cookie("session", "{FLASK}")',
    "Selenium's cookies": f"[{{'domain': 'x.test', 'httpOnly': True, 'name': 'session', 'path': '/', 'value': '{FLASK}'}}]",
    "an environment of WSGI": f"{{'HTTP_HOST': 'x.test', 'HTTP_COOKIE': 'theme=dark; session={FLASK}'}}",
    "Ruby's jar": f'#<ActionDispatch::Cookies::CookieJar @cookies={{"theme"=>"dark", "session"=>"{FLASK}"}}>',
    "Ruby's hash of symbols": f"{{theme: 'dark', session: '{FLASK}'}}",
    "Elixir's headers": f'[{{"accept", "*/*"}}, {{"cookie", "theme=dark; session={FLASK}"}}]',
    "Go's headers": f"map[Accept:[*/*] Cookie:[theme=dark; session={FLASK}] User-Agent:[x]]",
    "PHP's var_dump": f'array(2) {{\n  ["theme"]=>\n  string(4) "dark"\n  ["session"]=>\n  string(55) "{FLASK}"\n}}',
    "PHP's print_r": f"Array\n(\n    [theme] => dark\n    [session] => {FLASK}\n)",
    "PowerShell's list of a cookie": f"Name     : session\nValue    : {FLASK}\nPath     : /\nHttpOnly : True",
    "Wireshark's line": f"    Cookie: session={FLASK}\\r\\n",
    "code in prose": f"The cookie is `session={FLASK}` and I am logged out",
    "a quoted mail": f"> Cookie: session={FLASK}\n> Host: x.test",
    "two lines of a log": f'"GET / HTTP/1.1" 200 "theme=dark; session={FLASK}"\n"GET /a HTTP/1.1" 200 "theme=dark; session={FLASK}"',
    "a variable of a shell": f"COOKIE=session={FLASK}",
    "a variable of a shell in double quotes": f'COOKIE="session={FLASK}"',
    "a variable of a shell with a value alone": f"COOKIE={FLASK}",
    "a variable of CGI": f"HTTP_COOKIE=theme=dark; session={FLASK}",
    "Koa's old name": f"koa:sess={FLASK}; koa:sess.sig={CSRF}",
}  # fmt: skip


@pytest.mark.parametrize("text", PASTED.values(), ids=PASTED)
def test_what_was_pasted(text: str) -> None:
    """The session's value comes out as the header carried it."""
    assert read_cookie(text).value == FLASK


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('session="a\\"b; c"', '"a\\"b; c"'),
        ("session=s%3Aabc.def%3D", "s%3Aabc.def%3D"),
        ("session=a%2525b", "a%2525b"),
        ('theme="a=b c=d"', '"a=b c=d"'),
        (
            'token={"q": "x=1 y=2"}.XRZrtysnhE6YlwGNOrY_BAOEXnk',
            '{"q": "x=1 y=2"}.XRZrtysnhE6YlwGNOrY_BAOEXnk',
        ),
        (
            'my.cookie="Zo\\353 x:1xVJYW:8US3bOTWYo5j5OzULDc2FHa8ofSMMg-Y6JwtSkzAzZA"',
            '"Zo\\353 x:1xVJYW:8US3bOTWYo5j5OzULDc2FHa8ofSMMg-Y6JwtSkzAzZA"',
        ),
        ("just some words", "just some words"),
        ("session=", ""),
        ("session=with some spaces inside", "with some spaces inside"),
        ("s%3Aabc.def%3D", "s%3Aabc.def%3D"),
        ('{"a": 1}', '{"a": 1}'),
        ("{not json", "{not json"),
        ("curl", "curl"),
        (FLASK + "=", FLASK + "="),
        (FLASK + "==", FLASK + "=="),
        ("2|1:0|10:1795423923|4:user|8:YWxpY2U=", "2|1:0|10:1795423923|4:user|8:YWxpY2U="),
    ],
)
def test_what_is_taken_as_it_is(text: str, value: str) -> None:
    """Quotes and percent signs of a value belong to it, and what is no longer text stays whole."""
    found = read_cookie(text)
    assert (found.value, found.notes) == (value, ())


BARE = {
    "werkzeug": '"EsgmcPrzkTKgK9eUHDcRPEH1eEY=?a=MQ==&b=WyJ4Il0=&c+d=Ilx1MjBhYyI="',
    "starlette": "eyJhIjogMX0=.a0nSAA.zw7dxCu7j_nVCiqZ31DcGz3_K6o",
    "tornado": '"NDI=|1800000000|ce725d5a57bbf48cebd337e6ecd831ba433264b0"',
    "beaker": "d45d5dfbcd5b592d4e33c3e0a0f6d02b6be316124OGvK3m1lDpFDlFgY4dkPw==Zkef71fP18iuaAZX6LAwcv/pOwKC+3/0e76CRAgkl9CayqDhoUYy92MN4xK8sOWawbq40y6DOjoVoVOBcFDEF5wNEJbvN8C2KWhHbIPJjB2Zu6zzDehLopvH8rzE6rG4hDehmB6G6ZNWRRD6pI9VqlXcDah9tp2kZ+tXZdFc2D6bnOE8rd+noQ==",
    "bottle": '"!5LtipFTGaNyrlldlpSOKAA==?gAJVA3NpZHEBfXECKFgBAAAAYV1xAyhLAUsCZVgBAAAAYn1xBFgBAAAAeE5zdYZxBS4="',
    "aiohttp": '"gAAAAABrSdIA19L-ZIcBZvjzbQwF232MyGopEVg2Vwhvi86PvkXkfMnKsp5T6tF7yjrXFhF82ZcygD0eG615ll9LF1F_0bE2QBjs3lFO570_tTMfSHNq4RbX7tYh7XU7AySj1BAMhcnEQi6ezdytOS70UlNkqXRqXEDn0VeN9qLzdicMb7dVhX0="',
}
"""Values that have a `=`, as the frameworks wrote them, with quotes where they put them."""


@pytest.mark.parametrize("quoted", [True, False], ids=["as written", "without quotes"])
@pytest.mark.parametrize("name", [None, "sid"])
@pytest.mark.parametrize("value", BARE.values(), ids=BARE)
def test_a_bare_value_with_equals_signs(value: str, name: str | None, quoted: bool) -> None:
    """A `=` inside a value does not end a name, though letters and digits alone stand before it."""
    text = value if quoted else value.strip('"')
    assert read_cookie(text, name)[:2] == (name, text)
    assert read_cookie(f"sid={text}", name)[:2] == ("sid", text)


@pytest.mark.parametrize("pair", ["sso=.eJw", "abc=|x", "cookies=.eJw", "eyes=|1", "eyebrows=.eJw"])
def test_a_short_name_is_no_base64(pair: str) -> None:
    """A name that might be base64 is one all the same."""
    assert read_cookie(pair)[:2] == tuple(pair.split("="))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"'{FLASK}'", "quotes"),
        (f"{FLASK};", "what copying has put around it"),
        (f"{FLASK[:9]}\n{FLASK[9:]}", "line breaks"),
        (f"session%3D{FLASK}", "percent-encoded"),
        (f"WARN session={FLASK} refused", "line of other text"),
        (f"Cookie: a.0={FLASK[:9]}; a.1={FLASK[9:]}", "chunks"),
        (f"Cookie: a=b; session={FLASK}", "the others: a"),
        (f"Host: x\nCookie: session=old\n\nHost: x\nCookie: session={FLASK}", "2 values"),
        (f"Set-Cookie: session={FLASK}\nSet-Cookie: session=; Max-Age=0", "cleared"),
        (f"Authorization: Bearer {FLASK}\nHost: x", "Authorization"),
        (f"Host: x\nCookie: session={FLASK[:9]}\n{FLASK[9:]}", "line break"),
    ],
)
def test_what_was_done_is_told(text: str, note: str) -> None:
    """Each mending is a note, and the value is right after it."""
    found = read_cookie(text)
    assert found.value == FLASK
    assert note in " ".join(found.notes)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (f"csrftoken={CSRF}; _ga=GA1.2.123.456; sid={FLASK}", "sid"),
        (f"XSRF-TOKEN={FLASK}; app_session={FLASK}", "app_session"),
        ("theme=dark; PHPSESSID=k3v9m2q8x7c6b5n4m3l2k1j0h9; lang=en", "PHPSESSID"),
        (
            "a=1; connect.sid=s%3AabcdefghijklmnopqrstuvwxyzABCDEF.Tj7v3gHYYZGmJ7hKyFJoJXgHxYkTj7v3gHYYZGmJ7h",
            "connect.sid",
        ),
        (f"first=1; second={FLASK}", "second"),
        ("one=1; two=2", "one"),
        (f"session={FLASK}; session.sig=abcdefghijklmnopqrstuvwxyzA", "session"),
    ],
)
def test_the_likeliest_session(header: str, name: str) -> None:
    """Of several cookies it is the one that looks and is named like a session; with no difference, the first."""
    assert read_cookie(f"Cookie: {header}").name == name


def test_what_remembers_a_user_is_not_preferred() -> None:
    """A cookie that logs its user in anew stands behind the session, and alone it is told as what it is."""
    remembering = f"remember_token=42|{'0' * 128}"
    assert read_cookie(f"Cookie: {remembering}; session={FLASK}").name == "session"
    found = read_cookie(f"Cookie: {remembering}; theme=dark")
    assert found.name == "remember_token"
    assert "no session but logs its user in anew; the others: theme" in found.notes[0]


def test_a_call_of_fetch_is_no_other_text() -> None:
    """A request that was copied for Node has its cookie where it belongs, so that there is nothing to note."""
    call = f'fetch("http://x.test/", {{\n  "headers": {{\n    "cookie": "session={FLASK}"\n  }}\n}});'
    assert not any("other text" in note for note in read_cookie(call).notes)
    assert any("other text" in note for note in read_cookie(f"it sends\n{call}").notes)


@pytest.mark.parametrize("place", [3, 10, 30, 40])
@pytest.mark.parametrize("name", ["session=", ""])
def test_a_line_break_before_padding(name: str, place: int) -> None:
    """The padding of base64 behind a line break does not make a name of the rest of the line."""
    for text in (SPACED, formats.get("remix").encode("mj" * 8, ["k"])):
        found = read_cookie(f"{name}{text[:place]}\n{text[place:]}")
        assert (found.name, found.value) == (name[:-1] or None, text)


@pytest.mark.parametrize(
    ("name", "session", "taken"),
    [
        ("sessionid", DJANGO, "last"),
        ("session", STARLETTE, "last"),
        ("session", FLASK, "first"),
        ("a", "b", "first"),
    ],
)
@pytest.mark.parametrize(
    "text", ["Cookie: {}", "{}", "curl -b '{}' https://x.test/", "GET / HTTP/1.1\nCookie: {}\n"]
)
def test_several_values_in_one_header(text: str, name: str, session: str, taken: str) -> None:
    """Of several values of a name in one header the one is taken that the framework takes, and a note tells."""
    for values in ([session, "1", "2"], ["1", "2", session]):
        found = read_cookie(text.format("; ".join(f"{name}={value}" for value in values)))
        assert found.value == found.cookies[name] == values[-1 if taken == "last" else 0]
        assert any(f"{name} has 3 values in one header; this is the {taken}" in note for note in found.notes)


def _in_har(pairs: list[str], how: str) -> str:
    """A HAR of one request that sends these cookies in one header, in one each (HTTP/2), or without headers."""
    entry = exchange(0, "GET", "/", 200)
    if how == "cookies":
        named = (pair.partition("=")[::2] for pair in pairs)
        entry["request"]["cookies"] = [{"name": name, "value": value} for name, value in named]
    else:
        headers = ["; ".join(pairs)] if how == "one header" else pairs
        entry["request"]["headers"] = [{"name": "cookie", "value": value} for value in headers]
    return har_of(entry).decode()


@pytest.mark.parametrize("how", ["one header", "headers", "cookies"])
@pytest.mark.parametrize(("session", "name", "taken"), [(DJANGO, "sessionid", -1), (FLASK, "session", 0)])
def test_several_values_in_one_entry_of_a_har(how: str, session: str, name: str, taken: int) -> None:
    """The same holds for the cookies of one request of a HAR; of what a later one sends only that counts."""
    for values in ([session, "1", "2"], ["1", "2", session]):
        found = read_cookie(_in_har([f"{name}={value}" for value in values], how), name)
        assert found.value == found.cookies[name] == values[taken]
        assert any("has 3 values in one header" in note for note in found.notes)
    two = json.loads(_in_har([f"{name}=1", f"{name}=2"], how))
    two["log"]["entries"].append(exchange(1, "GET", "/", 200, f"{name}={session}"))
    assert read_cookie(json.dumps(two), name).value == session


def test_many_names_twice_in_one_entry_of_a_har() -> None:
    """Of a request that sends thousands of cookies twice only the one that is asked for is looked at."""
    sent = "; ".join(f"a{number}=1; a{number}=2" for number in range(10_000))
    (visit,) = read_visit(har_of(exchange(0, "GET", "/", 200, f"{sent}; session=1; session={FLASK}")))
    assert_quick(lambda: visit.taken("session"))


@pytest.mark.parametrize(
    "text",
    [
        '1.2.3.4 - - [x] "GET / HTTP/1.1" 200 "{}"', "curl -b 'a=b' -H $'{}'", 'curl -b "{}"', 'curl ^"{}^"',
        '[System.Net.Cookie("a", "{}")',
    ],
)  # fmt: skip
def test_what_a_long_quotation_takes(text: str) -> None:
    """A quotation of the longest text that is read takes no multiple of it."""
    assert_small(lambda: read_cookie(text.format("session=abc; " * 80_000)))


def test_a_later_header_goes_before_several_values_in_one() -> None:
    """What a later request sends counts, and the same value twice is one."""
    found = read_cookie(f"Cookie: session=1; session=2\nCookie: session={FLASK}; session={FLASK}\n")
    assert found.value == FLASK
    assert not [note for note in found.notes if "in one header" in note]


def test_a_cookie_named_as_a_variable() -> None:
    """A cookie that is asked for by the name of a shell's variable is read as any other."""
    assert read_cookie("COOKIE=a=b", "COOKIE").value == "a=b"
    assert read_cookie("COOKIE=a=b").name == "a"


def test_a_name_that_was_asked_for() -> None:
    """With a name there is no guessing, and a cookie that is missing has no value."""
    header = f"Cookie: theme=dark; session={FLASK}"
    both = {"theme": "dark", "session": FLASK}
    assert read_cookie(header, "theme") == Source("theme", "dark", both, sent=True)
    assert read_cookie(header, "nope").value is None


def test_chunks_are_joined_in_numeric_order() -> None:
    """NAME.10 comes after NAME.9, whatever the order in the header."""
    parts = {f"s.{number}": chr(97 + number) for number in (10, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8)}
    assert join_chunks(parts, "s") == "abcdefghijk"
    assert (
        read_cookie("Cookie: " + "; ".join(f"{key}={value}" for key, value in parts.items())).value
        == "abcdefghijk"
    )


@pytest.mark.parametrize(
    ("header", "note"),
    [
        (f"s.0={'a' * 3936}", "the next chunk is missing, as it seems: give s.1 too"),
        (f"s-0={'a' * 3936}; s-1={'a' * 3936}", "the next chunk is missing, as it seems: give s-2 too"),
        ("s.0=aa; s.2=a", "a chunk is missing: give s.1 too"),
        (f"s.0={'a' * 3936}; s.1=a", None),
        ("s.0=a", None),
    ],
)
def test_a_chunk_is_missing(header: str, note: str | None) -> None:
    """A gap in the numbers is told, and a last chunk as long as the first, as no cookie ends so."""
    found = read_cookie(f"Cookie: {header}", "s")
    assert found.value == "".join(pair.partition("=")[2] for pair in header.split("; "))
    assert [one for one in found.notes if "missing" in one] == ([note] if note else [])


def test_a_name_that_ends_in_a_number_is_no_chunk() -> None:
    """Without a first chunk the number belongs to the name."""
    assert read_cookie("cart-7=x").name == "cart-7"


def test_attributes() -> None:
    """A Set-Cookie header's attributes come along, also out of a block; a jar's do not, as it has no SameSite."""
    block = f"HTTP/1.1 200 OK\nSet-Cookie: a=1; Path=/\nSet-Cookie: session={FLASK}; Path=/x; Secure; SameSite=Lax"
    assert read_cookie(block).attributes == {"path": "/x", "secure": "", "samesite": "Lax"}
    state = read_cookie(json.dumps(STATE)).attributes
    assert state == {"httponly": "", "secure": "", "samesite": "Strict", "path": "/"}
    assert read_cookie(JAR).attributes is None


def har(*entries: dict[str, object]) -> bytes:
    """A HAR file of these entries."""
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}}).encode()


def entry(
    sent: str, received: str = "", started: str = "2026-11-23T16:00:00.000Z", **cookies: object
) -> dict[str, object]:
    """One exchange with these headers."""
    return {
        "startedDateTime": started,
        "request": {"method": "GET", "url": "https://x.test/", "headers": [{"name": "Cookie", "value": sent}] if sent else [], **cookies},
        "response": {"status": 200, "headers": [{"name": "set-cookie", "value": received}] if received else []},
    }  # fmt: skip


def test_har() -> None:
    """The last value that a cookie had counts, by the time of the requests, not by their place in the file."""
    late = entry(f"session={FLASK}", started="2026-11-23T16:00:09.000+00:00")
    first = entry("", "theme=dark; Path=/\nsession=old; HttpOnly", started="2026-11-23T16:00:01.000Z")
    found = read_har(har(late, first), None)
    assert (found.name, found.value) == ("session", FLASK)
    assert read_har(har(late, first), "theme").value == "dark"


def test_har_headers_before_cookies() -> None:
    """Firefox percent-decodes what it puts into `cookies`; the headers are as they were sent."""
    decoded = [{"name": "session", "value": "s:abc"}]
    assert read_har(har(entry("session=s%3Aabc", cookies=decoded)), None).value == "s%3Aabc"
    assert read_har(har(entry("", cookies=decoded)), None).value == "s:abc"


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[]", b'{"log": {"entries": [1]}}', b'{"log": {"entries": [{"request": {}}]}}', b"no", b"\xff"],
)
def test_no_har(content: bytes) -> None:
    """What is no HAR is malformed input, whatever it is, and is told as that."""
    with pytest.raises(MalformedCookieError, match="is no HAR"):
        read_har(content, None)


def test_har_without_cookies_says_why() -> None:
    """Chrome leaves cookies out of an export unless asked for sensitive data."""
    with pytest.raises(MalformedCookieError, match="sensitive"):
        read_har(har(entry("")), None)


def test_jar_file() -> None:
    """A jar is read from bytes; what is none is malformed."""
    assert read_cookie_jar(JAR.encode(), "a").value == "b"
    with pytest.raises(MalformedCookieError):
        read_cookie_jar(b"no jar at all", None)


@pytest.mark.parametrize("command", ["curl https://x.test/", "curl -b cookies.txt https://x.test/"])
def test_curl_without_cookies(command: str) -> None:
    """A curl command that sends none says so, and names the file that it would take them from."""
    with pytest.raises(MalformedCookieError, match=r"no cookie|cookies\.txt"):
        read_cookie(command)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"cookies": [], "origins": []}', "storageState has no cookies"),
        ("# Netscape HTTP Cookie File\n# https://curl.se/docs/http-cookies.html\n", "jar has no cookies"),
        ('fetch("http://x.test/", {\n  "headers": {\n    "accept": "*/*"\n  },\n  "credentials": "include"\n});', "copy it as cURL"),
        ("Dear all,\nI am logged out again.\nWhy?", "no cookie in these 3 lines"),
    ],
)  # fmt: skip
def test_what_has_no_cookie(text: str, message: str) -> None:
    """It says so, and where a cookie would come from."""
    with pytest.raises(MalformedCookieError, match=message):
        read_cookie(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8b\x08\x00abc", "gunzip"),
        (b"PK\x03\x04\x14", "zip"),
        (b"SQLite format 3\0\x10", "developer tools"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
    ],
)
def test_binary_files(content: bytes, message: str) -> None:
    """A file that is no text is told at once, and what to do with it."""
    with pytest.raises(MalformedCookieError, match=message):
        decode_text(content)


def test_every_line_of_a_log_counts() -> None:
    """A line whose cookies are known already is not searched further; the last value of a name counts."""
    lines = [f'"GET /{n} HTTP/1.1" 200 "theme=dark; session={FLASK}" "{FLASK}"' for n in range(3)]
    assert set(read_cookie("\n".join(lines)).cookies) == {"theme", "session"}


def test_headers_beside_cookies_are_no_cookies() -> None:
    """Of a list of headers only those that carry cookies count, and a session that is JSON is not searched."""
    headers = [{"name": "Authorization-Session", "value": FLASK}, {"name": "Cookie", "value": "a=b"}]
    assert read_cookie(json.dumps(headers)).cookies == {"a": "b"}
    own = '{"created": 1795423900, "session": {"cookie": "a=b"}}'
    assert read_cookie(own).value == own


def test_a_file_that_cannot_be_read() -> None:
    """It is wrong usage, and the message names it."""
    with pytest.raises(UsageError, match="/nonexistent"):
        read_file("/nonexistent")
    with pytest.raises(UsageError, match="more than 256 MiB"):
        read_file("/dev/zero")


@pytest.mark.parametrize("length", [10_000, 100_000])
@pytest.mark.parametrize(
    "unit", ['"', "\\", "a=b; ", "\n", "Cookie: ", "^", "'", "{", "\t", "cookie=", "COOKIE=", "curl ", "$'"]
)
def test_hostile_length(unit: str, length: int) -> None:
    """No text takes longer than its length allows: no reader looks at it over and over."""
    start = time.process_time()
    for text in (
        unit * (length // len(unit)),
        f"curl {unit * (length // len(unit))}",
        f"Cookie: {unit * (length // len(unit))}\nx: y",
    ):
        with suppress(MalformedCookieError):
            read_cookie(text)
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('session="' + 'a\\"' * 20_000 + "; b=c", id="a quote that escaped ones follow"),
        pytest.param('cookie="' + '\\" ' * 20_000, id="the same with spaces"),
        pytest.param("; ".join(f"s{n}.0=v" for n in range(6_000)), id="many names with a chunk"),
        pytest.param("; ".join(f"s{n}=" for n in range(6_000)), id="many that are empty"),
    ],
)
def test_hostile_line(text: str) -> None:
    """A line of a log that one client sent does not hold up the others: nothing in it takes the square of its length."""
    start = time.process_time()
    with suppress(MalformedCookieError):
        read_cookie(text)
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ('a="1; b=2"; c=3', {"a": '"1; b=2"', "c": "3"}),
        ('a="1; b=2; c=3', {"a": '"1', "b": "2", "c": "3"}),
        ('a="1\\"; b="2; c=3', {"a": '"1\\"; b="2', "c": "3"}),
        ('a="1;2"; b="3\\"; c=4', {"a": '"1;2"', "b": '"3\\"', "c": "4"}),
        ('a=1; b="2\\', {"a": "1", "b": '"2\\'}),
    ],
    ids=[
        "closed",
        "open",
        "closed behind an escaped one",
        "open behind a closed one",
        "a backslash at the end",
    ],
)
def test_semicolons_in_quotes(header: str, cookies: dict[str, str]) -> None:
    """A semicolon inside double quotes is of the value; quotes that nothing closes are characters like others."""
    assert parse_cookie_header(header) == cookies


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "utf-8"])
def test_encodings_of_windows(encoding: str) -> None:
    """A file that Windows wrote is text, with or without its byte order mark."""
    assert decode_text(f"Cookie: session={FLASK}\r\n".encode(encoding)).strip() == f"Cookie: session={FLASK}"


def test_where_no_cookie_looks_like_a_session() -> None:
    """Of cookies that are all for something else by their names none is said to look like a session."""
    (note,) = read_cookie("Cookie: _ga=GA1.2.3; csrftoken=abc; theme=dark").notes
    assert note.startswith(
        "none of 3 cookies looks like a session; _ga was taken, the others: csrftoken, theme"
    )
