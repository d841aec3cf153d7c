"""Whether other packages offer formats or storages, found out cheaply.

`importlib.metadata` takes longer to import than a whole `sessionctl decode` may take, and on most machines
it would find nothing. This looks for the group's name in the `entry_points.txt` files first.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache


def may_have(group: str) -> bool:
    """Whether an installed distribution names the entry point group."""
    return f"[{group}]".encode() in _all_entry_points()


@lru_cache(maxsize=1)
def _all_entry_points() -> bytes:
    return b"\n".join(_read(path) for folder in sys.path for path in _metadata(folder or "."))


def _metadata(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = [entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []
    return [f"{path}/entry_points.txt" for path in found]


def _read(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(file, 1 << 16)
    finally:
        os.close(file)
