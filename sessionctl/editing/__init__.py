"""One session made, changed or ended from outside a request: what the commands do, as functions.

No function here is a request: pending flash survives all of them but the `flash` of the same key. A cookie
is changed only if it is genuine; changing a forged one would sign it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionctl.editing.changing import change, regenerate
    from sessionctl.editing.ending import Ended, destroy
    from sessionctl.editing.made import Made
    from sessionctl.editing.making import create
    from sessionctl.editing.opening import Opened, open_session
    from sessionctl.editing.paths import find_path
    from sessionctl.editing.reading import get

__all__ = [
    "Ended",
    "Made",
    "Opened",
    "change",
    "create",
    "destroy",
    "find_path",
    "get",
    "open_session",
    "regenerate",
]

_HOMES = {
    "Ended": "ending",
    "Made": "made",
    "Opened": "opening",
    "change": "changing",
    "create": "making",
    "destroy": "ending",
    "find_path": "paths",
    "get": "reading",
    "open_session": "opening",
    "regenerate": "changing",
}


def __getattr__(name: str) -> Any:
    """Import a name at its first use: a purge needs paths, and nothing of cookies (PEP 562)."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'sessionctl.editing' has no attribute {name!r}")
    value = getattr(import_module(f"sessionctl.editing.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
