"""Ctrl-C ends a run with counts that agree with what was done."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl.fleet.interrupts import Interrupts
from tests.fleet.conftest import DAY, add, opened
from tests.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sessionctl.storage.base import RecordStorage

COUNT = 4000


def changed(store: RecordStorage) -> int:
    return sum(b'"x"' in stored.text for stored in store.peek_many([e.key for e in store.scan()]) if stored)  # type: ignore[union-attr]


def gone(store: RecordStorage) -> int:
    return COUNT - sum(1 for _ in store.scan())


COMMANDS: dict[str, tuple[list[str], str, Callable[[RecordStorage], int]]] = {
    "purge": (["purge", "--older-than", "1d", "--json", "--rate", "1000"], "deleted", gone),
    "purge --jobs": (
        ["purge", "--older-than", "1d", "--json", "--jobs", "2", "--rate", "1000"],
        "deleted",
        gone,
    ),
    "destroy": (["destroy", "--where", "n", "--json"], "destroyed", gone),
    "set": (["set", "--where", "n", "x=1", "--json"], "changed", changed),
    "copy": (["copy", "--json"], "written", lambda store: sum(1 for _ in store.scan())),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_counts_are_right(name: str, tmp_path: Path) -> None:
    """At whatever moment it comes, what the command says was done is what was done, and it ends 130."""
    words, key, done = COMMANDS[name]
    store = opened(f"fs:{tmp_path}/store")
    for number in range(COUNT):
        add(store, f"id-{number}", age=2 * DAY, n=number)
    target = opened(f"fs:{tmp_path}/other") if name == "copy" else store
    place = [store.url, target.url] if name == "copy" else ["-s", store.url]
    process = subprocess.Popen(
        [sys.executable, "-m", "sessionctl", *words, *place],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_until(lambda: done(target) > 0, "the first of many")
    time.sleep(random.uniform(0, 0.02))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")
    assert json.loads(out)[key] == done(target)


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupted(run: Callable[[Interrupts], object]) -> None:
    """Run it, and expect that Ctrl-C ends it."""
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        run(interrupts)


def test_a_step_is_whole() -> None:
    """It comes after the step in which it fell, and at once between two."""
    done = []

    def in_a_step(interrupts: Interrupts) -> None:
        with interrupts.step():
            ctrl_c()
            done.append("the step")
        done.append("after it")

    def between_steps(_: Interrupts) -> None:
        ctrl_c()
        done.append("after that")

    interrupted(in_a_step)
    interrupted(between_steps)
    assert done == ["the step"]


def test_a_second_one_does_not_wait() -> None:
    """Who asks twice is not kept waiting."""
    done = []

    def run(interrupts: Interrupts) -> None:
        with interrupts.step():
            ctrl_c()
            ctrl_c()
            done.append(1)

    interrupted(run)
    assert done == []


def test_each() -> None:
    """Of an iterator the step that was begun is ended, and no other begun."""
    done, seen = [], []

    def steps() -> Iterator[int]:
        for number in range(9):
            if number == 2:
                ctrl_c()
            done.append(number)
            yield number

    def run(interrupts: Interrupts) -> None:
        for number in interrupts.each(steps()):
            seen.append(number)  # noqa: PERF402 - each is seen before the next is begun

    interrupted(run)
    assert (done, seen) == ([0, 1, 2], [0, 1])


def test_what_a_program_does_with_the_signal_stays() -> None:
    """A handler of the program's own is not replaced, and the usual one is back afterwards."""
    told: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *_: told.append(1))
    try:
        with Interrupts() as interrupts, interrupts.step():
            ctrl_c()
        assert told == [1]
    finally:
        signal.signal(signal.SIGINT, before)
    with Interrupts():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_in_a_thread() -> None:
    """In another thread than the main one there is nothing to replace."""
    done = []

    def run() -> None:
        with Interrupts() as interrupts:
            done.extend(interrupts.each(iter([1, 2])))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [1, 2]
