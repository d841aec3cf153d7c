"""Files below a directory that belongs to another framework: read, never written.

No symbolic link below the directory is followed, and nothing but a regular file is read. A name that comes from
a cookie cannot lead out of the directory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from sessionctl.errors import CorruptRecordError, StorageError
from sessionctl.storage.base import Stored
from sessionctl.stores.base import MAX_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW = _DIRECTORY | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL))
_MAX_NAME = 255


class Files:
    """The files of one directory."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def load(self, path: str) -> Stored | None:
        """A file and its time, or None where there is none. Raises `CorruptRecordError`, `StorageError`."""
        parts = path.split("/")
        if not all(map(_is_safe, parts)):
            return None
        with self._errors(), contextlib.ExitStack() as opened:
            try:
                folder = self._open(opened, self.directory, _DIRECTORY)
                for part in parts[:-1]:
                    folder = self._open(opened, part, _BELOW, folder)
                return self._read(self._open(opened, parts[-1], _READ, folder))
            except OSError as error:
                if error.errno in _ABSENT:
                    return None
                if error.errno in (errno.ELOOP, errno.ENXIO):
                    raise CorruptRecordError(self.directory, _FOREIGN) from None
                raise

    def _open(self, opened: contextlib.ExitStack, name: str, flags: int, folder: int | None = None) -> int:
        file = os.open(name, flags, dir_fd=folder)
        opened.callback(os.close, file)
        return file

    def _read(self, file: int) -> Stored:
        info = os.fstat(file)
        if not stat.S_ISREG(info.st_mode):
            raise CorruptRecordError(self.directory, _FOREIGN)
        if info.st_size > MAX_RECORD:
            raise CorruptRecordError(self.directory, f"{info.st_size} bytes are too many for a session")
        text = b""
        while len(text) <= MAX_RECORD and (more := os.read(file, 1 << 20)):
            text += more
        return Stored(text, info.st_mtime)

    def scan(self, depth: int) -> Iterator[tuple[str, os.stat_result]]:
        """The regular files down to so many directories below, with their paths. Raises `StorageError`."""
        with self._errors():
            if not os.path.isdir(self.directory):
                return
            yield from self._walk("", depth)

    def _walk(self, folder: str, depth: int) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(os.path.join(self.directory, folder)) as entries:
            for entry in entries:
                path = f"{folder}{entry.name}"
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_file(follow_symlinks=False):
                        yield path, entry.stat(follow_symlinks=False)
                    elif depth and entry.is_dir(follow_symlinks=False):
                        yield from self._walk(f"{path}/", depth - 1)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(f"cannot read {self.directory}: {reason}") from None


_FOREIGN = "no regular file lies where a record should; it is left alone"


def _is_safe(name: str) -> bool:
    """Whether a part of a path names something in its directory, and nothing above it."""
    return (
        name not in ("", ".", "..")
        and "\0" not in name
        and len(name.encode(errors="surrogateescape")) <= _MAX_NAME
    )
