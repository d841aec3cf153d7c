"""Paths with dots into what a session holds (`cart.0.sku`): read, set and removed by the same rule.

A key that is there as it is written goes before a path, at each step.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Steps = tuple[str | int, ...]
"""Names in objects and indexes in arrays."""

_GONE = object()


def find_path(value: Any, path: str) -> tuple[bool, Any]:
    """The value of a key, else of a path with dots: `cart.0.sku`."""
    if isinstance(value, dict) and path in value:
        return True, value[path]
    steps = _steps_to(value, path)
    return (False, None) if steps is None else (True, _at(value, steps))


def top_level(
    data: Mapping[str, Any], values: Mapping[str, Any], unset: Iterable[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """The values to set, and the keys to unset, that changes by path come to; `data` stays as it is.

    A path that leads into an object or array which is there is followed; its last step may be new in an
    object, or the next index of an array. An array closes up once all that goes is removed. Any other name is
    a key. Raises `UsageError`, which names the place where a path ends.
    """
    work = dict(data)
    touched: dict[str, None] = {}
    for path, value in values.items():
        _put(work, _steps_for(work, path), value, touched)
    for path in unset:
        _put(work, _steps_to(work, path) or (path,), _GONE, touched)
    changed = {key: _closed(work[key]) for key in touched if work[key] is not _GONE}
    return changed, [key for key in touched if work[key] is _GONE]


def _put(work: dict[str, Any], steps: Steps, value: Any, touched: dict[str, None]) -> None:
    """Put a value in its place, in a copy of what holds it."""
    top, *inner = steps
    assert isinstance(top, str)  # noqa: S101 - the values of a session are an object
    if not inner:
        work[top] = value
    else:
        if top not in touched:
            work[top] = deepcopy(work[top])
        holder = _at(work[top], tuple(inner[:-1]))
        if isinstance(holder, list) and inner[-1] == len(holder):
            holder.append(value)
        else:
            holder[inner[-1]] = value
    touched[top] = None


def _closed(value: Any) -> Any:
    """A value without what was removed from it."""
    if isinstance(value, dict):
        return {key: _closed(item) for key, item in value.items() if item is not _GONE}
    if isinstance(value, list):
        return [_closed(item) for item in value if item is not _GONE]
    return value


def _at(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def _steps_to(value: Any, path: str) -> Steps | None:
    """The steps to a value that is there."""
    if isinstance(value, dict):
        if path in value:
            return (path,)
        for head, rest in splits(path, value):
            if (inner := _steps_to(value[head], rest)) is not None:
                return (head, *inner)
    if isinstance(value, list):
        head, dot, rest = path.partition(".")
        if (index := jsontext.index_in(value, head)) is not None:
            found = _steps_to(value[index], rest) if dot else ()
            return None if found is None else (index, *found)
    return None


def _steps_for(data: Mapping[str, Any], path: str) -> Steps:
    """The steps to a value, there or to be made; a key where nothing is there for the path to lead into."""
    if (steps := _steps_to(data, path)) is not None:
        return steps
    for head, rest in splits(path, data):
        if isinstance(data[head], (dict, list)):
            return (head, *_steps_into(data[head], rest, head))
    return (path,)


def _steps_into(holder: Any, path: str, place: str) -> Steps:
    """The steps to what is new in an object or array. Raises `UsageError`."""
    head, dot, rest = path.partition(".")
    if isinstance(holder, list):
        index = jsontext.index_in(holder, head, new=True)
        if index is None:
            raise _no_way(place, head, f"an array whose next index is {len(holder)}")
        if index == len(holder) and not dot:
            return (index,)
        if index < len(holder) and isinstance(holder[index], (dict, list)):
            return (index, *_steps_into(holder[index], rest, f"{place}.{index}"))
        raise _no_way(f"{place}.{index}", rest, "no object or array")
    for inner, further in splits(path, holder):
        if isinstance(holder[inner], (dict, list)):
            return (inner, *_steps_into(holder[inner], further, f"{place}.{inner}"))
    if dot:
        raise _no_way(f"{place}.{head}", rest, "no object or array")
    if not path:
        raise _no_way(place, path, "an object, and its keys have a name")
    return (path,)


def _no_way(place: str, rest: str, kind: str) -> UsageError:
    return UsageError(f"{rest[:40]!r} cannot be set in {place[:80]!r}: that is {kind}")


def splits(path: str, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The keys that a path begins with, the shortest first, each with the path that follows its dot.

    A key may have dots itself. The keys are gone through, not the dots, of which a path may have 100,000.
    """
    if "." in path:
        heads = [key for key in keys if path.startswith(key) and path.startswith(".", len(key))]
        for head in sorted(heads, key=len):
            yield head, path[len(head) + 1 :]
