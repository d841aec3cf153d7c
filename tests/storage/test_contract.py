"""The storages that are built in and need no server keep the contract, sync and async."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sessionctl.storage.cookie import CookieStorage
from sessionctl.storage.file import FileStorage
from sessionctl.storage.memory import MemoryStorage
from sessionctl.testing import SessionContract, StorageContract

if TYPE_CHECKING:
    from pathlib import Path

    from sessionctl.storage import SessionStorage


class TestMemory(StorageContract):
    """`memory:`"""

    def open_storage(self, **options: Any) -> SessionStorage:
        """A storage that is emptied with the test."""
        return MemoryStorage(**options)


class TestMemoryAsync(TestMemory):
    """`memory:`, awaited"""

    asynchronous = True


class TestFile(StorageContract):
    """`fs:`"""

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.directory = tmp_path / "sessions"

    def open_storage(self, **options: Any) -> SessionStorage:
        """A storage that is emptied with the test."""
        return FileStorage(self.directory, **options)


class TestFileAsync(TestFile):
    """`fs:`, awaited: in threads"""

    asynchronous = True


class TestFileDurable(TestFile):
    """`fs:` that has the disk write each record"""

    def open_storage(self, **options: Any) -> SessionStorage:
        """A storage that is emptied with the test."""
        return FileStorage(self.directory, durable=True, prefix="app-", **options)


class TestCookie(SessionContract):
    """`cookie:`"""

    def open_storage(self, **options: Any) -> SessionStorage:
        """A storage that is emptied with the test."""
        return CookieStorage(**options)


class TestCookieAsync(TestCookie):
    """`cookie:`, awaited"""

    asynchronous = True
