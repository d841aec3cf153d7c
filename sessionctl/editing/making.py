"""A session made and stored, or put into the cookie where the format or storage holds it there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sessionctl.editing.made import (
    OWN,
    Made,
    check_makeable,
    check_size,
    made_of,
    storage_of,
)
from sessionctl.errors import NoKeyError, SecretError, UsageError, WrongKeyTypeError
from sessionctl.formats.base import Content
from sessionctl.session import Session
from sessionctl.sources import Source
from sessionctl.storage.base import RecordStorage, SessionStorage
from sessionctl.verdict import Warn

_FORGETS = Warn(
    "not-kept", "memory: forgets the session when this process ends; fs:DIR and other storages keep it"
)
_DROPPED = Warn(
    "not-stored",
    "the cookie holds an ID alone, and its framework's store is not written here: no value was kept",
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.formats.base import Context, Format
    from sessionctl.identify import Setup


def create(
    setup: Setup,
    data: Any,
    flash: Mapping[str, Any],
    session_id: str | None = None,
) -> Made:
    """Make a session and store it, or put it into the cookie where the format or storage holds it there.

    Raises `UsageError` where the ID is taken or there is no key to sign with.
    """
    name = setup.format or "native"
    form = setup.open(name)
    cookie_name = setup.cookie_name or next(iter(form.cookie_names), "session")
    if name not in OWN:
        return _create_foreign(setup, name, cookie_name, data, flash, session_id)
    if not isinstance(data, dict):
        raise UsageError("the values of a session are an object of name to value")
    storage = storage_of(setup)
    check_makeable(setup, name, cookie_name)
    session = Session(session_id) if session_id is not None else Session()
    _refuse_taken(storage, session_id)
    for key, value in data.items():
        session.set(key, value)
    for key, value in flash.items():
        session.flash(key, value)
    session.mark_dirty()
    value = storage.save(session)
    made = made_of(setup, name, cookie_name, value or "", storage, session.id)
    return replace(made, warnings=(_FORGETS,)) if storage.scheme == "memory" else made


def _create_foreign(
    setup: Setup, name: str, cookie_name: str, data: Any, flash: Mapping[str, Any], session_id: str | None
) -> Made:
    form = setup.open(name)
    check_makeable(setup, name, cookie_name)
    context = setup.context(name, Source(cookie_name, None))
    if not form.holds_session or form.wants_id(data, cookie_name):
        session_id = session_id or form.new_id()
    values = data
    if not form.holds_session or form.may_hold_id:
        data = data or session_id or data  # an ID, or what the application puts there in its place
    content = Content(data, session_id, flash)
    try:
        text = form.encode(
            content.data,
            context.keys,
            id=session_id,
            flash=flash,
            cookie_name=cookie_name,
            now=setup.now,
            max_age=setup.max_age,
        )
    except (NoKeyError, WrongKeyTypeError) as error:  # no answer: nothing is judged where a cookie is made
        raise SecretError(error.message) from None
    if form.holds_session and session_id is not None:
        _check_id_kept(form, text, context, session_id)
    check_size(form, cookie_name, text, data if isinstance(data, dict) else {})
    companions = form.companions(text, context)
    dropped = bool(values or flash) and not form.holds_session and _holds_id_alone(form, text, context)
    return Made(
        cookie=text,
        cookie_name=cookie_name,
        format=name,
        storage=None,
        id=session_id,
        companions=companions,
        warnings=(*form.remarks(data, flash), *([_DROPPED] if dropped else [])),
    )


def _holds_id_alone(form: Format, text: str, context: Context) -> bool:
    return form.decode(text, context.keys, cookie_name=context.cookie_name, now=context.now).is_id


def _check_id_kept(form: Format, text: str, context: Context, session_id: str) -> None:
    """Raise `UsageError` where a format that holds the session has no place for the ID that was given."""
    decoded = form.decode(
        text,
        context.keys,
        cookie_name=context.cookie_name,
        cookies=form.companions(text, context),
        now=context.now,
    )
    if decoded.id != session_id:
        raise UsageError(f"format {form.name!r} has no place for such an ID: leave --id out")


def _refuse_taken(storage: SessionStorage, session_id: str | None) -> None:
    if session_id is None or not isinstance(storage, RecordStorage):
        return
    if storage.load(storage.key_for(session_id)) is not None:
        raise UsageError(f"{storage.url} has a session of that ID already; 'set' changes it")
