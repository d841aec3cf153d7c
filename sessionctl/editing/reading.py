"""One value of a session, by its key or by a path with dots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.editing.opening import open_session
from sessionctl.keypaths import find_path

if TYPE_CHECKING:
    from sessionctl.identify import Setup, Target


def get(target: Target, setup: Setup, key: str) -> tuple[bool, Any]:
    """Whether there is a value of that name, and the value: a key, `flash.KEY`, or a path with dots."""
    opened = open_session(target, setup, to_change=False)
    if opened.session is not None:
        values: Any = {**opened.session.flashed, **opened.session.data[0]}
        flash = opened.session.flashed
    else:
        assert opened.decoded is not None  # noqa: S101 - one of the two is always there
        values, flash = opened.decoded.data, opened.decoded.flash
    return find_path({**values, "flash": flash} if _names_flash(values, key) else values, key)


def _names_flash(values: Any, key: str) -> bool:
    return (
        isinstance(values, dict) and key.startswith("flash.") and key not in values and "flash" not in values
    )
