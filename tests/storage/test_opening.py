"""What `open_storage` takes, and how it says no."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import UsageError, open_storage
from sessionctl.storage.file import FileStorage
from sessionctl.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("ttl", [86400, "1d", timedelta(days=1)])
def test_a_duration_as_a_program_has_it(ttl: Any) -> None:
    """Seconds, a text and a `timedelta` are one duration, by URL or class."""
    assert open_storage("memory:", ttl=ttl, lifetime=ttl).lifetime == 86400
    assert MemoryStorage(ttl=ttl).ttl == 86400
    assert open_storage("redis://localhost/0", timeout=timedelta(seconds=2), ttl=ttl).ttl == 86400


@pytest.mark.parametrize("ttl", [[1], b"1d", True, timedelta(0), timedelta(days=-1), float("nan"), "1x"])
def test_what_is_no_duration(ttl: Any) -> None:
    """Anything else is wrong usage, and the message names the option."""
    with pytest.raises(UsageError, match=r"ttl|no duration"):
        open_storage("memory:", ttl=ttl)


def test_a_path_is_a_directory_of_files(tmp_path: Path) -> None:
    """A `Path` needs no scheme, and nothing in its name is a query."""
    storage = open_storage(tmp_path / "a?ttl=1s", ttl="1d")
    assert isinstance(storage, FileStorage)
    assert (storage.directory, storage.ttl) == (str(tmp_path / "a?ttl=1s"), 86400)


@pytest.mark.parametrize("url", [None, 5, b"memory:"])
def test_what_is_no_url(url: Any) -> None:
    """What is neither text nor a path is wrong usage."""
    with pytest.raises(UsageError, match="text"):
        open_storage(url)
