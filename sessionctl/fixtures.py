"""Sessions to make from a file: one, a list of them, or one a line, in JSON or YAML."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.errors import MalformedError, MissingExtraError, UsageError
from sessionctl.sources.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_LINE = 64 << 20
"""Bytes over which a line is no session, nor a file that is not one a line."""

MAX_NODES = 1_000_000
"""Values that a YAML text may stand for."""


_H3 = {"id", "createdAt", "data"}
"""The keys of a session of h3 itself, which are no answer of a command."""


class Fixture(NamedTuple):
    """One session to make. `place` is where it stands among several: `line 4`, `session 2`."""

    data: Any
    flash: Mapping[str, Any]
    id: str | None = None
    place: str | None = None

    def with_values(
        self, values: Mapping[str, Any], flash: Mapping[str, Any], session_id: str | None
    ) -> Fixture:
        """The same with more values, messages and another ID. Raises `UsageError` where the data are no object."""
        data = self.data
        if values and not isinstance(data, dict):
            raise UsageError("--set adds to an object, and --from gave something else")
        if values:
            data = {**data, **values}
        return self._replace(
            data=data,
            flash={**self.flash, **flash},
            id=session_id if session_id is not None else self.id,
        )


def read_fixtures(file: IO[bytes], *, yaml: bool | None = False) -> Iterator[Fixture]:
    """The sessions of a file: the values themselves, what `decode --json` prints, a list of either, or one a line
    (NDJSON), as `export` writes them too. A file of one a line is read as it is needed.

    With `yaml` it is YAML, with None what does not begin like JSON is. Raises `MalformedError` for what is neither,
    `UsageError` for an ID that is none; of a line with its number.
    """
    first = file.readline(MAX_LINE)
    while first and not first.strip():
        first = file.readline(MAX_LINE)
    if yaml is None:
        yaml = first.lstrip(b"\xef\xbb\xbf \t")[:1] not in (b"{", b"[")
    header = None if yaml else _object(first)
    if header is not None:
        yield from _lines(header, file)
        return
    content = first + file.read(MAX_LINE)
    if len(content) > MAX_LINE:
        raise UsageError(f"more than {MAX_LINE >> 20} MiB, which are no session; of many, put one a line")
    text = decode_text(content)
    if not text.strip():
        return
    value = _load_yaml(text) if yaml else jsontext.loads(text)
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        yield from (_at(f"session {number}", item) for number, item in enumerate(value, 1))
    else:
        yield _fixture(value)


def _object(line: bytes) -> dict[str, Any] | None:
    """The object that a line is; None where it is none."""
    try:
        value = jsontext.loads_bytes(line)
    except MalformedError:
        return None
    return value if isinstance(value, dict) else None


def _lines(first: dict[str, Any], file: IO[bytes]) -> Iterator[Fixture]:
    """The sessions of a file of one a line; header and last line of an export are none."""
    exported = first.get("sessionctl") == "export"
    if not exported:
        yield _at("line 1", first)
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 2):
        if not line.strip():
            continue
        value = _object(line)
        if value is None:
            raise MalformedError(f"line {number}: {_problem(line)}")
        if exported and value.keys() == {"sessions", "sha256"}:
            return
        yield _at(f"line {number}", value)


def _problem(line: bytes) -> str:
    try:
        jsontext.loads_bytes(line)
    except MalformedError as error:
        return str(error)
    return "no object, as a session is"


def _at(place: str, value: Any) -> Fixture:
    """The session at a place. Raises `UsageError`, which names the place."""
    try:
        return _fixture(value)._replace(place=place)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None


def _fixture(value: Any) -> Fixture:
    """A session as `decode`, `inspect` and `list` print it, as `export` writes it, or its values alone."""
    if not isinstance(value, dict):
        return Fixture(value, {})
    if "values" in value and "flash" in value and value.keys() & {"hash", "ref"}:
        value = {"data": value["values"], "flash": value["flash"], "id": value.get("id")}
    elif not ("data" in value and value.keys() & {"format", "flash", "id"}) or value.keys() == _H3:
        return Fixture(value, {})
    flash, session_id = value.get("flash"), value.get("id")
    if session_id is not None and (not isinstance(session_id, str) or not session_id):
        raise UsageError("an ID is text, and not empty")
    apart = value.get("format") in (None, "native", "remix") and isinstance(flash, dict)
    return Fixture(value["data"], flash if apart and isinstance(flash, dict) else {}, session_id)


def _load_yaml(text: str) -> Any:
    """The value of a YAML text; of several documents a list."""
    try:
        from yaml import YAMLError, safe_load_all
    except ImportError:
        raise MissingExtraError("reading YAML", "yaml") from None
    try:
        documents = list(safe_load_all(text))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise MalformedError(f"not YAML{where}") from None
    if _stands_for_more(documents, MAX_NODES):
        raise MalformedError(f"YAML that stands for more than {MAX_NODES} values, or for itself")
    return documents[0] if len(documents) == 1 else documents


def _stands_for_more(value: Any, limit: int) -> bool:
    """Whether lists and mappings hold more than so many values: an alias may stand for any number of them."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, (list, dict)):
            limit -= len(item)
            if limit < 0:
                return True
            todo.extend(item.values() if isinstance(item, dict) else item)
    return False
