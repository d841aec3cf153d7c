"""What is done to one record, as commands to a Redis server: pure functions, no connection.

Each is a generator that yields commands and is sent their answers; `Clients.run` and `Clients.arun` send them.
Keys are bytes here, lives seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from sessionctl.storage import redis_scripts as scripts
from sessionctl.storage.redis_scripts import Command
from sessionctl.storage.stored import Outcome, Stored

_DONE = 1

T = TypeVar("T")
Commands = Generator[Command, Any, T]
"""A procedure that yields commands and is sent their answers."""


def loading(key: bytes) -> Commands[Stored | None]:
    """Read a record: `RecordStorage.load`."""
    text = yield "GET", key
    return None if text is None else Stored(text)


def peeking(key: bytes, peeked: Callable[[bytes | None, int], Stored | None]) -> Commands[Stored | None]:
    """What `peeked` makes of the text and the life that is left, as PTTL tells it."""
    text, life = yield scripts.call(scripts.PEEK, (key,))
    return peeked(text, life)


def storing(key: bytes, expected: Stored | None, text: bytes, expires_in: float | None) -> Commands[Outcome]:
    """Write a record if it still is what was expected: `RecordStorage.store`."""
    life = milliseconds(expires_in)
    if expected is not None:
        return outcome_of((yield scripts.call(scripts.SWAP, (key,), expected.text, text, life)), text)
    while True:
        if (yield ("SET", key, text, "NX", *(("PX", life) if life else ()))):
            return Outcome(True, Stored(text))
        current = yield "GET", key
        if current is not None:
            return Outcome(False, Stored(current))


def touching(key: bytes, expires_in: float) -> Commands[bool]:
    """Begin the idle life anew: `RecordStorage.touch`."""
    return bool((yield "PEXPIRE", key, milliseconds(expires_in)))


def deleting(key: bytes, expected: Stored | None) -> Commands[Outcome]:
    """Delete a record, with `expected` only if it still is that: `RecordStorage.delete`."""
    if expected is None:
        return Outcome(bool((yield "DEL", key)))
    life = "" if expected.version is None else expected.version
    return outcome_of((yield scripts.call(scripts.DELETE, (key,), expected.text, life)))


def moving(
    old: bytes, expected: Stored, new: bytes, text: bytes, expires_in: float | None, keep_old: bool
) -> Commands[Outcome]:
    """Write a record under a new key, and delete the old one: `RecordStorage.move`."""
    life, keep = milliseconds(expires_in), "1" if keep_old else ""
    return outcome_of((yield scripts.call(scripts.MOVE, (old, new), expected.text, text, life, keep)), text)


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
