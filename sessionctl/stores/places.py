"""Where the records of another framework lie: files below a directory, or keys of a server."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Protocol

from sessionctl.errors import NotSupportedError
from sessionctl.storage.base import Entry, Stored
from sessionctl.stores.files import Files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.storage.remote import RemoteStorage
    from sessionctl.stores.rules import Rule


class Place(Protocol):
    """It reads one record by its name, and lists them."""

    @property
    def server(self) -> RemoteStorage | None:
        """This package's storage of the server, where it is one."""

    @property
    def directory(self) -> str | None:
        """Where the files are; None on a server."""

    def load(self, key: str) -> Stored | None:
        """The record, or None where there is none. Raises `CorruptRecordError` and `StorageError`."""

    def scan(self, rule: Rule) -> Iterator[Entry]:
        """What may be records, each under its name; `ref` is left empty. Raises `StorageError`."""

    def notifications(self, rule: Rule, key: str | None) -> Any:
        """What tells of changes to a key, or to all; None where nothing does."""

    def close(self) -> None:
        """Give back connections."""


class FilePlace:
    """Files below a directory."""

    server = None

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._files = Files(directory)

    def load(self, key: str) -> Stored | None:
        """A file's content and time."""
        return self._files.load(key)

    def scan(self, rule: Rule) -> Iterator[Entry]:
        """Every regular file, as deep as the rule says."""
        for path, info in self._files.scan(rule.depth):
            yield Entry(path, "", info.st_size, info.st_mtime)

    def notifications(self, rule: Rule, key: str | None) -> None:
        """Nothing does."""

    def close(self) -> None:
        """Nothing is kept open."""


class ServerPlace:
    """Keys of a server, through this package's own storage for it, whose connections it shares.

    `ttl` is the idle life that the framework gives, by which the server's expiry tells the last save.
    """

    directory = None

    def __init__(self, storage: RemoteStorage, ttl: float | None = None) -> None:
        self._storage = copy.copy(storage)
        self._storage.ttl = ttl
        self.server = storage

    def load(self, key: str) -> Stored | None:
        """A value and what is left of its life."""
        return self._storage.peek(key)

    def scan(self, rule: Rule) -> Iterator[Entry]:
        """Every key that begins with a prefix of the rule. Raises `NotSupportedError` on Memcached."""
        if self._storage.scheme == "memcached":  # whose scan knows keys of ours alone
            raise NotSupportedError("the sessions of another framework on Memcached cannot be listed")
        for prefix in rule.prefixes:
            self._storage.prefix = prefix
            yield from self._storage.scan()

    def notifications(self, rule: Rule, key: str | None) -> Any:
        """What tells of changes; None where nothing does."""
        found = getattr(self._storage, "notifications", None)
        return None if found is None else found(key, rule.prefixes)

    def close(self) -> None:
        """Close the connections."""
        self._storage.close()
