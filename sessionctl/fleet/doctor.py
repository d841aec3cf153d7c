"""What is wrong with a store: each finding says what it means and which command mends it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from sessionctl.errors import SessionctlError
from sessionctl.fleet.select import batches, read
from sessionctl.fleet.store import check_directory, files_of, fleet_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sessionctl.storage.base import Entry, RecordStorage, SessionStorage

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

OVERSIZE = 1 << 20
"""Bytes over which a session is too large: no default Memcached takes it, and every request reads it."""

EXAMPLES = 3


@dataclass(slots=True)
class Finding:
    """One kind of fault, with how often it was found. `fixable`: `fix` can mend it without losing anything."""

    code: str
    severity: Severity
    message: str
    command: str | None = None
    fixable: bool = False
    count: int = 1
    examples: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the command."""
        return {name: getattr(self, name) for name in self.__slots__}


class Findings:
    """What was found so far: one `Finding` a code, in the order of severity."""

    def __init__(self) -> None:
        self._by_code: dict[str, Finding] = {}

    def add(self, finding: Finding, example: str | None = None) -> None:
        """Note one, or once more one that is known."""
        known = self._by_code.setdefault(finding.code, finding)
        if known is not finding:
            known.count += finding.count
        if example is not None and len(known.examples) < EXAMPLES:
            known.examples.append(example)

    def all(self) -> list[Finding]:
        """The worst first."""
        return sorted(self._by_code.values(), key=lambda finding: SEVERITIES.index(finding.severity))


def examine(storage: SessionStorage | None) -> list[Finding]:
    """Look a store through; changes nothing. No finding but notes means that it is sound.

    Raises `UsageError`, `NotSupportedError`, and `StorageError` where the store cannot be listed.
    """
    store, findings = fleet_of(storage), Findings()
    files = files_of(store)
    if files is not None:
        check_directory(files)
        from sessionctl.fleet.doctor_files import examine_files

        examine_files(files, findings)
    else:
        from sessionctl.fleet.doctor_servers import examine_server

        examine_server(store, findings)
    for batch in batches(store.scan()):
        _examine_records(store, batch, findings)
    return findings.all()


def fix(storage: SessionStorage | None) -> list[Finding]:
    """Mend what can be mended without losing anything; what was mended."""
    files = files_of(fleet_of(storage))
    if files is None:
        return []
    check_directory(files)
    from sessionctl.fleet.doctor_files import fix_files

    return fix_files(files)


def _examine_records(store: RecordStorage, batch: list[Entry], findings: Findings) -> None:
    now = store.clock()
    for entry, stored in zip(batch, store.peek_many([entry.key for entry in batch]), strict=True):
        if isinstance(stored, SessionctlError):
            findings.add(_unreadable(), str(stored))
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


def _unreadable() -> Finding:
    return Finding("unreadable", "error", "records that could not be read at all")


def command(store: RecordStorage, words: str) -> str:
    """The command line that does something to this store."""
    return f"sessionctl {words} -s {shlex.quote(url_of(store))}"


def url_of(store: RecordStorage) -> str:
    """The URL of a store with the options that say which sessions are meant."""
    options: dict[str, Any] = {"prefix": getattr(store, "prefix", "")}
    options |= {name: _seconds(getattr(store, name)) for name in ("ttl", "lifetime")}
    given = [f"{name}={quote(str(value), safe=':')}" for name, value in options.items() if value]
    return f"{store.url}{'?' if given else ''}{'&'.join(given)}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:f}".rstrip("0").rstrip(".") + "s"


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether there is nothing but notes."""
    return all(finding.severity == "note" for finding in findings)
