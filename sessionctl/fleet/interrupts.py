"""Ctrl-C between the steps of a run, not within one: what was done and what was counted agree."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class Interrupts:
    """While it is entered, Ctrl-C waits for the end of the step that is being done; a second one does not wait.

    A program that handles the signal in a way of its own, or a thread that gets none, is left as it is.
    """

    def __init__(self) -> None:
        self._installed = False
        self._in_step = False
        self._waiting = False

    def __enter__(self) -> Self:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _handle(self, *_: object) -> None:
        if self._in_step and not self._waiting:
            self._waiting = True
            return
        raise KeyboardInterrupt

    @contextmanager
    def step(self) -> Iterator[None]:
        """What is done and counted without an interruption between the two."""
        self._in_step = True
        try:
            yield
        finally:
            self._in_step = False
            if self._waiting:
                self._waiting = False
                raise KeyboardInterrupt

    def each(self, steps: Iterator[T]) -> Iterator[T]:
        """The same, each of them a step."""
        end = object()
        while True:
            with self.step():
                one = next(steps, end)
            if one is end:
                return
            yield one  # type: ignore[misc] # it is not the end
