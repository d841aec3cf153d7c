"""`cookie:`: the whole session travels in the cookie, and nothing is stored.

The value is `{"i": id, "d": [values, flash]}`, as Remix 3 writes it (@remix-run/session 0.4.2,
src/lib/session-storage/cookie.ts), with `created` and `used` in milliseconds where `lifetime` and `ttl` are
set. A session in a cookie cannot be ended before it expires: whoever kept a copy still has it.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

from sessionctl import records
from sessionctl.errors import CorruptRecordError, MalformedError, UsageError
from sessionctl.session import Session
from sessionctl.storage.base import OnCorrupt, SessionStorage, UnknownIds

if TYPE_CHECKING:
    from collections.abc import Callable

REISSUE_AFTER = 0.1
"""The share of `ttl` after which a clean session is sent anew, so that its idle life goes on."""


class NotRevocableWarning(UserWarning):
    """An old session ID was to be deleted, which cookies cannot do."""


class CookieStorage(SessionStorage):
    """Sessions in the cookie itself.

    `ttl` (idle) and `lifetime` (absolute) are seconds. A value that is no JSON gives a new session, as in
    Remix; JSON that is no session raises `CorruptRecordError`, unless `on_corrupt="new"`.
    """

    scheme = "cookie"
    revocable = False

    def __init__(
        self,
        *,
        ttl: float | None = None,
        lifetime: float | None = None,
        unknown_ids: UnknownIds = "new",
        on_corrupt: OnCorrupt = "error",
        clock: Callable[[], float] = time.time,
    ) -> None:
        for name, seconds in (("ttl", ttl), ("lifetime", lifetime)):
            if seconds is not None and not seconds > 0:
                raise UsageError(f"{name} must be more than 0 seconds")
        self.ttl = ttl
        self.lifetime = lifetime
        self.unknown_ids = unknown_ids
        self.on_corrupt = on_corrupt
        self.clock = clock

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
        if not self.is_live(record):
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
        dirty = session.dirty
        if not dirty and not self._is_due(session):
            return None
        session.collect_changes()
        values, flash = session.data
        state = session._state  # noqa: SLF001
        if self.lifetime is not None and state.created is None:
            state.created = self.clock()
        used = self.clock() if self.ttl is not None else state.stored.used if state.stored else None
        record = records.Record(values, flash, state.created, used, session.id)
        value = records.dump_value(record)
        state.stored = record
        if dirty:
            session.mark_saved(values, flash)
        return value

    def expiry_of(self, record: records.Record) -> float | None:
        """When the session of a value expires, in Unix seconds, or None where nothing ends it."""
        ends = [
            start + life
            for start, life in ((record.created, self.lifetime), (record.used, self.ttl))
            if start is not None and life is not None
        ]
        return min(ends) if ends else None

    def is_live(self, record: records.Record) -> bool:
        """Whether neither `ttl` nor `lifetime` has run out; a value without its times is live."""
        if self.lifetime is None and self.ttl is None:
            return True
        now = self.clock()
        if self.lifetime is not None and record.created is not None and record.created + self.lifetime <= now:
            return False
        return not (self.ttl is not None and record.used is not None and record.used + self.ttl <= now)

    def _is_due(self, session: Session) -> bool:
        stored = session._state.stored  # noqa: SLF001
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
