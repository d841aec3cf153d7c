"""A purge by several processes does what one alone does, and its processes end with it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import StorageError, UsageError
from sessionctl.fleet import parse_where, purge, purge_jobs
from sessionctl.storage.file import TEMPORARY, FileStorage
from tests.fleet.conftest import DAY, add, opened
from tests.servers import wait_until

if TYPE_CHECKING:
    from sessionctl.fleet import Purged
    from sessionctl.storage.base import RecordStorage

JOBS = 3


def fill(files: RecordStorage, count: int) -> set[str]:
    """So many old sessions of 2 days, a tenth of them guests, and 20 young ones: the keys of these."""
    for number in range(count):
        add(files, f"old-{number}", age=2 * DAY, role="member" if number % 10 else "guest")
    return {add(files, f"young-{number}") for number in range(20)}


def keys(files: RecordStorage) -> set[str]:
    return {entry.key for entry in files.scan()}


def children() -> set[int]:
    """The processes of a purge that this one has started and not waited for."""
    listed = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    started = {int(pid) for text in listed for pid in text.split()}
    return {pid for pid in started if b"purge_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_the_same_as_by_one(files: RecordStorage) -> None:
    """All that is old goes, and is counted once, with what else a purge counts and tells."""
    young = fill(files, 300)
    place = Path(files.location_of(next(iter(young)))).parent
    (place / "README").write_text("x")
    (place / TEMPORARY).write_text("x")
    os.utime(place / TEMPORARY, (0, 0))
    told: list[Any] = []
    dry = purge(files, older_than=DAY, dry_run=True, jobs=JOBS, on_match=told.append)
    alone = purge(files, older_than=DAY, dry_run=True, on_match=told.append)
    assert dry.as_json() | {"seconds": 0} == alone.as_json() | {"seconds": 0}
    assert sorted(told[:300]) == sorted(told[300:])
    result = purge(files, older_than=DAY, jobs=JOBS, empty_dirs=True)
    assert keys(files) == young
    assert (result.scanned, result.matched, result.deleted, result.failed) == (320, 300, 300, 0)
    assert (result.litter, result.foreign, result.foreign_names) == (1, 1, [f"{place}/README"])
    assert result.complete
    assert result.directories
    assert children() == set()


def test_where(files: RecordStorage) -> None:
    """Conditions reach every process as they were meant."""
    fill(files, 100)
    where = [parse_where("role=guest"), parse_where('role:="guest"'), parse_where("role!=member")]
    assert purge(files, older_than=DAY, where=where, jobs=JOBS).deleted == 10
    assert len(keys(files)) == 110


def test_prefix_and_ttl(tmp_path: Path) -> None:
    """The options of the store reach every process."""
    files = opened(f"fs:{tmp_path}/store?prefix=app-&ttl=1d")
    young = fill(files, 50)
    assert purge(files, expired=True, jobs=JOBS).deleted == 50
    assert keys(files) == young


def test_now(files: RecordStorage) -> None:
    """Another moment than now holds in every process."""
    fill(files, 50)
    assert purge(files, older_than=DAY, now=time.time() + 2 * DAY, jobs=JOBS).deleted == 70


@pytest.mark.parametrize("limit", [1, 13, 256, 299])
@pytest.mark.parametrize("dry_run", [False, True])
def test_limit_is_exact(files: RecordStorage, limit: int, dry_run: bool) -> None:
    """No more than the limit go, and no fewer, however the old ones lie among the processes."""
    young = fill(files, 300)
    where = [parse_where("role")]
    result = purge(files, older_than=DAY, where=where, limit=limit, jobs=JOBS, dry_run=dry_run)
    assert (result.matched, result.deleted, result.complete) == (limit, 0 if dry_run else limit, False)
    assert len(keys(files)) == 320 - (0 if dry_run else limit)
    assert young <= keys(files)


def test_limit_that_is_not_reached(files: RecordStorage) -> None:
    """Where fewer are old than may go, the run is complete."""
    young = fill(files, 40)
    assert purge(files, older_than=DAY, limit=41, jobs=JOBS).complete
    assert keys(files) == young


def test_rate(files: RecordStorage) -> None:
    """All processes together look at so many a second at the most."""
    fill(files, 100)
    start = time.monotonic()
    assert purge(files, older_than=DAY, rate=120, jobs=JOBS).deleted == 100
    assert time.monotonic() - start >= 0.6


@pytest.mark.parametrize("how", ["interrupt", "max_seconds"])
def test_end_before_the_end(files: RecordStorage, how: str) -> None:
    """Ctrl-C and `max_seconds` end all processes, with counts that agree with what is left."""
    fill(files, 400)

    def progress(result: Purged) -> None:
        if how == "interrupt" and result.deleted > 40:
            raise KeyboardInterrupt

    seconds = 1e-9 if how == "max_seconds" else None
    result = purge(files, older_than=DAY, jobs=JOBS, max_seconds=seconds, on_progress=progress)
    assert (result.complete, result.interrupted) == (False, how == "interrupt")
    assert len(keys(files)) == 420 - result.deleted
    assert children() == set()


def test_error_of_who_is_told(files: RecordStorage) -> None:
    """An error of `on_match` ends all processes and is raised."""
    fill(files, 100)

    def told(_: object) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        purge(files, older_than=DAY, jobs=JOBS, on_match=told)
    assert children() == set()


def test_what_cannot_be_done_is_told(files: RecordStorage) -> None:
    """What one process cannot do is counted and told, and the rest goes."""
    files.lock_timeout = 0.1  # type: ignore[attr-defined]
    young = fill(files, 100)
    shard = min(keys(files) - young)[:2]
    there = {key for key in keys(files) if key.startswith(shard)}
    held = files.lock_shard(shard)  # type: ignore[attr-defined]
    try:
        result = purge(files, older_than=DAY, jobs=JOBS)
    finally:
        os.close(held)
    assert (result.failed, result.complete) == (1, True)
    assert "lock" in result.problems[0]
    assert keys(files) == young | there


def test_a_process_that_is_killed_is_told(files: RecordStorage) -> None:
    """Where one is killed, the run says so, and the others do the rest of the shards."""
    young = fill(files, 300)
    killed = []

    def kill_one(_: object) -> None:
        if not killed:
            killed.append(min(children()))
            os.kill(killed[0], signal.SIGKILL)

    result = purge(files, older_than=DAY, jobs=2, rate=3000, on_progress=kill_one)
    assert (result.failed, result.complete) == (1, False)
    assert "was killed by signal 9" in result.problems[0]
    left = keys(files) - young
    assert len({key[:2] for key in left}) <= 1
    assert purge(files, older_than=DAY, jobs=2).deleted == len(left)


def test_no_process_can_be_started(files: RecordStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system starts none, that is an error, and nothing was deleted."""
    fill(files, 10)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(StorageError, match="cannot start a process"):
        purge(files, older_than=DAY, jobs=2)
    assert len(keys(files)) == 30


def test_a_program_without_modules_is_told(
    files: RecordStorage, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Processes that end before they begin are failures, not a silent success."""
    fill(files, 10)
    monkeypatch.setattr(purge_jobs, "_START", "raise SystemExit(3)")
    result = purge(files, older_than=DAY, jobs=2)
    assert (result.deleted, result.failed, result.complete) == (0, 2, False)
    assert result.problems == ["a process of this purge ended with status 3"] * 2
    assert capfd.readouterr().err == ""


def test_needs_files(redis_server: Any, tmp_path: Path) -> None:
    """On a server it is wrong usage, and so it is with files that are read in another way."""

    class Other(FileStorage):
        """Files of another kind."""

    with opened(f"{redis_server.url}?ttl=1d") as store, pytest.raises(UsageError, match="--jobs"):
        purge(store, older_than=0, jobs=2)
    with pytest.raises(UsageError, match="--jobs"):
        purge(Other(tmp_path), older_than=0, jobs=2)


def test_an_empty_store(tmp_path: Path) -> None:
    """Where there is nothing, no process is started."""
    assert purge(opened(f"fs:{tmp_path}/none"), older_than=0, jobs=2).complete


def test_beside_threads(files: RecordStorage) -> None:
    """Purges from several threads at once delete every session once."""
    young = fill(files, 200)
    results: list[Purged] = []
    threads = [
        threading.Thread(target=lambda: results.append(purge(files, older_than=DAY, jobs=2)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.deleted for result in results) == 200
    assert [result.failed for result in results] == [0, 0, 0]
    assert keys(files) == young


# -- the command --------------------------------------------------------------------------------------


def start(files: RecordStorage, *options: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sessionctl", "purge", "--older-than", "1d", "--jobs", "2"]
    return subprocess.Popen(
        [*command, "-s", f"fs:{files.directory}", *options],  # type: ignore[attr-defined]
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=cwd,
    )  # fmt: skip


def members(process: subprocess.Popen[str]) -> set[int]:
    """The processes of its group."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if fields[2] == str(process.pid) and fields[0] != "Z":
                found.add(int(path.parent.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_processes_end_with_it(files: RecordStorage, number: signal.Signals) -> None:
    """Ctrl-C at a terminal, and any way to end the command, leave no process behind, and tear nothing."""
    fill(files, 1000)
    process = start(files, "--rate", "400", "--json")
    wait_until(lambda: len(members(process)) == 3 and len(keys(files)) < 1000, "two processes at work")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=20)
    wait_until(lambda: not members(process), "the end of all processes")
    if number == signal.SIGINT:
        told = json.loads(out)
        assert (process.returncode, err, told["complete"]) == (130, "", False)
        assert told["deleted"] == 1020 - len(keys(files))
    then = keys(files)
    time.sleep(0.2)
    assert keys(files) == then
    assert purge(files, older_than=DAY, jobs=2).failed == 0


def test_hostile_directory(files: RecordStorage, tmp_path: Path) -> None:
    """A module in the working directory is not taken for one of ours."""
    fill(files, 10)
    for name in ("json", "sessionctl", "select"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)")
    process = subprocess.run(
        [Path(sys.executable).parent / "sessionctl", "purge", "--older-than", "1d", "--jobs", "2",
         "-s", f"fs:{files.directory}"],  # type: ignore[attr-defined]
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("deleted 10 of 30")


def test_no_environment(files: RecordStorage) -> None:
    """It needs neither HOME nor PATH, as under cron."""
    fill(files, 10)
    process = subprocess.run(
        [sys.executable, "-m", "sessionctl", "purge", "--older-than", "1d", "--jobs", "2", "--quiet",
         "-s", f"fs:{files.directory}"],  # type: ignore[attr-defined]
        capture_output=True, text=True, check=False, env={},
    )  # fmt: skip
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    assert len(keys(files)) == 20
