"""`Session`: an ID, values, and flash data that live for one request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from sessionctl import jsontext, records
from sessionctl.errors import SessionDestroyedError, UnserializableValueError

Data = tuple[dict[str, Any], dict[str, Any]]
"""What a session holds: its values, and the flash for the next request."""

_SCALARS = frozenset({str, bool})
_CONTAINERS = (list, dict)


def create_session_id() -> str:
    """A new session ID: 256 random bits in 43 URL-safe characters, never one that begins with `-`.

    A leading hyphen would make it an option where it stands on a command line.
    """
    import secrets

    while True:
        session_id = secrets.token_urlsafe(32)
        if session_id[0] != "-":
            return session_id


class Session(MutableMapping[str, Any]):
    """One visitor's session during one request.

    `data` is `(values, flash)`, the flash being that of this request. A value hides a flash of the same
    key. Reading is also a mapping's: `session["key"]`, `in`, `len`, iteration.

    Values are what JSON keeps exactly: `None`, `bool`, `int` up to 2**53, `float`, `str`, lists and dicts
    with `str` keys of these. Anything else raises `UnserializableValueError`, which names the key. After
    `destroy`, reading finds nothing and changing raises `SessionDestroyedError`.
    """

    # What few requests change stands here, so that none has to begin by setting it: a session is made for each.
    _delete_id: str | None = None
    _destroyed = False
    _dirty = False

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 - the field's own word
        *,
        data: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
    ) -> None:
        if id is None:
            self._id = self._original_id = create_session_id()
            self._state = StoredState([])
        else:
            self._id = self._original_id = id
            self._state = StoredState([id])
        values, flash = data or ({}, {})
        self._values: dict[str, Any] = dict(values)
        self._dropping: dict[str, Any] = dict(flash)
        self._flash = self._dropping
        self._next: dict[str, Any] = {}
        self._changed: dict[str, None] = {}
        self._flashed: dict[str, None] = {}
        self._seen: dict[str, str] = {}
        if flash:
            self._dirty = True

    # -- state --------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The ID, a new one after `regenerate_id`."""
        return self._id

    @property
    def has_new_id(self) -> bool:
        """Whether `regenerate_id` was called."""
        return self._id != self._original_id

    @property
    def data(self) -> Data:
        """`(values, flash for the next request)` as a save would write them; empty once destroyed."""
        return ({}, {}) if self._destroyed else (dict(self._values), dict(self._next))

    @property
    def flashed(self) -> dict[str, Any]:
        """The flash of this request: what the one before left."""
        return {} if self._destroyed else dict(self._flash)

    @property
    def size(self) -> int:
        """How many values and flash messages there are."""
        return 0 if self._destroyed else len(self._values) + len(self._flash)

    @property
    def dirty(self) -> bool:
        """Whether a save has something to write: a change, a change inside a list or dict, or flash to drop."""
        return self._dirty or (bool(self._seen) and bool(self._mutated()))

    @property
    def destroyed(self) -> bool:
        """Whether `destroy` was called."""
        return self._destroyed

    @property
    def delete_id(self) -> str | None:
        """The ID whose record the next save deletes, after `regenerate_id(True)`."""
        return self._delete_id

    @property
    def is_new(self) -> bool:
        """Whether no stored session was read."""
        return not self._state.found

    @property
    def created_at(self) -> float | None:
        """When it was made, in Unix seconds, where a storage with `lifetime` keeps that."""
        return self._state.created

    @property
    def lost(self) -> bool:
        """Whether a save found that the session was ended elsewhere meanwhile."""
        return self._state.lost

    # -- reading ------------------------------------------------------------------------------------

    def get(self, key: str, default: Any = None) -> Any:
        """The value, else this request's flash, else the default."""
        if self._destroyed:
            return default
        value = self._values.get(key)
        if value is None:
            return self._flash.get(key, default)
        if type(value) in _CONTAINERS and key not in self._seen:
            self._seen[key] = jsontext.dumps(value)
        return value

    def has(self, key: str) -> bool:
        """Whether there is a value or a flash message of that name."""
        return not self._destroyed and (key in self._values or key in self._flash)

    def __getitem__(self, key: str) -> Any:
        if not self.has(key):
            raise KeyError(key)
        return self.get(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.has(key)

    def __iter__(self) -> Iterator[str]:
        return iter(()) if self._destroyed else iter({**self._values, **self._flash})

    def __len__(self) -> int:
        return 0 if self._destroyed else len(self._values.keys() | self._flash.keys())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        state = "destroyed" if self._destroyed else f"{len(self._values)} values, {len(self._flash)} flash"
        return f"<Session {state}>"

    # -- changing -----------------------------------------------------------------------------------

    def set(self, key: str, value: Any) -> None:
        """Set a value; None unsets it."""
        if self._destroyed:
            raise SessionDestroyedError
        if value is None:
            self.unset(key)
            return
        if type(value) not in _SCALARS:
            jsontext.check(value, key)
        if type(key) is not str:
            raise UnserializableValueError(repr(key)[:80], "a key is not text")
        self._values[key] = value
        self._changed[key] = None
        self._dirty = True

    def unset(self, key: str) -> None:
        """Remove a value, where there is one. Flash stays."""
        self._check()
        self._values.pop(key, None)
        self._changed[key] = None
        self._dirty = True

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def __delitem__(self, key: str) -> None:
        self._check()
        if key in self._values:
            self.unset(key)
        elif key in self._flash:
            self._flash = {name: value for name, value in self._flash.items() if name != key}
        else:
            raise KeyError(key)

    def clear(self) -> None:
        """Unset every value. Flash stays."""
        self._check()
        for key in list(self._values):
            self.unset(key)

    def flash(self, key: str, value: Any) -> None:
        """Leave a message for the next request, and only for that."""
        self._check()
        jsontext.check(value, key)
        if type(key) is not str:
            raise UnserializableValueError(repr(key)[:80], "a key is not text")
        self._next[key] = value
        self._flashed[key] = None
        self._dirty = True

    def keep(self, *keys: str) -> None:
        """Carry this request's flash over to the next: the keys named, or all of it."""
        self._check()
        for key in keys or tuple(self._flash):
            if key in self._flash and key not in self._next:
                self._next[key] = self._flash[key]
                self._flashed[key] = None

    def mark_dirty(self) -> None:
        """Have the next save write this session, though nothing in it changed."""
        self._check()
        self._dirty = True

    def regenerate_id(self, delete_old: bool = False) -> None:
        """Take a new ID, as at every change of privilege; the old record stays unless `delete_old`."""
        self._check()
        if delete_old:
            self._delete_id = self._original_id
        self._id = create_session_id()
        self._dirty = True

    def destroy(self) -> None:
        """End the session: the next save deletes every record that this request had."""
        self._destroyed = True

    def _check(self) -> None:
        if self._destroyed:
            raise SessionDestroyedError

    # -- what storages ask --------------------------------------------------------------------------

    def _mutated(self) -> list[str]:
        """The keys of lists and dicts that `get` gave out and that were changed in place since."""
        return [key for key, text in self._seen.items() if key in self._values and self._differs(key, text)]

    def _differs(self, key: str, text: str) -> bool:
        try:
            return jsontext.dumps(self._values[key]) != text
        except UnserializableValueError:  # `collect_changes` says where
            return True

    def collect_changes(self) -> None:
        """Take what was changed in place into the changes, and check all of them.

        Raises `UnserializableValueError` for what a list or dict was given since.
        """
        if self._seen:
            self._changed.update(dict.fromkeys(self._mutated()))
        values = self._values
        if not self._state.found:  # `data` came from the caller, unchecked
            for key, value in values.items():
                jsontext.check(value, key)
        for key in self._changed:
            value = values.get(key)
            if type(value) in _CONTAINERS:  # what else there is was checked when it was set
                jsontext.check(value, key)
        for key in self._flashed:
            jsontext.check(self._next[key], f"flash.{key}")

    def merged_into(self, current: records.Record) -> Data:
        """The values and flash of a record that another request has changed, with this one's own changes.

        The last writer wins on a key that both set. A flash message is dropped only if it still is the one
        that this request read.
        """
        values = dict(current.values)
        for key in self._changed:
            if key in self._values:
                values[key] = self._values[key]
            else:
                values.pop(key, None)
        flash = {
            key: value
            for key, value in current.flash.items()
            if key not in self._dropping or not records.same(value, self._dropping[key])
        }
        flash.update({key: self._next[key] for key in self._flashed})
        return values, flash

    def mark_saved(self, values: dict[str, Any], flash: dict[str, Any]) -> None:
        """Note what was written: a further save of this object starts from there."""
        self._values, self._next = values, flash
        self._changed, self._flashed, self._dropping = {}, {}, {}
        if self._seen:
            self._seen = {key: jsontext.dumps(values[key]) for key in self._seen if key in values}
        self._dirty = True  # as in Remix: what was saved once is answered with its cookie again


class StoredState:
    """What a storage remembers about a session between its read and its save.

    `ids` are those under which a record may lie, `key` and `stored` the record that was read or written
    last, `created` the time that `lifetime` counts from.
    """

    key: str | None = None
    stored: Any = None
    created: float | None = None
    found = False
    lost = False

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
