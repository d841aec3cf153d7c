"""Which projects' files may set a storage and secrets: those whose user has said so, as they were then.

A foreign checkout could else send session IDs to a server of its own. What is trusted is the content: after a
change the file must be trusted again.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sessionctl.config.places import data_directory
from sessionctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


def trust_path() -> str:
    """The file that keeps what is trusted: paths, each with the SHA-256 of its content."""
    return f"{data_directory()}/trusted.json"


def is_trusted(path: str, content: bytes) -> bool:
    """Whether this content at this path was trusted."""
    try:
        return _load().get(os.path.realpath(path)) == _digest(content)
    except ConfigError:
        return False


def trust(path: str, content: bytes) -> None:
    """Trust a file with this content. Raises `ConfigError` where that cannot be kept."""
    with _changing() as known:
        known[os.path.realpath(path)] = _digest(content)


def revoke(path: str) -> bool:
    """Trust a file no longer; whether it was trusted. Raises `ConfigError`."""
    path = os.path.realpath(path)
    if path not in _load():
        return False
    with _changing() as known:
        return known.pop(path, None) is not None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _load() -> dict[str, str]:
    path = trust_path()
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise ConfigError(
            f"cannot read {path}, which keeps what is trusted; remove it, and trust again"
        ) from None
    return known if isinstance(known, dict) else {}


@contextmanager
def _changing() -> Iterator[dict[str, str]]:
    """What is trusted, to be changed by one process at a time; written whole, so that no reader sees half of it."""
    import fcntl

    path = trust_path()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        lock = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = _load()
            yield known
            file = os.open(f"{path}.tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(file, "w", encoding="utf-8") as stream:
                json.dump(known, stream, indent=1, sort_keys=True)
            os.replace(f"{path}.tmp", path)
        finally:
            os.close(lock)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
