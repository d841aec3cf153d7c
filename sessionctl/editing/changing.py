"""A session changed, or given a new ID."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sessionctl.editing.made import Made, check_makeable, check_size, made_of
from sessionctl.editing.opening import Opened, open_session
from sessionctl.errors import NotSupportedError, SessionNotFoundError, UsageError
from sessionctl.formats.base import DEFAULT_MAX_AGE
from sessionctl.keypaths import top_level
from sessionctl.session import create_session_id
from sessionctl.storage.cookie import CookieStorage
from sessionctl.wording import with_article

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sessionctl.identify import Setup, Target
    from sessionctl.session import Session


def change(
    target: Target,
    setup: Setup,
    *,
    values: Mapping[str, Any] | None = None,
    unset: Iterable[str] = (),
    flash: Mapping[str, Any] | None = None,
) -> Made:
    """Set and unset values, leave flash for the next request, and give the cookie text to send.

    A key that is not there may be a path into one that is: see `top_level`.
    """
    opened = open_session(target, setup, to_change=True)
    if opened.session is None:
        made = _change_foreign(opened, values or {}, unset, flash or {})
    else:
        _check_printable(opened, opened.session.id)
        apply_changes(opened.session, values or {}, unset, flash or {})
        made = _saved(opened)
    return replace(made, attributes=target.attributes)


def apply_changes(
    session: Session,
    values: Mapping[str, Any],
    unset: Iterable[str],
    flash: Mapping[str, Any],
) -> None:
    """Change a session of ours, and keep the flash that waits. Raises `UsageError` where a path leads nowhere."""
    session.keep()
    now_values, now_flash = session.data
    values, unset = _by_paths(now_values, values, unset)
    flash, _ = top_level(now_flash, flash)
    for key, value in values.items():
        session.set(key, value)
    for key in unset:
        session.unset(key)
    for key, value in flash.items():
        session.flash(key, value)


def _by_paths(
    data: Mapping[str, Any], values: Mapping[str, Any], unset: Iterable[str]
) -> tuple[dict[str, Any], list[str]]:
    """The changes at the top level that changes by path come to; None unsets."""
    kept = {path: value for path, value in values.items() if value is not None}
    return top_level(data, kept, [*(path for path in values if path not in kept), *unset])


def regenerate(target: Target, setup: Setup, *, delete_old: bool) -> Made:
    """Give the session a new ID. Raises `NotSupportedError` for a framework whose cookie has none."""
    opened = open_session(target, setup, to_change=True)
    if opened.session is None:
        made = _change_foreign(_with_new_id(opened), {}, (), {})
        return replace(made, revoked=not delete_old, attributes=target.attributes)
    if not opened.session.id:
        raise UsageError("a session found by its ref keeps its unknown ID; give the cookie or --id")
    _check_printable(opened, opened.session.id)
    opened.session.keep()
    in_cookie = isinstance(opened.storage, CookieStorage)
    opened.session.regenerate_id(delete_old and not in_cookie)
    revoked = not (delete_old and in_cookie)
    return replace(_saved(opened), revoked=revoked, attributes=target.attributes)


_ID_PLACES = ("session_id", "_id", "id")
"""Where the ID lies in cookies that hold the whole session: those of Rails and Rack, of Beaker, of h3 and yar."""


def _with_new_id(opened: Opened) -> Opened:
    """Another framework's session with a new ID in the place of the one inside it, and of its looks."""
    decoded = opened.decoded
    assert decoded is not None  # noqa: S101 - no session of ours is another framework's
    data, old = decoded.data, decoded.id
    inside = old is not None and isinstance(data, dict)
    place = next((name for name in _ID_PLACES if inside and data.get(name) == old), None)
    if old is None or place is None:
        raise NotSupportedError(f"{with_article(opened.format)} cookie has no session ID to renew")
    new = _new_id_like(old)
    return replace(opened, decoded=decoded._replace(id=new, data={**data, place: new}))


def _new_id_like(old: str) -> str:
    import secrets
    import uuid

    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", old):
        return str(uuid.uuid4())
    if len(old) >= 32 and re.fullmatch(r"[0-9a-f]+", old):  # noqa: PLR2004 - 128 bits
        return secrets.token_hex((len(old) + 1) // 2)[: len(old)]
    return create_session_id()


def _check_printable(opened: Opened, session_id: str) -> None:
    """Raise, before anything is stored, what would keep the cookie of an ID that is known from being printed."""
    if session_id:
        check_makeable(opened.setup, opened.format, opened.cookie_name)


def _saved(opened: Opened) -> Made:
    session, storage = opened.session, opened.storage
    assert session is not None  # noqa: S101 - the callers have checked
    assert storage is not None  # noqa: S101
    session.mark_dirty()
    value = storage.save(session)
    if session.lost:
        raise SessionNotFoundError(f"the session was ended in {storage.url} while this changed it")
    if not session.id:
        return Made(
            cookie=None,
            cookie_name=opened.cookie_name,
            format=opened.format,
            storage=storage.url,
            id=None,
            stored_ref=opened.ref,
        )
    return made_of(opened.setup, opened.format, opened.cookie_name, value or "", storage, session.id)


def _with_values(data: Any, values: Mapping[str, Any], unset: list[str], name: str) -> Any:
    if not values and not unset:
        return data  # flash alone: messages may lie in a list
    if not isinstance(data, dict):
        raise NotSupportedError(f"this {name} cookie holds no object of names and values")
    gone = {*unset, *(key for key, value in values.items() if value is None)}
    return {key: value for key, value in {**data, **values}.items() if key not in gone}


def _change_foreign(
    opened: Opened,
    values: Mapping[str, Any],
    unset: Iterable[str],
    flash: Mapping[str, Any],
) -> Made:
    known, decoded = opened.known, opened.decoded
    assert known is not None  # noqa: S101 - a foreign session always comes from a cookie
    assert decoded is not None  # noqa: S101
    if isinstance(decoded.data, dict):
        values, unset = _by_paths(decoded.data, values, unset)
    if isinstance(decoded.flash, dict):
        flash, _ = top_level(decoded.flash, flash)
    data = _with_values(decoded.data, values, [*unset], opened.format)
    context, max_age = known.context, opened.setup.max_age
    form = known.format.like(known.text, context)
    if max_age == DEFAULT_MAX_AGE:
        max_age = form.life_like(decoded, context)
    text = form.encode(
        data, context.keys, id=decoded.id, flash=flash, cookie_name=opened.cookie_name,
        now=opened.setup.now, max_age=max_age,
    )  # fmt: skip
    check_size(form, opened.cookie_name, text, data)
    companions = form.companions(text, context)
    return Made(
        cookie=text,
        cookie_name=opened.cookie_name,
        format=opened.format,
        storage=None,
        id=decoded.id,
        companions=companions,
        warnings=form.remarks(data, flash),
    )
