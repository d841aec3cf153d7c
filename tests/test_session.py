"""`Session` by itself, without a storage; tests/storage replays Remix's traces and holds the contract."""

from __future__ import annotations

import asyncio
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionctl import Session, SessionDestroyedError, UnserializableValueError, create_session_id
from sessionctl.records import Record

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
VALUES = st.dictionaries(st.text(), JSON.filter(lambda value: value is not None), max_size=5)


class TestIds:
    """`create_session_id`"""

    def test_an_id_is_43_url_safe_characters(self) -> None:
        """An ID is 256 bits in URL-safe base64, and never looks like an option."""
        alphabet = set(string.ascii_letters + string.digits + "-_")
        for session_id in [create_session_id() for _ in range(2000)]:
            assert len(session_id) == 43
            assert set(session_id) <= alphabet
            assert not session_id.startswith("-")

    def test_every_id_is_another(self) -> None:
        """No two IDs are the same."""
        assert len({create_session_id() for _ in range(2000)}) == 2000

    def test_a_session_may_be_given_its_id(self) -> None:
        """`Session(id)` has that ID, `Session()` one of its own."""
        assert Session("abc").id == "abc"
        assert Session().id != Session().id


class TestReading:
    """`get`, `has`, `size`, and the mapping"""

    def test_a_new_session_is_empty_and_clean(self) -> None:
        """Nothing is in a new session, and nothing of it needs to be saved."""
        session = Session()
        assert session.data == ({}, {})
        assert (session.size, len(session), list(session)) == (0, 0, [])
        assert (session.dirty, session.destroyed, session.is_new, session.lost) == (False, False, True, False)
        assert session.delete_id is None

    def test_an_empty_session_is_true(self) -> None:
        """`if session:` asks whether there is a session, not whether something is in it."""
        assert Session()

    def test_values_come_before_flash(self) -> None:
        """A value hides the flash of its name; `size` counts both, `len` each name once."""
        session = Session(data=({"a": 1, "b": 2}, {"b": 3, "c": 4}))
        assert [session.get(key) for key in "abcd"] == [1, 2, 4, None]
        assert (session.size, len(session)) == (4, 3)
        assert dict(session) == {"a": 1, "b": 2, "c": 4}

    def test_a_default_stands_for_what_is_missing(self) -> None:
        """`get` answers the default, `[]` raises KeyError."""
        session = Session(data=({"a": 0}, {}))
        assert session.get("b", "default") == "default"
        assert session.get("a", "default") == 0
        with pytest.raises(KeyError):
            session["b"]

    def test_data_is_what_a_save_would_write(self) -> None:
        """`data` is the values and the flash for the next request, not that of this one."""
        session = Session(data=({"a": 1}, {"shown": 1}))
        session.flash("next", 2)
        assert session.data == ({"a": 1}, {"next": 2})
        assert session.flashed == {"shown": 1}

    def test_what_is_given_is_not_shared(self) -> None:
        """The dicts given as `data` are not changed, and those of `data` change nothing."""
        values: dict[str, object] = {"a": 1}
        session = Session(data=(values, {}))
        session.set("b", 2)
        session.data[0]["c"] = 3
        assert values == {"a": 1}
        assert session.data == ({"a": 1, "b": 2}, {})

    def test_repr_shows_no_id_and_no_values(self) -> None:
        """`repr` is safe in a log."""
        session = Session("the-id", data=({"card": "4242"}, {}))
        assert repr(session) == "<Session 1 values, 0 flash>"
        session.destroy()
        assert repr(session) == "<Session destroyed>"


class TestChanging:
    """`set`, `unset`, `flash`, `keep`"""

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda session: session.set("a", 2), id="set"),
            pytest.param(lambda session: session.set("a", None), id="set None"),
            pytest.param(lambda session: session.unset("a"), id="unset"),
            pytest.param(lambda session: session.unset("missing"), id="unset what is not there"),
            pytest.param(lambda session: session.flash("a", 2), id="flash"),
            pytest.param(lambda session: session.regenerate_id(), id="regenerate"),
            pytest.param(lambda session: session.mark_dirty(), id="mark_dirty"),
            pytest.param(lambda session: session.get("list").append(1), id="change in a list"),
            pytest.param(lambda session: session["dict"].update(a=1), id="change in a dict"),
            pytest.param(lambda session: session.clear(), id="clear"),
            pytest.param(lambda session: session.pop("a"), id="pop"),
            pytest.param(lambda session: session.setdefault("new", 1), id="setdefault"),
            pytest.param(lambda session: session.update(a=2), id="update"),
        ],
    )
    def test_a_change_makes_dirty(self, change) -> None:
        """Whatever a save would write makes the session dirty."""
        session = Session(data=({"a": 1, "list": [], "dict": {}}, {}))
        assert not session.dirty
        change(session)
        assert session.dirty

    def test_reading_leaves_clean(self) -> None:
        """Looking at every value, in every way, is no change."""
        session = Session(data=({"a": 1, "list": [1], "dict": {}}, {}))
        assert [session.get("list"), session["dict"], "a" in session, session.has("b"), *session.values()]
        assert not session.dirty

    def test_flash_that_was_read_makes_dirty(self) -> None:
        """A session that holds flash has something to drop."""
        assert Session(data=({}, {"notice": "hi"})).dirty

    def test_none_unsets(self) -> None:
        """`set(key, None)` is `unset(key)`; the flash of that name shows again."""
        session = Session(data=({"a": 1}, {"a": "flash"}))
        session.set("a", None)
        assert session.get("a") == "flash"
        assert session.data == ({}, {})

    def test_del_needs_the_key(self) -> None:
        """`del` of a value that is not there is a KeyError, as in a dict."""
        session = Session(data=({"a": 1}, {}))
        del session["a"]
        with pytest.raises(KeyError):
            del session["a"]

    def test_keep_does_not_replace_new_flash(self) -> None:
        """What is flashed in this request stands before what is kept from the last."""
        session = Session(data=({}, {"notice": "old", "error": "old"}))
        session.flash("notice", "new")
        session.keep()
        session.keep("missing")
        assert session.data == ({}, {"notice": "new", "error": "old"})

    @pytest.mark.parametrize(
        ("value", "place"),
        [
            pytest.param((1, 2), "cart", id="tuple"),
            pytest.param({1}, "cart", id="set"),
            pytest.param(b"x", "cart", id="bytes"),
            pytest.param(float("nan"), "cart", id="NaN"),
            pytest.param(float("-inf"), "cart", id="infinity"),
            pytest.param(2**53 + 1, "cart", id="integer past 2**53"),
            pytest.param(-(2**53) - 1, "cart", id="integer past -2**53"),
            pytest.param(10**400, "cart", id="integer past every float"),
            pytest.param({"a": [1, {"b": {1: 2}}]}, "cart.a[1].b", id="key that is an int"),
            pytest.param([{"a": object()}], "cart[0].a", id="object inside"),
            pytest.param(type("Text", (str,), {})("x"), "cart", id="subclass of str"),
        ],
    )
    @pytest.mark.parametrize("method", ["set", "flash"])
    def test_what_json_cannot_keep_is_refused_at_once(self, method: str, value: object, place: str) -> None:
        """A value that would come back changed is an error that names its place, and nothing is set."""
        session = Session()
        with pytest.raises(UnserializableValueError) as caught:
            getattr(session, method)("cart", value)
        assert caught.value.key == place
        assert session.data == ({}, {})

    @pytest.mark.parametrize("key", [1, None, b"a", ("a",)])
    def test_a_key_is_text(self, key: object) -> None:
        """JSON has no other keys than text."""
        for change in (Session().set, Session().flash):
            with pytest.raises(UnserializableValueError):
                change(key, 1)

    @pytest.mark.parametrize("inner", [[], {}])
    def test_nesting_ends_somewhere(self, inner: object) -> None:
        """A value nested too deep, or in itself, is refused."""
        value = inner
        for _ in range(200):
            value = [value]
        with pytest.raises(UnserializableValueError):
            Session().set("deep", value)
        circle: list[object] = []
        circle.append(circle)
        with pytest.raises(UnserializableValueError):
            Session().set("circle", circle)

    def test_a_list_that_was_given_is_checked_again(self) -> None:
        """What was put into a list after `set` is refused when it is collected for the save."""
        session = Session()
        cart: list[object] = [1]
        session.set("cart", cart)
        cart.append({2})
        with pytest.raises(UnserializableValueError, match=r"cart\[1\]"):
            session.collect_changes()


class TestIdentity:
    """`regenerate_id` and `destroy`"""

    def test_regeneration_names_the_old_id_only_if_told(self) -> None:
        """`delete_id` is the first ID of the request, however often it was regenerated."""
        session = Session("first")
        session.regenerate_id()
        assert session.delete_id is None
        session.regenerate_id(delete_old=True)
        session.regenerate_id()
        assert session.delete_id == "first"
        assert session.id not in ("first", "")

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda session: session.set("a", 1), id="set"),
            pytest.param(lambda session: session.set("a", None), id="set None"),
            pytest.param(lambda session: session.unset("a"), id="unset"),
            pytest.param(lambda session: session.flash("a", 1), id="flash"),
            pytest.param(lambda session: session.keep(), id="keep"),
            pytest.param(lambda session: session.regenerate_id(), id="regenerate"),
            pytest.param(lambda session: session.mark_dirty(), id="mark_dirty"),
            pytest.param(lambda session: session.update(a=1), id="update"),
            pytest.param(lambda session: session.__delitem__("a"), id="del"),
            pytest.param(lambda session: session.clear(), id="clear"),
        ],
    )
    def test_a_destroyed_session_cannot_be_changed(self, change) -> None:
        """Every change after `destroy` raises."""
        session = Session(data=({"a": 1}, {"b": 2}))
        session.destroy()
        with pytest.raises(SessionDestroyedError):
            change(session)

    def test_a_destroyed_session_is_empty(self) -> None:
        """Reading a destroyed session finds nothing, and destroying it again is no error."""
        session = Session(data=({"a": 1}, {"b": 2}))
        session.destroy()
        session.destroy()
        assert session.destroyed
        assert (session.get("a"), session.get("b", 5), session.has("a"), "a" in session) == (
            None,
            5,
            False,
            False,
        )
        assert (session.data, session.size, len(session), list(session), session.flashed) == (
            ({}, {}),
            0,
            0,
            [],
            {},
        )


class TestMerging:
    """`merged_into`: this request's changes in a record that another one wrote meanwhile"""

    @given(before=VALUES, theirs=VALUES, ours=VALUES)
    def test_only_own_changes_are_written(self, before: dict, theirs: dict, ours: dict) -> None:
        """The result is the other's record with the keys that this request set or unset, and no other."""
        session = Session(data=(before, {}))
        session.update(ours)
        for key in before.keys() - ours.keys():
            if len(key) % 2:
                session.unset(key)
        unset = {key for key in before.keys() - ours.keys() if len(key) % 2}
        values, flash = session.merged_into(Record(theirs, {}))
        assert values == {key: value for key, value in theirs.items() if key not in unset} | ours
        assert flash == {}

    @given(shown=VALUES, theirs=VALUES)
    def test_flash_is_dropped_only_where_it_is_what_was_shown(self, shown: dict, theirs: dict) -> None:
        """Flash of another request stays, under the same name too."""
        session = Session(data=({}, shown))
        _, flash = session.merged_into(Record({}, {**shown, **theirs}))
        assert flash.keys() <= theirs.keys()
        assert flash.keys() >= theirs.keys() - shown.keys()

    @pytest.mark.parametrize(("shown", "now"), [(1, True), (1, 1.0), (0, False), ("1", 1), ([1], [True])])
    def test_what_python_holds_equal_may_be_another_message(self, shown: object, now: object) -> None:
        """1, 1.0 and True are three values in JSON."""
        session = Session(data=({}, {"n": shown}))
        assert session.merged_into(Record({}, {"n": now}))[1] == {"n": now}
        assert session.merged_into(Record({}, {"n": shown}))[1] == {}


def test_sessions_are_safe_in_tasks() -> None:
    """A session has no state outside itself: tasks that each have one do not meet."""

    async def one(number: int) -> int:
        session = Session()
        session.set("n", number)
        await asyncio.sleep(0)
        value: int = session["n"]
        return value

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*map(one, range(50)))

    assert asyncio.run(all_of_them()) == list(range(50))
