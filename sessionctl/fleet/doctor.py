"""What is wrong with a store: each finding says what it means and which command mends it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from sessionctl import records
from sessionctl.errors import SessionctlError, StorageError
from sessionctl.fleet.findings import Finding, Findings, command, endless, unreadable
from sessionctl.fleet.select import batches, read
from sessionctl.fleet.store import check_directory, entries_of, files_of, fleet_of
from sessionctl.stores.likely import likely_layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.fleet.select import Found
    from sessionctl.fleet.store import OnProblem
    from sessionctl.records import Record
    from sessionctl.storage.base import Entry, RecordStorage, SessionStorage
    from sessionctl.stores.likely import Likely

OVERSIZE = 1 << 20
"""Bytes over which a session is too large: no default Memcached takes it, and every request reads it."""

MOST_DROPPED = 5
"""How many values of a session are named at the most, of those that make it too large."""


def examine(storage: SessionStorage | None, *, on_problem: OnProblem | None = None) -> list[Finding]:
    """Look a store through; changes nothing. No finding but notes means that it is sound.

    What cannot be looked into is told to `on_problem` and found `unreadable`; the rest goes on.
    Raises `UsageError`, `NotSupportedError`, and `StorageError` where the store cannot be listed.
    """
    store, findings = fleet_of(storage), Findings()
    files = files_of(store)

    def fail(error: SessionctlError) -> None:
        known = findings.add(unreadable(), str(error))
        if files is not None and isinstance(error.__cause__, PermissionError):
            from sessionctl.fleet.doctor_files import unreadable_files

            known.command = unreadable_files(files)
        if on_problem is not None and isinstance(error, StorageError):
            on_problem(error)

    if files is not None:
        check_directory(files)
        from sessionctl.fleet.doctor_files import examine_files

        examine_files(files, findings, fail)
    else:
        from sessionctl.fleet.doctor_servers import examine_server

        examine_server(store, findings)
    likely = likely_layout(store)
    if likely is not None and (likely.prefix is None or files is None):  # of files it has been told
        findings.add(_others_here(store, likely))
    for batch in batches(entries_of(store, _told_already)):
        _examine_records(store, batch, findings, fail, others=likely is not None)
    return findings.all()


def _others_here(store: RecordStorage, likely: Likely) -> Finding:
    if likely.prefix is not None and not likely.layout:
        message = "no session under this prefix, but under another; the command lists them"
        mend = command(store, "list", prefix=likely.prefix)
        return Finding("other-prefix", "note", message, mend, count=likely.entries)
    message = f"another framework's sessions, of {likely.layout}: they are read with ?layout=, never changed"
    mend = command(store, "list", layout=likely.layout, prefix=likely.prefix or "", ttl="", lifetime="")
    return Finding("other-framework", "note", message, mend, count=likely.entries)


def _told_already(error: SessionctlError) -> None:
    """A directory that cannot be listed, which the look at the files has told."""


def fix(storage: SessionStorage | None, *, on_problem: OnProblem | None = None) -> list[Finding]:
    """Mend what can be mended without losing anything; what was mended. `on_problem` is told of what cannot be."""
    store = fleet_of(storage)
    files = files_of(store)
    if files is None:
        from sessionctl.fleet.doctor_servers import fix_records

        return fix_records(store, on_problem or _told_already)
    check_directory(files)
    from sessionctl.fleet.doctor_files import fix_files

    return fix_files(files, on_problem or _told_already)


def _examine_records(
    store: RecordStorage, batch: list[Entry], findings: Findings, fail: OnProblem, *, others: bool
) -> None:
    """Judge what is stored; of a place that is `others'`, no record that only they can read."""
    now = store.clock()
    for entry, stored in zip(batch, store.peek_many([entry.key for entry in batch]), strict=True):
        if isinstance(stored, SessionctlError):
            fail(stored)
        elif stored is not None:
            found = read(store, entry.key, stored)
            if others and found.problem is not None:
                continue
            for finding in _of_record(store, found, now):
                findings.add(finding, f"session {entry.ref}")


def _of_record(store: RecordStorage, found: Found, now: float) -> Iterator[Finding]:
    entry = found.entry
    if found.problem is not None:
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
            f"sessions of more than {OVERSIZE} bytes, which every request reads whole; its largest values could go",
            command(store, _smaller(entry, found.record)),
        )
    if entry.expires_at is None and (store.ttl is not None or store.expires_itself):
        yield endless(store)
    elif entry.expires_at is not None and entry.expires_at <= now:
        yield Finding(
            "expired",
            "note",
            "sessions that have expired and still take room",
            command(store, "purge --expired"),
        )


def _smaller(entry: Entry, record: Record | None) -> str:
    """What drops the largest values of a session until the rest is small enough, or shows the large sessions."""
    over, keys = entry.size - OVERSIZE, []
    for key, size in records.largest({} if record is None else record.values, {}, count=MOST_DROPPED):
        if over > 0:
            keys.append(key)
            over -= size
    if over > 0 or any(key.startswith("-") for key in keys):
        return "list --sort -size --limit 10"
    return shlex.join(["unset", "--ref", entry.ref, *keys])
