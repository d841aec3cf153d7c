"""What a look at a store finds: kinds of faults, how often, and the command that mends each."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from sessionctl.fleet.store import files_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.storage.base import RecordStorage

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

EXAMPLES = 3

AUTH_VARIABLE = "REDISCLI_AUTH"
"""The environment variable in which `redis-cli` looks for a password, and commands that are printed here too."""


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

    def add(self, finding: Finding, example: str | None = None) -> Finding:
        """Note one, or once more one that is known; that of its code."""
        known = self._by_code.setdefault(finding.code, finding)
        if known is not finding:
            known.count += finding.count
        if example is not None and len(known.examples) < EXAMPLES:
            known.examples.append(example)
        return known

    def all(self) -> list[Finding]:
        """The worst first."""
        return sorted(self._by_code.values(), key=lambda finding: SEVERITIES.index(finding.severity))


def unreadable() -> Finding:
    """What could not be looked into: other findings may hide there."""
    return Finding("unreadable", "error", "directories or records that could not be read at all")


def endless(store: RecordStorage) -> Finding:
    """Sessions without an end; to be given one, it has to be known how long they may be idle."""
    return Finding(
        "never-expires",
        "warning",
        "sessions that nothing ends, though the store could: saved without ttl, by another program perhaps",
        command(store, "doctor --fix", **({} if store.ttl is not None else {"ttl": "30d"})),
        fixable=store.ttl is not None and not store.read_only,
    )


def command(store: RecordStorage, words: str, **options: str) -> str | None:
    """The command line that does something to this store, with other options of its URL where they are given.

    None where it would change another framework's store.
    """
    if store.read_only and not words.startswith("list"):
        return None
    return f"sessionctl {words} -s {shlex.quote(url_of(store, **options))}"


def url_of(store: RecordStorage, **changed: str) -> str:
    """The URL that leads to a store from anywhere, with its options; its password has to be in `REDISCLI_AUTH`."""
    files = files_of(store)
    place = store.url.partition("?")[0] if files is None else f"fs:{files.directory}"
    options = {"prefix": getattr(store, "prefix", ""), **store.options}
    options |= {name: _seconds(getattr(store, name)) for name in ("ttl", "lifetime")}
    if store.has_password and not options.keys() & {"password_env", "password_file"}:
        options["password_env"] = AUTH_VARIABLE
    given = [f"{name}={quote(value, safe=':/')}" for name, value in (options | changed).items() if value]
    return f"{place}{'?' if given else ''}{'&'.join(given)}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:f}".rstrip("0").rstrip(".") + "s"


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether there is nothing but notes."""
    return all(finding.severity == "note" for finding in findings)
