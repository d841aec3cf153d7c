"""PHP's session records, as its three handlers write them: each a way to put serialized values beside their names.

    php             name "|" value, again and again, nothing between (a name has no "|")
    php_binary      one byte: length of the name, name, value, again and again
    php_serialize   one array

The values are `serialize()`'s, see `sessionctl.payload.php`; references count through the whole record.
Source: PHP 8.2 ext/session/session.c.
"""

from __future__ import annotations

import re
from typing import Any

from sessionctl.errors import MalformedError
from sessionctl.payload.php import HEAD, Reader

MAX_NAME = 127
"""Bytes of the longest name that `php_binary` has room for."""

_find_variable = re.compile(rb"([^|]*+)\|(?:" + HEAD + rb")").match


def loads(data: bytes, handler: str | None = None) -> Any:
    """The variables of a session record; `[]` for none, as PHP has it. Line ends at the end do not count.

    Without a handler the bytes tell which one wrote them. Raises `MalformedError`.
    """
    data = data.rstrip(b"\r\n")
    if not data:
        return []
    reader = Reader(data)
    first: MalformedError | None = None
    for name in _likely(data) if handler is None else (handler,):
        reader.restart()
        try:
            return _HANDLERS[name](reader)
        except MalformedError as error:
            first = first or error
    raise first or MalformedError("not a PHP session record")


def _likely(data: bytes) -> tuple[str, ...]:
    if data[:2] == b"a:":
        return ("php_serialize", "php", "php_binary")
    return ("php_binary", "php") if data[0] < ord(" ") else ("php", "php_binary")


def _load_array(reader: Reader) -> Any:
    if reader.data[:2] != b"a:":
        raise MalformedError("PHP session: not an array")
    return reader.whole()


def _load_variables(reader: Reader) -> Any:
    data, found = reader.data, {}
    while reader.at < len(data):
        head = _find_variable(data, reader.at)
        if head is None:
            raise reader.fail("no variable")
        reader.spend(1)
        found[reader.shown(head[1])] = reader.rest(head, 1)
    return found


def _load_binary(reader: Reader) -> Any:
    data, found = reader.data, {}
    while reader.at < len(data):
        size = data[reader.at]
        name = data[reader.at + 1 : reader.at + 1 + size]
        if size > MAX_NAME or len(name) != size:
            raise MalformedError(f"PHP session: no name at byte {reader.at}")
        reader.at += 1 + size
        reader.spend(1)
        found[reader.shown(name)] = reader.value(1)
    return found


_HANDLERS = {"php": _load_variables, "php_serialize": _load_array, "php_binary": _load_binary}
