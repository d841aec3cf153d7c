"""Sessions as NDJSON: one JSON object a line, between a header and a trailer.

    {"sessionctl":"export","version":1,"storage":URL,"ids":true,"redacted":false,"exported_at":TIME}
    {"id":ID,"hash":HEX,"ref":REF,"values":{},"flash":{},"created_at":TIME,"modified_at":TIME,"expires_at":TIME}
    ...
    {"sessions":N,"sha256":HEX}

`id` is null where the store keeps only its SHA-256, `hash`; times are ISO 8601 or null. `sha256` is over
all bytes before the trailer. A redacted export holds neither IDs nor hashes, and cannot be imported. Whoever
has an ID has the session: keep an export as a password.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from sessionctl import jsontext, records
from sessionctl.duration import iso, parse_time
from sessionctl.errors import CorruptRecordError, MalformedError, SessionctlError, UsageError
from sessionctl.fleet.select import Selection, select
from sessionctl.fleet.store import fleet_of, target_of
from sessionctl.fleet.transfer import Carried, Moved, keeps_hashes, receive
from sessionctl.keypaths import splits
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sessionctl.fleet.select import Found
    from sessionctl.fleet.store import OnProblem
    from sessionctl.fleet.transfer import Overwrite
    from sessionctl.storage.base import RecordStorage, SessionStorage

VERSION = 1
MAX_LINE = 64 << 20
"""Bytes over which a line is no session."""

REDACTED = "[redacted]"
EVERYTHING = "*"
"""As a path to redact: every value."""

_HASH_LENGTH = 64


@dataclass(slots=True)
class Exported:
    """How many sessions were written, and the SHA-256 of their lines with the header's."""

    sessions: int = 0
    bytes: int = 0
    failed: int = 0
    sha256: str = ""

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the command."""
        return {"sessions": self.sessions, "bytes": self.bytes, "failed": self.failed, "sha256": self.sha256}


def export(
    storage: SessionStorage | None,
    out: IO[bytes],
    selection: Selection | None = None,
    *,
    redact: Iterable[str] = (),
    now: float | None = None,
    dumps: Callable[[Any], str] = jsontext.dumps,
    on_problem: OnProblem | None = None,
) -> Exported:
    """Write the sessions that are meant as NDJSON. `redact` names values to hide: `user.email`, `flash.x`, `*`.

    A corrupt record is told to `on_problem` and left out. Raises what `select` raises.
    """
    store, paths = fleet_of(storage), tuple(redact)
    result, digest = Exported(), hashlib.sha256()

    def write(line: dict[str, Any]) -> None:
        data = dumps(line).encode() + b"\n"
        out.write(data)
        digest.update(data)
        result.bytes += len(data)

    def fail(error: SessionctlError) -> None:
        result.failed += 1
        if on_problem is not None:
            on_problem(error)

    found = select(store, selection, now=now, content=True, on_problem=fail)
    write(_header(store, redacted=bool(paths)))
    for one in found:
        if one.record is None:
            fail(CorruptRecordError(store.location_of(one.entry.key), one.problem or "it was not read"))
            continue
        write(_line(store, one, paths))
        result.sessions += 1
    result.sha256 = digest.hexdigest()
    write({"sessions": result.sessions, "sha256": result.sha256})
    return result


def _header(store: RecordStorage, *, redacted: bool) -> dict[str, Any]:
    return {
        "sessionctl": "export",
        "version": VERSION,
        "storage": store.url,
        "ids": not keeps_hashes(store) and not redacted,
        "redacted": redacted,
        "exported_at": iso(store.clock()),
    }


def _line(store: RecordStorage, found: Found, redact: tuple[str, ...]) -> dict[str, Any]:
    entry, record = found.entry, found.record or records.Record({}, {})
    values, flash = record.values, record.flash
    for path in redact:
        values, flash = _redacted(values, flash, path)
    return {
        "id": None if redact else store.id_of(entry.key),
        "hash": None if redact else store.hash_of(entry.key),
        "ref": entry.ref,
        "values": values,
        "flash": flash,
        "created_at": iso(record.created),
        "modified_at": iso(entry.modified_at),
        "expires_at": iso(entry.expires_at),
    }


def _redacted(
    values: dict[str, Any], flash: dict[str, Any], path: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    if path == EVERYTHING:
        return dict.fromkeys(values, REDACTED), dict.fromkeys(flash, REDACTED)
    flash = _without(flash, path)
    return _without(values, path), _without(flash, path.removeprefix("flash."))


def _without(value: Any, path: str) -> Any:
    """A copy in which all that may lie under a path is hidden; in a list every item is looked into."""
    if isinstance(value, list):
        head, _, rest = path.partition(".")
        index = jsontext.index_in(value, head)
        if index is not None:
            return [*value[:index], _hidden(value[index], rest), *value[index + 1 :]]
        return [_without(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    hidden = {**value, path: REDACTED} if path in value else value
    for head, rest in splits(path, value):
        hidden = {**hidden, head: _without(hidden[head], rest)}
    return hidden


def _hidden(value: Any, rest: str) -> Any:
    return _without(value, rest) if rest else REDACTED


# -- reading ------------------------------------------------------------------------------------------


def import_(
    storage: SessionStorage | None,
    lines: Iterable[bytes],
    *,
    overwrite: Overwrite = "never",
    dry_run: bool = False,
    on_progress: Callable[[Moved], object] | None = None,
) -> Moved:
    """Write the sessions of an export. A line that cannot be read is told, and the rest goes on.

    `complete` is false where the export ends early. Raises `MalformedError` for what is no export,
    `UsageError` for a redacted one, and `NotSupportedError` where the store needs IDs that it does not hold, or
    is another framework's.
    """
    store, moved = target_of(storage), Moved(dry_run=dry_run)
    receive(store, _sessions(lines, moved), moved, overwrite=overwrite, on_progress=on_progress)
    return moved


def _sessions(lines: Iterable[bytes], moved: Moved) -> Iterator[Carried]:
    digest, count, number, ended = hashlib.sha256(), 0, 0, False
    for number, line in enumerate(_whole(lines, moved), 1):
        if not line.strip():
            continue
        try:
            value = jsontext.loads_bytes(line)
            if number == 1:
                _check_header(value)
            elif _is_trailer(value):
                _check_trailer(value, count, digest.hexdigest(), moved)
                ended = True
            else:
                count += 1
                yield _session(value)
        except MalformedError as error:
            if number == 1:
                raise MalformedError(f"no export of sessionctl: its first line is {error}") from None
            torn = "" if line.endswith(b"\n") else "; the export ends early"
            moved.fail_to_read(f"line {number}: {error}{torn}")
        digest.update(line)
    if not number:
        raise MalformedError("no export of sessionctl: it is empty")
    if not ended:
        moved.complete = False
        moved.mention(
            f"the export has no last line that counts its sessions: {count} came, more may be missing"
        )


def _whole(lines: Iterable[bytes], moved: Moved) -> Iterator[bytes]:
    """The lines, to where a compressed file breaks off."""
    try:
        yield from lines
    except (EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        moved.mention("the compressed file breaks off, or is damaged from here on")


def _check_header(value: Any) -> None:
    if not isinstance(value, dict) or value.get("sessionctl") != "export":
        raise MalformedError("no header of an export")
    if value.get("version") != VERSION:
        raise UsageError("a newer sessionctl wrote this export")
    if value.get("redacted"):
        raise UsageError("a redacted export holds no IDs, so it cannot be imported")


def _is_trailer(value: Any) -> bool:
    return isinstance(value, dict) and "sha256" in value and "values" not in value


def _check_trailer(value: dict[str, Any], count: int, digest: str, moved: Moved) -> None:
    if value.get("sessions") != count or value["sha256"] != digest:
        moved.mention(
            f"the export was changed since: its last line counts {value.get('sessions')}, "
            f"and {counted(count, 'session')} came"
        )


def _session(value: Any) -> Carried:
    """The session of a line. Raises `MalformedError`."""
    if not isinstance(value, dict):
        raise MalformedError("not an object")
    values, flash = value.get("values"), value.get("flash", {})
    if not isinstance(values, dict) or not isinstance(flash, dict):
        raise MalformedError("values and flash are not both objects")
    session_id, digest = value.get("id"), value.get("hash")
    if isinstance(session_id, str) and session_id:
        digest = _hash(session_id, digest)
    elif session_id is not None or not _is_hash(digest):
        raise MalformedError("neither an ID nor its hash")
    created = _moment(value, "created_at")
    text = records.dump(values, flash, created)
    return Carried(session_id, str(digest), text, _moment(value, "modified_at"), _moment(value, "expires_at"))


def _hash(session_id: str, told: Any) -> str:
    try:
        digest = hashlib.sha256(session_id.encode(errors="surrogateescape")).hexdigest()
    except UnicodeEncodeError:
        raise MalformedError("an ID that has no form in bytes") from None
    if told is not None and told != digest:
        raise MalformedError("the hash is not that of the ID")
    return digest


def _is_hash(text: Any) -> bool:
    return isinstance(text, str) and len(text) == _HASH_LENGTH and set(text) <= set("0123456789abcdef")


def _moment(value: dict[str, Any], name: str) -> float | None:
    text = value.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise MalformedError(f"{name} is no time")
    try:
        return parse_time(text)
    except UsageError:
        raise MalformedError(f"{name} is no time") from None
