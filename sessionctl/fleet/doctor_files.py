"""What is wrong with a store of files: modes, owners, links, litter, foreign files, clocks, room on the disk."""

from __future__ import annotations

import os
import re
import shlex
import stat
from typing import TYPE_CHECKING

from sessionctl.errors import StorageError
from sessionctl.fleet.findings import Finding, Findings, command
from sessionctl.fleet.purge_files import LITTER_AGE
from sessionctl.fleet.store import strangers
from sessionctl.storage.file import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.fleet.store import OnProblem
    from sessionctl.storage.file import FileStorage

SKEW = 60.0
"""Seconds that a file may be ahead of the clock."""

LITTLE_ROOM = 0.05
"""The share of a disk's bytes or inodes under which it is nearly full."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_RECORD_OF_OTHER_PREFIX = re.compile(r"(?P<prefix>(?!\.)[\w.-]*)[0-9a-f]{62}")

MOVED = 20
"""How many foreign files one command moves at the most."""


def examine_files(store: FileStorage, findings: Findings, on_problem: OnProblem) -> None:
    """Look at every name in the store, and at none's content. Raises `StorageError`."""
    if not os.path.isdir(store.directory):
        message = "the directory is not there yet; the first save makes it"
        findings.add(Finding("missing", "note", message), store.directory)
        return
    owner = os.stat(store.directory).st_uid
    _examine_mode(store, store.directory, os.stat(store.directory), owner, findings)
    for name in strangers(store):
        _add_foreign(store, f"{store.directory}/{name}", findings)
    for path, info in _walk(store, on_problem):
        _examine_path(store, path, info, owner, findings)
    _examine_disk(store, findings)
    if store.ttl is None and store.lifetime is None:
        message = "nothing expires here by itself: put ttl= into the storage's URL, or purge from cron"
        findings.add(Finding("no-expiry", "note", message, command(store, "purge --older-than 30d")))


def _walk(store: FileStorage, on_problem: OnProblem) -> Iterator[tuple[str, os.stat_result]]:
    """Every path in the shards, these included, with what `lstat` says."""
    for shard in store.shards():
        path = f"{store.directory}/{shard}"
        try:
            yield path, os.lstat(path)
            with os.scandir(path) as entries:
                for entry in entries:
                    yield entry.path, entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = store.refused("look into", path, error)
            problem.__cause__ = error
            on_problem(problem)


def _examine_path(
    store: FileStorage, path: str, info: os.stat_result, owner: int, findings: Findings
) -> None:
    shard, name = path.rsplit("/", 2)[-2:]
    if stat.S_ISLNK(info.st_mode):
        findings.add(_link(store), path)
        return
    _examine_mode(store, path, info, owner, findings)
    if os.path.dirname(path) == store.directory:
        return
    if name == TEMPORARY:
        if info.st_mtime < store.clock() - LITTER_AGE:
            findings.add(_litter(store), path)
    elif store.key_of_file(shard, name) is None or not stat.S_ISREG(info.st_mode):
        other = _RECORD_OF_OTHER_PREFIX.fullmatch(name) if stat.S_ISREG(info.st_mode) else None
        if other is None:
            _add_foreign(store, path, findings)
        else:
            findings.add(_other_prefix(store, other["prefix"]), path)
    elif info.st_mtime > store.clock() + SKEW:
        findings.add(_future(store), path)


def _examine_mode(
    store: FileStorage, path: str, info: os.stat_result, owner: int, findings: Findings
) -> None:
    if info.st_mode & _OTHERS:
        findings.add(_loose(store), path)
    if info.st_uid != owner:
        message = (
            "files of another user than the directory's, which the application may not be able to change"
        )
        mend = f"chown -hR --reference={shlex.quote(store.directory)} {shlex.quote(store.directory)}"
        findings.add(Finding("wrong-owner", "error", message, mend), path)


def _examine_disk(store: FileStorage, findings: Findings) -> None:
    disk = os.statvfs(store.directory)
    mend = command(store, "purge --older-than 30d --empty-dirs")
    if disk.f_blocks and disk.f_bavail < disk.f_blocks * LITTLE_ROOM:
        findings.add(Finding("disk-full", "warning", "the disk is nearly full: saves will fail", mend))
    if disk.f_files and disk.f_favail < disk.f_files * LITTLE_ROOM:
        findings.add(
            Finding("inodes-full", "warning", "the disk has few inodes left: new sessions will fail", mend)
        )


def _loose(store: FileStorage) -> Finding:
    message = "other users of this machine can read sessions: files should be 0600 in directories of 0700"
    return Finding(
        "loose-mode", "error", message, f"chmod -R go= {shlex.quote(store.directory)}", fixable=True
    )


def _litter(store: FileStorage) -> Finding:
    message = "temporary files that crashed writers have left"
    return Finding("litter", "note", message, command(store, "doctor --fix"), fixable=True)


def unreadable_files(store: FileStorage) -> str:
    """What lets the owner of a store's files read them."""
    return f"chmod -R u+rwX {shlex.quote(store.directory)}"


def _link(store: FileStorage) -> Finding:
    message = "symbolic links in the store; they are never followed, so no session is read through one"
    shards = f"{shlex.quote(store.directory)}/[0-9a-f][0-9a-f]"
    mend = f"find {shards} -mindepth 1 -maxdepth 1 -type l -delete"
    return Finding("symlink", "warning", message, mend)


def _add_foreign(store: FileStorage, path: str, findings: Findings) -> None:
    """Note it; the command moves what was noted, up to `MOVED`, to a directory beside the store."""
    message = "what is no session of this store; nothing here reads or deletes it"
    aside = shlex.quote(f"{store.directory}.foreign")
    mend = f"mkdir -p -m 700 {aside} && mv --backup=numbered -t {aside}"
    known = findings.add(Finding("foreign", "warning", message, mend), path)
    if known.count <= MOVED:
        known.command = f"{known.command} {shlex.quote(path)}"


def _other_prefix(store: FileStorage, prefix: str) -> Finding:
    message = "sessions under another prefix than this store's: another application's, or nobody's any more"
    return Finding("other-prefix", "note", message, command(store, "purge --older-than 30d", prefix=prefix))


def _future(store: FileStorage) -> Finding:
    message = "sessions saved in the future, which live too long: a clock was wrong, here or on another host"
    mend = f"find {shlex.quote(store.directory)} -type f -newermt now -exec touch {{}} +"
    return Finding("future", "warning", message, mend)


# -- mending ------------------------------------------------------------------------------------------


def fix_files(store: FileStorage, on_problem: OnProblem) -> list[Finding]:
    """Take group and others every right, and remove the litter of crashed writers; what was mended.

    What cannot be mended is told to `on_problem`, and the rest goes on.
    """
    done = Findings()
    if os.path.isdir(store.directory):
        _mend(store, store.directory, os.lstat(store.directory), done, on_problem)
    for path, info in _walk(store, on_problem):
        _mend(store, path, info, done, on_problem)
    return done.all()


def _mend(store: FileStorage, path: str, info: os.stat_result, done: Findings, on_problem: OnProblem) -> None:
    try:
        if stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode):
            _tighten(store, path, info, done)
        _clear(store, path, info, done)
    except FileNotFoundError:
        pass  # gone meanwhile
    except OSError as error:
        on_problem(store.refused("mend", path, error))
    except StorageError as error:
        on_problem(error)


def _tighten(store: FileStorage, path: str, info: os.stat_result, done: Findings) -> None:
    if not info.st_mode & _OTHERS:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) & ~_OTHERS)
    finally:
        os.close(descriptor)
    done.add(_loose(store), path)


def _clear(store: FileStorage, path: str, info: os.stat_result, done: Findings) -> None:
    shard, name = path.rsplit("/", 2)[-2:]
    if name != TEMPORARY or not stat.S_ISREG(info.st_mode) or info.st_mtime >= store.clock() - LITTER_AGE:
        return
    descriptor = store.lock_shard(shard)
    if descriptor is None:
        return
    try:
        if os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mtime == info.st_mtime:
            os.unlink(name, dir_fd=descriptor)
            done.add(_litter(store), path)
    except FileNotFoundError:
        pass
    finally:
        os.close(descriptor)
