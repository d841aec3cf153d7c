"""A purge of files by several processes: this one deals the shards out and counts, `purge_worker` deletes.

A worker is a new interpreter, not a fork: whoever purges may have threads. It gets what to do on its standard
input, a line at a time and only when it asks, and answers with a line now and then:

    this process                                        a worker
    module search path; the store and what is meant  ->
                                                     <- {"done": true}                 ready for a shard
    3f                                               ->
                                                     <- {"ask": 256}                   with a limit alone
    256                                              ->
                                                     <- {"counts": {...}, "matches": [...], "done": false}
                                                     ...

The end of its input is the end of a worker, after its batch: so it is once there are no more shards, on Ctrl-C,
and where this process is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections import deque
from typing import IO, TYPE_CHECKING, Any, cast

from sessionctl.errors import StorageError, UsageError
from sessionctl.fleet.store import strangers
from sessionctl.fleet.sweep import Purged
from sessionctl.storage.base import Entry
from sessionctl.storage.file import FileStorage

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from sessionctl.fleet.sweep import Plan

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); "
    "from sessionctl.fleet.purge_worker import main; main()"
)
_READ = 1 << 16
_BREATH = 0.2
"""Seconds after which a run looks whether it is to end, though no process has answered."""


def sweep_by_jobs(
    store: FileStorage, plan: Plan, result: Purged, jobs: int, rate: float | None
) -> Generator[None]:
    """Delete the files that are meant by so many processes; stops for breath when one answers or none does for a while.

    Closing it ends the processes, and counts what they did until then. A process that dies is told, and the
    others go on. Raises `StorageError` where none can be started, before anything was deleted.
    """
    if type(store) is not FileStorage:
        raise UsageError("--jobs is for the files of fs: alone")
    for name in strangers(store):
        result.see_foreign(f"{store.directory}/{name}")
    shards = deque(store.shards())
    count = min(jobs, len(shards))
    work = _Work(plan, result, shards)
    try:
        for _ in range(count):
            work.workers.append(_Worker(_task(store, plan, None if rate is None else rate / count)))
        yield from work.deal()
    finally:
        work.end()


def _task(store: FileStorage, plan: Plan, rate: float | None) -> dict[str, Any]:
    """What a worker is told: the store, and which of its sessions are meant."""
    judge = plan.judge
    selection = judge.selection
    return {
        "directory": store.directory,
        "prefix": store.prefix,
        "ttl": store.ttl,
        "lifetime": store.lifetime,
        "lock_timeout": store.lock_timeout,
        "clock": store.clock(),
        "now": judge.now,
        "older_than": selection.older_than,
        "expired": selection.expired,
        "where": [(one.path, one.choices, one.negated, one.text) for one in selection.where],
        "dry_run": plan.dry_run,
        "limited": plan.limit is not None,
        "batch": plan.batch if rate is None else max(1, min(plan.batch, int(rate))),
        "empty_dirs": plan.empty_dirs,
        "matches": plan.matches is not None,
        "rate": rate,
    }


class _Worker:
    """One process, the shard that it has, and how many it may delete of the batch that it is at."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.shard: str | None = None
        self.allowed = 0
        self._rest = b""
        if not sys.executable:
            raise UsageError(
                "--jobs needs a Python interpreter to start, and this program does not say which"
            )
        # Ctrl-C at a terminal reaches every process of the group, and is to end this one alone
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and words from here alone
                [sys.executable, "-P", "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        except OSError as error:
            raise StorageError(f"cannot start a process for --jobs: {error.strerror or error}") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._input, self.output = (
            cast("IO[bytes]", self._process.stdin),
            cast("IO[bytes]", self._process.stdout),
        )
        self.send(f"{json.dumps(sys.path)}\n{json.dumps(task)}")

    def send(self, line: str) -> None:
        """Tell it something; that one which is gone cannot be told, the end of its answers says."""
        with contextlib.suppress(OSError, ValueError):
            self._input.write(f"{line}\n".encode())

    def answers(self) -> Iterator[dict[str, Any]] | None:
        """What it has answered, waited for; None at the end."""
        data = os.read(self.output.fileno(), _READ)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return map(json.loads, lines)

    def finish(self) -> None:
        """Have it end after its batch."""
        with contextlib.suppress(OSError):
            self._input.close()

    def wait(self) -> int:
        """How it ended: as `subprocess` has it."""
        self.output.close()
        return self._process.wait()


class _Work:
    """The shards that are left, and the processes that are at work on the others."""

    def __init__(self, plan: Plan, result: Purged, shards: deque[str]) -> None:
        self.plan = plan
        self.result = result
        self.shards = shards
        self.workers: list[_Worker] = []
        self._asking: deque[tuple[_Worker, int]] = deque()

    def deal(self) -> Iterator[None]:
        """Give out the shards until all are done."""
        with selectors.DefaultSelector() as selector:
            for worker in self.workers:
                selector.register(worker.output, selectors.EVENT_READ, worker)
            while self.workers:
                for key, _ in selector.select(_BREATH):
                    if not self._listen(key.data):
                        selector.unregister(key.fileobj)
                        self._take_leave(key.data)
                self._allow()
                yield

    def end(self) -> None:
        """Have all processes end after their batches, and count these."""
        for worker in self.workers:
            worker.finish()
        while self.workers:
            worker = self.workers[-1]
            while self._listen(worker, stopping=True):
                pass
            self._take_leave(worker, stopping=True)

    def _listen(self, worker: _Worker, *, stopping: bool = False) -> bool:
        """Take what a worker answers; false at its end."""
        answers = worker.answers()
        if answers is None:
            return False
        for answer in answers:
            if "ask" in answer:
                self._asking.append((worker, answer["ask"]))
                continue
            self._count(worker, answer)
            if answer["done"]:
                worker.shard = None
                if not stopping:
                    self._next_shard(worker)
        return True

    def _count(self, worker: _Worker, answer: dict[str, Any]) -> None:
        worker.allowed = 0
        self.result.add(Purged(**answer.get("counts", {})))
        if self.plan.matches is not None:
            self.plan.matches.extend(Entry(*entry) for entry in answer.get("matches", ()))

    def _next_shard(self, worker: _Worker) -> None:
        if self.shards:
            worker.shard = self.shards.popleft()
            worker.send(worker.shard)
        else:
            worker.finish()

    def _allow(self) -> None:
        """Let those go on who ask: no more than the limit leaves, and of its last batch only one at a time."""
        while self._asking and self.plan.limit is not None:
            allowed = sum(worker.allowed for worker in self.workers)
            left = self.plan.limit - self.result.matched - allowed
            worker, count = self._asking[0]
            if left < count and (allowed or left <= 0):
                return
            self._asking.popleft()
            worker.allowed = min(left, count)
            worker.send(str(worker.allowed))

    def _take_leave(self, worker: _Worker, *, stopping: bool = False) -> None:
        self.workers.remove(worker)
        worker.finish()
        status = worker.wait()
        if status == 0 and (worker.shard is None or stopping):
            return
        self.result.complete = False
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        at = "" if worker.shard is None else f" in {worker.shard}/, whose last files it could not count"
        self.result.fail(StorageError(f"a process of this purge {how}{at}"))
