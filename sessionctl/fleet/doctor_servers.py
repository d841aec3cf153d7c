"""What is wrong with the Redis or Memcached servers that hold sessions: they may forget them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.errors import CorruptRecordError, StorageError
from sessionctl.fleet.findings import Finding, Findings, endless
from sessionctl.storage.base import created_in

if TYPE_CHECKING:
    from sessionctl.fleet.store import OnProblem
    from sessionctl.storage.base import Entry, RecordStorage

_NEVER = "noeviction"
_MIB = 1 << 20


def examine_server(store: RecordStorage, findings: Findings) -> None:
    """Ask each server about itself. What it does not tell, or forbids to ask, is not judged."""
    for facts in store.servers():
        _examine(store, facts, findings)


def _examine(store: RecordStorage, facts: dict[str, Any], findings: Findings) -> None:
    policy = facts.get("maxmemory_policy")
    if policy is not None and policy != _NEVER:
        mend = _set(store, facts, "maxmemory-policy", _NEVER)
        _add(findings, _may_evict(str(policy), bounded=bool(facts.get("maxmemory"))), facts, mend)
    if facts.get("evicted"):
        message = "it has thrown sessions away to make room: their users were logged out; give it more memory"
        finding = Finding("evicted", "warning", message, count=int(facts["evicted"]))
        _add(findings, finding, facts, _more_memory(store, facts))
    if facts.get("persistent") is False:
        message = "it keeps nothing on disk: a restart logs everybody out"
        mend = _set(store, facts, "appendonly", "yes")
        _add(findings, Finding("not-persistent", "warning", message), facts, mend)


def _add(findings: Findings, finding: Finding, facts: dict[str, Any], mend: str) -> None:
    """Note it of one server; the command mends it on all of which it was noted."""
    known = findings.add(finding, facts["node"])
    known.command = mend if known.command is None else f"{known.command} && {mend}"


def _may_evict(policy: str, *, bounded: bool) -> Finding:
    message = f"its maxmemory-policy is {policy}: when memory is short it throws sessions away"
    if not bounded:
        message += " (no maxmemory is set, so not yet)"
    return Finding("may-evict", "warning" if bounded else "note", message)


def _set(store: RecordStorage, facts: dict[str, Any], name: str, value: str, *more: list[str]) -> str:
    """Set it, and where the server has a configuration file, have it there after a restart too."""
    rewrite = [["CONFIG", "REWRITE"]] if facts.get("config_file") else []
    return store.shell_command(facts["node"], ["CONFIG", "SET", name, value], *more, *rewrite)


def _more_memory(store: RecordStorage, facts: dict[str, Any]) -> str:
    """Twice as much, and counting begins anew."""
    memory = 2 * int(facts.get("maxmemory") or 0)
    if "max_item" in facts:  # Memcached
        return store.shell_command(facts["node"], ["cache_memlimit", str(memory // _MIB)], ["stats", "reset"])
    reset = ["CONFIG", "RESETSTAT"]
    if not memory:  # it has been given all there is
        return store.shell_command(facts["node"], reset)
    return _set(store, facts, "maxmemory", str(memory), reset)


# -- mending ------------------------------------------------------------------------------------------


def fix_records(store: RecordStorage, on_problem: OnProblem) -> list[Finding]:
    """Give sessions without an end the idle life that the store's `ttl` says, as their next use would."""
    done = Findings()
    if store.ttl is None or store.read_only:
        return []
    for entry in store.scan():
        if entry.expires_at is None:
            try:
                _end(store, entry, done)
            except (StorageError, CorruptRecordError) as error:
                on_problem(error)
    return done.all()


def _end(store: RecordStorage, entry: Entry, done: Findings) -> None:
    stored = store.peek(entry.key)
    life = None if stored is None else store.new_life(created_in(stored.text))
    if stored is not None and stored.expires_at is None and life is not None and store.touch(entry.key, life):
        done.add(endless(store))
