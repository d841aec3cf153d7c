"""A clock that a test can move."""

from __future__ import annotations

import time


class Clock:
    """A clock that stands at the time of its making plus what it was moved by: for `clock=` of a storage."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        """Unix seconds."""
        return time.time() + self.offset

    def move(self, seconds: float) -> None:
        """Let that much time pass."""
        self.offset += seconds
