"""What is wrong with a Redis or Memcached that holds sessions: it may forget them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.fleet.findings import Finding, Findings

if TYPE_CHECKING:
    from sessionctl.storage.base import RecordStorage

_NEVER = "noeviction"


def examine_server(store: RecordStorage, findings: Findings) -> None:
    """Ask the server about itself. What it does not tell, or forbids to ask, is not judged."""
    facts = store.facts()
    policy = facts.get("maxmemory_policy")
    if policy is not None and policy != _NEVER:
        findings.add(_may_evict(str(policy), bounded=bool(facts.get("maxmemory"))))
    if facts.get("evicted"):
        message = "it has thrown sessions away to make room: their users were logged out; give it more memory"
        finding = Finding("evicted", "warning", message)
        finding.count = int(facts["evicted"])
        findings.add(finding)
    if facts.get("persistent") is False:
        message = "it keeps nothing on disk: a restart logs everybody out"
        findings.add(Finding("not-persistent", "warning", message, "redis-cli CONFIG SET appendonly yes"))


def _may_evict(policy: str, *, bounded: bool) -> Finding:
    message = f"its maxmemory-policy is {policy}: when memory is short it throws sessions away"
    if not bounded:
        message += " (no maxmemory is set, so not yet)"
    mend = f"redis-cli CONFIG SET maxmemory-policy {_NEVER}"
    return Finding("may-evict", "warning" if bounded else "note", message, mend)
