"""`fs:`: what lies in the directory, who may read it, and what happens when things go wrong."""

from __future__ import annotations

import errno
import gc
import json
import multiprocessing
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import (
    CorruptRecordError,
    Session,
    StorageError,
    StorageUnavailableError,
    UsageError,
    open_storage,
)
from sessionctl.storage.file import TEMPORARY, FileStorage
from sessionctl.storage.shards import give_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

spawn = multiprocessing.get_context("spawn")

as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory that the storage is to make."""
    return tmp_path / "var" / "sessions"


@pytest.fixture
def storage(directory: Path) -> FileStorage:
    """A storage there."""
    return FileStorage(directory)


def begin(storage: FileStorage, **values: Any) -> str:
    """Store a session; its ID."""
    session = Session()
    session.update(values)
    session_id = storage.save(session)
    assert session_id
    return session_id


def file_of(storage: FileStorage, session_id: str) -> Path:
    """The file of a session."""
    return Path(storage.location_of(storage.key_of(session_id)))


def set_key(storage: FileStorage, session_id: str, key: str, value: Any) -> str | None:
    """One request that sets a key."""
    session = storage.read(session_id)
    session.set(key, value)
    return storage.save(session)


def mode_of(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.lstat().st_mode)


class TestPlaces:
    """Names and modes"""

    def test_a_record_lies_where_remix_puts_it(self, storage: FileStorage, directory: Path) -> None:
        """The path is the SHA-256 of the ID, after the first two digits in a directory of its own."""
        session = Session("abc", data=({"a": 1}, {}))
        session.set("b", 2)
        storage.save(session)
        path = directory / "ba" / "7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        assert path.read_bytes() == b'[{"a":1,"b":2},{}]'

    @pytest.mark.parametrize("umask", [0, 0o022, 0o077])
    def test_nobody_else_may_read(self, storage: FileStorage, directory: Path, umask: int) -> None:
        """Files are 0600, every directory that the storage made is 0700, whatever the umask, also once rewritten."""
        old = os.umask(umask)
        try:
            session_id = begin(storage, user="mj")
            set_key(storage, session_id, "a", 1)
        finally:
            os.umask(old)
        assert mode_of(file_of(storage, session_id)) == 0o600
        assert mode_of(file_of(storage, session_id).parent) == 0o700
        assert mode_of(directory) == 0o700

    def test_reading_makes_nothing(self, storage: FileStorage, directory: Path) -> None:
        """A directory is made by the first save, not by a read, a scan or a session that nobody used."""
        storage.save(storage.read("unknown"))
        session = storage.read("unknown")
        session.destroy()
        storage.save(session)
        assert list(storage.scan()) == []
        assert not directory.exists()

    def test_two_prefixes_do_not_meet(self, directory: Path) -> None:
        """Two stores in one directory hold each its own session of one ID, and list only theirs."""
        one, other, bare = (FileStorage(directory, prefix=prefix) for prefix in ("a-", "b-", ""))
        for number, storage in enumerate((one, other, bare)):
            session = Session("same")
            session.set("n", number)
            storage.save(session)
        assert [storage.read("same")["n"] for storage in (one, other, bare)] == [0, 1, 2]
        assert [len(list(storage.scan())) for storage in (one, other, bare)] == [1, 1, 1]
        session = one.read("same")
        session.destroy()
        one.save(session)
        assert [storage.read("same").is_new for storage in (one, other, bare)] == [True, False, False]

    @pytest.mark.parametrize("prefix", ["../", "a/b", ".hidden", "a b", "a\0", "a\n"])
    def test_a_prefix_is_part_of_a_name(self, directory: Path, prefix: str) -> None:
        """A prefix cannot lead out of the shard or hide a file."""
        with pytest.raises(UsageError):
            FileStorage(directory, prefix=prefix)

    @pytest.mark.parametrize("url", ["fs:", "fs:?ttl=1", "fs:a\0b"])
    def test_a_directory_is_needed(self, url: str) -> None:
        """`fs:` alone is no place, nor is a name that no file can have."""
        with pytest.raises(UsageError):
            open_storage(url)

    def test_a_home_and_a_relative_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`~` is the user's home; a relative path is taken from where the storage was opened."""
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        for url, place in (
            ("fs:~/s", tmp_path / "home/s"),
            ("fs:s", tmp_path / "s"),
            (f"fs:{tmp_path}/t", tmp_path / "t"),
            (f"fs://{tmp_path}/u", tmp_path / "u"),
        ):
            storage = open_storage(url)
            assert isinstance(storage, FileStorage)
            assert Path(storage.directory) == place

    def test_scan_leaves_foreign_files_out(self, storage: FileStorage, directory: Path) -> None:
        """What is not named as a record is none, nor is what is no regular file."""
        session_id = begin(storage, user="mj")
        shard = file_of(storage, session_id).parent
        (shard / "notes.txt").write_text("x")
        (shard / ("0" * 61)).write_text("x")
        (shard / ("0" * 61 + "G")).write_text("x")
        (shard / ("1" * 62)).mkdir()
        (shard / ("2" * 62)).symlink_to(file_of(storage, session_id))
        (directory / "notes").mkdir()
        (directory / "ff.txt").write_text("x")
        (directory / "zz").mkdir()
        (directory / "f1").symlink_to(shard)
        assert [entry.key for entry in storage.scan()] == [storage.key_of(session_id)]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _symlink(path: Path) -> None:
    target = path.parent.parent / "target"
    target.write_text('[{"stolen":1},{}]')
    path.symlink_to(target)


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent.parent / "nothing")


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


FOREIGN = [
    pytest.param(_symlink, "a symbolic link", id="symbolic link"),
    pytest.param(_dangling, "a symbolic link", id="dangling symbolic link"),
    pytest.param(_fifo, "a FIFO", id="FIFO"),
    pytest.param(Path.mkdir, "a directory", id="directory"),
    pytest.param(_socket, "a socket", id="socket"),
]


class TestForeign:
    """What lies where a record should"""

    @pytest.mark.parametrize(("make", "name"), FOREIGN)
    def test_it_is_named_and_left_alone(
        self, storage: FileStorage, make: Callable[[Path], None], name: str
    ) -> None:
        """Reading, saving and ending such a session is an error that names the file and what it is; nothing changes."""
        session_id = begin(storage, user="mj")
        path = file_of(storage, session_id)
        writing, ending, touching = (storage.read(session_id) for _ in range(3))
        path.unlink()
        make(path)
        before = path.lstat()
        writing.set("a", 1)
        ending.destroy()
        storage.ttl = 60
        for call in (
            lambda: storage.read(session_id),
            lambda: storage.save(writing),
            lambda: storage.save(ending),
            lambda: storage.save(touching),
        ):
            with pytest.raises(CorruptRecordError) as caught:
                call()
            assert str(path) in str(caught.value)
            assert name in str(caught.value)
        after = path.lstat()
        assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
            before.st_ino,
            before.st_mode,
            before.st_mtime_ns,
        )

    def test_a_link_for_a_shard_is_not_followed(self, storage: FileStorage, tmp_path: Path) -> None:
        """A shard's directory that is a symbolic link is an error, and nothing is written behind it."""
        session_id = begin(storage, user="mj")
        shard = file_of(storage, session_id).parent
        outside = tmp_path / "outside"
        shard.rename(outside)
        shard.symlink_to(outside)
        before = sorted(outside.iterdir())
        for call in (lambda: storage.read(session_id), lambda: set_key(storage, session_id, "a", 1)):
            with pytest.raises(StorageError, match="symbolic link"):
                call()
        assert sorted(outside.iterdir()) == before

    @pytest.mark.parametrize("make", [_symlink, _fifo, Path.mkdir])
    def test_a_temporary_file_that_is_none_is_not_written_to(
        self, storage: FileStorage, make: Callable[[Path], None]
    ) -> None:
        """A FIFO, a link or a directory in place of `.tmp` is an error, not a hang, and the record stays."""
        session_id = begin(storage, user="mj")
        shard = file_of(storage, session_id).parent
        make(shard / TEMPORARY)
        started = time.monotonic()
        with pytest.raises(StorageError):
            set_key(storage, session_id, "a", 1)
        assert time.monotonic() - started < 5
        assert dict(storage.read(session_id)) == {"user": "mj"}
        assert (
            not (shard.parent / "target").exists()
            or (shard.parent / "target").read_text() == '[{"stolen":1},{}]'
        )

    def test_a_large_file_is_no_session(self, storage: FileStorage) -> None:
        """A file over 64 MiB is not read into memory."""
        session_id = begin(storage, user="mj")
        os.truncate(file_of(storage, session_id), (64 << 20) + 1)
        with pytest.raises(CorruptRecordError, match="too many"):
            storage.read(session_id)

    def test_a_file_in_place_of_the_directory(self, tmp_path: Path) -> None:
        """A store that is a file is an error that names it, for every operation."""
        (tmp_path / "store").write_text("x")
        storage = FileStorage(tmp_path / "store")
        for call in (lambda: storage.read("x"), lambda: begin(storage, a=1), lambda: list(storage.scan())):
            with pytest.raises(StorageError, match="store"):
                call()

    @as_user
    def test_a_directory_that_may_not_be_read(self, storage: FileStorage, directory: Path) -> None:
        """Without permission there is one clear error, which asks who owns the directory."""
        session_id = begin(storage, user="mj")
        directory.chmod(0)
        try:
            for call in (lambda: storage.read(session_id), lambda: list(storage.scan())):
                with pytest.raises(StorageError, match="permission denied"):
                    call()
        finally:
            directory.chmod(0o700)

    def test_root_gives_what_it_makes_to_the_owner(self, storage: FileStorage, directory: Path) -> None:
        """A shard and a record that root makes are the owner's; a link in a directory's place is not followed."""
        if os.geteuid() != 0:
            pytest.skip("only root gives away what it makes")
        directory.mkdir(parents=True)
        os.chown(directory, 65534, 65534)
        begin(storage, user="mj")
        assert {path.lstat().st_uid for path in directory.rglob("*")} == {65534}
        link = directory / "link"
        link.symlink_to("/")
        with pytest.raises(OSError, match="directory"):
            give_directory(str(link))

    def test_another_user_is_told(self, storage: FileStorage, directory: Path) -> None:
        """Run as nobody, a store of another user is an error of ours that names it."""
        if os.geteuid() != 0:
            pytest.skip("only root may become another user")
        session_id = begin(storage, user="mj")
        for parent in list(directory.parents)[:3]:
            parent.chmod(0o755)
        code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from sessionctl.storage.file import FileStorage
from sessionctl import Session, StorageError
storage = FileStorage({str(directory)!r})
session = Session(); session.set("a", 1)
os.setgid(65534); os.setuid(65534)
for call in (lambda: storage.read({session_id!r}), lambda: storage.save(session), lambda: list(storage.scan())):
    try:
        call()
    except StorageError as error:
        print(error)
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.count("permission denied") == 3
        assert done.stdout.count(str(directory)) >= 3


class TestFullDisk:
    """No room: an error, and the old record whole"""

    def test_a_write_that_does_not_fit(self, storage: FileStorage) -> None:
        """Where the record cannot be written whole, the save is `StorageError` and the old one is still there."""
        session_id = begin(storage, user="mj")
        session = storage.read(session_id)
        session.set("large", "x" * 100_000)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
        try:
            with pytest.raises(StorageError, match="cannot write"):
                storage.save(session)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert dict(storage.read(session_id)) == {"user": "mj"}
        assert [path.name for path in file_of(storage, session_id).parent.iterdir()] == [
            file_of(storage, session_id).name
        ]
        assert storage.save(session) == session_id

    def test_a_full_file_system(self, tmp_path: Path) -> None:
        """On a file system without a free block every save fails by name, and every record stays whole."""
        mount = tmp_path / "small"
        mount.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "none", mount], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("a file system can be mounted by root alone")
        try:
            storage = FileStorage(mount / "sessions")
            ids: list[str] = []
            with pytest.raises(StorageError, match="No space left") as caught:
                ids.extend(begin(storage, filler="x" * 3000) for _ in range(100))
            assert caught.value.exit_status == 4
            assert len(ids) > 3
            with pytest.raises(StorageError):
                set_key(storage, ids[0], "filler", "y" * 9000)
            assert all(storage.read(session_id)["filler"] == "x" * 3000 for session_id in ids)
            for session_id in ids:
                session = storage.read(session_id)
                session.destroy()
                storage.save(session)
            assert begin(storage, filler="x" * 3000)
        finally:
            subprocess.run(["umount", mount], check=True)


class TestLocks:
    """One writer a shard"""

    def test_two_processes_that_set_different_keys_both_win(
        self, storage: FileStorage, directory: Path
    ) -> None:
        """Neither process's keys are lost."""
        session_id = begin(storage, start=1)
        workers = [
            spawn.Process(target=_set_keys, args=(str(directory), session_id, name, 25)) for name in "ab"
        ]
        run_all(workers)
        assert len(storage.read(session_id)) == 51

    def test_a_stopped_writer_is_not_waited_for_long(self, directory: Path) -> None:
        """Where another process holds the lock and is stopped, a save ends in time, and says what is the matter."""
        storage = FileStorage(directory, lock_timeout=0.5)
        session_id = begin(storage, user="mj")
        with stopped_holder(storage.location_of(storage.key_of(session_id))):
            started = time.monotonic()
            with pytest.raises(StorageUnavailableError, match="lock"):
                set_key(storage, session_id, "a", 1)
            assert 0.4 < time.monotonic() - started < 2
            assert storage.read(session_id)["user"] == "mj"
        assert set_key(storage, session_id, "a", 1) == session_id

    def test_a_short_wait_succeeds(self, storage: FileStorage) -> None:
        """A lock that is given back meanwhile is taken."""
        session_id = begin(storage, user="mj")
        shard = storage.lock_shard(storage.key_of(session_id)[:2])
        assert shard is not None
        timer = threading.Timer(0.2, os.close, (shard,))
        timer.start()
        assert set_key(storage, session_id, "a", 1) == session_id
        timer.join()

    def test_a_shard_that_was_removed_while_waiting(self, storage: FileStorage) -> None:
        """A new session is not written into a directory that a purge removed: the shard is made anew."""
        first = begin(storage, user="mj")
        path = file_of(storage, first)
        shard = storage.lock_shard(path.parent.name)
        assert shard is not None
        session = Session(first)
        session.set("user", "kj")
        saved: list[str | None] = []
        thread = threading.Thread(target=lambda: saved.append(storage.save(session)))
        thread.start()
        time.sleep(0.2)
        path.unlink()
        path.parent.rmdir()
        os.close(shard)
        thread.join(10)
        assert saved == [first]
        assert dict(storage.read(first)) == {"user": "kj"}

    def test_an_update_of_a_removed_shard_is_lost(self, storage: FileStorage) -> None:
        """Where the shard is gone, so is the session: nothing is made anew for an update."""
        session_id = begin(storage, user="mj")
        session = storage.read(session_id)
        file_of(storage, session_id).unlink()
        file_of(storage, session_id).parent.rmdir()
        session.set("a", 1)
        assert storage.save(session) is None
        assert session.lost
        assert not file_of(storage, session_id).parent.exists()

    def test_a_crashed_writers_file_is_used_again(self, storage: FileStorage) -> None:
        """A `.tmp` that was left behind, however long, does no harm and is gone after the next save of its shard."""
        session_id = begin(storage, user="mj")
        litter = file_of(storage, session_id).parent / TEMPORARY
        litter.write_bytes(b"x" * 10_000)
        assert len(list(storage.scan())) == 1
        set_key(storage, session_id, "a", 1)
        assert not litter.exists()
        assert dict(storage.read(session_id)) == {"user": "mj", "a": 1}

    def test_regenerating_in_both_directions_does_not_deadlock(self, storage: FileStorage) -> None:
        """Two shards are locked in one order, whichever way a session moves."""
        errors: list[Exception] = []

        def worker() -> None:
            try:
                for _ in range(40):
                    session = storage.read(begin(storage, n=1))
                    session.regenerate_id(delete_old=True)
                    assert storage.save(session)
            except Exception as error:  # noqa: BLE001 - a thread's failure is the test's
                errors.append(error)

        threads = [threading.Thread(target=worker) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert errors == []
        assert len(list(storage.scan())) == 160

    def test_no_descriptor_is_left_open(self, storage: FileStorage) -> None:
        """Reading, saving, moving, ending and failing give back every descriptor."""
        session_id = begin(storage, user="mj")
        before = len(os.listdir("/proc/self/fd"))
        for number in range(20):
            set_key(storage, session_id, "n", number)
            session = storage.read(session_id)
            session.regenerate_id(delete_old=True)
            session_id = storage.save(session) or ""
            storage.read("unknown")
            file = file_of(storage, session_id)
            file.rename(file.with_name("aside"))
            file.mkdir()
            with pytest.raises(CorruptRecordError):
                storage.read(session_id)
            file.rmdir()
            file.with_name("aside").rename(file)
        assert len(os.listdir("/proc/self/fd")) == before


class TestErrors:
    """Whatever the system answers is an error of ours"""

    @pytest.mark.parametrize(
        "number", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EMFILE, errno.EDQUOT, errno.ESTALE]
    )
    @pytest.mark.parametrize("call", ["open", "rename", "write", "utime", "unlink"])
    def test_an_error_of_the_system_is_a_storage_error(
        self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch, call: str, number: int
    ) -> None:
        """Every call that fails ends in `StorageError`, which names the place and gives no ID away."""
        session_id = begin(storage, user="mj")
        changed, moved = storage.read(session_id), storage.read(session_id)
        changed.set("a", 1)
        moved.regenerate_id(delete_old=True)

        def fail(*_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, call, fail)
        with pytest.raises(StorageError) as caught:
            _save_both(storage, changed, moved)
        monkeypatch.undo()
        assert storage.directory in str(caught.value)
        assert session_id not in str(caught.value)
        assert storage.read(session_id)["user"] == "mj"


def _save_both(storage: FileStorage, *sessions: Session) -> None:
    for session in sessions:
        storage.save(session)


# -- what other processes do --------------------------------------------------------------------------


def run_all(workers: list[Any], timeout: float = 120) -> None:
    """Start processes and wait; all must end well."""
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout)
    assert [worker.exitcode for worker in workers] == [0] * len(workers)


def _set_keys(directory: str, session_id: str, name: str, count: int) -> None:
    storage = FileStorage(directory)
    for number in range(count):
        assert set_key(storage, session_id, f"{name}{number}", number) == session_id


class stopped_holder:  # noqa: N801 - used as a function
    """A process that holds a shard's lock and is stopped for as long as the block runs."""

    CODE = """
import fcntl, os, sys, time
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print(flush=True)
time.sleep(60)
"""

    def __init__(self, location: str) -> None:
        command = [sys.executable, "-c", self.CODE, str(Path(location).parent)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def __enter__(self) -> None:
        assert self.process.stdout
        self.process.stdout.readline()
        self.process.send_signal(signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


# -- slow: the figures of docs/reliability.md ---------------------------------------------------------

WRITER = """
import os, sys
sys.path.insert(0, {root!r})
from sessionctl.storage.file import FileStorage
storage = FileStorage({directory!r})
os.write(1, b"x")  # not by print: a test runner has put its own file in place of sys.stdout
number = 0
while True:
    number += 1
    session = storage.read({session_id!r})
    session.set("filler", chr(97 + number % 26) * (number * 7919 % 20000))
    session.set("length", len(session["filler"]))
    storage.save(session)
"""


@pytest.mark.slow
@pytest.mark.parametrize("durable", [False, True], ids=["plain", "durable"])
def test_a_killed_writer_leaves_a_whole_record(
    tmp_path: Path, durable: bool, record_property: Callable[..., None]
) -> None:
    """After each of 1,000 `kill -9` at random moments the record is whole, and no litter outlives the next save."""
    storage = FileStorage(tmp_path / "s", durable=durable)
    session_id = begin(storage, filler="", length=0)
    shard = file_of(storage, session_id).parent
    code = WRITER.format(
        root=str(Path(__file__).parents[2]), directory=storage.directory, session_id=session_id
    )
    kills = 1000 if not durable else 200
    seen, litter = set(), 0
    for number in range(kills):
        pid = _fork_writer(code)
        time.sleep(0.0005 + (number * 6151 % 997) / 997 * 0.012)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        litter += (shard / TEMPORARY).exists()
        session = storage.read(session_id)
        assert len(session["filler"]) == session["length"]
        assert len(set(session["filler"])) <= 1
        seen.add(session["length"])
    assert set_key(storage, session_id, "last", 1) == session_id
    assert [path.name for path in shard.iterdir()] == [file_of(storage, session_id).name]
    assert litter > 0
    record_property("kills", kills)
    record_property("records_seen", len(seen))
    record_property("killed_while_writing", litter)


def _fork_writer(code: str) -> int:
    """A child that writes until it is killed; it has begun when this returns."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        gc.disable()  # the collector would go through the heap of all tests before this one
        os.dup2(writing, 1)
        try:
            exec(code, {})
        finally:
            os._exit(1)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    return pid


@pytest.mark.slow
def test_no_update_is_lost_between_processes(storage: FileStorage, directory: Path) -> None:
    """8 processes set 100 keys each in one session at once: all 800 are there."""
    session_id = begin(storage, start=1)
    workers = [
        spawn.Process(target=_set_keys, args=(str(directory), session_id, name, 100)) for name in "abcdefgh"
    ]
    time.monotonic()
    run_all(workers)
    expected = {f"{name}{number}": number for name in "abcdefgh" for number in range(100)}
    assert dict(storage.read(session_id)) == {"start": 1, **expected}


def _resurrect(directory: str, orders: Any, answers: Any) -> None:
    storage = FileStorage(directory)
    for session_id in iter(orders.get, None):
        session = storage.read(session_id)
        session.set("late", 1)
        answers.put(session.is_new)
        value = storage.save(session) if not session.is_new else None
        answers.put((value, session.lost))


@pytest.mark.slow
def test_a_destroyed_session_never_comes_back(storage: FileStorage, directory: Path) -> None:
    """2,000 times a save and a destroy of one session race in two processes: the session is always gone after both."""
    orders, answers = spawn.SimpleQueue(), spawn.SimpleQueue()
    worker = spawn.Process(target=_resurrect, args=(str(directory), orders, answers))
    worker.start()
    lost = 0
    for number in range(2000):
        session_id = begin(storage, n=number)
        session = storage.read(session_id)
        session.destroy()
        orders.put(session_id)
        assert answers.get() is False
        for _ in range(number % 40):
            time.monotonic()
        assert storage.save(session) == ""
        value, was_lost = answers.get()
        assert (value is None) == was_lost
        lost += was_lost
        assert storage.read(session_id).is_new
    orders.put(None)
    worker.join(10)
    assert list(storage.scan()) == []
    assert lost > 0


@pytest.mark.slow
def test_readers_never_see_half_a_record(storage: FileStorage, directory: Path) -> None:
    """While a process rewrites a record as fast as it can, every read is of one whole record."""
    session_id = begin(storage, filler="", length=0)
    code = WRITER.format(
        root=str(Path(__file__).parents[2]), directory=storage.directory, session_id=session_id
    )
    pid = _fork_writer(code)
    try:
        reads, seen = 0, set()
        until = time.monotonic() + 3
        while time.monotonic() < until:
            session = storage.read(session_id)
            assert len(session["filler"]) == session["length"]
            seen.add(session["length"])
            reads += 1
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert len(seen) > 10


def test_the_log_of_a_record_is_json(storage: FileStorage) -> None:
    """Another program reads the file as JSON."""
    session_id = begin(storage, user="мір", n=1.0)
    assert json.loads(file_of(storage, session_id).read_text(encoding="utf-8")) == [
        {"user": "мір", "n": 1.0},
        {},
    ]


@pytest.fixture(autouse=True)
def _no_umask_is_left() -> Iterator[None]:
    before = os.umask(0o022)
    os.umask(before)
    yield
    after = os.umask(before)
    assert after == before
