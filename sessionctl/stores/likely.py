"""Whose sessions lie in a place where none that are asked for do: what the names there tell, and some records.

They may be ours all the same, under another prefix than the one that is asked for.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import quote

from sessionctl import records
from sessionctl.errors import MalformedError, RefusedError, SessionctlError, StorageError
from sessionctl.storage.base import RecordStorage
from sessionctl.stores import layouts
from sessionctl.stores.registry import likeness, read_record
from sessionctl.stores.rules import Rule
from sessionctl.stores.storage import LayoutStorage, place_of
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.storage.base import SessionStorage
    from sessionctl.storage.memcached import MemcachedStorage
    from sessionctl.stores.places import Place

LOOK: Final = 1000
"""How many names are looked at, of however many there are: ten steps of Redis' SCAN."""

_READ: Final = 3
"""How many records of each kind are read, to be sure of it."""

_DEPTHS: Final = (0, 3)
"""How many directories deep: first the files that lie at hand, then as deep as any layout has them."""

_SURE: Final = 0.85
"""How much a record must look like the layout's for a name that anything could have."""

_CERTAIN: Final = 0.9
"""The same for a name with a prefix that no framework has by itself."""

_PREFIXES: Final = 8
"""How many prefixes, the commonest first, are looked under for sessions of another framework."""

_BY_NAME: Final = 0.5
"""How sure a name with the layout's own prefix or suffix makes it, where the record can be read as its kind."""

_COMMON_SUFFIXES: Final = ("", ".json")
"""Ends of names that tell nothing."""

_OUR_NAMES: Final = {
    "fs": re.compile(r"[0-9a-f]{2}/(?P<prefix>.*)[0-9a-f]{62}", re.DOTALL),
    "memcached": re.compile(r"(?P<prefix>.*)[0-9a-f]{64}", re.DOTALL),
}
"""The names of our records under any prefix, by scheme, where they have a hash of the ID."""

_OUR_KEYS: Final = re.compile(
    r"""(?P<remix> .*) [0-9a-f]{8} (?: - [0-9a-f]{4} ){3} - [0-9a-f]{12}   # a UUID
      | (?P<own> .*) [\w-]{43}                                            # an ID of ours
      | (?P<chosen> .* :) [^:]*                                           # any other""",
    re.DOTALL | re.VERBOSE,
)
"""The names of our records under any prefix, where the ID itself follows it."""


class Likely(NamedTuple):
    """The layout that the names of a place are of: `entries` of the `seen`, which are all of them or the first.

    `layout` is empty where they are our own sessions. With a `prefix` they lie under that one, not under the one
    that was asked for.
    """

    layout: str
    entries: int
    seen: int
    all_seen: bool
    prefix: str | None = None


class _Match(NamedTuple):
    """How sure it is that some names are of a layout: by name or content, then by content, then how many."""

    sure: float
    by_content: float
    entries: int


def missing_place(storage: SessionStorage | None) -> str | None:
    """The directory of a file store that does not exist: perhaps nobody has saved there yet, or it is misspelt."""
    from sessionctl.storage.file import FileStorage

    directory = storage.directory if isinstance(storage, (FileStorage, LayoutStorage)) else None
    return directory if directory is not None and not os.path.isdir(directory) else None


def is_empty(storage: SessionStorage | None) -> bool:
    """Whether it is a server's database in which nothing lies at all. Never raises."""
    if not isinstance(storage, RecordStorage):
        return False
    try:
        place = storage.place if isinstance(storage, LayoutStorage) else place_of(storage)[0]
        return place.server is not None and not _names(place)
    except SessionctlError:
        return False


def likely_layout(storage: SessionStorage | None) -> Likely | None:
    """Whose sessions lie there; None where one of ours or of the layout named does, or where that cannot be told.

    At most `LOOK` names are looked at, and a few records read. Never raises.
    """
    if not isinstance(storage, RecordStorage) or storage.scheme == "memory":
        return None
    try:
        if isinstance(storage, LayoutStorage):
            return _other_layout(storage)
        place, _ = place_of(storage)
        names = _names(place)
        if _holds_ours(storage, place, names):
            return None
        return (
            _ours_elsewhere(storage, place, names)
            or _best(place, names)
            or _theirs_elsewhere(place, names, layouts.every(), _CERTAIN)
        )
    except SessionctlError:
        return None


def _other_layout(storage: LayoutStorage) -> Likely | None:
    """The layout of what lies where nothing is of the one that was named."""
    place, rule = storage.place, storage.rule
    names = _names(place)
    mine = (name for name in names if _is_named(rule, name))
    if any(_opens(content, storage.layout.record) for content in _contents(place, mine)):
        return None
    named = (storage.layout,)
    found = _theirs_elsewhere(place, names, named, _SURE) or _best(place, names)
    if found is not None and found.layout == storage.layout.name and found.prefix is None:
        usual = storage.layout.rule(in_files=place.server is None)
        return found._replace(prefix=usual.prefixes[0])
    return (
        found
        or _theirs_elsewhere(place, names, layouts.every(), _CERTAIN)
        or _theirs_elsewhere(place, names, named, 0.0)
    )


def looks_like(likely: Likely, *, changes: bool = False, named: str = "") -> str:
    """How many entries look like which layout, or lie under which prefix, and what to do about it.

    `named` is the layout that the URL names already; who `changes` sessions is told that theirs are read alone.
    """
    prefix = "" if likely.prefix is None else f"prefix={quote(likely.prefix, safe=':/')}"
    if not likely.layout:
        lie = counted(likely.entries, "session lies", "sessions lie")
        return f"{lie} under another prefix: give {prefix} in the URL"
    begin = f" under {likely.prefix}" if prefix else ""
    found = f"{counted(likely.entries, f'entry{begin} looks', f'entries{begin} look')} like {likely.layout}"
    option = "&".join(filter(None, (f"?layout={likely.layout}" if named != likely.layout else "", prefix)))
    if changes:
        return f"{found}: another framework's store is read ({option}), never changed"
    return f"{found}: {'give' if named else 'add'} {option}"


def likely_owner(storage: RecordStorage) -> Likely | None:
    """Whose records lie on a server under the very prefix of a storage that has none of its own there.

    Flask-Session, for one, has the same prefix. What else lies on the server, however much, is passed over. None
    where that cannot be told; never raises.
    """
    if storage.scheme in ("memory", "fs", "memcached") or storage.read_only:
        return None
    try:
        place, _ = place_of(storage)
        own = [entry.key for entry in islice(storage.scan(), LOOK)]
        return None if _holds_ours(storage, place, own) else _best(place, own)
    except SessionctlError:
        return None


def _names(place: Place) -> list[str]:
    """The first names of a place, whoever wrote them."""
    if place.server is not None and place.server.scheme == "memcached":
        return list(islice(cast("MemcachedStorage", place.server).keys(), LOOK))
    found: dict[str, None] = {}
    for depth in _DEPTHS if place.server is None else _DEPTHS[:1]:
        try:
            for entry in islice(place.scan(Rule(depth=depth)), LOOK):
                found[entry.key] = None
        except StorageError:  # a directory that others may not list, as in /tmp: what was seen is enough
            continue
    return list(islice(found, LOOK))


def _holds_ours(storage: RecordStorage, place: Place, names: Iterable[str]) -> bool:
    """Whether a session of ours is among them: its name is one that we give, and its record can be read."""
    own = (name for name in names if _is_own(storage, name))
    return any(map(_is_readable, _contents(place, own)))


def _ours_elsewhere(storage: RecordStorage, place: Place, names: list[str]) -> Likely | None:
    """Our sessions under the prefix that most of them have."""
    shape = _OUR_NAMES.get(storage.scheme, _OUR_KEYS)
    found = {name: match[match.lastgroup or 0] for name in names if (match := shape.fullmatch(name))}
    for prefix, count in Counter(filter(None, found.values())).most_common(_READ):
        mine = (name for name in names if found.get(name) == prefix)
        if any(map(_is_readable, _contents(place, mine))):
            return Likely("", count, len(names), len(names) < LOOK, prefix)
    return None


def _theirs_elsewhere(
    place: Place, names: list[str], among: Iterable[layouts.Layout], least: float
) -> Likely | None:
    """Sessions of one of these layouts under a prefix that its application chose, on a server.

    `least` is how much a record must look like the layout's; it must open as that in any case.
    """
    if place.server is None:
        return None
    prefixes = {name: name[: name.rindex(":") + 1] for name in names if ":" in name}
    found: list[tuple[float, int, str, str]] = []
    for prefix, count in Counter(prefixes.values()).most_common(_PREFIXES):
        contents = _contents(place, (name for name, own in prefixes.items() if own == prefix))
        for layout in among:
            sure = max((likeness(content, layout.record) for content in contents), default=0.0)
            if layout.servers is None or sure < least or _is_anothers(prefix, layout):
                continue
            if any(_opens(content, layout.record) for content in contents):
                found.append((sure, count, layout.name, prefix))
    if not found:
        return None
    _, count, name, prefix = max(found, key=lambda each: each[:2])
    return Likely(name, count, len(names), len(names) < LOOK, prefix)


def _is_anothers(prefix: str, layout: layouts.Layout) -> bool:
    """Whether a prefix is the usual one of another layout."""
    others = (other.servers for other in layouts.every() if other is not layout and other.servers is not None)
    return (layout.servers is None or prefix not in layout.servers.prefixes) and any(
        prefix in rule.prefixes for rule in others
    )


def _is_own(storage: RecordStorage, name: str) -> bool:
    from sessionctl.storage.file import FileStorage

    if isinstance(storage, FileStorage):
        shard, _, rest = name.partition("/")
        return storage.key_of_file(shard, rest) is not None
    return name.startswith(getattr(storage, "prefix", ""))


def _is_readable(content: bytes) -> bool:
    try:
        records.parse(content)
    except MalformedError:
        return False
    return True


def _contents(place: Place, names: Iterable[str]) -> list[bytes]:
    """The records under the first of the names."""
    found = []
    for name in islice(names, _READ):
        try:
            stored = place.load(name)
        except SessionctlError:
            continue
        found += [] if stored is None else [stored.text]
    return found


def _best(place: Place, names: list[str]) -> Likely | None:
    matches: dict[str, _Match] = {}
    for layout in layouts.every():
        rule = layout.files if place.server is None else layout.servers
        mine = [] if rule is None else [name for name in names if _is_named(rule, name)]
        if rule is not None and mine:
            matches[layout.name] = _match(
                layout, place, mine, told=all(_is_telling(rule, each) for each in mine)
            )
    name = max(matches, key=matches.__getitem__, default="")
    if not name or not matches[name].sure:
        return None
    return Likely(name, matches[name].entries, len(names), len(names) < LOOK)


def _is_named(rule: Rule, name: str) -> bool:
    return name.count("/") <= rule.depth and rule.id_of(name) is not None


def _is_telling(rule: Rule, name: str) -> bool:
    """Whether a name has something that only this framework puts there: no bare ID or hash."""
    if any(name.endswith(suffix) for suffix in rule.suffixes if suffix not in _COMMON_SUFFIXES):
        return True
    return not rule.hashes and any(
        name.rpartition("/")[2].startswith(prefix) for prefix in rule.prefixes if prefix
    )


def _match(layout: layouts.Layout, place: Place, names: list[str], *, told: bool) -> _Match:
    contents = _contents(place, names)
    by_content = max((likeness(content, layout.record) for content in contents), default=0.0)
    if told and any(_opens(content, layout.record) for content in contents):
        return _Match(max(by_content, _BY_NAME), by_content, len(names))
    return _Match(by_content if by_content >= _SURE else 0.0, by_content, len(names))


def _opens(content: bytes, name: str | None) -> bool:
    """Whether a record can be read as that kind, though perhaps not without its key."""
    try:
        read_record(content, name)
    except MalformedError:
        return False
    except RefusedError:
        return True
    return True
