"""What a store of records promises about the end of a session: it stays ended, whoever saves it late."""

from __future__ import annotations

from sessionctl.testing.record_contract import RecordContract


class EndingContract(RecordContract):
    """A session that was destroyed, ran out or got another ID does not come back."""

    def test_destroy_ends_the_session(self) -> None:
        """After a destroy the record is gone, and ending it again is no error."""
        storage = self.opened()
        session_id = self.begin(storage, user="mj")
        one, other = self.read(storage, session_id), self.read(storage, session_id)
        one.destroy()
        assert self.save(storage, one) == ""
        assert self.text(storage, session_id) is None
        other.destroy()
        assert self.save(storage, other) == ""

    def test_a_destroyed_session_does_not_come_back(self) -> None:
        """A slower request of a session that was ended saves nothing, is answered None, and is lost."""
        storage = self.opened()
        session_id = self.begin(storage, user="mj")
        slow = self.read(storage, session_id)
        self.end(storage, session_id)
        slow.set("late", 1)
        assert self.save(storage, slow) is None
        assert slow.lost
        assert self.text(storage, session_id) is None
        assert self.read(storage, session_id).is_new

    def test_a_lost_session_stays_lost_at_the_next_save(self) -> None:
        """Saving a lost session once more writes nothing either."""
        storage = self.opened()
        session_id = self.begin(storage, user="mj")
        slow = self.read(storage, session_id)
        self.end(storage, session_id)
        for value in (1, 2):
            slow.set("late", value)
            assert self.save(storage, slow) is None
        assert self.text(storage, session_id) is None

    def test_regeneration_does_not_bring_a_session_back(self) -> None:
        """A slower request that regenerates the ID of an ended session leaves nothing under the new one."""
        for delete_old in (False, True):
            storage = self.opened()
            session_id = self.begin(storage, user="mj")
            slow = self.read(storage, session_id)
            self.end(storage, session_id)
            slow.regenerate_id(delete_old)
            assert self.save(storage, slow) is None
            assert slow.lost
            assert self.text(storage, slow.id) is None

    def test_a_clean_save_does_not_bring_a_session_back(self) -> None:
        """With `ttl`, touching a session that was ended finds it lost."""
        storage = self.opened(ttl=100 * self.tick)
        session_id = self.begin(storage, user="mj")
        slow = self.read(storage, session_id)
        self.end(storage, session_id)
        assert self.save(storage, slow) is None
        assert slow.lost
        assert self.text(storage, session_id) is None

    def test_regeneration_does_not_bring_back_what_ended_during_the_request(self) -> None:
        """A session whose life runs out between read and save leaves nothing under its new ID."""
        for delete_old in (False, True):
            storage = self.opened(ttl=3 * self.tick)
            slow = self.read(storage, self.begin(storage, user="mj"))
            slow.regenerate_id(delete_old)
            self.pass_time(4)
            assert self.save(storage, slow) is None
            assert slow.lost
            assert self.text(storage, slow.id) is None

    def test_use_by_another_request_keeps_a_session_alive(self) -> None:
        """A slow request whose session was used meanwhile saves it: the life counts from the last use."""
        storage = self.opened(ttl=4 * self.tick)
        session_id = self.begin(storage, user="mj")
        slow = self.read(storage, session_id)
        self.pass_time(2.5)
        self.save(storage, self.read(storage, session_id))
        self.pass_time(2.5)
        slow.set("late", 1)
        assert self.save(storage, slow) == session_id
        assert dict(self.read(storage, session_id)) == {"user": "mj", "late": 1}

    def test_an_expired_session_gives_way_to_a_new_one_of_its_id(self) -> None:
        """With `unknown_ids="reuse"`, a new session takes the place of an expired one, and nothing of it."""
        storage = self.opened(ttl=3 * self.tick, unknown_ids="reuse")
        session_id = self.begin(storage, user="mj")
        self.pass_time(4)
        session = self.read(storage, session_id)
        assert session.is_new
        session.set("user", "kj")
        assert self.save(storage, session) == session_id
        assert dict(self.read(storage, session_id)) == {"user": "kj"}

    def test_regeneration_keeps_the_old_session_unless_told(self) -> None:
        """After `regenerate_id()` both IDs lead to a session."""
        storage = self.opened()
        old = self.begin(storage, user="mj")
        session = self.read(storage, old)
        session.regenerate_id()
        session.set("role", "admin")
        assert self.save(storage, session) == session.id != old
        assert dict(self.read(storage, old)) == {"user": "mj"}
        assert dict(self.read(storage, session.id)) == {"user": "mj", "role": "admin"}

    def test_regeneration_may_delete_the_old_session(self) -> None:
        """After `regenerate_id(True)` the old ID leads nowhere."""
        storage = self.opened()
        old = self.begin(storage, user="mj")
        session = self.read(storage, old)
        session.regenerate_id(True)
        assert self.save(storage, session) == session.id
        assert self.text(storage, old) is None
        assert dict(self.read(storage, session.id)) == {"user": "mj"}

    def test_regeneration_takes_along_what_another_request_wrote(self) -> None:
        """Changes that came to the old record meanwhile are under the new ID."""
        storage = self.opened()
        old = self.begin(storage, user="mj")
        slow = self.read(storage, old)
        fast = self.read(storage, old)
        fast.set("cart", [1])
        self.save(storage, fast)
        slow.regenerate_id(True)
        self.save(storage, slow)
        assert dict(self.read(storage, slow.id)) == {"user": "mj", "cart": [1]}

    def test_only_one_of_two_regenerations_wins(self) -> None:
        """Two requests that replace the ID at once: the slower is lost, and one session is left."""
        storage = self.opened()
        old = self.begin(storage, user="mj")
        one, other = self.read(storage, old), self.read(storage, old)
        one.regenerate_id(True)
        other.regenerate_id(True)
        assert self.save(storage, one) == one.id
        assert self.save(storage, other) is None
        assert other.lost
        left = [self.text(storage, session_id) is not None for session_id in (old, one.id, other.id)]
        assert left == [False, True, False]

    def test_a_lost_session_does_not_clear_the_cookie(self) -> None:
        """The answer to a slow request never undoes the log-in that replaced the ID meanwhile."""
        storage = self.opened()
        self.begin(storage, user="guest")
        slow = self.read(storage, self.cookie)
        with self.request(storage) as login:
            login.regenerate_id(True)
            login.set("user", "mj")
        slow.set("seen", 1)
        assert self.answer(storage, slow) is None
        assert self.now(storage) == {"user": "mj"}

    def test_destroy_ends_every_id(self) -> None:
        """Regenerated, then destroyed in one request: the old session is gone too, saved between or not."""
        for saves_between in (False, True):
            storage = self.opened()
            old = self.begin(storage, user="mj")
            session = self.read(storage, old)
            session.regenerate_id()
            if saves_between:
                self.save(storage, session)
            session.destroy()
            assert self.save(storage, session) == ""
            assert self.text(storage, old) is None
            assert self.text(storage, session.id) is None

    def test_a_new_session_that_is_destroyed_was_never_there(self) -> None:
        """Destroying a session that was not saved clears the cookie and leaves no record."""
        storage = self.opened()
        session = self.read(storage, None)
        session.set("user", "mj")
        session.destroy()
        assert self.save(storage, session) == ""
        assert self.text(storage, session.id) is None
