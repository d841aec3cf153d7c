"""Sessions to make from a file: one or a list of them, in JSON or YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.errors import MalformedError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fixture(NamedTuple):
    """One session to make."""

    data: Any
    flash: Mapping[str, Any]
    id: str | None = None

    def with_values(
        self, values: Mapping[str, Any], flash: Mapping[str, Any], session_id: str | None
    ) -> Fixture:
        """The same with more values, messages and another ID. Raises `UsageError` where the data are no object."""
        data = self.data
        if values and not isinstance(data, dict):
            raise UsageError("--set adds to an object, and --from gave something else")
        if values:
            data = {**data, **values}
        return Fixture(data, {**self.flash, **flash}, session_id if session_id is not None else self.id)


def parse_fixtures(text: str, *, yaml: bool = False) -> list[Fixture]:
    """The sessions of a text: what `decode --json` prints, the values themselves, or a list of either.

    Raises `MalformedError` for what is neither JSON nor (where allowed) YAML, `UsageError` for an ID that is none.
    """
    value = _load_yaml(text) if yaml else jsontext.loads(text)
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return [_fixture(item) for item in value]
    return [_fixture(value)]


def _fixture(value: Any) -> Fixture:
    if not (isinstance(value, dict) and "data" in value and value.keys() & {"format", "flash", "id"}):
        return Fixture(value, {})
    flash, session_id = value.get("flash"), value.get("id")
    if session_id is not None and (not isinstance(session_id, str) or not session_id):
        raise UsageError("an ID is text, and not empty")
    apart = value.get("format") in (None, "native", "remix") and isinstance(flash, dict)
    return Fixture(value["data"], flash if apart and isinstance(flash, dict) else {}, session_id)


def _load_yaml(text: str) -> Any:
    try:
        from yaml import YAMLError, safe_load
    except ImportError:
        raise MissingExtraError("reading YAML", "yaml") from None
    try:
        return safe_load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise MalformedError(f"not YAML{where}") from None
