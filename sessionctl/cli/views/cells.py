"""What a line of `list` shows of a session, on a terminal and in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.cli.output import value_text, visible

if TYPE_CHECKING:
    from sessionctl.fleet.select import Found


def value_at(found: Found, path: str) -> tuple[bool, Any]:
    """Whether a session holds a value under a path, and the value."""
    from sessionctl.fleet.where import look_up

    return (False, None) if found.record is None else look_up(found.record, path)


def cells(found: Found, columns: list[str], *, data: bool, reveal: bool) -> list[str]:
    """Ref, size, last save, expiry, then what was asked for; nothing in them breaks a line or a column."""
    from sessionctl.duration import iso

    entry = found.entry
    texts = [entry.ref, str(entry.size), iso(entry.modified_at) or "-", iso(entry.expires_at) or "-"]
    if reveal:
        texts.append(entry.key.encode(errors="backslashreplace").decode())
    for name in columns:
        is_there, value = value_at(found, name)
        texts.append(value_text(value) if is_there else "-")
    if data:
        record = found.record
        texts.append(value_text([record.values, record.flash]) if record else found.problem or "-")
    return [visible(text) for text in texts]
