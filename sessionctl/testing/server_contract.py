"""What a store that drops by itself what has expired promises beyond that."""

from __future__ import annotations

from sessionctl.testing.storage_contract import StorageContract


class ServerExpiryContract(StorageContract):
    """What a store that drops expired records by itself promises about the life that a record has left."""

    real_time = True
    tick = 1.0

    def test_a_save_without_ttl_keeps_the_life_that_is_left(self) -> None:
        """A storage without `ttl` neither makes a record immortal nor lengthens its life."""
        limited, unlimited = self.opened(ttl=4 * self.tick), self.opened()
        session_id = self.begin(limited, count=0)
        self.pass_time(2)
        session = self.read(unlimited, session_id)
        session.set("count", 1)
        assert self.save(unlimited, session) == session_id
        self.pass_time(3)
        assert self.text(unlimited, session_id) is None

    def test_regeneration_without_ttl_keeps_the_life_that_is_left(self) -> None:
        """The record under the new ID lives no longer than the old one would have."""
        limited, unlimited = self.opened(ttl=4 * self.tick), self.opened()
        session_id = self.begin(limited, count=0)
        session = self.read(unlimited, session_id)
        session.regenerate_id(True)
        assert self.save(unlimited, session) == session.id
        assert self.text(unlimited, session.id) is not None
        self.pass_time(5)
        assert self.text(unlimited, session.id) is None

    def test_an_expired_session_takes_no_room(self) -> None:
        """What has expired is gone from the store, not only from sight."""
        storage = self.opened(ttl=2 * self.tick)
        session_id = self.begin(storage, user="mj")
        self.pass_time(3)
        assert self.text(storage, session_id) is None
