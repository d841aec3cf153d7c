"""What a stored session looks like as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionctl import MalformedError, open_storage, records
from sessionctl.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = st.dictionaries(
    st.text(max_size=5), st.integers(-5, 5) | st.text(max_size=5) | st.lists(st.booleans()), max_size=4
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["i", "d", "created", "used", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(values=DATA, flash=DATA, created=st.none() | st.integers(0, 4_000_000_000))
def test_a_record_is_read_as_it_was_written(values: dict, flash: dict, created: int | None) -> None:
    """Values, flash and time come back."""
    assert records.parse(records.dump(values, flash, created)) == Record(values, flash, created)


@given(
    record=st.builds(
        Record,
        DATA,
        DATA,
        st.none() | st.integers(0, 10**9),
        st.none() | st.integers(0, 10**9),
        st.text(min_size=1),
    )
)
def test_a_cookie_value_is_read_as_it_was_written(record: Record) -> None:
    """ID, values, flash and times come back."""
    assert records.parse_value(records.dump_value(record)) == record


def test_the_texts_are_remixs() -> None:
    """The texts are those of the documentation, members in order, times in milliseconds."""
    assert records.dump({"a": 1}, {}) == b'[{"a":1},{}]'
    assert records.dump({}, {"n": "é"}, 1.5) == '[{},{"n":"é"},{"created":1500}]'.encode()
    assert records.dump_value(Record({"a": 1}, {}, id="x")) == '{"i":"x","d":[{"a":1},{}]}'
    assert (
        records.dump_value(Record({}, {}, 1, 2.0006, "x"))
        == '{"i":"x","d":[{},{}],"created":1000,"used":2001}'
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"{}",
        b"[]",
        b"[{}]",
        b"[{},{},{},{}]",
        b"[[],{}]",
        b"[{},null]",
        b'["a","b"]',
        b"[{},{}]x",
        b"\xff",
        b"NaN",
    ],
)
def test_what_is_no_record_is_malformed(text: bytes) -> None:
    """A record is a list of two objects, or three members with the times."""
    with pytest.raises(MalformedError):
        records.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "[]",
        "{}",
        '{"d":[]}',
        '{"d":[{}]}',
        '{"d":{}}',
        '{"i":1,"d":[{},{}]}',
        '{"d":[1,2]}',
        '{"d":[{},{}]',
    ],
)
def test_what_is_no_cookie_value_is_malformed(text: str) -> None:
    """A cookie value is an object with `d`, and `i` that is text."""
    with pytest.raises(MalformedError):
        records.parse_value(text)


@pytest.mark.parametrize("read", [records.parse, lambda data: records.parse_value(data.decode())])
def test_a_number_past_any_range_is_corrupt(read: Callable[[bytes], object]) -> None:
    """A number that no float can hold is refused wherever it stands, in `created` too."""
    for text in (
        b'[{},{},{"created":1e999}]',
        b'{"i":"x","d":[{},{}],"created":1e999}',
        b'[{"a":-1e999},{}]',
    ):
        with pytest.raises(MalformedError):
            read(text)


@pytest.mark.parametrize(
    "created", ["-1", "1e300", str(10**400), "true", "null", '"5"', "[]", "8640000000000001"]
)
def test_a_time_that_is_none_does_not_count(created: str) -> None:
    """A `created` that no JavaScript date can be is as good as none."""
    assert records.parse(f'[{{}},{{}},{{"created":{created}}}]'.encode()).created is None
    record = records.parse_value(f'{{"i":"x","d":[{{}},{{}}],"created":{created},"used":{created}}}')
    assert (record.created, record.used) == (None, None)


def test_an_empty_id_is_none() -> None:
    """A value without an ID, or with an empty one, has none; the session gets a new one."""
    for text in ('{"d":[{"a":1},{}]}', '{"i":"","d":[{"a":1},{}]}', '{"i":null,"d":[{"a":1},{}]}'):
        assert records.parse_value(text).id is None
        session = open_storage("cookie:").read(text)
        assert (len(session.id), session.get("a")) == (43, 1)


@given(
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(JSON, min_size=2, max_size=3).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_record_or_malformed(text: bytes) -> None:
    """Whatever lies in a store is read or is `MalformedError`, and what was read can be written again."""
    try:
        record = records.parse(text)
    except MalformedError:
        return
    again = records.parse(records.dump(record.values, record.flash, record.created))
    assert again.values.keys() == record.values.keys()


@given(
    st.text(max_size=60)
    | JSON.map(json.dumps)
    | st.fixed_dictionaries({"i": JSON, "d": st.lists(JSON, max_size=3), "created": JSON}).map(json.dumps)
)
def test_any_text_is_a_cookie_value_or_malformed(text: str) -> None:
    """Whatever a genuine cookie holds is read or is `MalformedError`, by `cookie:` storage with times too."""
    try:
        record = records.parse_value(text)
    except MalformedError:
        pass
    else:
        records.parse_value(records.dump_value(record))
    storage = open_storage("cookie:", on_corrupt="new", ttl=60, lifetime=600)
    session = storage.read(text)
    session.set("a", 1)
    assert storage.save(session)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1, 1, True), (1, 1.0, False), (1, True, False), ([1], [1], True), ("a", "b", False)],
)
def test_same_is_the_same_json(one: object, other: object, same: bool) -> None:
    """`same` tells apart what JSON tells apart."""
    assert records.same(one, other) is same


def test_largest_names_the_largest_first() -> None:
    """The bytes are those of key and value in UTF-8; flash keys say so."""
    assert records.largest({"a": "x", "b": "éé"}, {"c": "yyyyyyy"}, count=2) == (("flash.c", 20), ("b", 11))
