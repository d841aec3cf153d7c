"""A process of a purge by several: `purge_jobs` starts it, and says how the two talk."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import time
from typing import TYPE_CHECKING, Any

from sessionctl.fleet.purge_files import Sweep, sweep_shard
from sessionctl.fleet.select import Judge, Selection
from sessionctl.fleet.sweep import Plan, Purged
from sessionctl.fleet.where import Condition
from sessionctl.storage.file import FileStorage

if TYPE_CHECKING:
    from collections.abc import Iterator


def main() -> None:
    """Do what standard input says until it ends; whoever started this and is gone is told nothing more."""
    with contextlib.suppress(BrokenPipeError):
        _Worker(json.loads(sys.stdin.buffer.readline())).work()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(0)


TELL_EVERY = 0.05
"""Seconds between two answers, where nobody waits for one: an answer costs as much as twenty files."""


class _Worker:
    def __init__(self, task: dict[str, Any]) -> None:
        self.sweep = Sweep(_store(task), _plan(task), Purged())
        self.limited: bool = task["limited"]
        self.rate: float | None = task["rate"]
        self.scanned = 0
        self.start = self.told = time.monotonic()
        self.input = select.poll()
        self.input.register(sys.stdin, select.POLLIN)

    def work(self) -> None:
        """Delete a shard after the other."""
        self.tell({"done": True})
        for shard in self.lines():
            for _ in sweep_shard(self.sweep, shard, self.may_go_on):
                if self.limited or self.sweep.matches or time.monotonic() >= self.told + TELL_EVERY:
                    self.report(done=False)
                if self.is_over():
                    break
            self.report(done=True)

    def lines(self) -> Iterator[str]:
        """What the other process says; it says nothing that was not asked for."""
        while line := sys.stdin.buffer.readline():
            yield line.decode().rstrip("\n")

    def may_go_on(self, count: int) -> bool:
        """Ask how many of a batch may go, where there is a limit; false where it was reached."""
        if not self.limited:
            return True
        self.tell({"ask": count})
        allowed = int(next(self.lines(), "0"))
        self.sweep.plan = self.sweep.plan._replace(limit=allowed)
        return allowed > 0

    def is_over(self) -> bool:
        """Wait as the rate asks; whether the other process wants no more, or is gone."""
        pause = 0.0
        if self.rate is not None:
            scanned = self.scanned + self.sweep.result.scanned
            pause = max(0.0, scanned / self.rate - (time.monotonic() - self.start))
        return bool(self.input.poll(1000 * pause))

    def report(self, *, done: bool) -> None:
        """Tell what was done since the last time."""
        sweep, result = self.sweep, self.sweep.result
        self.told = time.monotonic()
        self.scanned += result.scanned
        self.tell({"counts": result.counts(), "matches": sweep.matches, "done": done})
        sweep.result = Purged()
        if sweep.matches:
            sweep.matches.clear()

    def tell(self, message: dict[str, Any]) -> None:
        """Answer with a line."""
        os.write(sys.stdout.fileno(), f"{json.dumps(message)}\n".encode())


def _store(task: dict[str, Any]) -> FileStorage:
    ahead = task["clock"] - time.time()
    names = ("prefix", "ttl", "lifetime", "lock_timeout")
    options = {name: task[name] for name in names}
    return FileStorage(task["directory"], clock=lambda: time.time() + ahead, **options)


def _plan(task: dict[str, Any]) -> Plan:
    selection = Selection(
        older_than=task["older_than"],
        expired=task["expired"],
        where=tuple(Condition(*one) for one in task["where"]),
    )
    return Plan(
        Judge(_store(task), selection, task["now"]),
        dry_run=task["dry_run"],
        batch=task["batch"],
        empty_dirs=task["empty_dirs"],
        matches=[] if task["matches"] else None,
    )
