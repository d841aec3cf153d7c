"""Which storages hold many sessions, and which of them may be swept."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sessionctl.errors import NotSupportedError, UsageError
from sessionctl.storage.base import RecordStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from sessionctl.errors import SessionctlError
    from sessionctl.storage.base import Entry, SessionStorage
    from sessionctl.storage.file import FileStorage

    OnProblem = Callable[[SessionctlError], object]
    """Told of what cannot be read; the rest goes on."""


def fleet_of(storage: SessionStorage | None) -> RecordStorage:
    """The storage, where it holds sessions that can be listed.

    Raises `UsageError` where there is none, and `NotSupportedError` for `memory:` and `cookie:`.
    """
    if storage is None:
        raise UsageError("no storage; -s URL names one")
    if not isinstance(storage, RecordStorage):
        raise NotSupportedError(f"{storage.scheme}: stores nothing, so there are no sessions to list")
    if storage.scheme == "memory":
        raise NotSupportedError("memory: ends with the process, so there are no sessions to list")
    return storage


def target_of(storage: SessionStorage | None) -> RecordStorage:
    """As `fleet_of`, for what is written to. Raises `NotSupportedError` for another framework's store."""
    store = fleet_of(storage)
    store.check_change()
    return store


def sweepable(storage: SessionStorage | None, *, force: bool = False) -> RecordStorage:
    """As `fleet_of`, for what deletes or changes many sessions at once.

    Raises `UsageError` for an empty prefix, `/`, a home directory, and, unless `force`, for a directory
    that does not look like a session store; `NotSupportedError`, unless `force`, for a server where nothing
    but another framework's sessions lie under the prefix.
    """
    store = fleet_of(storage)
    store.check_sweep()
    if (files := files_of(store)) is not None:
        check_directory(files, force=force, hint="; --force purges it all the same")
    elif not force:
        from sessionctl.fleet.whose import check_owner

        check_owner(store)
    return store


def files_of(store: RecordStorage) -> FileStorage | None:
    """The storage, where it keeps files."""
    if store.scheme != "fs":
        return None
    from sessionctl.storage.file import FileStorage

    return store if isinstance(store, FileStorage) else None


def entries_of(
    store: RecordStorage, on_problem: OnProblem, among: Container[str] | None = None
) -> Iterator[Entry]:
    """Every session of a store; a directory of files that cannot be listed is told, and the rest goes on.

    `among` names the shards to look into, where the store keeps files.
    """
    files = files_of(store)
    return store.scan() if files is None else files.scan(among, on_problem)


def strangers(store: FileStorage) -> list[str]:
    """The names in a store's directory that are no shards. Raises `StorageError`."""
    try:
        names = os.listdir(store.directory)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise store.refused("list", store.directory, error) from None
    return sorted(set(names).difference(store.shards()))


def _homes(directory: str) -> Iterator[str]:
    """The home directories of who runs this, and of who owns a directory."""
    import pwd

    yield os.path.realpath(os.path.expanduser("~"))
    with contextlib.suppress(KeyError, OSError):
        yield os.path.realpath(pwd.getpwuid(os.stat(directory).st_uid).pw_dir)


def check_directory(store: FileStorage, *, force: bool = False, hint: str = "") -> None:
    """Refuse what is surely no session store: nothing is ever deleted by its place alone."""
    if os.path.realpath(store.directory) in ("/", *_homes(store.directory)):
        raise UsageError(f"{store.directory} is no session store: it is the root or a home directory")
    shards, foreign = len(store.shards()), len(strangers(store))
    if foreign > shards and not force:
        raise UsageError(
            f"{store.directory} does not look like a session store: "
            f"{_no_shards(foreign, foreign + shards)}{_whose(store) or hint}"
        )


def _no_shards(foreign: int, count: int) -> str:
    if count == 1:
        return "its only entry is no directory of two hexadecimal digits"
    verb = "is no directory" if foreign == 1 else "are no directories"
    return f"{foreign} of its {count} entries {verb} of two hexadecimal digits"


def _whose(store: FileStorage) -> str:
    from sessionctl.stores.likely import likely_layout, looks_like

    likely = likely_layout(store)
    return "" if likely is None else f"; {looks_like(likely, changes=True)}"
