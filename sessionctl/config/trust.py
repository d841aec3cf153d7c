"""Which projects' files may set a storage and secrets: those whose user has said so, as they were then.

A foreign checkout could else send session IDs to a server of its own. What is trusted is the content: after a
change the file must be trusted again.
"""

from __future__ import annotations

import hashlib
import json
import os

from sessionctl.config.places import data_directory
from sessionctl.errors import ConfigError


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
    _store(_load() | {os.path.realpath(path): _digest(content)})


def revoke(path: str) -> bool:
    """Trust a file no longer; whether it was trusted. Raises `ConfigError`."""
    known = _load()
    found = known.pop(os.path.realpath(path), None)
    if found is not None:
        _store(known)
    return found is not None


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


def _store(known: dict[str, str]) -> None:
    """Write the file whole, so that no reader sees half of it."""
    path = trust_path()
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(file, "w", encoding="utf-8") as stream:
            json.dump(known, stream, indent=1, sort_keys=True)
        os.replace(temporary, path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
