"""`cookie:`: the whole session travels in the cookie, and nothing is stored.

The value is `{"i": id, "d": [values, flash]}`, as Remix 3 writes it (@remix-run/session 0.4.2,
src/lib/session-storage/cookie.ts), with `created` and `used` in milliseconds where `lifetime` and `ttl` are
set. A session in a cookie cannot be ended before it expires: whoever kept a copy still has it.
"""

from __future__ import annotations

import warnings
from typing import Any

from sessionctl import records
from sessionctl.errors import CorruptRecordError, MalformedError
from sessionctl.session import Session
from sessionctl.storage.base import SessionStorage
from sessionctl.verdict import new_tuple

REISSUE_AFTER = 0.1
"""The share of `ttl` after which a clean session is sent anew, so that its idle life goes on."""


class NotRevocableWarning(UserWarning):
    """An old session ID was to be deleted, which cookies cannot do."""


class CookieStorage(SessionStorage):
    """Sessions in the cookie itself.

    A value that is no JSON gives a new session, as in Remix; JSON that is no session raises
    `CorruptRecordError`, unless `on_corrupt="new"`. Options: `SessionStorage`'s.
    """

    scheme = "cookie"
    revocable = False

    @classmethod
    def from_url(cls, location: str, **options: Any) -> CookieStorage:  # noqa: ARG003 - cookies have no place
        """`cookie:`"""
        return cls(**options)

    def read(self, cookie_value: str | None) -> Session:
        if not cookie_value:
            return Session()
        try:
            record = records.parse_value(cookie_value)
        except MalformedError as error:
            if self.on_corrupt == "new" or cookie_value[:1] != "{" or not _is_json(cookie_value):
                return Session()
            raise CorruptRecordError("the cookie", f"its value is {error}") from None
        if self.has_ended(record.created, record.used):
            return Session()
        session = Session(record.id, data=(record.values, record.flash))
        state = session._state  # noqa: SLF001 - the storages' side of a session
        state.stored, state.created, state.found = record, record.created, True
        return session

    def save(self, session: Session) -> str | None:
        if session.delete_id is not None:
            warnings.warn(
                "the old session cannot be deleted: a copy of its cookie stays valid", NotRevocableWarning, 2
            )
        if session.destroyed:
            return ""
        state = session._state  # noqa: SLF001
        stored = state.stored
        if stored is not None and self.has_ended(stored.created, stored.used):
            state.lost = True
            return None
        dirty = session.dirty
        if not dirty and not self._is_due(stored):
            return None
        session.collect_changes()
        values, flash = session.data
        if self.lifetime is not None and state.created is None:
            state.created = self.clock()
        used = self.clock() if self.ttl is not None else stored.used if stored else None
        record = new_tuple(records.Record, (values, flash, state.created, used, session.id))
        value = records.dump_value(record)
        state.stored = record
        if dirty:
            session.mark_saved(values, flash)
        return value

    def expiry_of(self, record: records.Record) -> float | None:
        """When the session of a value expires, in Unix seconds, or None where nothing ends it."""
        return self.ends_at(record.created, record.used)

    def _is_due(self, stored: records.Record | None) -> bool:
        if stored is None:
            return False
        if self.lifetime is not None and stored.created is None:
            return True
        if self.ttl is None:
            return False
        return stored.used is None or self.clock() >= stored.used + self.ttl * REISSUE_AFTER


def _is_json(text: str) -> bool:
    from sessionctl import jsontext

    try:
        jsontext.loads(text)
    except MalformedError:
        return False
    return True
