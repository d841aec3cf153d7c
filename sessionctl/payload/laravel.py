"""What Laravel keeps of a session: its serialized text, the wrapper of the session driver `cookie`, flash.

    a:5:{s:6:"_token";s:40:"...";...}      serialize() of all values (session.serialization = php)
    {"_token":"...",...}                   the same as JSON (session.serialization = json)
    {"data":"...","expires":1795432311}    driver cookie: the text, and its end in Unix seconds

The driver `database` puts the text in base64. Flashed values lie among the others; `_flash.old` names those
that the next request still sees, `_flash.new` (empty in a stored session) those of the request before.
Sources: illuminate/session 12.x Store.php, CookieSessionHandler.php, DatabaseSessionHandler.php.
"""

from __future__ import annotations

import binascii
from typing import Any, NamedTuple

from sessionctl import jsontext
from sessionctl.errors import MalformedError
from sessionctl.payload import php, php_writer, python_json

_FAR = 2**53
"""Seconds past which no time is meant."""


class Wrapped(NamedTuple):
    """What the session driver `cookie` keeps: the session's text, and its end in Unix seconds."""

    text: bytes
    expires_at: float


def loads(text: bytes) -> tuple[Any, str]:
    """The session in its serialized text, and how it was written: `php` or `json`.

    Raises `MalformedError`.
    """
    if text[:1] in (b"{", b"["):
        return jsontext.loads_bytes(text), "json"
    return php.loads(text), "php"


def dumps(values: Any, serialization: str) -> str:
    """The serialized text of a session, `php` or `json`. Raises `UnserializableValueError`."""
    return _json(values) if serialization == "json" else php_writer.dumps(values).decode()


def unwrap(value: bytes) -> Wrapped | None:
    """What a value of the session driver `cookie` holds, or None where it is something else."""
    if value[:1] != b"{":
        return None
    try:
        found = jsontext.loads_bytes(value)
    except MalformedError:
        return None
    text, expires = (found.get("data"), found.get("expires")) if isinstance(found, dict) else (None, None)
    if not isinstance(text, str) or not isinstance(expires, (int, float)) or abs(expires) > _FAR:
        return None
    return Wrapped(text.encode("utf-8", "replace"), float(expires))


def wrap(text: str, expires_at: int) -> bytes:
    """The reverse of `unwrap`."""
    return _json({"data": text, "expires": expires_at}).encode("ascii")


def from_base64(text: bytes) -> bytes:
    """What the session driver `database` has put in base64; any other text as it is."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return text


def flashed(data: Any) -> dict[str, Any] | None:
    """The flashed values by name, or None where the session has never had any."""
    if not isinstance(data, dict) or "_flash" not in data:
        return None
    return {name: _get(data, name) for name in (*_names(data, "old"), *_names(data, "new"))}


def with_flash(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """`data` as it is stored after `flash()`: the value among the others, its name in `_flash.old`."""
    old = [*(name for name in _names(data, "old") if name != key), key]
    new = [name for name in _names(data, "new") if name != key]
    return {**data, key: value, "_flash": {"old": old, "new": new}}


def _names(data: dict[str, Any], which: str) -> list[str]:
    lists = data.get("_flash")
    found = lists.get(which) if isinstance(lists, dict) else None
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _get(data: dict[str, Any], name: str) -> Any:
    """As Laravel's `Arr::get`: dots lead inside, unless the whole name is a key."""
    if name in data:
        return data[name]
    found: Any = data
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _json(value: Any) -> str:
    """JSON as PHP's `json_encode` writes it: ASCII, with slashes escaped."""
    return python_json.dumps(value).replace("/", "\\/")
