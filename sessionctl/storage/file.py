"""`fs:DIR`: one file a session, where Remix 3 puts it.

    DIR/<first 2 hex digits of SHA-256(ID)>/<prefix><other 62>      0600 in 0700, content `[values,flash]`

A record is written to `.tmp` in its shard, then renamed over the old one: whatever happens, the name holds
a whole record. All who change a shard hold `flock` on its directory, so there is one `.tmp` a shard at the
most, and the next writer replaces a crashed one's. Reading takes no lock. Nothing but a regular file is
read or replaced, and no symbolic link below DIR is followed.

Layout: @remix-run/session 0.4.2, src/lib/session-storage/fs.ts, which takes no locks.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from typing import TYPE_CHECKING, Any

from sessionctl.errors import (
    CorruptRecordError,
    RecordTooLargeError,
    StorageError,
    UsageError,
)
from sessionctl.storage.base import RecordStorage
from sessionctl.storage.shards import DIRECTORY, give_to_owner, lock
from sessionctl.storage.stored import Entry, Outcome, Stored, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

TEMPORARY = ".tmp"
"""The name of the file that is being written; one a shard, whose lock its writer holds."""

MAX_RECORD = 64 << 20
"""Bytes over which a file is no session."""

_HASH_LENGTH = 64
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_HEX = "0123456789abcdef"


class FileStorage(RecordStorage):
    """Sessions in files under one directory, which is made at the first save.

    `prefix` separates stores in one directory. `durable` has the disk write each record before `save`
    returns (fsync), so that it outlives a power cut; without it a record outlives any crash of a process.
    `lock_timeout` is how many seconds a save waits for another writer of the same shard.
    """

    scheme = "fs"

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        prefix: str = "",
        durable: bool = False,
        lock_timeout: float = 10.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not all(char.isalnum() or char in "_-." for char in prefix) or prefix.startswith("."):
            raise UsageError("a prefix of fs: has letters, digits, '_', '-' and '.', and begins with no '.'")
        if not os.fspath(directory):
            raise UsageError("fs: needs a directory: fs:DIR")
        if "\0" in os.fsdecode(directory):
            raise UsageError("fs: a directory's name holds no NUL character")
        self.directory = os.path.abspath(os.fspath(directory))
        self.prefix = prefix
        self.durable = durable
        self.lock_timeout = lock_timeout

    @classmethod
    def from_url(cls, location: str, **options: Any) -> FileStorage:
        """`fs:DIR`, where DIR may begin with `~` and is relative to the working directory."""
        return cls(
            os.path.expanduser(location.removeprefix("//") if location[:3] == "///" else location), **options
        )

    # -- keys and places ----------------------------------------------------------------------------

    def key_of(self, session_id: str) -> str:
        return hashlib.sha256(session_id.encode()).hexdigest()

    def ref_of(self, key: str) -> str:
        return key[:12]

    def hash_of(self, key: str) -> str:
        return key

    def key_of_hash(self, digest: str) -> str | None:
        return digest

    def names_shown(self, session_id: str) -> list[str]:
        key = self.key_of(session_id)
        return [f"{key[:2]}/{self._name(key)}"]

    def location_of(self, key: str) -> str:
        return f"{self.directory}/{key[:2]}/{self._name(key)}"

    def _name(self, key: str) -> str:
        return f"{self.prefix}{key[2:]}"

    def key_of_file(self, shard: str, name: str) -> str | None:
        """The key of a file's name, or None where it is no record of this store."""
        if not name.startswith(self.prefix):
            return None
        key = shard + name[len(self.prefix) :]
        return key if len(key) == _HASH_LENGTH and is_hex(key) else None

    # -- primitives ---------------------------------------------------------------------------------

    def load(self, key: str) -> Stored | None:
        with self._errors("read", key):
            try:
                shard = os.open(f"{self.directory}/{key[:2]}", DIRECTORY)
            except FileNotFoundError:
                return None
            try:
                return self._load_from(shard, key)
            finally:
                os.close(shard)

    def store(self, key: str, expected: Stored | None, text: bytes, expires_in: float | None) -> Outcome:
        with self._errors("write", key), self._locked(key, make=expected is None) as shard:
            current = None if shard is None else self.living(self._load_from(shard, key))
            if shard is None or not unchanged(current, expected):
                return Outcome(False, current)
            at = None if self.renews or current is None else current.modified_at
            return Outcome(True, self._write_to(shard, key, text, at))

    def touch(self, key: str, expires_in: float) -> bool:
        with self._errors("touch", key), self._locked(key) as shard:
            info = None if shard is None else self._stat(shard, key)
            if info is None or self.has_ended(None, info.st_mtime):
                return False
            now = self.clock()
            os.utime(self._name(key), (now, now), dir_fd=shard, follow_symlinks=False)
            return True

    def delete(self, key: str, expected: Stored | None = None) -> Outcome:
        with self._errors("delete", key), self._locked(key) as shard:
            if shard is None:
                return Outcome(False)
            if expected is not None:
                current = self._load_from(shard, key)
                if not unchanged(current, expected):
                    return Outcome(False, current)
            elif self._stat(shard, key) is None:
                return Outcome(False)
            os.unlink(self._name(key), dir_fd=shard)
            return Outcome(True)

    def move(
        self,
        old: str,
        expected: Stored,
        new: str,
        text: bytes,
        expires_in: float | None,
        keep_old: bool,
    ) -> Outcome:
        first, second = sorted((old, new))
        if old[:2] == new[:2]:
            with self._errors("write", new), self._locked(old) as shard:
                return self._move(shard, shard, old, expected, new, text, keep_old)
        with (
            self._errors("write", new),
            self._locked(first, make=first == new) as one,
            self._locked(second, make=second == new) as other,
        ):
            source, target = (one, other) if first == old else (other, one)
            return self._move(source, target, old, expected, new, text, keep_old)

    def _move(
        self,
        source: int | None,
        target: int | None,
        old: str,
        expected: Stored,
        new: str,
        text: bytes,
        keep_old: bool,
    ) -> Outcome:
        current = None if source is None else self.living(self._load_from(source, old))
        if source is None or target is None or not unchanged(current, expected):
            return Outcome(False, current)
        written = self._write_to(target, new, text)
        if not keep_old:
            os.unlink(self._name(old), dir_fd=source)
        return Outcome(True, written)

    def scan(
        self,
        among: Container[str] | None = None,
        on_problem: Callable[[StorageError], object] | None = None,
    ) -> Iterator[Entry]:
        """Every session; with `among` those in the shards of these names.

        A shard that cannot be listed ends it, unless `on_problem` is there to be told of it.
        """
        for shard in self.shards():
            if among is None or shard in among:
                try:
                    yield from self._scan_shard(shard)
                except OSError as error:
                    problem = self.refused("list", f"{self.directory}/{shard}", error)
                    if on_problem is None:
                        raise problem from error
                    on_problem(problem)

    def _scan_shard(self, shard: str) -> Iterator[Entry]:
        with contextlib.suppress(FileNotFoundError), os.scandir(f"{self.directory}/{shard}") as entries:
            for entry in entries:
                key = self.key_of_file(shard, entry.name)
                if key is not None and entry.is_file(follow_symlinks=False):
                    yield from self._entry(key, entry)

    def _entry(self, key: str, entry: os.DirEntry[str]) -> Iterator[Entry]:
        with contextlib.suppress(FileNotFoundError):
            info = entry.stat(follow_symlinks=False)
            expires_at = None if self.ttl is None else info.st_mtime + self.ttl
            yield Entry(key, self.ref_of(key), info.st_size, info.st_mtime, expires_at)

    def shards(self) -> list[str]:
        """The names of the directories that hold records. Raises `StorageError`."""
        with self._errors("list"):
            try:
                with os.scandir(self.directory) as entries:
                    return sorted(
                        entry.name
                        for entry in entries
                        if len(entry.name) == 2  # noqa: PLR2004 - two hex digits
                        and is_hex(entry.name)
                        and entry.is_dir(follow_symlinks=False)
                    )
            except FileNotFoundError:
                return []

    # -- files --------------------------------------------------------------------------------------

    def _load_from(self, shard: int, key: str) -> Stored | None:
        try:
            file = os.open(self._name(key), _READ, dir_fd=shard)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise self._foreign(
                    key, "a symbolic link" if error.errno == errno.ELOOP else "a socket"
                ) from None
            raise
        try:
            info = os.fstat(file)
            if not stat.S_ISREG(info.st_mode):
                raise self._foreign(key, _kind(info.st_mode))
            if info.st_size > MAX_RECORD:
                raise CorruptRecordError(
                    self.location_of(key), f"{info.st_size} bytes are too many for a session"
                )
            text = os.read(file, info.st_size + 1)
            while len(text) < info.st_size and (more := os.read(file, info.st_size - len(text))):
                text += more
            return Stored(text, info.st_mtime)
        finally:
            os.close(file)

    def _stat(self, shard: int, key: str) -> os.stat_result | None:
        try:
            info = os.stat(self._name(key), dir_fd=shard, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(info.st_mode):
            raise self._foreign(key, _kind(info.st_mode))
        return info

    def _write_to(self, shard: int, key: str, text: bytes, modified_at: float | None = None) -> Stored:
        """Write the record whole or not at all; the shard's lock is held."""
        now = self.clock() if modified_at is None else modified_at
        if len(text) > MAX_RECORD:
            raise RecordTooLargeError(self.location_of(key), len(text))
        file = self._open_temporary(shard, key)
        try:
            try:
                written = os.write(file, text)
                while written < len(text):
                    written += os.write(file, text[written:])
                os.utime(file, (now, now))
                give_to_owner(file, shard)
                if self.durable:
                    os.fsync(file)
            finally:
                os.close(file)
            os.rename(TEMPORARY, self._name(key), src_dir_fd=shard, dst_dir_fd=shard)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(TEMPORARY, dir_fd=shard)
            raise
        if self.durable:
            os.fsync(shard)
        return Stored(text, now)

    def _open_temporary(self, shard: int, key: str) -> int:
        """A new file; what a crashed writer left is removed, what is no file of ours is not touched."""
        try:
            return os.open(TEMPORARY, _WRITE, 0o600, dir_fd=shard)
        except FileExistsError:
            if not stat.S_ISREG(os.stat(TEMPORARY, dir_fd=shard, follow_symlinks=False).st_mode):
                place = f"{self.directory}/{key[:2]}/{TEMPORARY}"
                raise StorageError(
                    f"{place} is no regular file; it is left alone, and nothing is written"
                ) from None
            os.unlink(TEMPORARY, dir_fd=shard)
            return os.open(TEMPORARY, _WRITE, 0o600, dir_fd=shard)

    def _locked(self, key: str, *, make: bool = False) -> _Locked:
        """The descriptor of a record's shard, locked; None where there is no such directory."""
        return _Locked(self, key[:2], make)

    def lock_shard(self, name: str, *, make: bool = False) -> int | None:
        """A descriptor of a shard's directory that holds its lock; None where there is none.

        The caller closes it. Raises `StorageUnavailableError` where another holds it for too long.
        """
        return lock(self.directory, name, self.lock_timeout, make=make)

    def _foreign(self, key: str, what: str) -> CorruptRecordError:
        return CorruptRecordError(
            self.location_of(key), f"{what} lies where a record should; it is left alone"
        )

    def refused(self, doing: str, path: str, error: OSError) -> StorageError:
        """The error of what the system refuses to do with a path of this store."""
        return StorageError(f"cannot {doing} {path}: {_reason(error, self.directory)}")

    def _errors(self, doing: str, key: str | None = None) -> _Errors:
        """A block in which what the system refuses becomes `StorageError`."""
        return _Errors(self, doing, key)


class _Locked:
    """A block in which a shard is locked. A class: a generator would take four times as long, twice a save."""

    __slots__ = ("_make", "_name", "_shard", "_storage")

    def __init__(self, storage: FileStorage, name: str, make: bool) -> None:
        self._storage, self._name, self._make = storage, name, make

    def __enter__(self) -> int | None:
        self._shard = self._storage.lock_shard(self._name, make=self._make)
        return self._shard

    def __exit__(self, *_: object) -> None:
        if self._shard is not None:
            os.close(self._shard)  # which unlocks it


class _Errors:
    """A block in which an `OSError` becomes a `StorageError` that names the place."""

    __slots__ = ("_doing", "_key", "_storage")

    def __init__(self, storage: FileStorage, doing: str, key: str | None) -> None:
        self._storage, self._doing, self._key = storage, doing, key

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            storage = self._storage
            place = storage.directory if self._key is None else storage.location_of(self._key)
            raise storage.refused(self._doing, place, error) from error


def is_hex(text: str) -> bool:
    """Whether there is nothing but hexadecimal digits in a text; five times as fast as a regular expression."""
    return not text.strip(_HEX)


_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFSOCK: "a socket",
}


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "a special file")


def _reason(error: OSError, directory: str) -> str:
    if error.errno in (errno.ENOTDIR, errno.ELOOP):
        return "a part of the path is no directory (symbolic links below the store are not followed)"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"permission denied; is {directory} owned by the user that runs this?"
    return error.strerror or str(error)
