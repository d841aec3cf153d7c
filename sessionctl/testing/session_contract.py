"""What every storage does, one that keeps the session in the cookie included."""

from __future__ import annotations

from functools import partial

from sessionctl.errors import (
    SessionDestroyedError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.testing.harness import UNICODE, Harness, raises


class SessionContract(Harness):
    """What every storage does, wherever the session lies."""

    def test_values_outlive_the_request(self) -> None:
        """What one request sets, the next one reads, under the same ID."""
        storage = self.opened()
        with self.request(storage) as first:
            first.set("user", "mj")
            first.set("cart", [{"id": 1, "price": 9.5}, {"id": 2, "price": 1.0}])
        again = self.read(storage, self.cookie)
        assert again.id == first.id
        assert again.data == ({"user": "mj", "cart": [{"id": 1, "price": 9.5}, {"id": 2, "price": 1.0}]}, {})
        assert type(again["cart"][1]["price"]) is float
        assert not again.is_new

    def test_every_json_value_comes_back_as_it_went_in(self) -> None:
        """Values keep their type, and text keeps its characters, whatever they are."""
        storage = self.opened()
        values = {
            "text": UNICODE, UNICODE: "key", "half": "\ud800", "empty": "", "yes": True, "no": False,
            "zero": 0, "large": 2**53, "small": -(2**53), "float": 1.0, "tiny": 5e-324,
            "list": [], "dict": {}, "deep": [[{"a": [None]}]],
        }  # fmt: skip
        with self.request(storage) as session:
            session.update(values)
            session.flash("notice", UNICODE)
        again = self.read(storage, self.cookie)
        assert again.data == (values, {})
        assert [type(again[key]) for key in values] == [type(value) for value in values.values()]
        assert again.get("notice") == UNICODE

    def test_no_cookie_and_the_empty_cookie_begin_a_session(self) -> None:
        """None and "" give new sessions, each with an ID of its own."""
        storage = self.opened()
        sessions = [self.read(storage, value) for value in (None, "", None)]
        assert all(session.is_new and session.size == 0 for session in sessions)
        assert len({session.id for session in sessions}) == len(sessions)

    def test_a_clean_session_is_not_sent(self) -> None:
        """A request that only reads is answered None, a new session that nobody used too."""
        storage = self.opened()
        assert self.save(storage, self.read(storage, None)) is None
        with self.request(storage) as session:
            session.set("user", "mj")
        reading = self.read(storage, self.cookie)
        assert reading.get("user") == "mj"
        assert not reading.dirty
        assert self.save(storage, reading) is None

    def test_flash_lives_for_one_request(self) -> None:
        """A flash message is seen by the next request and by no other."""
        storage = self.opened()
        with self.request(storage) as session:
            session.flash("notice", "saved")
            assert session.get("notice") is None
        with self.request(storage) as session:
            assert session.get("notice") == "saved"
        with self.request(storage) as session:
            assert session.get("notice") is None

    def test_keep_carries_flash_over(self) -> None:
        """Flash that is kept is seen once more; flash that is not named is gone."""
        storage = self.opened()
        with self.request(storage) as session:
            session.flash("notice", "saved")
            session.flash("error", "broken")
        with self.request(storage) as session:
            session.keep("notice")
        assert self.now(storage) == {"notice": "saved"}
        with self.request(storage) as session:
            session.keep()
        assert self.now(storage) == {"notice": "saved"}

    def test_a_value_hides_flash_of_its_name(self) -> None:
        """Values are looked up before flash."""
        storage = self.opened()
        with self.request(storage) as session:
            session.set("notice", "value")
            session.flash("notice", "flash")
        session = self.read(storage, self.cookie)
        assert session.get("notice") == "value"
        session.unset("notice")
        assert session.get("notice") == "flash"

    def test_a_nested_change_is_saved(self) -> None:
        """A change inside a list or dict that came from `get` makes the session dirty and is saved."""
        storage = self.opened()
        with self.request(storage) as session:
            session.set("cart", {"items": [1]})
        with self.request(storage) as session:
            session["cart"]["items"].append(2)
            assert session.dirty
        assert self.now(storage) == {"cart": {"items": [1, 2]}}

    def test_a_nested_change_after_a_save_is_saved(self) -> None:
        """One request may save, change the same list again, and save again."""
        storage = self.opened()
        session = self.read(storage, None)
        items = [1]
        session.set("items", items)
        self.answer(storage, session)
        session["items"].append(2)
        self.answer(storage, session)
        assert self.now(storage) == {"items": [1, 2]}

    def test_what_json_cannot_keep_is_an_error_that_names_the_key(self) -> None:
        """A value that was put into a list past `set` is refused at the save, and nothing is written."""
        storage = self.opened()
        with self.request(storage) as session:
            session.set("cart", [1])
        session = self.read(storage, self.cookie)
        session["cart"].append({1, 2})
        error = raises(UnserializableValueError, partial(self.save, storage, session))
        assert "cart[1]" in str(error)
        assert self.now(storage) == {"cart": [1]}

    def test_regeneration_changes_the_id_and_keeps_the_data(self) -> None:
        """`regenerate_id` gives a new ID, under which everything is found."""
        storage = self.opened()
        with self.request(storage) as session:
            session.set("user", "mj")
            session.flash("notice", "welcome")
        old = session.id
        with self.request(storage) as session:
            session.keep()
            session.regenerate_id()
        assert session.id != old
        again = self.read(storage, self.cookie)
        assert again.id == session.id
        assert dict(again) == {"user": "mj", "notice": "welcome"}

    def test_destroy_clears_the_cookie(self) -> None:
        """A destroyed session is answered "", reads as empty, and cannot be changed."""
        storage = self.opened()
        with self.request(storage) as session:
            session.set("user", "mj")
        session = self.read(storage, self.cookie)
        session.destroy()
        assert (session.get("user"), session.has("user"), session.size) == (None, False, 0)
        raises(SessionDestroyedError, partial(session.set, "user", "mj"))
        assert self.answer(storage, session) == ""
        assert self.cookie is None

    def test_an_idle_session_ends(self) -> None:
        """With `ttl`, a session that is not used for so long is gone."""
        storage = self.opened(ttl=4 * self.tick)
        with self.request(storage) as session:
            session.set("user", "mj")
        self.pass_time(2)
        assert self.now(storage) == {"user": "mj"}
        self.pass_time(3)
        assert self.read(storage, self.cookie).is_new

    def test_use_keeps_a_session_alive(self) -> None:
        """With `ttl`, a request that reads begins the idle life anew, and so does one that writes."""
        storage = self.opened(ttl=4 * self.tick)
        with self.request(storage) as session:
            session.set("count", 0)
        for _ in range(2):
            self.pass_time(2.5)
            with self.request(storage) as session:
                assert session.get("count") == 0
        self.pass_time(2.5)
        with self.request(storage) as session:
            session.set("count", 1)
        self.pass_time(2.5)
        assert self.now(storage) == {"count": 1}

    def test_use_cannot_extend_the_lifetime(self) -> None:
        """With `lifetime`, a session ends so long after it was made, however much it is used."""
        storage = self.opened(lifetime=5 * self.tick)
        with self.request(storage) as session:
            session.set("count", 0)
        for count in range(1, 4):
            self.pass_time(1)
            with self.request(storage) as session:
                assert session.get("count") == count - 1
                session.set("count", count)
                session.regenerate_id(count == 1 and storage.revocable)
        self.pass_time(3)
        assert self.read(storage, self.cookie).is_new

    def test_lifetime_holds_with_ttl_too(self) -> None:
        """With both, whichever ends first ends the session."""
        storage = self.opened(ttl=3 * self.tick, lifetime=5 * self.tick)
        with self.request(storage) as session:
            session.set("user", "mj")
        for _ in range(2):
            self.pass_time(2)
            with self.request(storage) as session:
                assert session.get("user") == "mj"
        self.pass_time(2)
        assert self.read(storage, self.cookie).is_new

    def test_a_session_that_ends_during_a_request_stays_ended(self) -> None:
        """What was live at the read and has run out by the save is gone: nothing is saved, and it is lost."""
        for life in ("ttl", "lifetime"):
            storage, self.cookie = self.opened(**{life: 3 * self.tick}), None
            with self.request(storage) as session:
                session.set("user", "mj")
            slow, clean = self.read(storage, self.cookie), self.read(storage, self.cookie)
            assert slow.get("user") == "mj"
            self.pass_time(4)
            slow.set("late", 1)
            for late in (slow, clean) if life == "ttl" else (slow,):
                assert self.answer(storage, late) is None
                assert late.lost
            assert self.read(storage, self.cookie).is_new

    def test_a_time_that_is_none_is_refused(self) -> None:
        """`ttl` and `lifetime` are more than 0 seconds."""
        for option in ("ttl", "lifetime"):
            for seconds in (0, -1, float("nan")):
                raises(UsageError, partial(self.opened, **{option: seconds}))
