"""Which format a cookie is of: its looks, the keys and the options that were given tell."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from sessionctl import KeyRing, MalformedCookieError, SessionctlError, UsageError, formats
from sessionctl.identify import Setup, identify
from sessionctl.sources import Source, read_cookie
from tests.cases import cookie_cases

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
