"""What a look at a store finds: kinds of faults, how often, and the command that mends each."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.storage.base import RecordStorage

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

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


def unreadable() -> Finding:
    """What could not be looked into: other findings may hide there."""
    return Finding("unreadable", "error", "directories or records that could not be read at all")


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
