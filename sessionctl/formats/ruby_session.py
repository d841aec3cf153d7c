"""What the sessions of Rails and Rack have in common: the serializers, the ID inside, Rails' flash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.encoding import as_text
from sessionctl.errors import MalformedError
from sessionctl.formats.base import Warn

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_payload(data: bytes) -> tuple[Any, str, tuple[Warn, ...]]:
    """The value of a serialized payload, its type, and what is odd: its first bytes say how to read it."""
    try:
        if data[:2] == b"\x04\x08":
            from sessionctl.payload import marshal

            return marshal.loads(data), "marshal", ()
        if data[:2] == b"\xcc\x80":
            from sessionctl.payload import rails_msgpack

            return rails_msgpack.loads(data), "msgpack", ()
        return jsontext.loads_bytes(data), "json", ()
    except MalformedError as error:
        value, kind = as_text(data)
        return value, kind, (Warn("unreadable", f"the payload is not read: {error}"),)


def hash_id(data: Any) -> str | None:
    """The ID that Rails and Rack keep inside the session."""
    found = data.get("session_id") if isinstance(data, dict) else None
    return found if isinstance(found, str) else None


def lacks_id(data: Any) -> bool:
    """Whether a session has no ID inside, without which Rails and Rack read nothing from it.

    Rack asks for the ID before it loads (rack 2.2.22 and rack-session 2.1.2, abstract/id.rb, `session_exists?`).
    """
    return isinstance(data, dict) and "session_id" not in data


def with_id(data: Any, session_id: str | None) -> Any:
    """The session with its ID inside, where it has none yet."""
    if session_id is None or not lacks_id(data):
        return data
    return {"session_id": session_id, **data}


def flash_of(data: Any) -> Mapping[str, Any] | None:
    """The messages that the next request will see: `{"discard": [names], "flashes": {name: message}}`.

    Rails 3 kept an object with the members `used` and `flashes`.
    """
    flash = data.get("flash") if isinstance(data, dict) else None
    if not isinstance(flash, dict) or not isinstance(flash.get("flashes"), dict):
        return None
    gone = flash.get("discard") or flash.get("used") or ()
    return {key: value for key, value in flash["flashes"].items() if key not in gone}
