"""What the contracts stand on: a storage, a clock, and a browser that keeps one cookie value."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sessionctl.testing.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from sessionctl.errors import (
        SessionctlError,
    )
    from sessionctl.session import Session
    from sessionctl.storage.base import SessionStorage

T = TypeVar("T")

UNICODE = "Grüße, мир, 世界 \U0001f36a \x00\u2028"
"""Text of one to four bytes a character in UTF-8, with what JSON must escape and JavaScript must not."""


class Harness:
    """What the tests stand on: a storage, a clock, and a browser that keeps one cookie value."""

    asynchronous: ClassVar[bool] = False
    """Whether the tests go through `aread` and `asave`."""

    tick: ClassVar[float] = 60.0
    """Seconds that tests of time count in; at least what the store can tell apart."""

    real_time: ClassVar[bool] = False
    """Whether the store judges time itself, so that a test must wait and no `clock` can be given."""

    cookie: str | None

    def open_storage(self, **options: Any) -> SessionStorage:
        """A storage with these options, in the same place whenever one test calls it again."""
        raise NotImplementedError

    def setup_method(self) -> None:
        """Begin a test with a moved-back clock and a browser without a cookie."""
        self.clock = Clock()
        self.cookie = None
        self._opened: list[SessionStorage] = []
        self._runner = asyncio.Runner()

    def teardown_method(self) -> None:
        """Close what the test opened."""
        for storage in self._opened:
            if self.asynchronous:
                self._await(storage.aclose())
            else:
                storage.close()
        self._runner.close()

    def opened(self, **options: Any) -> SessionStorage:
        """`open_storage` with the test's clock; the test's end closes it."""
        if not self.real_time:
            options["clock"] = self.clock
        storage = self.open_storage(**options)
        self._opened.append(storage)
        return storage

    def pass_time(self, ticks: float) -> None:
        """Let that many ticks go by."""
        if self.real_time:
            time.sleep(ticks * self.tick)
        else:
            self.clock.move(ticks * self.tick)

    def read(self, storage: SessionStorage, cookie_value: str | None) -> Session:
        """`read`, or its async twin."""
        if self.asynchronous:
            return self._await(storage.aread(cookie_value))
        return storage.read(cookie_value)

    def save(self, storage: SessionStorage, session: Session) -> str | None:
        """`save`, or its async twin."""
        if self.asynchronous:
            return self._await(storage.asave(session))
        return storage.save(session)

    def _await(self, steps: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(steps)

    def answer(self, storage: SessionStorage, session: Session) -> str | None:
        """Save, and let the browser take the cookie value of the answer; the answer."""
        value = self.save(storage, session)
        if value is not None:
            self.cookie = value or None
        return value

    @contextmanager
    def request(self, storage: SessionStorage) -> Iterator[Session]:
        """One request of the browser: read, what the block does, save."""
        session = self.read(storage, self.cookie)
        yield session
        self.answer(storage, session)

    def now(self, storage: SessionStorage) -> dict[str, Any]:
        """Values and flash that the browser's next request would see, without saving."""
        return dict(self.read(storage, self.cookie))


def raises(kind: type[SessionctlError], call: Callable[[], object]) -> SessionctlError:
    """The error that a call raises; an assertion fails where it raises none of that kind."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def ref_of(session_id: str) -> str:
    """The ref of an ID: the first 12 hex digits of its SHA-256."""
    return hashlib.sha256(session_id.encode()).hexdigest()[:12]
