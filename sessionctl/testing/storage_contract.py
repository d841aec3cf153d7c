"""What a store of records promises, between requests that run at the same time too."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ClassVar

from sessionctl.errors import (
    CorruptRecordError,
)
from sessionctl.storage.base import Entry, RecordStorage
from sessionctl.testing.ending_contract import EndingContract
from sessionctl.testing.harness import UNICODE, raises, ref_of


class StorageContract(EndingContract):
    """What a store of records promises beyond that, between requests that run at the same time too."""

    can_scan: ClassVar[bool] = True
    """Whether the store can list its sessions."""

    # -- records ----------------------------------------------------------------------------------------

    def test_records_are_written_as_remix_writes_them(self) -> None:
        """A record is `[values,flash]` in JavaScript's JSON: no spaces, text as it is."""
        storage = self.opened()
        session = self.read(storage, None)
        session.update({"user": "мір", "cart": [1, {"b": None}], "half": "\udc00"})
        session.flash("notice", "ok")
        self.answer(storage, session)
        expected = '[{"user":"мір","cart":[1,{"b":null}],"half":"\\udc00"},{"notice":"ok"}]'
        assert self.text(storage, session.id) == expected.encode()

    def test_records_that_remix_wrote_are_read(self) -> None:
        """A record of another program is a session with its values and flash."""
        storage = self.opened()
        self.put(
            storage,
            "3f1c9a52-7a55-4b4e-9f0e-1d8b8a3c2f10",
            '[{"user":"mj","n":1e3},{"notice":"да"}]'.encode(),
        )
        session = self.read(storage, "3f1c9a52-7a55-4b4e-9f0e-1d8b8a3c2f10")
        assert dict(session) == {"user": "mj", "n": 1000.0, "notice": "да"}
        assert not session.is_new

    def test_lifetime_stands_in_a_third_member(self) -> None:
        """The time of creation is there only where `lifetime` is set, and a storage without it keeps it."""
        storage = self.opened(lifetime=100 * self.tick)
        session_id = self.begin(storage, user="mj")
        text = self.text(storage, session_id)
        assert text is not None
        assert text.startswith(b'[{"user":"mj"},{},{"created":1')
        session = self.read(storage, session_id)
        session.set("user", "kj")
        self.save(storage, session)
        assert self.text(storage, session_id) == text.replace(b"mj", b"kj")

    def test_a_corrupt_record_is_told(self) -> None:
        """A record that is no session is an error that gives no ID away; the record stays."""
        storage = self.opened()
        deep = b"[" * 100_000
        for number, text in enumerate((b"", b"{", b"[{}", b"null", b"[1,2]", b"\xff", b"[{},{}", deep)):
            session_id = f"corrupt-{number}-0123456789"
            self.put(storage, session_id, text)
            error = raises(CorruptRecordError, partial(self.read, storage, session_id))
            assert session_id not in str(error)
            assert self.text(storage, session_id) == text

    def test_a_corrupt_record_may_give_a_new_session(self) -> None:
        """`on_corrupt="new"` answers a record that cannot be read with a new session of another ID."""
        storage = self.opened(on_corrupt="new")
        self.put(storage, "corrupt-0123456789", b'[{"user":')
        session = self.read(storage, "corrupt-0123456789")
        assert session.is_new
        assert session.id != "corrupt-0123456789"

    def test_every_read_is_a_copy(self) -> None:
        """Two requests never share a list: what one changes and does not save, the other does not see."""
        storage = self.opened()
        session_id = self.begin(storage, cart=[1])
        one, other = self.read(storage, session_id), self.read(storage, session_id)
        one["cart"].append(2)
        assert other["cart"] == [1]
        assert self.read(storage, session_id)["cart"] == [1]

    def test_what_was_saved_is_a_copy(self) -> None:
        """A list that was given to a session is not the store's: a later change alone changes nothing."""
        storage = self.opened()
        cart = [1]
        session_id = self.begin(storage, cart=cart)
        cart.append(2)
        assert self.read(storage, session_id)["cart"] == [1]

    # -- IDs --------------------------------------------------------------------------------------------

    def test_an_unknown_id_gets_another(self) -> None:
        """A client cannot choose its session's ID."""
        storage = self.opened()
        for session_id in ("unknown", UNICODE, "\ud800", "../../etc/passwd", "a" * 5000):
            session = self.read(storage, session_id)
            assert session.is_new
            assert session.id != session_id

    def test_an_unknown_id_may_be_reused(self) -> None:
        """`unknown_ids="reuse"` takes the client's ID, and stores under it."""
        storage = self.opened(unknown_ids="reuse")
        session = self.read(storage, "chosen-by-the-client")
        assert session.is_new
        session.set("user", "mj")
        assert self.save(storage, session) == "chosen-by-the-client"
        assert self.read(storage, "chosen-by-the-client").get("user") == "mj"

    def test_an_id_may_be_any_text(self) -> None:
        """IDs with spaces, slashes, line breaks, any script and any length each have their own record."""
        storage = self.opened(unknown_ids="reuse")
        ids = [UNICODE, "a b\r\nc", "../x", "*", "session:", "x" * 300, "ä", "a\u0308"]
        for number, session_id in enumerate(ids):
            session = self.read(storage, session_id)
            assert session.is_new
            session.set("n", number)
            assert self.save(storage, session) == session_id
        assert [self.read(storage, session_id)["n"] for session_id in ids] == list(range(len(ids)))

    # -- requests at the same time ----------------------------------------------------------------------

    def test_two_requests_that_set_different_keys_both_win(self) -> None:
        """A save merges its own changes into the record as it is now."""
        storage = self.opened()
        session_id = self.begin(storage, keep=1, drop=1)
        slow = self.read(storage, session_id)
        fast = self.read(storage, session_id)
        fast.set("fast", 1)
        self.save(storage, fast)
        slow.set("slow", 1)
        slow.unset("drop")
        assert self.save(storage, slow) == session_id
        assert dict(self.read(storage, session_id)) == {"keep": 1, "fast": 1, "slow": 1}

    def test_the_last_writer_wins_on_a_key(self) -> None:
        """Of two requests that set one key, the later save stands; a key that was unset stays away."""
        storage = self.opened()
        session_id = self.begin(storage, name="old", gone=1)
        slow = self.read(storage, session_id)
        fast = self.read(storage, session_id)
        fast.set("name", "fast")
        fast.unset("gone")
        self.save(storage, fast)
        slow.set("name", "slow")
        self.save(storage, slow)
        assert dict(self.read(storage, session_id)) == {"name": "slow"}

    def test_a_nested_change_is_merged_at_the_top_level(self) -> None:
        """A change inside a dict writes that whole key, and no other."""
        storage = self.opened()
        session_id = self.begin(storage, cart={"a": 1}, other=1)
        slow = self.read(storage, session_id)
        fast = self.read(storage, session_id)
        fast.set("other", 2)
        self.save(storage, fast)
        slow["cart"]["b"] = 2
        self.save(storage, slow)
        assert dict(self.read(storage, session_id)) == {"cart": {"a": 1, "b": 2}, "other": 2}

    def test_flash_is_dropped_only_if_unchanged(self) -> None:
        """A request drops the flash that it showed, and leaves what another one flashed meanwhile."""
        storage = self.opened()
        session = self.read(storage, None)
        session.flash("notice", "first")
        session.flash("shown", "first")
        session_id = session.id
        self.save(storage, session)
        slow = self.read(storage, session_id)
        fast = self.read(storage, session_id)
        fast.flash("notice", "second")
        fast.flash("error", "new")
        fast.keep("shown")
        self.save(storage, fast)
        self.save(storage, slow)
        assert dict(self.read(storage, session_id)) == {"notice": "second", "error": "new"}

    def test_no_update_is_lost_between_many_writers(self) -> None:
        """Many requests at once, each setting a key of its own: every key is there in the end."""
        storage = self.opened()
        session_id = self.begin(storage, k0=0)
        keys = [f"k{number}" for number in range(24)]
        if self.asynchronous:
            self._await(self._set_together(storage, session_id, keys))
        else:
            with ThreadPoolExecutor(4) as threads:
                list(threads.map(lambda key: self._set_one(storage, session_id, key), keys))
        assert set(self.read(storage, session_id)) == set(keys)

    def _set_one(self, storage: RecordStorage, session_id: str, key: str) -> None:
        session = storage.read(session_id)
        session.set(key, 1)
        assert storage.save(session) == session_id

    async def _set_together(self, storage: RecordStorage, session_id: str, keys: list[str]) -> None:
        async def one(key: str) -> None:
            session = await storage.aread(session_id)
            session.set(key, 1)
            assert await storage.asave(session) == session_id

        await asyncio.gather(*map(one, keys))

    def test_a_clean_session_writes_nothing(self) -> None:
        """Saving a session that was only read leaves the record as it is, its version and time included."""
        storage = self.opened()
        session_id = self.begin(storage, user="mj")
        before = storage.load(storage.key_of(session_id))
        session = self.read(storage, session_id)
        session.get("user")
        assert self.save(storage, session) is None
        assert storage.load(storage.key_of(session_id)) == before

    def test_one_object_may_be_saved_again(self) -> None:
        """What another request wrote between two saves of one object stays."""
        storage = self.opened()
        session_id = self.begin(storage, a=1)
        session = self.read(storage, session_id)
        session.set("a", 2)
        self.save(storage, session)
        other = self.read(storage, session_id)
        other.set("b", 1)
        self.save(storage, other)
        session.set("c", 1)
        assert self.save(storage, session) == session_id
        assert dict(self.read(storage, session_id)) == {"a": 2, "b": 1, "c": 1}

    # -- all of them ------------------------------------------------------------------------------------

    def test_scan_lists_every_session_once(self) -> None:
        """A scan names each session by key, ref and size, and none that was ended."""
        if not self.can_scan:
            return
        storage = self.opened()
        ids = [self.begin(storage, n=number) for number in range(20)]
        self.end(storage, ids.pop())
        entries = sorted(storage.scan(), key=lambda entry: entry.ref)
        expected = sorted(
            (ref_of(sid), storage.key_of(sid), len(self.text(storage, sid) or b"")) for sid in ids
        )
        assert [(entry.ref, entry.key, entry.size) for entry in entries] == expected
        assert all(isinstance(entry, Entry) for entry in entries)

    def test_a_key_is_enough_to_read_and_change(self) -> None:
        """Who has a key and no ID reads the session, changes it and ends it."""
        storage = self.opened()
        key = storage.key_of(self.begin(storage, user="mj"))
        session = storage.read_key(key)
        assert session is not None
        session.set("user", "kj")
        storage.save(session)
        again = storage.read_key(key)
        assert again is not None
        assert again.get("user") == "kj"
        again.destroy()
        storage.save(again)
        assert storage.read_key(key) is None
