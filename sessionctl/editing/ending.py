"""A session ended."""

from __future__ import annotations

from dataclasses import dataclass

from sessionctl.cookie import set_cookie_like
from sessionctl.editing.made import storage_of
from sessionctl.editing.opening import open_session
from sessionctl.errors import CorruptRecordError
from sessionctl.identify import Setup, Target, identify
from sessionctl.inspection.stored import find_ref
from sessionctl.storage.base import RecordStorage
from sessionctl.storage.cookie import CookieStorage


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What `destroy` answers; `set_cookie` clears a cookie that could not be revoked."""

    matched: int
    destroyed: int
    revocable: bool
    set_cookie: str | None = None


def destroy(target: Target, setup: Setup) -> Ended:
    """End one session. What lives in its cookie cannot be ended: the answer then clears the cookie."""
    try:
        opened = open_session(target, setup, to_change=True)
    except CorruptRecordError:
        return _destroy_unread(target, setup)
    if opened.session is None or isinstance(opened.storage, CookieStorage):
        clearing = set_cookie_like(opened.cookie_name, "", target.attributes)  # as it was set: Domain, Path
        return Ended(matched=1, destroyed=0, revocable=False, set_cookie=clearing)
    assert opened.storage is not None  # noqa: S101 - a session of ours has one
    opened.session.destroy()
    opened.storage.save(opened.session)
    return Ended(matched=1, destroyed=1, revocable=True)


def _destroy_unread(target: Target, setup: Setup) -> Ended:
    """End a session whose record cannot be read: it needs no reading to be deleted."""
    storage = storage_of(setup)
    assert isinstance(storage, RecordStorage)  # noqa: S101 - no other has records
    if target.source is not None:
        known = identify(target.source, setup)
        key = storage.key_of(known.verdict.value or "")
    else:
        key = find_ref(storage, target.ref) if target.ref else storage.key_of(target.id or "")
    done = storage.delete(key).done
    return Ended(matched=1, destroyed=int(done), revocable=True)
