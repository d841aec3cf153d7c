"""Remix 3's packages for Redis and Memcached share a store with this one, in both directions, on real servers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import open_storage
from sessionctl.storage.base import RecordStorage
from tests.servers import memcached_server, redis_server, server_directory  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

VALUES = {"user": "Zoë 😀", "cart": [1, 2.5, {"b": None}], "ok": True, "10": 1, "deep": {"z": [], "a": {}}}


class Store:
    """One store, with both programs at it."""

    def __init__(self, node: Node, kind: str, url: str) -> None:
        self._node = node
        self.kind = kind
        self.prefix = f"interop-{secrets.token_hex(6)}:"
        storage = open_storage(url, prefix=self.prefix)
        assert isinstance(storage, RecordStorage)
        self.ours = storage
        self.url = url.removesuffix("/0")

    def remix(self, move: str, ttl: int | None = None, **request: Any) -> Any:
        """What Remix answers to a `read` or a `save`."""
        name = "ttl" if self.kind == "redis" else "ttlSeconds"
        options = {"keyPrefix": self.prefix, **({} if ttl is None else {name: ttl})}
        return self._node(f"remix.{self.kind}.{move}", url=self.url, storage=options, **request)

    def life(self, session_id: str) -> float | None:
        """Seconds until the record of an ID expires."""
        stored = self.ours.peek(self.ours.key_of(session_id))
        assert stored is not None
        return None if stored.expires_at is None else stored.expires_at - self.ours.clock()


@pytest.fixture(params=["redis", "memcached"])
def store(request: pytest.FixtureRequest, node: Node) -> Iterator[Store]:
    store = Store(node, request.param, request.getfixturevalue(f"{request.param}_server").url)
    yield store
    store.ours.close()


def test_remix_reads_ours(store: Store) -> None:
    """A session that was saved here is found by Remix under the same ID, values and flash."""
    session = store.ours.read(None)
    session.update(VALUES)
    session.flash("notice", "saved ✓")
    session_id = store.ours.save(session)
    read = store.remix("read", cookie=session_id, keys=["notice"])
    assert (read["id"], read["values"], read["get"]) == (session_id, VALUES, {"notice": "saved ✓"})


def test_we_read_those_of_remix(store: Store) -> None:
    """A session that Remix saved is found here, flash included."""
    session_id = store.remix("save", values=VALUES, flash={"notice": "saved ✓"})
    session = store.ours.read(session_id)
    assert session.data[0] == VALUES
    assert (session.id, session.get("notice")) == (session_id, "saved ✓")


def test_the_records_are_the_same_bytes(store: Store) -> None:
    """Both write the same text under the same key."""
    theirs = store.remix("save", values=VALUES, flash={"notice": "x"})
    session = store.ours.read(None)
    session.update(VALUES)
    session.flash("notice", "x")
    ours = store.ours.save(session)
    assert ours is not None
    texts = [store.ours.load(store.ours.key_of(session_id)) for session_id in (theirs, ours)]
    assert texts[0] is not None
    assert texts[1] is not None
    assert texts[0].text == texts[1].text


def test_a_session_goes_to_and_fro(store: Store) -> None:
    """Both change the same session in turn, regenerate its ID, and end it."""
    session_id = store.remix("save", values={"n": 1})
    session = store.ours.read(session_id)
    session["n"] = 2
    assert store.ours.save(session) == session_id
    assert store.remix("save", cookie=session_id, values={"m": 3}) == session_id
    assert dict(store.ours.read(session_id)) == {"n": 2, "m": 3}
    new = store.remix("save", cookie=session_id, regenerate="delete")
    assert store.ours.read(session_id).is_new
    session = store.ours.read(new)
    session.regenerate_id(True)
    newest = store.ours.save(session)
    assert store.remix("read", cookie=new)["id"] != new
    assert store.remix("read", cookie=newest)["values"] == {"n": 2, "m": 3}
    assert store.remix("save", cookie=newest, destroy=True) == ""
    assert store.ours.read(newest).is_new


@pytest.mark.parametrize("days", [1, 20])
def test_a_life_that_remix_gave_is_kept(store: Store, days: int) -> None:
    """A save here without `ttl` does not change when a session of Remix ends."""
    session_id = store.remix("save", ttl=days * 86400, values={"n": 1})
    assert store.life(session_id) == pytest.approx(days * 86400, abs=2)
    session = store.ours.read(session_id)
    session["n"] = 2
    store.ours.save(session)
    assert store.life(session_id) == pytest.approx(days * 86400, abs=4)


def test_the_time_of_creation_does_not_disturb_remix(store: Store) -> None:
    """A record with `lifetime` has a third member; Remix reads the first two."""
    place = f"{store.url}/0" if store.kind == "redis" else store.url
    with open_storage(place, prefix=store.prefix, lifetime=3600) as limited:
        session = limited.read(None)
        session["n"] = 1
        session_id = limited.save(session)
    assert store.remix("read", cookie=session_id)["values"] == {"n": 1}
