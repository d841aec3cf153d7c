"""Bottle's signed cookies."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.encoding import b64encode
from sessionctl.errors import MalformedError, NoKeyError
from sessionctl.signing.mac import Hmac

KEY = "bottle-key"


def made(content: Any, digest: str = "sha256") -> str:
    """A text that is signed rightly, whatever it holds."""
    payload = b64encode(content if isinstance(content, bytes) else pickle.dumps(content, 2))
    return f'"!{b64encode(Hmac(KEY.encode(), digest).digest(payload.encode()))}?{payload}"'


COOKIE = made(["account", {"user": 42}])


def test_decode_needs_no_key() -> None:
    """The data are the value; the name around it is left out."""
    decoded = formats.get("bottle").decode(formats.get("bottle").example)
    assert (decoded.data, decoded.payload_type, decoded.issued_at) == ("alice", "pickle", None)


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        pytest.param(COOKIE, None, "", id="genuine"),
        pytest.param(COOKIE[1:-1], None, "", id="without quotes"),
        pytest.param(made(("account", 1)), None, "", id="a tuple, as before 0.13"),
        pytest.param(made(["other", 1]), "bad-signature", "named 'other'", id="of another name"),
        pytest.param(COOKIE.replace("?g", "?h"), "bad-signature", "not fit", id="another payload"),
        pytest.param(made(["account", 1], "md5"), "bad-signature", "digest=md5", id="of another digest"),
        pytest.param(COOKIE.replace("=?", "?"), "bad-signature", "43 characters", id="cut"),
        pytest.param(COOKIE.replace("!", ""), "malformed", "'!'", id="without its mark"),
        pytest.param('"!abc"', "malformed", "'?'", id="the signature alone"),
        pytest.param(made(["account"]), "malformed", "no pair", id="no pair"),
        pytest.param(made([1, 2]), "malformed", "no pair", id="no name"),
        pytest.param(made(b"no pickle"), "malformed", "not a pickle", id="no pickle"),
        pytest.param("!\ud800?", "malformed", "surrogate", id="half a surrogate pair"),
    ],
)
def test_reasons(text: str, reason: str | None, words: str) -> None:
    """Each verdict has the reason that Bottle has, and says it in words."""
    verdict = formats.get("bottle").verify(text, [KEY], cookie_name="account")
    assert verdict.reason == reason
    assert words in verdict.detail


def test_any_name_without_a_name() -> None:
    """Where the cookie's name is not known, it is not judged."""
    assert formats.get("bottle").verify(COOKIE, [KEY]).valid


def test_another_name_is_told() -> None:
    """The data of a cookie of another name are shown, with a warning."""
    decoded = formats.get("bottle").decode(COOKIE, cookie_name="other")
    assert [warning.code for warning in decoded.warnings] == ["other-name"]


@pytest.mark.parametrize(("text", "reason"), [(COOKIE, "no-key"), ("!a?b", "malformed")])
def test_without_a_key(text: str, reason: str) -> None:
    """Without a key nothing is verified, and what cannot be read is told first."""
    assert formats.get("bottle").verify(text).reason == reason


class Attack:
    """What would run a program if it were loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Names the program."""
        import os

        return os.system, ("false",)


def test_pickles_are_never_run() -> None:
    """A pickle that calls something is shown, not run."""
    decoded = formats.get("bottle").decode(made(["account", Attack()]))
    assert decoded.data["args"] == ["false"]


@pytest.mark.parametrize("digest", ["sha256", "md5", "sha512"])
@pytest.mark.parametrize("data", ["text", {"a": [1, None, 2.5]}, None, 2**70, "é"])
def test_round_trip(data: Any, digest: str) -> None:
    """What is encoded verifies under its name and says the same."""
    form = formats.get("bottle", digest=digest)
    text = form.encode(data, ["new", "old"], cookie_name="account")
    assert form.decode(text).data == data
    assert form.verify(text, ["x", "new"], cookie_name="account").key_index == 1
    assert form.verify(text, ["new"], cookie_name="session").reason == "bad-signature"


def test_encode_without_a_key() -> None:
    """Nothing is made without a key."""
    with pytest.raises(NoKeyError):
        formats.get("bottle").encode({})


def test_malformed_decodes() -> None:
    """What is no signed cookie is malformed."""
    with pytest.raises(MalformedError):
        formats.get("bottle").decode("plain")


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(COOKIE, "account", 0.95, 1.0, id="by its own name"),
        pytest.param(COOKIE, None, 0.95, 1.0, id="by its shape"),
        pytest.param(COOKIE, "other", 0.5, 0.85, id="of another name"),
        pytest.param(made(["a", 1], "sha512"), None, 0.9, 0.96, id="of another digest"),
        pytest.param("!a?b", None, 0.0, 0.0, id="marks"),
        pytest.param("wow! really?", None, 0.0, 0.0, id="a sentence"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """The marks, a signature and a pickled pair make a cookie of Bottle."""
    assert least <= formats.get("bottle").detect(text, cookie_name=name) <= most
