"""Files that are written whole or not at all, and compressed by the ending of their name: `.gz`, `.zst`."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import sys
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from sessionctl.errors import MissingExtraError
from sessionctl.fleet.archive import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_LEVEL = 6


@contextmanager
def writing(path: str) -> Iterator[IO[bytes]]:
    """What to write to: `-` is standard output. A file takes its name when it is whole, with mode 0600.

    A symbolic link is followed. A device or FIFO (`/dev/stdout`, `/dev/fd/3`) is written to, never replaced.
    """
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if os.path.exists(path) and not os.path.isfile(path):
        with _named(path), open(path, "wb") as file, _compressing(file, path) as out:
            yield out
        return
    path = os.path.realpath(path)
    temporary = f"{path}.{os.getpid()}.part"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None  # the name that was asked for
    try:
        with _named(path), os.fdopen(descriptor, "wb") as file, _compressing(file, path) as out:
            yield out
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextmanager
def _named(path: str) -> Iterator[None]:
    """A block whose errors of the system name the file: a full disk is told where a file is written, not opened."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or path
        raise


def _compressing(file: IO[bytes], path: str) -> Any:
    if path.endswith(".gz"):
        return gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file)
    if path.endswith(".zst"):
        return _zstd().ZstdCompressor().stream_writer(file, closefd=False)
    return contextlib.nullcontext(file)


@contextmanager
def reading(path: str) -> Iterator[Iterator[bytes]]:
    """The lines of a file, `-` being standard input; whether it is compressed, its first bytes say.

    Raises `EOFError` or `OSError` where it is not compressed as it says, as gzip does.
    """
    damage: tuple[type[Exception], ...] = (zlib.error,)
    with contextlib.ExitStack() as stack:
        raw = sys.stdin.buffer if path == "-" else stack.enter_context(open(path, "rb"))
        buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
        start = buffered.peek(4)
        source: Any = buffered
        if start.startswith(_GZIP):
            source = stack.enter_context(gzip.GzipFile(fileobj=buffered))
        elif start.startswith(_ZSTD):
            damage = (_zstd().ZstdError,)
            source = io.BufferedReader(
                _zstd().ZstdDecompressor().stream_reader(buffered, read_across_frames=True)
            )
        yield _lines(source, damage)


def _lines(source: Any, damage: tuple[type[Exception], ...]) -> Iterator[bytes]:
    while True:
        try:
            line = source.readline(MAX_LINE)
        except damage as error:
            raise EOFError(str(error)) from None
        if not line:
            return
        yield line


def _zstd() -> Any:
    try:
        import zstandard
    except ModuleNotFoundError:
        raise MissingExtraError("a .zst file", "zstd") from None
    return zstandard
