"""JSON as JavaScript writes it, exactly."""

from __future__ import annotations

import json
import math
import re
import shutil
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sessionctl import MalformedError, UnserializableValueError, jsontext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates too
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
KEYS = TEXT | st.integers(0, 2**33).map(str)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


# Texts that are nearly JSON: values, and odd pieces between them.
PIECES = st.sampled_from(
    [*'{}[],:"\\ \t\n-+.eE0123456789', "null", "NaN", "Infinity", "\\u", "d800", "\ufeff", "\x00", '"a":']
)
NEARLY = st.lists(PIECES | VALUES.map(jsontext.dumps), max_size=8).map("".join)


@pytest.fixture(scope="module", autouse=True, params=["python", "msgspec"])
def by(request: pytest.FixtureRequest) -> Iterator[None]:
    """All holds for Python's own JSON, and for msgspec's."""
    with pytest.MonkeyPatch.context() as patch:
        fast = jsontext._Fast()
        fast.left = sys.maxsize
        patch.setattr(jsontext, "_fast", fast)
        if request.param == "msgspec":
            fast.start()
        yield


def typed(value: object) -> object:
    """A value with the type of each number beside it, order of keys aside."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, float):
        return ("float", struct.pack("d", value))
    return (type(value).__name__, value)


def answer(read: Callable[[Any], object], text: object) -> object:
    """What a reader says to a text."""
    try:
        return typed(read(text))
    except MalformedError as error:
        return error.message


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value: object) -> None:
    """Every value that `check` accepts comes back the same, types and signs of zero included."""
    jsontext.check(value, "key")
    assert typed(jsontext.loads(jsontext.dumps(value))) == typed(value)


@given(VALUES)
def test_what_is_written_is_json_in_utf8(value: object) -> None:
    """The text is JSON without spaces, and its UTF-8 says the same."""
    text = jsontext.dumps(value)
    assert typed(json.loads(text)) == typed(value)
    assert jsontext.dumps_bytes(value).decode() == text
    assert typed(jsontext.loads_bytes(text.encode())) == typed(value)


@given(VALUES)
@example([1.5e-6, -2.5e-6, 1e-7, 1.5e16, {"a": 1e22, "e5,": "1e5"}])
def test_what_was_checked_is_written_the_same(value: object) -> None:
    """The fast way writes what the exact one does, to the letter."""
    assert jsontext.dumps_checked(value) == jsontext.dumps(value)


@given(NEARLY)
def test_whoever_reads_reads_the_same(text: str) -> None:
    """Every text has one value, or is refused with one message, whoever reads it."""
    assert answer(jsontext.loads, text) == answer(jsontext._loads, text)
    data = text.encode(errors="surrogatepass")
    assert answer(jsontext.loads_bytes, data) == answer(
        lambda data: jsontext._loads(jsontext.decode_utf8(data)), data
    )


def test_msgspec_is_imported_when_it_pays() -> None:
    """A process that reads few texts does without; one that reads many has it, and nothing else changes."""
    program = (
        "import sys; from sessionctl import jsontext\n"
        "seen = []\n"
        "for n in range(1000): seen.append('msgspec' in sys.modules); assert jsontext.loads(f'[{n}]') == [n]\n"
        "print(sum(seen))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(
            {"b": 1, "a": [True, False, None]}, '{"b":1,"a":[true,false,null]}', id="no spaces, order kept"
        ),
        pytest.param({"b": 1, "10": 2, "9": 3}, '{"9":3,"10":2,"b":1}', id="array indexes first, in order"),
        pytest.param({"b": {"1": 1, "0": 1}}, '{"b":{"0":1,"1":1}}', id="array indexes inside"),
        pytest.param({"01": 1, "0": 2}, '{"0":2,"01":1}', id="01 is no index"),
        pytest.param(
            {"4294967295": 1, "4294967294": 2}, '{"4294967294":2,"4294967295":1}', id="2**32-1 is none"
        ),
        pytest.param({"-1": 1, "1": 2}, '{"1":2,"-1":1}', id="-1 is none"),
        pytest.param({"²": 1, "1": 2}, '{"1":2,"²":1}', id="a digit beyond ASCII is none"),
        pytest.param({"a": '"1":'}, '{"a":"\\"1\\":"}', id="an index inside text changes nothing"),
        pytest.param("Grüße \u2028 \x7f/", '"Grüße \u2028 \x7f/"', id="text as it is"),
        pytest.param(
            '\x00\x1f\b\f\n\r\t"\\', '"\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\"', id="control characters"
        ),
        pytest.param("a\ud800b", '"a\\ud800b"', id="lone surrogate"),
        pytest.param({"\udfff": "\ud83d"}, '{"\\udfff":"\\ud83d"}', id="lone surrogate as key"),
        pytest.param("\U0001f36a", '"\U0001f36a"', id="pair"),
        pytest.param(1e-7, "1e-7", id="small number at the top"),
        pytest.param([1e-07, -1.5e-10, 5e-324], "[1e-7,-1.5e-10,5e-324]", id="exponents without zeros"),
        pytest.param(
            [1e-5, -0.00001234], "[0.00001,-0.00001234]", id="exponents of six and less are written out"
        ),
        pytest.param({"a": 1e-6}, '{"a":0.000001}', id="0.000001"),
        pytest.param([1.0, -0.0, 1e16], "[1.0,-0.0,1e+16]", id="a float stays a float"),
        pytest.param("8c1fae31-5f0b-4a1e-9d55", '"8c1fae31-5f0b-4a1e-9d55"', id="e- inside text"),
        pytest.param(["1e-07", 1e-07], '["1e-07",1e-7]', id="e- inside text and number"),
        pytest.param("e-7", '"e-7"', id="text that ends as a number"),
        pytest.param(2**53, "9007199254740992", id="2**53"),
    ],
)
def test_the_text_is_javascripts(value: object, text: str) -> None:
    """The text is the one that JSON.stringify writes, but for `.0`."""
    assert jsontext.dumps(value) == text


@pytest.mark.interop
@pytest.mark.skipif(
    shutil.which("node") is None, reason="Node is not installed: JSON.stringify was NOT compared"
)
def test_numbers_are_those_of_node() -> None:
    """Node prints every number as we do, the `.0` of whole floats aside."""
    numbers = [
        sign * mantissa * 10.0**power
        for power in range(-320, 309)
        for mantissa in (1, 1.5, 9.87654321)
        for sign in (1, -1)
    ]
    ours = [jsontext.dumps(number) for number in numbers if math.isfinite(number)]
    script = "let s='';for await(let c of process.stdin)s+=c;console.log(JSON.stringify(JSON.parse(s).map(String)))"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        input=f"[{','.join(ours)}]",
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(done.stdout)
    differ = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b and a.removesuffix(".0") != b]
    assert [pair for pair in differ if float(pair[0]) != float(pair[1])] == []
    assert all(abs(float(a)) >= 1e16 or a == "-0.0" for a, _ in differ), differ[:5]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nul",
        "{",
        "[1,]",
        "{'a':1}",
        "01",
        "1 2",
        "NaN",
        "[Infinity]",
        "-Infinity",
        '"\n"',
        "\ufeff1",
        "[1]x",
        "\x0b1",
        "1\xa0",
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """Only RFC 8259 is JSON: no NaN, no other white space, nothing after the end."""
    with pytest.raises(MalformedError):
        jsontext.loads(text)


@pytest.mark.parametrize("text", [" 1", "\n\t1\r ", '  {"a" : 1 } '])
def test_white_space_around_is_allowed(text: str) -> None:
    """JSON may have spaces, tabs and line breaks around it."""
    assert jsontext.loads(text) in (1, {"a": 1})


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_too_deep_is_malformed(bracket: str) -> None:
    """A text that would exhaust the stack is an error of ours."""
    with pytest.raises(MalformedError):
        jsontext.loads(bracket * 200_000)


@given(st.binary(max_size=40) | TEXT.map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    """Bytes give a value or `MalformedError`, whose message holds none of them."""
    message = ""
    try:
        jsontext.loads_bytes(data)
    except MalformedError as error:
        message = error.message
    assert message.isascii()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"abc', "not JSON: Unterminated string starting at character 0"),
        ('["a\tb"]', "not JSON: Invalid control character at character 3"),
        ("[1", "not JSON: Expecting ',' delimiter at character 2"),
    ],
)
def test_the_message_names_the_place(text: str, message: str) -> None:
    """What is wrong, and where."""
    with pytest.raises(MalformedError, match=f"^{re.escape(message)}$"):
        jsontext.loads(text)


def test_large_integers_stay_exact() -> None:
    """Reading keeps integers that JavaScript would round."""
    assert jsontext.loads("123456789012345678901234567890") == 123456789012345678901234567890


def test_an_integer_of_too_many_digits_is_malformed() -> None:
    """Python's own limit on digits is an error of ours, in our words."""
    with pytest.raises(MalformedError, match=r"^JSON with an integer of more than 4300 digits$"):
        jsontext.loads(f'{{"a": [{"1" * 10_000}]}}')


@pytest.mark.parametrize("value", [{1, 2}, object(), {(1,): 2}, [b"x"], float("nan")])
def test_what_has_no_json_is_refused(value: object) -> None:
    """`dumps` of what JSON has no form for is `UnserializableValueError`."""
    with pytest.raises(UnserializableValueError):
        jsontext.dumps(value)


def test_a_circle_is_refused() -> None:
    """A list inside itself has no text."""
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(UnserializableValueError):
        jsontext.dumps(circle)


def test_without_the_c_encoder_the_text_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python has no C encoder, the encoder of Python writes the same."""
    value = {"a": [1, 1.5, True, None, "é\n"], "b": {}}
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    assert "".join(jsontext._make_encoder()(value, 0)) == jsontext.dumps(value)
