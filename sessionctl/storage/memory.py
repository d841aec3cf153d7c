"""`memory:`: sessions in this process, for tests and examples. Every read is a copy."""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import TYPE_CHECKING, Any

from sessionctl.storage.base import RecordStorage
from sessionctl.storage.stored import Entry, Outcome, Stored, unchanged

if TYPE_CHECKING:
    from collections.abc import Iterator


class MemoryStorage(RecordStorage):
    """A dictionary of records under a lock. Options: those of `RecordStorage`."""

    scheme = "memory"
    in_thread = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._records: dict[str, Stored] = {}
        self._lock = Lock()

    @classmethod
    def from_url(cls, location: str, **options: Any) -> MemoryStorage:  # noqa: ARG003 - memory has no place
        """`memory:`"""
        return cls(**options)

    def key_of(self, session_id: str) -> str:
        return session_id

    def ref_of(self, key: str) -> str:
        return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:12]

    def id_of(self, key: str) -> str | None:
        return key

    def location_of(self, key: str) -> str:
        return f"memory: session {self.ref_of(key)}"

    def load(self, key: str) -> Stored | None:
        return self._records.get(key)

    def store(self, key: str, expected: Stored | None, text: bytes, expires_in: float | None) -> Outcome:
        with self._lock:
            current = self.living(self._records.get(key))
            if not unchanged(current, expected):
                return Outcome(False, current)
            stored = self._records[key] = Stored(text, self.clock())
            return Outcome(True, stored)

    def touch(self, key: str, expires_in: float) -> bool:
        with self._lock:
            current = self.living(self._records.get(key))
            if current is None:
                return False
            self._records[key] = current._replace(modified_at=self.clock())
            return True

    def delete(self, key: str, expected: Stored | None = None) -> Outcome:
        with self._lock:
            current = self._records.get(key)
            if current is None or (expected is not None and current.text != expected.text):
                return Outcome(False, current)
            del self._records[key]
            return Outcome(True)

    def move(
        self, old: str, expected: Stored, new: str, text: bytes, expires_in: float | None, keep_old: bool
    ) -> Outcome:
        with self._lock:
            current = self.living(self._records.get(old))
            if not unchanged(current, expected):
                return Outcome(False, current)
            stored = self._records[new] = Stored(text, self.clock())
            if not keep_old:
                del self._records[old]
            return Outcome(True, stored)

    def scan(self) -> Iterator[Entry]:
        for key, stored in list(self._records.items()):
            yield Entry(key, self.ref_of(key), len(stored.text), stored.modified_at, self.expiry_of(stored))
