"""What is done to one record, as commands to a Redis server: pure functions, no connection.

Each is a generator that yields commands and is sent their answers; `Clients.run` and `Clients.arun` send them.
Keys are bytes here, lives seconds.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, TypeVar

from sessionctl.storage import redis_scripts as scripts
from sessionctl.storage.redis_scripts import Command
from sessionctl.storage.stored import Outcome, Stored

_DONE = 1

T = TypeVar("T")
Commands = Generator[Command, Any, T]
"""A procedure that yields commands and is sent their answers."""


def get(key: bytes) -> Command:
    """Read a record: `RecordStorage.load`."""
    return ("GET", key)


def peek(key: bytes) -> Command:
    """Read a record and the life that it has left, as PTTL tells it: `RecordStorage.peek`."""
    return scripts.call(scripts.PEEK, (key,))


def swap(key: bytes, expected: bytes, text: bytes, expires_in: float | None) -> Command:
    """Write a record if it still is what was expected: `RecordStorage.store`."""
    return scripts.call(scripts.SWAP, (key,), expected, text, milliseconds(expires_in))


def adding(key: bytes, text: bytes, expires_in: float | None) -> Commands[Outcome]:
    """Write a record if there is none: `RecordStorage.store`."""
    life = milliseconds(expires_in)
    while True:
        if (yield ("SET", key, text, "NX", *(("PX", life) if life else ()))):
            return Outcome(True, Stored(text))
        current = yield get(key)
        if current is not None:
            return Outcome(False, Stored(current))


def extend(key: bytes, expires_in: float) -> Command:
    """Begin the idle life anew: `RecordStorage.touch`."""
    return ("PEXPIRE", key, milliseconds(expires_in))


def delete(key: bytes, expected: Stored) -> Command:
    """Delete a record if it still is what was expected: `RecordStorage.delete`."""
    return scripts.call(
        scripts.DELETE, (key,), expected.text, "" if expected.version is None else expected.version
    )


def move(
    old: bytes, expected: Stored, new: bytes, text: bytes, expires_in: float | None, keep_old: bool
) -> Command:
    """Write a record under a new key, and delete the old one: `RecordStorage.move`."""
    life, keep = milliseconds(expires_in), "1" if keep_old else ""
    return scripts.call(scripts.MOVE, (old, new), expected.text, text, life, keep)


def outcome_of(answer: Any, text: bytes | None = None) -> Outcome:
    """What a script's answer means; `text` is what lies there now, if it is done."""
    if answer == _DONE and type(answer) is int:
        return Outcome(True, None if text is None else Stored(text))
    return Outcome(False, None if answer is None else Stored(answer))


def milliseconds(seconds: float | None) -> int | str:
    """The argument of PX; "" where the life that is left stays."""
    return "" if seconds is None else max(1, math.ceil(seconds * 1000))


def raw(key: str) -> bytes:
    """A key as it goes to the server; what is no UTF-8 there comes back as it was."""
    return key.encode(errors="surrogateescape")


def glob(text: str) -> bytes:
    """A text as a pattern, of SCAN and PSUBSCRIBE, that means itself."""
    return b"".join(b"\\" + bytes([byte]) if byte in b"*?[]^\\" else bytes([byte]) for byte in raw(text))
