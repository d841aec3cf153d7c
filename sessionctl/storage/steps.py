"""A request's save, a step at a time: written once for plain calls and for asyncio.

Each procedure is a generator that yields the name and arguments of the storage's primitive that it needs next
and is sent its answer; `run` makes plain calls of them, `arun` awaits. `pause` and seconds stand for a rest.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeVar

from sessionctl import records
from sessionctl.errors import (
    MalformedError,
    SessionctlError,
    StorageError,
    UnserializableValueError,
)
from sessionctl.storage.stored import Outcome, Stored

if TYPE_CHECKING:
    from sessionctl.session import Session
    from sessionctl.storage.base import RecordStorage

MAX_ATTEMPTS = 256
"""How often a save merges and tries again before it gives up; each time another writer has won."""

_EAGER = 4
"""How often it does so without a rest: writers that never rest would starve one that works no faster."""

_SHORTEST_REST, _LONGEST_REST = 0.001, 0.016
"""The most seconds of the first rest, and of any; each is up to twice as long as the one before."""

T = TypeVar("T")
Steps = Generator[tuple[str, tuple[Any, ...]], Any, T]
"""A procedure that yields the name and arguments of a primitive and is sent its answer."""


def saving(storage: RecordStorage, session: Session) -> Steps[str | None]:
    """What `save` answers: the cookie value, "" after a destroy, None where there is nothing to send."""
    state = session._state  # noqa: SLF001
    if session.destroyed:
        return (yield from _destroying(storage, session))
    if state.created is not None and storage.has_ended(state.created):
        state.lost = True
        return None
    if not session.dirty and not _is_undated(storage, session):
        yield from _touching(storage, session)
        return None
    key, old_key, base = _begin(storage, session), state.key, state.stored
    values, flash = session.data
    for attempt in range(MAX_ATTEMPTS):
        text = _dump(values, flash, state.created)
        outcome = yield _write(storage, session, key, base, text)
        if outcome.done:
            break
        base = outcome.current
        if attempt % _EAGER == _EAGER - 1:
            yield "pause", (_rest(attempt // _EAGER),)
            base = yield "load", (state.key or key,)  # as it is after the rest
        if base is None:
            state.lost = True
            return None
        if storage.is_live(base):  # somebody came between
            values, flash = _merge(session, base)
    else:
        raise StorageError(f"{storage.location_of(key)}: {MAX_ATTEMPTS} other writers came between; gave up")
    state.key, state.stored = key, outcome.current or Stored(text)
    session.mark_saved(values, flash)
    if session.has_new_id:
        yield from _leaving_old(storage, session, (old_key, key))
    return session.id


def _rest(count: int) -> float:
    """The seconds of a rest, of which there were so many before; by chance, since others rest too."""
    from random import uniform

    return uniform(0, min(_SHORTEST_REST * 2**count, _LONGEST_REST))


def _is_undated(storage: RecordStorage, session: Session) -> bool:
    """Whether the record lacks the time that `lifetime` counts from."""
    state = session._state  # noqa: SLF001
    return storage.lifetime is not None and state.found and state.created is None


def _touching(storage: RecordStorage, session: Session) -> Steps[None]:
    """A clean session is not written, but its idle life begins anew."""
    state = session._state  # noqa: SLF001
    expires_in = storage.new_life(state.created)
    if storage.ttl is not None and expires_in is not None and state.key is not None and state.found:
        state.lost = not (yield "touch", (state.key, expires_in))


def _begin(storage: RecordStorage, session: Session) -> str:
    """See to it that a session can be written; the key to write it under."""
    state = session._state  # noqa: SLF001
    session.collect_changes()
    if storage.lifetime is not None and state.created is None:
        state.created = storage.clock()
    if state.key is None or session.has_new_id:
        return storage.key_for(session.id)
    return state.key


def _write(
    storage: RecordStorage, session: Session, key: str, base: Stored | None, text: bytes
) -> tuple[str, tuple[Any, ...]]:
    """The primitive that writes the record under a key, where `base` is what lies there, or lay under the old one."""
    state = session._state  # noqa: SLF001
    expires_in = storage.new_life(state.created)
    if base is None or state.key is None or state.key == key:
        return "store", (key, base, text, expires_in)
    keep_old = session.delete_id is None or storage.key_of(session.delete_id) != state.key
    return "move", (state.key, base, key, text, expires_in, keep_old)


def _leaving_old(storage: RecordStorage, session: Session, kept: tuple[str | None, str]) -> Steps[None]:
    """After a save under a new ID: delete the one that was to go, where the move has not, and note the new one."""
    state = session._state  # noqa: SLF001
    if session.delete_id is not None and session.delete_id in state.ids:
        state.ids.remove(session.delete_id)
        if storage.key_of(session.delete_id) not in kept:
            yield "delete", (storage.key_of(session.delete_id),)
    if session.id and session.id not in state.ids:
        state.ids.append(session.id)


def _merge(session: Session, current: Stored) -> tuple[dict[str, Any], dict[str, Any]]:
    state = session._state  # noqa: SLF001
    try:
        record = records.parse(current.text)
    except MalformedError:
        return session.data  # what cannot be read cannot be kept
    if record.created is not None:
        state.created = record.created
    if state.stored is None:  # both made it: all that this session has is its own change
        values, flash = session.data
        return {**record.values, **values}, {**record.flash, **flash}
    return session.merged_into(record)


def _dump(values: dict[str, Any], flash: dict[str, Any], created: float | None) -> bytes:
    try:
        return records.dump(values, flash, created)
    except UnicodeEncodeError as error:
        raise UnserializableValueError("", str(error)) from None


def _destroying(storage: RecordStorage, session: Session) -> Steps[str]:
    """Delete every record that this request had: all are tried, and what failed is raised at the end."""
    state = session._state  # noqa: SLF001
    keys = [storage.key_of(session_id) for session_id in state.ids if session_id]
    if state.key is not None and state.key not in keys:
        keys.append(state.key)
    failure: SessionctlError | None = None
    for key in keys:
        try:
            yield "delete", (key,)
        except SessionctlError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return ""


def moving(
    storage: RecordStorage,
    old: str,
    expected: Stored,
    new: str,
    text: bytes,
    expires_in: float | None,
    keep_old: bool,
) -> Steps[Outcome]:
    """What `RecordStorage.move` answers where that is no single step: nothing is left where the old record is gone."""
    current = storage.living((yield "peek", (old,)))
    if current is None or current.text != expected.text:
        return Outcome(False, current)
    if expires_in is None and current.expires_at is not None:  # the new record has the life that was left
        expires_in = max(current.expires_at - storage.clock(), 0.001)
    written = yield "store", (new, None, text, expires_in)
    if keep_old:
        return Outcome(True, written.current)
    outcome = yield "delete", (old, current)
    if outcome.done:
        return Outcome(True, written.current)
    yield "delete", (new,)
    return Outcome(False, outcome.current)


# -- the two drivers ----------------------------------------------------------------------------------


def run(storage: RecordStorage, steps: Steps[T]) -> T:
    """Run a procedure with plain calls, from its beginning or after a pause."""
    try:
        name, arguments = next(steps)
        while True:
            if name == "pause":
                time.sleep(*arguments)
                name, arguments = next(steps)
            try:
                answer = getattr(storage, name)(*arguments)
            except SessionctlError as error:
                name, arguments = steps.throw(error)
            else:
                name, arguments = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def arun(storage: RecordStorage, steps: Steps[T]) -> T:
    """Run a procedure with `await`: the primitive's own twin (`aload`), else a thread, else a plain call.

    What needs a thread goes on in a single one after a pause: others come between on the way back from each.
    """
    try:
        name, arguments = next(steps)
        while True:
            if name == "pause":
                import asyncio

                await asyncio.sleep(*arguments)
                if storage.in_thread and not hasattr(storage, "astore"):
                    return await asyncio.to_thread(run, storage, steps)
                name, arguments = next(steps)
            try:
                answer = await acall(storage, name, arguments)
            except SessionctlError as error:
                name, arguments = steps.throw(error)
            else:
                name, arguments = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def acall(storage: RecordStorage, name: str, arguments: tuple[Any, ...]) -> Any:
    """Await a primitive: its own twin (`aload`), else the plain one in a thread if it waits, else as it is."""
    twin = getattr(storage, f"a{name}", None)
    if twin is not None:
        return await twin(*arguments)
    if storage.in_thread:
        import asyncio

        return await asyncio.to_thread(getattr(storage, name), *arguments)
    return getattr(storage, name)(*arguments)
