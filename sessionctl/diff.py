"""Two sessions side by side: what was added, removed and changed, by the place in the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.inspection import Report

Kind = Literal["added", "removed", "changed"]


class Change(NamedTuple):
    """One difference. `part` is `data`, `flash` or a property of the cookie; `path` the place inside, with dots."""

    kind: Kind
    part: str
    path: str
    before: Any
    after: Any

    @property
    def place(self) -> str:
        """Part and path as one."""
        return f"{self.part}.{self.path}" if self.path else self.part

    def as_json(self) -> dict[str, Any]:
        """The JSON object of a change, times in ISO 8601."""
        if self.part not in ("issued_at", "expires_at"):
            return self._asdict()
        from sessionctl.duration import iso

        return {**self._asdict(), "before": iso(self.before), "after": iso(self.after)}


class Comparison(NamedTuple):
    """What differs between two sessions.

    `untold` says that they may differ in what is encrypted, which no key has opened: that counts as different.
    `recoded` says that their texts differ though nothing else does.
    """

    changes: tuple[Change, ...]
    untold: bool = False
    recoded: bool = False

    @property
    def same(self) -> bool:
        """Whether nothing differs, as far as it can be told."""
        return not (self.changes or self.untold)

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the command."""
        return {"same": self.same, "changes": [change.as_json() for change in self.changes]}


def compare_values(before: Any, after: Any, part: str = "data", path: str = "") -> Iterator[Change]:
    """The differences between two JSON values, the deepest place that differs each.

    True and 1 differ, as do 1 and 1.0.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{path}.{key}" if path else str(key)
            if key not in after:
                yield Change("removed", part, inner, before[key], None)
            elif key not in before:
                yield Change("added", part, inner, None, after[key])
            else:
                yield from compare_values(before[key], after[key], part, inner)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(before, after, part, path)
    elif type(before) is not type(after) or before != after:
        yield Change("changed", part, path, before, after)


def _compare_lists(before: list[Any], after: list[Any], part: str, path: str) -> Iterator[Change]:
    for index in range(max(len(before), len(after))):
        inner = f"{path}.{index}" if path else str(index)
        if index >= len(after):
            yield Change("removed", part, inner, before[index], None)
        elif index >= len(before):
            yield Change("added", part, inner, None, after[index])
        else:
            yield from compare_values(before[index], after[index], part, inner)


def compare(before: Report, after: Report) -> Comparison:
    """All that differs between two sessions: the cookie's properties, then data and flash."""
    changes = tuple(_changes(before, after))
    if before.text == after.text:
        return Comparison(changes)
    untold = any(report.encrypted and report.data is None for report in (before, after))
    return Comparison(changes, untold, recoded=not (changes or untold))


def _changes(before: Report, after: Report) -> Iterator[Change]:
    for name, one, other in (
        ("format", before.format, after.format),
        ("cookie_name", before.cookie_name, after.cookie_name),
        ("ref", before.ref, after.ref),
        ("signature", _signature(before), _signature(after)),
        ("expired", before.expired, after.expired),
        ("issued_at", before.issued_at, after.issued_at),
        ("expires_at", before.expires_at, after.expires_at),
        ("found", before.found, after.found),
        ("size", before.size, after.size),
    ):
        if one != other:
            yield Change("changed", name, "", one, other)
    if before.attributes is not None and after.attributes is not None:
        yield from compare_values(dict(before.attributes), dict(after.attributes), "attributes")
    yield from compare_values(before.data, after.data, "data")
    yield from compare_flash(before.flash, after.flash)


def compare_flash(before: Any, after: Any) -> Iterator[Change]:
    """The differences between what is flashed; nothing is the same as an empty list or object."""
    if not before and after:
        yield Change("added", "flash", "", None, after)
    elif before and not after:
        yield Change("removed", "flash", "", before, None)
    else:
        yield from compare_values(before or {}, after or {}, "flash")


def _signature(report: Report) -> str:
    verdict = report.verdict
    key = "" if verdict.key_index is None else f", key {verdict.key_index}"
    return f"{report.status}{key}"
