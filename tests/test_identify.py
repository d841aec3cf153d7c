"""Which format a cookie is of: its looks, the keys and the options that were given tell."""

from __future__ import annotations

import base64
import hmac
import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sessionctl import KeyRing, MalformedCookieError, SessionctlError, UsageError, formats
from sessionctl.diagnosis import hints
from sessionctl.encoding import b64encode_urlsafe
from sessionctl.identify import Setup, identify
from sessionctl.jsontext import dumps_bytes
from sessionctl.sources import Source, read_cookie
from sessionctl.stores.layouts import names
from tests.cases import cookie_cases
from tests.limits import assert_quick

SIGNED = [
    row
    for row in cookie_cases()
    if row["expect"] == "valid" and row["keys"] and row.get("cookie_value") != ""
]


def identified(row: dict[str, Any]) -> str | None:
    """The format that comes out with the keys and options of the case, and no name of a format."""
    name = row["cookie_name"] if "; " in row["input"] else None
    options = {
        key: value if isinstance(value, str) else str(value).lower() for key, value in row["options"].items()
    }
    setup = Setup(keys=KeyRing.parse(row["keys"]), options=options, cookie_name=name, now=row["now"])
    try:
        return identify(read_cookie(row["input"], name), setup).format.name
    except SessionctlError:
        return None


def test_keys_and_options_settle_the_format() -> None:
    """At least 98 of 100 genuine corpus cookies come out right where keys and options are given, and no -f."""
    wrong = Counter((row["format"], found) for row in SIGNED if (found := identified(row)) != row["format"])
    assert wrong.total() / len(SIGNED) < 0.02, wrong.most_common()


def test_an_option_rules_out_formats_that_have_it_not() -> None:
    """A salt that was given is not asked of a format without salts, though the text looks like one of its own."""
    text = formats.get("authjs", salt="name").encode({"sub": "mj"}, ["key" * 11])
    assert identify(Source("session", text), Setup(options={"salt": "name"})).format.name == "authjs"


def test_an_option_that_no_candidate_has_is_told() -> None:
    """Where none of the likely formats takes the option, it is named, with the formats."""
    text = formats.get("flask").encode({"a": 1}, ["key"])
    with pytest.raises(UsageError, match=r"flask.* takes the option block-key"):
        identify(Source("session", text), Setup(options={"block-key": "hex:00"}))


def test_options_do_not_matter_to_an_empty_cookie() -> None:
    """An empty cookie is genuine whatever format was meant; without a value there is nothing to identify."""
    setup = Setup(options={"salt": "x"})
    assert identify(Source("session", ""), setup).verdict.valid
    with pytest.raises(MalformedCookieError, match="no cookie"):
        identify(Source("session", None), setup)


WITHOUT_LIBRARIES = """
import sys
sys.modules["cryptography"] = sys.modules["nacl"] = None
from sessionctl import KeyRing, MissingExtraError, formats
from sessionctl.identify import Setup, identify
from sessionctl.sources import Source

data = {"user": "mj", "_creation_time": 1.0}
text = formats.get("beaker").encode(data, ["a"])
assert formats.detect(text)[1][0] == "aiohttp"
for key in ("a", "b" * 32, "0123456789abcdef" * 2):
    print(identify(Source("session", text), Setup(keys=KeyRing.parse([key]))).verdict.reason)
try:
    identify(Source("_app_session", formats.get("rails").example), Setup(keys=KeyRing(["b"])))
except MissingExtraError as error:
    print(error.extra)
"""


def test_a_missing_library_hides_no_other_format() -> None:
    """A format that cannot be tried is told where it is the likeliest, and else leaves the others their turn."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["None", "bad-signature", "bad-signature", "formats"], done.stderr


@pytest.mark.parametrize(
    ("text", "layouts"),
    [
        ("b0025c97-3e80-4722-b5c2-61821a365f10", "koa-redis, flask-session"),
        ("1ue3if4f29ugn8bg1pdh0buvt9", "php"),
        ("e0c3fb74f0eb4b21abc35a91b8cbe447", "php, sanic, aiohttp-redis, starsessions"),
        ("brz0bn6th4khpbcza4t7wnrph2ggxkoe", "django-cache, django-file"),
        ("IOXSsHuZ7uh0GU4ar5qVDJGTrM52tb5K", "connect-redis, connect-memcached, express-file"),
        ("0e4b686c972cad9b7242235b87509166b6412861", "cherrypy, werkzeug-file"),
        ("42cb2ce0f543408123902ee7adf8a0e4af24db1fa78816a76954e6b7b61c8e5f", "rack-redis, litestar"),
        ("Y2fxl1FzD-zQq9oUWC8QsmiEcNiyaJNXQj9MBT3Q9To", "flask-session, scs"),
    ],
)
def test_whose_an_id_may_be(text: str, layouts: str) -> None:
    """Of a text that may be a stored session's ID the layouts are named that have IDs of its shape, and no format."""
    assert set(layouts.split(", ")) <= set(names())
    with pytest.raises(MalformedCookieError, match=rf"\(by its shape: {layouts}\)") as caught:
        identify(Source("sid", text), Setup())
    assert "at a stretch" not in str(caught.value)


@pytest.mark.parametrize("text", ["d5b7a2f0-8a3e-4c6b-9d1f-2e3a4b5c6d7e8f9a0b", "accepted", "zq1" * 67])
def test_no_guess_is_better_than_any(text: str) -> None:
    """A text of letters and digits that is of no ID's shape is no framework's, not even at a stretch."""
    with pytest.raises(MalformedCookieError, match="no session cookie of a known format;") as caught:
        identify(Source("sid", text), Setup())
    assert not re.search("at a stretch|by its shape", str(caught.value))


def test_a_name_that_tells_what_else_it_is() -> None:
    """Of a cookie that is for something else by its name just that is said."""
    with pytest.raises(MalformedCookieError, match="by its name it holds an anti-forgery token; -f NAME"):
        identify(Source("csrftoken", "vUqjbRyVLGCFzNzA1cvTYB9kRBQxQ4za"), Setup())


@pytest.mark.parametrize("value", ["3f2504e0-4f89-11d3-9a0c-0305e82c3301", "e" * 48], ids=["uuid", "hex"])
def test_a_signature_in_a_cookie_of_its_own(value: str) -> None:
    """`NAME.sig` tells Keygrip's cookies whatever they hold: koa-session with a store signs an ID alone."""
    form, keys = formats.get("cookie-session"), KeyRing(["k1"])
    context = formats.Context(keys=keys, cookie_name="koa.sess")
    cookies = form.companions(value, context)
    source = read_cookie(f"koa.sess={value}; koa.sess.sig={cookies['koa.sess.sig']}")
    known = identify(source, Setup(keys=keys))
    assert (known.format.name, known.verdict.valid) == ("cookie-session", True)
    wrong = identify(source, Setup(keys=KeyRing(["k2"])))
    assert (wrong.format.name, wrong.verdict.reason) == ("cookie-session", "bad-signature")


@pytest.mark.parametrize("times", [{}, {"iat": 1_790_000_000, "exp": 1_990_000_000}])
def test_no_format_is_confused_about_a_key(times: dict[str, int]) -> None:
    """A JWT that was signed with the text of a public key is genuine as no other format either, unless it is named."""
    pair = rsa.generate_private_key(65537, 2048).public_key()
    pem = pair.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body = (
        b64encode_urlsafe(dumps_bytes(part)) for part in ({"alg": "HS256", **times}, {"admin": True})
    )
    mac = hmac.digest(pem, f"{head}.{body}".encode(), "sha256")
    setup = Setup(keys=KeyRing.parse([pem.decode()]))
    for signature in (b64encode_urlsafe(mac), base64.b64encode(mac).decode().rstrip("=")):
        forged = Source(None, f"{head}.{body}.{signature}")
        for known in (identify(forged, setup), identify(forged, setup._replace(format="jwt"))):
            assert (known.verdict.valid, hints(known, setup)) == (False, [])


@pytest.mark.parametrize(
    "text", ["{}.aaaaaa." + "A" * 86, "eyJhbGciOiJIUzI1NiJ9.{}." + "A" * 43], ids=["flask", "jwt"]
)
def test_hints_for_what_no_browser_sends(text: str) -> None:
    """What might mend a text of the longest that is read is not tried: each attempt judges all of it anew."""
    data = b64encode_urlsafe(dumps_bytes({f"k{number}": number for number in range(50_000)}))
    setup = Setup(keys=KeyRing(["k"]))
    known = identify(Source("session", text.format(data), {}), setup)
    assert known.verdict.reason == "bad-signature"
    assert_quick(lambda: hints(known, setup))
