"""When a session ends, and what says so: the cookie, its store, or only the framework's default."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sessionctl.formats.base import DEFAULT_MAX_AGE

if TYPE_CHECKING:
    from sessionctl.formats.base import Decoded
    from sessionctl.identify import Identified
    from sessionctl.inspection.stored import Stored

COOKIE, STORE, ASKED, DEFAULT = "cookie", "store", "max-age", "default"


class End(NamedTuple):
    """The end of a session in Unix seconds; `by` is one of the words above, None where nothing ends it.

    Of a `default`, `whose` names the format or layout, and `setting` what an application calls its own limit.
    """

    at: float | None = None
    by: str | None = None
    whose: str = ""
    setting: str = ""


def end_of(known: Identified, decoded: Decoded, stored: Stored, inside: float | None) -> End:
    """The first of the ends that are known; `inside` is that by the `ttl` of a storage that is a cookie."""
    ends = [_of_cookie(known, decoded), _of_store(stored), End(inside, STORE)]
    return min((end for end in ends if end.at is not None), key=lambda end: end.at or 0.0, default=End())


def _of_cookie(known: Identified, decoded: Decoded) -> End:
    form, verdict, limit = known.format, known.verdict, known.context.max_age
    at = min((end for end in (verdict.expires_at, decoded.expires_at) if end is not None), default=None)
    issued_at = verdict.issued_at if verdict.issued_at is not None else decoded.issued_at
    if at is None or issued_at is None or limit is None:
        return End(at, COOKIE)
    if limit != DEFAULT_MAX_AGE:
        return End(at, ASKED if at == issued_at + limit else COOKIE)
    if form.default_max_age is not None and at == issued_at + form.default_max_age:
        return End(at, DEFAULT, form.name, form.age_setting)
    return End(at, COOKIE)


def _of_store(stored: Stored) -> End:
    from sessionctl.stores.storage import LayoutStorage

    at, storage = stored.expires_at, stored.storage
    if (
        at is not None
        and isinstance(storage, LayoutStorage)
        and storage.ends_by_default(stored.record, stored.modified_at, at)
    ):
        return End(at, DEFAULT, storage.layout.name, storage.layout.age_setting)
    return End(at, STORE)
