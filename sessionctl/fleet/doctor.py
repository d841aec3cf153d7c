"""What is wrong with a store: each finding says what it means and which command mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.errors import SessionctlError, StorageError
from sessionctl.fleet.findings import Finding, Findings, command, unreadable
from sessionctl.fleet.select import batches, read
from sessionctl.fleet.store import check_directory, entries_of, files_of, fleet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.fleet.store import OnProblem
    from sessionctl.storage.base import Entry, RecordStorage, SessionStorage

OVERSIZE = 1 << 20
"""Bytes over which a session is too large: no default Memcached takes it, and every request reads it."""


def examine(storage: SessionStorage | None, *, on_problem: OnProblem | None = None) -> list[Finding]:
    """Look a store through; changes nothing. No finding but notes means that it is sound.

    What cannot be looked into is told to `on_problem` and found `unreadable`; the rest goes on.
    Raises `UsageError`, `NotSupportedError`, and `StorageError` where the store cannot be listed.
    """
    store, findings = fleet_of(storage), Findings()

    def fail(error: SessionctlError) -> None:
        findings.add(unreadable(), str(error))
        if on_problem is not None and isinstance(error, StorageError):
            on_problem(error)

    files = files_of(store)
    if files is not None:
        check_directory(files)
        from sessionctl.fleet.doctor_files import examine_files

        examine_files(files, findings, fail)
    else:
        from sessionctl.fleet.doctor_servers import examine_server

        examine_server(store, findings)
    for batch in batches(entries_of(store, _told_already)):
        _examine_records(store, batch, findings, fail)
    return findings.all()


def _told_already(error: SessionctlError) -> None:
    """A directory that cannot be listed, which the look at the files has told."""


def fix(storage: SessionStorage | None, *, on_problem: OnProblem | None = None) -> list[Finding]:
    """Mend what can be mended without losing anything; what was mended. `on_problem` is told of what cannot be."""
    files = files_of(fleet_of(storage))
    if files is None:
        return []
    check_directory(files)
    from sessionctl.fleet.doctor_files import fix_files

    return fix_files(files, on_problem or _told_already)


def _examine_records(store: RecordStorage, batch: list[Entry], findings: Findings, fail: OnProblem) -> None:
    now = store.clock()
    for entry, stored in zip(batch, store.peek_many([entry.key for entry in batch]), strict=True):
        if isinstance(stored, SessionctlError):
            fail(stored)
        elif stored is not None:
            found = read(store, entry.key, stored)
            for finding in _of_record(store, found.entry, found.problem, now):
                findings.add(finding, f"session {entry.ref}")


def _of_record(store: RecordStorage, entry: Entry, problem: str | None, now: float) -> Iterator[Finding]:
    if problem is not None:
        yield Finding(
            "corrupt",
            "error",
            "records that cannot be read: torn by a crash, or written by another program; their users get an error",
            command(store, "destroy --corrupt"),
        )
    if entry.size > OVERSIZE:
        yield Finding(
            "oversize",
            "warning",
            f"sessions of more than {OVERSIZE} bytes, which every request reads whole",
            command(store, "list --sort -size --limit 10 --data"),
        )
    if entry.expires_at is None and (store.ttl is not None or store.expires_itself):
        yield Finding(
            "never-expires",
            "warning",
            "sessions that nothing ends, though the store could: saved without ttl, by another program perhaps",
            command(store, "list --sort expires_at"),
        )
    elif entry.expires_at is not None and entry.expires_at <= now:
        yield Finding(
            "expired",
            "note",
            "sessions that have expired and still take room",
            command(store, "purge --expired"),
        )
