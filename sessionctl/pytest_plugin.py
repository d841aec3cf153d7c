"""A pytest plugin: sessions and their cookies as fixtures, wherever sessionctl is installed.

    def test_the_account_page(client, session_cookie):
        client.set_cookie("session", session_cookie({"user_id": 42}, format="flask", secrets=[SECRET_KEY]))
        assert client.get("/account").status_code == 200

    def test_an_idle_session_ends(session_storage, session_clock):
        storage = session_storage("fs:sessions", ttl=1800)
        ...
        session_clock.move(1801)

Nothing else of sessionctl is imported before a test asks for one of the fixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sessionctl.storage.base import SessionStorage
    from sessionctl.testing import Clock

pytest.register_assert_rewrite(
    "sessionctl.testing.harness",
    "sessionctl.testing.session_contract",
    "sessionctl.testing.ending_contract",
    "sessionctl.testing.record_contract",
    "sessionctl.testing.storage_contract",
    "sessionctl.testing.server_contract",
)


class StorageOpener:
    """`session_storage(url="memory:", **options)`: as `open_storage`, on the test's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._opened: list[SessionStorage] = []

    def __call__(self, url: str = "memory:", **options: Any) -> SessionStorage:
        """The storage; the end of the test closes it."""
        from sessionctl.storage.registry import open_storage

        storage = open_storage(url, clock=self._clock, **options)
        self._opened.append(storage)
        return storage

    def close(self) -> None:
        """Close what was opened."""
        for storage in self._opened:
            storage.close()


class CookieMaker:
    """`session_cookie(data, ...)`: the cookie text of a session, for a test client to send."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(
        self,
        data: Any = None,
        *,
        format: str = "native",  # noqa: A002 - the field's own word
        secrets: Iterable[str | bytes] = (),
        flash: Mapping[str, Any] | None = None,
        cookie_name: str | None = None,
        **options: str,
    ) -> str:
        """The text as the framework writes it, at the time of the test's clock.

        `options` are those of the format (`sessionctl formats NAME`, `_` for `-`). Raises `UsageError`.
        """
        cookies = self.pairs(
            data, format=format, secrets=secrets, flash=flash, cookie_name=cookie_name, **options
        )
        return next(iter(cookies.values()))

    def pairs(
        self,
        data: Any = None,
        *,
        format: str = "native",  # noqa: A002 - the field's own word
        secrets: Iterable[str | bytes] = (),
        flash: Mapping[str, Any] | None = None,
        cookie_name: str | None = None,
        **options: str,
    ) -> dict[str, str]:
        """All cookies that the framework sends for it, by name: the text, then cookie-session's `NAME.sig`."""
        from sessionctl import KeyRing, formats
        from sessionctl.formats.base import Context

        form, keys, now = formats.get(format, **options), KeyRing(secrets), self._clock()
        name = cookie_name or next(iter(form.cookie_names), "session")
        text = form.encode({} if data is None else data, keys, flash=flash, cookie_name=name, now=now)
        return {name: text, **form.companions(text, Context(keys=keys, cookie_name=name, now=now))}


@pytest.fixture
def session_clock() -> Clock:
    """The clock of `session_storage` and `session_cookie`; `session_clock.move(seconds)` lets time pass."""
    from sessionctl.testing import Clock

    return Clock()


@pytest.fixture
def session_storage(session_clock: Clock) -> Iterator[StorageOpener]:
    """Opens storages on the test's clock, and closes them."""
    opener = StorageOpener(session_clock)
    yield opener
    opener.close()


@pytest.fixture
def session_cookie(session_clock: Clock) -> CookieMaker:
    """Makes session cookies of any format, as of the test's clock."""
    return CookieMaker(session_clock)
