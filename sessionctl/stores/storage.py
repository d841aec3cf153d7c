"""A store of another framework, opened through a layout: from an ID to the decoded session, read only.

    fs:/var/lib/php/sessions?layout=php
    redis://localhost/0?layout=connect-redis[&prefix=myapp:]

What the layout has several names for (a framework's older and newer keys) is looked for under each.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode

from sessionctl.errors import (
    CorruptRecordError,
    MalformedError,
    NoKeyError,
    NotSupportedError,
    RefusedError,
    SessionctlError,
    UsageError,
)
from sessionctl.formats.base import DEFAULT_MAX_AGE
from sessionctl.session import Session
from sessionctl.signing.keys import KeyRing
from sessionctl.storage.base import Entry, Outcome, RecordStorage, SessionStorage, Stored, earliest, shortened
from sessionctl.stores import layouts
from sessionctl.stores.places import FilePlace, Place, ServerPlace
from sessionctl.stores.registry import read_record
from sessionctl.stores.rules import Rule, letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sessionctl.storage.remote import RemoteStorage
    from sessionctl.stores.base import StoredRecord

_COMMON = ("ttl", "lifetime", "unknown_ids", "on_corrupt", "clock")
"""The options of `RecordStorage`, which a layout takes too."""

_MAX_DEPTH = 8


class LayoutStorage(RecordStorage):
    """Another framework's store. Every change raises `NotSupportedError`.

    `keys` open encrypted records and verify signed ones; `keys_missing` says why they are not there. `max_age`, in
    seconds, replaces the framework's default where it drops sessions by their age.
    """

    scheme = "layout"
    read_only = True

    def __init__(self, layout: layouts.Layout, rule: Rule, place: Place, url: str, **options: Any) -> None:
        super().__init__(**options)
        self.layout = layout
        self.url = url
        self.keys = KeyRing()
        self.keys_missing = ""
        self.max_age: float | None = DEFAULT_MAX_AGE
        self.rule = rule
        self.place = place
        self.expires_itself = place.server is not None

    @property
    def directory(self) -> str | None:
        """The directory below which it lies; None where it lies on a server."""
        return self.place.directory

    # -- reading ------------------------------------------------------------------------------------

    def key_of(self, session_id: str) -> str:
        """The name under which the record of an ID lies; of several the first that is there."""
        session_id.encode()  # raises for what no key can hold
        names = self.rule.names(session_id)
        if len(names) == 1:
            return names[0]
        return next((name for name in names if self.place.load(name) is not None), names[0])

    def names_shown(self, session_id: str) -> list[str]:
        return self.rule.names(session_id, shortened(session_id))

    def ref_of(self, key: str) -> str:
        """The ref of the ID in a key; where only a hash of the ID is there, of that hash."""
        return hashlib.sha256((self.rule.id_of(key) or key).encode(errors="surrogateescape")).hexdigest()[:12]

    def id_of(self, key: str) -> str | None:
        return self.rule.id_of(key)

    def location_of(self, key: str) -> str:
        return f"{self.url}: session {self.ref_of(key)}"

    def load(self, key: str) -> Stored | None:
        """The record's bytes; it expires when the record, its store or its age says so, whichever is first."""
        stored = self.place.load(key)
        if stored is None:
            return None
        try:
            record: StoredRecord | None = self.record_of(key, stored)
        except SessionctlError:  # which reading it tells
            record = None
        by_record = None if record is None else record.expires_at
        return stored._replace(
            expires_at=earliest(stored.expires_at, by_record, self._end_by_age(record, stored.modified_at))
        )

    def _end_by_age(self, record: StoredRecord | None, modified_at: float | None) -> float | None:
        """When the framework drops a file for its age; None where `ttl` was given, or it does not."""
        layout = self.layout
        if self.ttl is not None or layout.max_age is None or modified_at is None:
            return None
        values = record.data if record is not None and isinstance(record.data, dict) else {}
        if layout.own_end is not None and values.get(layout.own_end):
            return None
        limit = layout.max_age if self.max_age == DEFAULT_MAX_AGE else self.max_age
        return None if limit is None else modified_at + limit

    def record_of(self, key: str, stored: Stored, **context: Any) -> StoredRecord:
        """The session in a record; keyword arguments as of `read_record`.

        Raises `CorruptRecordError`; of an encrypted one `NoKeyError` and `BadSignatureError`.
        """
        context.setdefault("keys", self.keys)
        context.setdefault("now", self.clock())
        try:
            return self._with_life(read_record(stored.text, self.layout.record, **context))
        except NoKeyError as error:
            raise (NoKeyError(f"{error}; {self.keys_missing}") if self.keys_missing else error) from None
        except MalformedError as error:
            raise CorruptRecordError(self.location_of(key), f"the record is {error}") from None

    def _with_life(self, record: StoredRecord) -> StoredRecord:
        """A record that ends by the framework's default, with the life that `ttl` or `max_age` gives it instead."""
        if record.default_life is None or record.expires_at is None:
            return record
        life = self.max_age if self.ttl is None else self.ttl
        if life == DEFAULT_MAX_AGE:
            return record
        end = None if life is None else record.expires_at - record.default_life + life
        return record._replace(expires_at=end, default_life=None)

    def ends_by_default(self, record: StoredRecord | None, modified_at: float | None, end: float) -> bool:
        """Whether a record's end is reckoned with the framework's default life, and not what it or its server says."""
        if record is not None and record.default_life is not None:
            return end == record.expires_at
        return self.max_age == DEFAULT_MAX_AGE and end == self._end_by_age(record, modified_at)

    def scan(self) -> Iterator[Entry]:
        for entry in self.place.scan(self.rule):
            if self.rule.id_of(entry.key) is not None:
                yield entry._replace(ref=self.ref_of(entry.key))

    def with_end(self, entry: Entry) -> Entry:
        """A file is read: its session may say when it ends, or that the file's age does not count."""
        if self.expires_itself:
            return entry
        try:
            stored = self.load(entry.key)
        except SessionctlError:  # which reading it tells
            return entry
        return entry if stored is None else entry._replace(expires_at=self.expiry_of(stored))

    def notifications(self, key: str | None = None) -> Any:
        """What tells of changes, as `RedisStorage.notifications`; None where nothing does."""
        return self.place.notifications(self.rule, key)

    def facts(self, key: str | None = None) -> dict[str, Any]:
        layout = f"{self.layout.name} ({self.layout.summary}), read only"
        server = self.place.server
        return {"layout": layout, **({} if server is None else server.facts(key))}

    def servers(self) -> list[dict[str, Any]]:
        server = self.place.server
        return [] if server is None else server.servers()

    def shell_command(self, node: str, *commands: Sequence[str]) -> str:
        server = self.place.server
        return (
            super().shell_command(node, *commands)
            if server is None
            else server.shell_command(node, *commands)
        )

    @property
    def has_password(self) -> bool:
        return self.place.server is not None and self.place.server.has_password

    def session_of(self, session_id: str, key: str, stored: Stored) -> Session:
        record = self.record_of(key, stored)
        if not record.genuine and record.verdict is not None:
            raise RefusedError(f"{self.location_of(key)}: {record.verdict.detail}")
        values = record.data if isinstance(record.data, dict) else {}
        session = Session(session_id, data=(values, record.flash if isinstance(record.flash, dict) else {}))
        state = session._state  # noqa: SLF001 - the storages' side of a session
        state.key, state.stored, state.created, state.found = key, stored, record.issued_at, True
        return session

    # -- not writing --------------------------------------------------------------------------------

    def store(self, *_: Any, **__: Any) -> Outcome:
        self._refuse()

    def touch(self, *_: Any, **__: Any) -> bool:
        self._refuse()

    def delete(self, *_: Any, **__: Any) -> Outcome:
        self._refuse()

    def move(self, *_: Any, **__: Any) -> Outcome:
        self._refuse()

    def check_change(self) -> None:
        self._refuse()

    def check_sweep(self) -> None:
        self._refuse()

    def close(self) -> None:
        self.place.close()

    def _refuse(self) -> NoReturn:
        raise NotSupportedError(f"{self.url}: another framework's store is read, never changed")


def open_layout(storage: SessionStorage, layout: layouts.Layout, **options: Any) -> LayoutStorage:
    """A store of another framework in the place of a storage of ours, which it reads through.

    `prefix` replaces the layout's own, `depth` is how many directories deep PHP's files lie. Raises
    `UsageError`.
    """
    from sessionctl.storage.file import FileStorage

    in_files = isinstance(storage, FileStorage)
    named: dict[str, str] = {name: options.pop(name) for name in ("prefix", "depth") if name in options}
    rule = _adapted(layout.rule(in_files=in_files), named.get("prefix"), named.get("depth"))
    place, url = place_of(storage, options.get("ttl"))
    query = urlencode([("layout", layout.name), *named.items()], safe=":/")
    return LayoutStorage(layout, rule, place, f"{url}?{query}", **options)


def place_of(storage: SessionStorage, ttl: float | None = None) -> tuple[Place, str]:
    """The place of a storage of ours, whoever's records lie there, and its URL. Raises `UsageError`."""
    from sessionctl.storage.file import FileStorage

    if isinstance(storage, FileStorage):
        return FilePlace(storage.directory), f"fs:{storage.directory}"
    return ServerPlace(_server(storage), ttl), storage.url


def usual_layouts(
    storage: SessionStorage, format_name: str, max_age: float | None = DEFAULT_MAX_AGE
) -> Iterator[LayoutStorage]:
    """The stores in which the sessions of a format usually lie, in the place of a storage of ours."""
    if isinstance(storage, RecordStorage) and storage.scheme != "memory" and not storage.read_only:
        for layout in layouts.usual(format_name, in_files=storage.scheme == "fs"):
            opened = open_layout(storage, layout, clock=storage.clock)
            opened.max_age = max_age
            yield opened


def from_url(scheme: str, location: str, *, factory: Any, **options: Any) -> LayoutStorage:
    """The store of a URL with `layout=NAME`: `factory` makes the storage of its scheme, as `open_storage`."""
    layout = layouts.get(options.pop("layout"), scheme)
    own = {name: options.pop(name) for name in ("prefix", "depth") if name in options}
    common = {name: options.pop(name) for name in _COMMON if name in options}
    storage = factory(location, **options)
    storage.url = storage.url or f"{scheme}:{location}"
    storage.options = {name: value for name, value in options.items() if isinstance(value, str)}
    return open_layout(storage, layout, **own, **common)


def _server(storage: SessionStorage) -> RemoteStorage:
    from sessionctl.storage.remote import RemoteStorage

    if not isinstance(storage, RemoteStorage):
        raise UsageError("a layout goes with fs:DIR, redis: and its kin, and memcached:")
    return storage


def _adapted(rule: Rule, prefix: str | None, depth: str | None) -> Rule:
    if prefix is not None:
        rule = rule._replace(prefixes=(prefix,))
    if depth is None:
        return rule
    if not (depth.isascii() and depth.isdigit() and int(depth) <= _MAX_DEPTH):
        raise UsageError(f"depth is a number of directories, at most {_MAX_DEPTH}")
    return rule._replace(depth=int(depth), folders=letters(int(depth), rule.prefixes[0]))
