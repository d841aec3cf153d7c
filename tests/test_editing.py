"""What the commands do to one session, as functions."""

from __future__ import annotations

import pytest

from sessionctl import KeyRing, UsageError, editing, open_storage
from sessionctl.identify import Setup, Target
from sessionctl.storage import RecordStorage


@pytest.fixture
def storage() -> RecordStorage:
    """A store whose keys are the IDs, as those of Redis are."""
    storage = open_storage("memory:")
    assert isinstance(storage, RecordStorage)
    return storage


def test_a_ref_gives_the_cookie_where_the_store_keeps_ids(storage: RecordStorage) -> None:
    """A session that is named by its ref is changed as by its ID, where the store's keys hold IDs."""
    setup = Setup(storage=storage, keys=KeyRing(["key"]))
    made = editing.create(setup, {"a": 1}, {})
    changed = editing.change(Target(ref=made.ref), setup, values={"a": 2})
    assert (changed.id, changed.ref) == (made.id, made.ref)
    assert changed.cookie
    renewed = editing.regenerate(Target(ref=made.ref), setup, delete_old=True)
    assert storage.read(renewed.id).get("a") == 2
    assert storage.read(made.id).is_new


def test_a_session_is_ended_without_a_key(storage: RecordStorage) -> None:
    """Whoever names the ID needs no key to end it; to print its cookie they do, before anything is stored."""
    session = storage.read(None)
    session.set("a", 1)
    session_id = storage.save(session)
    setup = Setup(storage=storage, format="remix")
    with pytest.raises(UsageError, match="needs a secret"):
        editing.change(Target(id=session_id), setup, values={"a": 2})
    assert storage.read(session_id).get("a") == 1
    assert editing.destroy(Target(id=session_id), setup).destroyed == 1
