"""Every format answers any text with a verdict or an error of our tree, quickly and in little memory."""

from __future__ import annotations

import contextlib
import zlib
from base64 import b64encode, urlsafe_b64encode
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionctl import formats
from sessionctl.cli import main
from sessionctl.errors import MalformedError, SessionctlError
from sessionctl.signing import KeyRing
from sessionctl.sources import read_cookie
from tests.cases import cookie_cases
from tests.limits import assert_quick, assert_small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sessionctl.verdict import Verdict

NAMES = formats.names()
RINGS = {
    "text": KeyRing(["secret", "another secret that is longer than 32 characters"]),
    "bytes": KeyRing([bytes(range(32)), bytes(64)]),
}

NESTED = "[" * 10_000 + "]" * 10_000
OBJECTS = '{"a":' * 10_000 + "1" + "}" * 10_000
BOMB = zlib.compress(b"\0" * (64 << 20), 9)


def b64(text: str | bytes) -> str:
    """URL-safe base64 without padding."""
    return urlsafe_b64encode(text.encode() if isinstance(text, str) else text).rstrip(b"=").decode()


MONSTERS = {
    "empty": "",
    "NUL": "\0",
    "lone surrogate": "\ud800.\udfff.\ud800",
    "a million letters": "a" * (1 << 20),
    "a million dots": "." * (1 << 20),
    "a million bytes too many": "a" * ((2 << 20) + 1),
    "nested lists": NESTED,
    "nested base64": f"{b64(NESTED)}.awP70w.{b64(bytes(20))}",
    "nested objects": f"{b64(OBJECTS)}:1kP70w:{b64(bytes(32))}",
    "nested standard": b64encode(NESTED.encode()).decode() + "." + b64encode(bytes(32)).decode().rstrip("="),
    "bomb": f".{b64(BOMB)}.awP70w.{b64(bytes(20))}",
    "bomb of Django": f".{b64(BOMB)}:1kP70w:{b64(bytes(32))}",
    "bomb of zlib": b64encode(BOMB).decode(),
    "huge number": b64('{"a":' + "9" * 100_000 + "}") + f".awP70w.{b64(bytes(20))}",
    "exponent": b64('{"a":1e999999}') + f".awP70w.{b64(bytes(20))}",
    "duplicate keys": b64("{" + ",".join(['"a":1'] * 10_000) + "}") + f".awP70w.{b64(bytes(20))}",
    "lengths that lie": "2|99999999999999999999:1|10:1700000000|4:name|8:dGV4dA==|" + "0" * 64,
    "a million fields": "2|" + "1:1|" * 200_000,
    "iron with many parts": "Fe26.2*" + "*" * 100_000,
    "JWT with a million rounds": b64(
        '{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}'
    )
    + ".AAAA.AAAA.AAAA.AAAA",
    "JWT that wants a fetch": b64('{"alg":"RS256","jku":"http://127.0.0.1:9/","x5u":"http://127.0.0.1:9/"}')
    + f".{b64('{}')}.{b64(bytes(256))}",
    "PHP that is nested": "a:1:{i:0;" * 10_000,
    "PHP with a long string": 's:2147483647:"x";',
    "Marshal with a long list": b64encode(b"\x04\x08[\x04\xff\xff\xff\x7f").decode() + "--" + "0" * 40,
    "pickle that is nested": b64encode(b"\x80\x04" + b"]" * 100_000 + b".").decode(),
    "pickle that multiplies": b64encode(b"\x80\x02" + b"](" * 1000 + b"e" * 1000 + b".").decode(),
    "percent signs": "%" * 100_000,
    "percent-encoded": "%41" * 100_000,
    "quotes": '"' + '\\"' * 100_000 + '"',
    "octal escapes": '"' + "\\303\\237" * 50_000 + '"',
    "Unicode digits": "٣|٣:٣|٣",
    "right-to-left": "\u202e" * 1000,
}


def questions(form: formats.Format, text: str, ring: KeyRing, **context: Any) -> list[Callable[[], Any]]:
    """What can be asked about a text: is it one of mine, is it genuine, what does it say; without keys too."""
    context = {"now": 1_800_000_000.0, **context}
    return [
        lambda: form.detect(text, cookie_name="session"),
        *(partial(form.verify, text, keys, **context) for keys in (KeyRing(), ring)),
        *(partial(form.decode, text, keys, **context) for keys in (KeyRing(), ring)),
    ]


def ask(form: formats.Format, text: str, ring: KeyRing, **context: Any) -> Verdict:
    """Ask all; nothing but an error of our tree may come out. The verdict with the keys."""
    detect, *verify, decode, decode_with_keys = questions(form, text, ring, **context)
    assert 0 <= detect() <= 1
    verdicts: list[Verdict] = [question() for question in verify]
    for verdict in verdicts:
        assert verdict.valid == (verdict.reason is None)
    for question in (decode, decode_with_keys):
        with contextlib.suppress(SessionctlError):
            question()
    return verdicts[-1]


@cache
def samples(name: str) -> list[dict[str, Any]]:
    """Three cookies of a format, the shortest that differ in options."""
    rows = [row for row in cookie_cases(name) if row["expect"] == "valid" and row.get("cookie_value")]
    rows.sort(key=lambda row: len(row["input"]))
    seen: dict[str, dict[str, Any]] = {}
    for row in rows:
        seen.setdefault(str(sorted(row.get("options", {}).items())), row)
    return list(seen.values())[:3]


def changed(text: str, places: int) -> Iterator[str]:
    """The text cut, and with a character altered or put in, at so many places over its length.

    A byte that is no UTF-8 comes from the command line as half of a surrogate pair.
    """
    step = -(-len(text) // places)
    for at in range(0, len(text), step):
        yield text[:at]
        yield text[at:]
        for char in ("A", "\0", "é", chr(ord(text[at]) ^ 1)):
            yield text[:at] + char + text[at + 1 :]
        yield text[:at] + "\udcff" + text[at:]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "iron" else ()) for name in NAMES]
)
def test_changed_cookies(name: str) -> None:
    """A real cookie that is cut or altered anywhere is answered; what a key still fits says what it said before."""
    for row in samples(name):
        source = read_cookie(row["input"], row.get("cookie_name"))
        options = {key.replace("-", "_"): str(value) for key, value in row.get("options", {}).items()}
        form = formats.get(name, **options)
        ring = KeyRing.parse(row.get("keys") or [])
        context = {"cookie_name": row.get("cookie_name"), "cookies": source.cookies}
        said = form.decode(source.value or "", ring, **context)
        places = 500 if int(options.get("iterations", 1)) == 1 else 15  # thousands of rounds for each text
        for text in changed(source.value or "", places):
            verdict = ask(form, text, ring, **context)
            if verdict.key_index is not None:
                assert form.decode(text, ring, **context).data == said.data, text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", MONSTERS.values(), ids=MONSTERS)
def test_monsters(name: str, text: str) -> None:
    """Huge, nested, compressed and lying texts are answered in 100 ms a question."""
    form = formats.get(name)
    for ring in [RINGS["bytes"]] if name == "fastify-secure" else RINGS.values():
        for question in questions(form, text, ring):
            assert_quick(question)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_memory(name: str) -> None:
    """No text takes more than 50 MiB."""
    form = formats.get(name)
    for text in MONSTERS.values():
        assert_small(partial(ask, form, text, RINGS["bytes"]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(text=st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9+/=_.:|!?*%-]{0,200}", fullmatch=True))
def test_any_text(name: str, text: str) -> None:
    """Any text gives an answer or an error of our tree."""
    ask(formats.get(name), text, RINGS["bytes"])


COMPRESSING = [
    ("native", {}),
    ("flask", {}),
    ("itsdangerous", {}),
    ("django", {}),
    ("django-signed", {}),
    ("django-signed", {"kind": "messages"}),
]


@pytest.mark.parametrize(("name", "options"), COMPRESSING)
def test_genuine_bomb(name: str, options: dict[str, str]) -> None:
    """A payload that somebody with the key compressed too far is malformed, unless `max_size` allows it."""
    form, ring = formats.get(name, **options), RINGS["text"]
    data = [["__json_message", 0, 20, "x" * (2 << 20), ""]]
    if name != "django-signed":
        data = {"a": data}
    text = formats.get(name, **({"kind": "messages"} if name == "django-signed" else {})).encode(data, ring)
    assert len(text) < 4096
    with pytest.raises(MalformedError, match="--max-size"):
        form.decode(text, ring)
    verdict = form.verify(text, ring)
    assert (verdict.reason, "--max-size" in verdict.detail) == ("malformed", True)
    assert form.decode(text, ring, max_size=4 << 20).data == data
    assert form.verify(text, ring, max_size=4 << 20).valid


@pytest.mark.parametrize("command", ["decode", "verify", "inspect"])
def test_max_size_of_the_command_line(command: str) -> None:
    """--max-size lets a large payload pass that is refused without it."""
    text = formats.get("flask").encode({"a": "x" * (2 << 20)}, RINGS["text"])
    arguments = [command, text, "-f", "flask", "--json", "--secret", "secret"]
    runner = CliRunner()
    assert runner.invoke(main, arguments).exit_code == 3
    assert runner.invoke(main, [*arguments, "--max-size", str(4 << 20)]).exit_code == 0


@pytest.mark.parametrize("name", ["werkzeug", "pyramid", "litestar"])
@pytest.mark.parametrize("foreign", ["|", "\n", "."])
def test_junk_in_base64_is_told(name: str, foreign: str) -> None:
    """What Python's base64 reader drops leaves the cookie genuine, as for the framework, with a warning."""
    key, form = bytes(16), formats.get(name)
    text = form.encode({"a": 1, "bcd": "x"}, [key], now=1_700_000_000)
    assert form.verify(text, [key], now=1_700_000_000).warnings == ()
    verdict = form.verify(f"{text[:5]}{foreign * 4}{text[5:]}", [key], now=1_700_000_000)
    assert (verdict.valid, [warn.code for warn in verdict.warnings]) == (True, ["non-canonical"])


def test_items_that_are_joined_are_told() -> None:
    """Werkzeug's signature counts '&' as '|': items can be joined without the key, which leaves a trace."""
    form = formats.get("werkzeug")
    text = form.encode({"a": 1, "b": 2}, [b"k"])
    verdict = form.verify(text.replace("&", "|"), [b"k"])
    assert not verdict.valid or [warn.code for warn in verdict.warnings] == ["non-canonical"]
