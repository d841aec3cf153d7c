"""What the tests of a store of records do beside what a request does."""

from __future__ import annotations

from typing import Any

from sessionctl.storage.base import RecordStorage
from sessionctl.testing.session_contract import SessionContract


class RecordContract(SessionContract):
    """The means of the tests of a store of records: laying records into it, and looking at them there."""

    def opened(self, **options: Any) -> RecordStorage:
        """As everywhere, for a store of records."""
        storage = super().opened(**options)
        assert isinstance(storage, RecordStorage)
        return storage

    def begin(self, storage: RecordStorage, **values: Any) -> str:
        """Store a session with these values; its ID, which the browser has as its cookie."""
        session = self.read(storage, None)
        session.update(values)
        assert self.answer(storage, session) == session.id
        return session.id

    def put(self, storage: RecordStorage, session_id: str, text: bytes) -> None:
        """Lay a record into the store as another program would."""
        outcome = storage.store(storage.key_of(session_id), None, text, None)
        assert outcome.done

    def text(self, storage: RecordStorage, session_id: str) -> bytes | None:
        """The record of an ID as it lies in the store."""
        stored = storage.load(storage.key_of(session_id))
        return None if stored is None else stored.text

    def end(self, storage: RecordStorage, session_id: str) -> None:
        """Destroy the session, as a request that logs out does."""
        session = self.read(storage, session_id)
        session.destroy()
        assert self.save(storage, session) == ""
