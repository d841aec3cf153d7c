"""The cookies of Rack::Session::Cookie are opened, judged and made as Rack does."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sessionctl import formats
from sessionctl.errors import BadSignatureError, NoKeyError, NotSupportedError, WrongKeyTypeError
from sessionctl.formats.base import Context
from sessionctl.formats.rack import Rack
from sessionctl.signing.keys import KeyRing
from sessionctl.signing.mac import Hmac

KEY = "throw-away-key-of-sixty-four-bytes-or-more-for-the-examples-only!"
OLD = "older-throw-away-key-of-sixty-four-bytes-or-more-for-the-examples"
NAME = "rack.session"
SESSION = {"session_id": "ab" * 32, "user": "Zażółć", "n": [1, 1.5, None, True, {"a": {}}]}

MODES = ["v2", "v1", "signed"]
SERIALIZERS = ["marshal", "json", "zipjson"]


def made(data: Any = SESSION, key: str = KEY, name: str | None = NAME, **options: str) -> str:
    """A cookie text."""
    return Rack(**options).encode(data, [key], cookie_name=name)


def signed(payload: bytes, key: str = KEY) -> str:
    """A signed cookie text of any payload."""
    body = base64.b64encode(payload).decode()
    return f"{body}--{Hmac(key.encode(), 'sha1').digest(body.encode()).hex()}"


def test_example() -> None:
    """The example of the help page opens with the key that the tests name."""
    assert Rack().decode(Rack.example, [KEY]).data["user_id"] == 42
    assert Rack().verify(Rack.example, [KEY], cookie_name=NAME).valid


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_round_trip(mode: str, serializer: str) -> None:
    """A session comes back as it went in, whatever seals and serializes it, with no option needed."""
    text = made(mode=mode, serializer=serializer)
    decoded = Rack().decode(text, [KEY], cookie_name=NAME)
    assert (decoded.data, decoded.id, decoded.encrypted) == (SESSION, SESSION["session_id"], mode != "signed")
    verdict = Rack().verify(text, [KEY], cookie_name=NAME)
    assert (verdict.valid, verdict.warnings) == (True, ())


def test_hyphens_of_base64() -> None:
    """Two hyphens may also stand in the URL-safe base64 of version 1, where they part nothing."""
    text = next(text for _ in range(1000) if "--" in (text := made({"a": "x" * 2000}, mode="v1")))
    assert Rack().verify(text, [KEY], cookie_name=NAME).valid
    assert formats.get("rack").detect(text) > 0.8


URL_SAFE_V2 = (
    "AsTSHC3h9TE0FL-Vj_uBYtnTieHBnxqqj0Z-tfb1hUEKS5h_3Y70bQL1n_LCXIwvNPsAp4p3mLEa4RQeINDrC8dI3U9ErsccFNhW4JdrYrq9"
    "duYSrkahPalG9n25"
)
"""What rack-session at 7acef42 wrote with `serialize_json: true, pad_size: nil`."""


def test_url_safe_version_2() -> None:
    """rack-session after 2.1.2 writes version 2 in URL-safe base64, for Rack reads a `+` as a space."""
    assert formats.detect(URL_SAFE_V2, cookie_name=NAME)[0][0] == "rack"
    assert Rack().decode(URL_SAFE_V2, [KEY], cookie_name=NAME).data == {"user_id": 42}
    verdict = Rack().verify(URL_SAFE_V2, [KEY], cookie_name=NAME)
    assert (verdict.valid, verdict.warnings) == (True, ())
    assert Rack().verify(URL_SAFE_V2[:-1] + "4", [KEY], cookie_name=NAME).reason == "bad-signature"
    assert formats.get("rack").detect(URL_SAFE_V2) > 0.8


def test_padding_of_version_1() -> None:
    """Ruby adds padding where there is none, and refuses what has too little."""
    text = next(
        text for n in range(0, 99, 16) if (text := made({"a": "x" * n}, mode="v1")).endswith("%3D%3D")
    )
    assert Rack().verify(text.removesuffix("%3D%3D"), [KEY], cookie_name=NAME).valid
    assert Rack().verify(text.removesuffix("%3D"), [KEY], cookie_name=NAME).reason == "bad-signature"


@pytest.mark.parametrize("mode", MODES)
def test_keys(mode: str) -> None:
    """The ring is tried newest first; without a key there is no answer, with wrong ones it is no."""
    text = made(mode=mode)
    rotated = Rack().verify(text, [OLD, KEY], cookie_name=NAME)
    assert (rotated.key_index, rotated.needs_resign) == (1, True)
    assert Rack().verify(text, cookie_name=NAME).reason == "no-key"
    assert Rack().verify(text, [OLD], cookie_name=NAME).reason == "bad-signature"


@pytest.mark.parametrize("mode", ["v2", "v1"])
def test_name_is_part_of_the_seal(mode: str) -> None:
    """A cookie that is bound to its name opens under it alone; of an unknown name the usual one is assumed."""
    bound = made(mode=mode, purpose="name")
    assert Rack().verify(bound, [KEY], cookie_name="other").reason == "bad-signature"
    assert Rack().verify(bound, [KEY], cookie_name=NAME).valid
    assert Rack().verify(made(mode=mode, name="my.sess"), [KEY], cookie_name="my.sess").valid
    assert Rack().verify(made(mode=mode, name="my.sess"), [KEY]).reason == "bad-signature"
    verdict = Rack().verify(bound, [KEY])
    assert [warning.code for warning in verdict.warnings] == ["name-assumed"]


BARE_2_1_2 = (  # of rack-session 2.1.2 on Rack 3.2.0, without the option key: {"user": "bob"} and an ID
    "AmgN7OpMx2szUQ4aUplRq4SZjGCgmLS7rFvsvqWE5DaI3QntsWWRSEoVPf7W1F%2Fgf%2B6Ti%2FZoBAuAJnlfGTQsa405Ako1UFGfS1gx42r6loTb"
    "umNhathIYcg%2B7MALmOSuR%2BqUxxPAIa3tXTx6WvHD7lxqJpHvcn0b0f52RuKDtlnHuH4MBQUpEJYQjB0fCV3QX8cALlj9rhI9k%2BdOn6%2BetPZ"
    "u5vLklNCAAtOgOIcmTx3iQ9xCUKFqMO%2BafKWrIM5uLaGgiX7rvm2zsNG73olqRF70042g%2FsvqqpuBZYg%3D"
)
BARE_NEXT = (  # of the commit after it, which writes URL-safe base64
    "ApOxyUbrSiLMD9ardTwGRf6BQ2_KbThjsKNgRDfJ-gCoJUSnmhtskKzSuLDDIWc0JZ8KxIPGLTc5W6wufgf1Ljm8HP2ix7XFifS7Bsh8fmuTvLwJB7E"
    "R062SINIlBpIy23NQkyCvlZKtGr8KL_UMUX16i9UXVerXvGyF8ofvxiOq-2zoDMrVcxw62x4dvtMMoSKiF98yFh8p1d_D1ealx0LvKJHrFj4xqRWiosY"
    "EeUhkf6JzVX9HtOJ1yWKkZOyjmbFBr6V5AUl2_zGizxr5ThgAA1xGZlLkg2ZscSM%3D"
)


def test_a_new_session_gets_the_id_without_which_rack_reads_nothing() -> None:
    """Data without `session_id` want an ID of 64 hexadecimal digits, as Rack makes it."""
    assert Rack().wants_id({"user": "alice"}, NAME)
    assert not Rack().wants_id(SESSION, NAME)
    assert len(bytes.fromhex(Rack().new_id())) == 32


@pytest.mark.parametrize("text", [BARE_2_1_2, BARE_NEXT], ids=["2.1.2", "the commit after it"])
def test_without_the_option_key_the_name_does_not_count(text: str) -> None:
    """Where the application gives Rack no `key`, as most do, a real cookie opens under any name."""
    for name in (NAME, "other", None):
        verdict = Rack().verify(text, ["k" * 64], cookie_name=name)
        assert (verdict.valid, verdict.warnings) == (True, ())
    assert Rack().decode(text, ["k" * 64]).data["user"] == "bob"
    assert Rack(purpose="name").verify(text, ["k" * 64], cookie_name=NAME).reason == "bad-signature"
    context = Context(keys=KeyRing(["k" * 64]), cookie_name=NAME)
    anew = Rack().like(text, context).encode({"user": "eve"}, ["k" * 64], cookie_name=NAME)
    assert Rack(purpose="none").verify(anew, ["k" * 64]).valid


def test_decode_without_key() -> None:
    """What is signed is read without a key, what is encrypted is not."""
    assert Rack().decode(made(mode="signed")).data == SESSION
    with pytest.raises(NoKeyError):
        Rack().decode(made())
    with pytest.raises(BadSignatureError):
        Rack().decode(made(), [OLD])


@pytest.mark.parametrize(("mode", "size"), [("v2", 31), ("v1", 63)])
def test_short_secrets(mode: str, size: int) -> None:
    """Rack takes no short secret: the answer says so, and a good one beside it is still found."""
    text = made(mode=mode)
    assert Rack().verify(text, [KEY[:size]], cookie_name=NAME).reason in {"wrong-key-type", "bad-signature"}
    with pytest.raises(WrongKeyTypeError):
        Rack().decode(text, [KEY[:size]])
    assert Rack().verify(text, ["short", KEY], cookie_name=NAME).key_index == 1
    with pytest.raises(WrongKeyTypeError):
        made(mode=mode, key=KEY[:size])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("eyJhIjoxfQ==", "malformed", id="no signature"),
        pytest.param("eyJhIjoxfQ==--abc", "malformed", id="a signature that is cut"),
        pytest.param("A33spavnjd2k" * 10, "malformed", id="version 3"),
        pytest.param("Ag" + "A" * 80, "malformed", id="too short"),
        pytest.param("Ag" + "A" * 90 + "!A", "bad-signature", id="no base64"),
        pytest.param("é" * 100, "malformed", id="beyond ASCII"),
        pytest.param(signed(b"{}", OLD), "bad-signature", id="another key"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    """Each fault has its reason."""
    assert Rack().verify(text, [KEY], cookie_name=NAME).reason == reason


def test_digest() -> None:
    """The length of the signature tells the digest; one that was asked for is demanded."""
    text = made(mode="signed", digest="sha256")
    assert Rack().verify(text, [KEY]).algorithm == "HMAC-SHA256"
    assert Rack(digest="sha1").verify(text, [KEY]).reason == "malformed"


@pytest.mark.parametrize("payload", [b"\x04\x08?", b"x\x9c\x01", b"\xff", b"no json"], ids=repr)
def test_genuine_but_unreadable(payload: bytes) -> None:
    """A payload that cannot be read is shown as it is, and the cookie stays genuine."""
    assert Rack().verify(signed(payload), [KEY]).valid
    decoded = Rack().decode(signed(payload))
    assert [warning.code for warning in decoded.warnings] == ["unreadable"]


def test_bounded_decompression() -> None:
    """A compressed session is not unpacked past the bound."""
    text = made({"a": "x" * 5000}, mode="signed", serializer="zipjson")
    assert Rack().decode(text).data == {"a": "x" * 5000}
    assert Rack().decode(text, max_size=1000).payload_type == "bytes"


def test_id_goes_inside() -> None:
    """A new session has its ID among its values."""
    assert Rack().decode(Rack().encode({}, [KEY], id="abc"), [KEY]).data == {"session_id": "abc"}


def test_no_flash() -> None:
    """Rack has no flash of its own."""
    with pytest.raises(NotSupportedError):
        Rack().with_flash({}, "a", 1)


@pytest.mark.parametrize(
    ("text", "name", "least", "most"),
    [
        pytest.param(made(), None, 0.85, 0.95, id="encrypted"),
        pytest.param(made(), NAME, 0.95, 1.0, id="encrypted, by its name"),
        pytest.param(made(mode="v1"), None, 0.85, 0.95, id="encrypted, version 1"),
        pytest.param(made(mode="signed"), None, 0.85, 0.95, id="signed"),
        pytest.param(made({"a": 1}, mode="signed", serializer="json"), None, 0.4, 0.6, id="signed, no ID"),
        pytest.param(signed(b'{"_rails":{"message":"MQ=="}}'), None, 0.0, 0.2, id="of Rails"),
        pytest.param("A" * 128, None, 0.0, 0.0, id="a row of letters"),
        pytest.param("A1" * 32, None, 0.0, 0.0, id="hexadecimal"),
        pytest.param("Ag" + "B" * 118, None, 0.0, 0.35, id="base64 of another length"),
    ],
)
def test_detect(text: str, name: str | None, least: float, most: float) -> None:
    """A text is known by its version and length, or by a session that is signed."""
    assert least <= formats.get("rack").detect(text, cookie_name=name) <= most


def test_what_is_made_says_what_it_is_bound_to() -> None:
    """A new cookie is bound to its name, with a word on it, unless an option says what is meant."""
    assert [note.code for note in Rack().remarks(SESSION, {})] == ["bound-to-name"]
    for options in ({"purpose": "name"}, {"purpose": "none"}, {"mode": "signed"}):
        assert Rack(**options).remarks(SESSION, {}) == ()
    assert Rack(purpose="name").verify(made(), [KEY], cookie_name=NAME).valid
