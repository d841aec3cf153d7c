"""How far the bytes of a payload have been read, which the readers of binary formats share."""

from __future__ import annotations

from typing import ClassVar

from sessionctl.errors import MalformedError
from sessionctl.payload.budget import Budget, items_of


class Reader:
    """Bytes that are read from the front, and what they may still stand for."""

    __slots__ = ("at", "budget", "data")

    kind: ClassVar[str]
    """What the payload is called in a message."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at
        self.budget = Budget(self.kind, items_of(len(data)))

    def take(self, size: int) -> bytes:
        """The next bytes, all of them."""
        start = self.at
        end = self.at = start + size
        if size < 0 or end > len(self.data):
            raise self.cut_short()
        return self.data[start:end]

    def cut_short(self) -> MalformedError:
        """The error for a payload that ends before its last value does."""
        return MalformedError(f"{self.kind} that is cut short")
