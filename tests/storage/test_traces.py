"""Session and storages behave move by move as Remix 3 does, except where its faults are mended."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl import MalformedError, Session, SessionctlError, open_storage
from sessionctl.storage import RecordStorage, SessionStorage
from sessionctl.storage.cookie import NotRevocableWarning
from tests.cases import rows

if TYPE_CHECKING:
    from pathlib import Path

TRACES = {row["id"].removeprefix("remix3-trace-"): row for row in rows("remix3-traces")}

# What DESIGN section 4 mends, or no sane shape: the trace shows the fault, other tests show the mending.
MENDED = {
    "cookie-mutate-dirty": "a change inside a list is saved",
    "memory-mutate": "a read is a copy, and a change inside a list is saved",
    "memcached-mutate": "a change inside a list is saved",
    "memcached-mutate-after-save": "a change inside a list is saved",
    "memory-two-objects": "two requests are merged",
    "fs-two-objects": "two requests are merged",
    "memcached-two-objects": "two requests are merged",
    "memory-two-objects-destroyed": "a destroyed session does not come back",
    "redis-destroy-regen": "destroy ends every ID",
    "memcached-destroy-regen": "destroy ends every ID",
    "random-086": "destroy ends every ID",
    "cookie-numbers": "an integer past 2**53 is an error, not another number",
    "flash-null": "Python has no undefined",
}
NO_SANE_SHAPE = re.compile(r"^(cookie-d-|cookie-i-|cookie-json-|(fs|redis|memcached)-stored-|init-partial)")


class Player:
    """Plays the moves of one trace and knows which fresh ID stands for `<id1>`."""

    def __init__(self, trace: dict[str, Any], url: str) -> None:
        self.trace = trace
        self.storage = self._open(url)
        self.ids: dict[str, str] = {}
        self.session: Session | None = None
        self.named: dict[str, Session] = {}
        self.returned: list[Any] = []
        for session_id, text in (trace.get("initial_store") or {}).items():
            assert isinstance(self.storage, RecordStorage)
            self.storage.store(self.storage.key_of(session_id), None, text.encode(), None)

    def _open(self, url: str) -> SessionStorage | None:
        if self.trace["storage"] is None:
            return None
        reuse = "reuse" if self.trace["options"].get("useUnknownIds") else "new"
        return open_storage(url, unknown_ids=reuse)

    def play(self, step: dict[str, Any]) -> Any:
        """Do one move; its answer."""
        operation = getattr(self, f"_{step['op']}")
        return operation(step)

    def _create(self, step: dict[str, Any]) -> None:
        self.session = Session(step.get("session_id"), data=_data(step.get("initial")))

    def _read(self, step: dict[str, Any]) -> None:
        assert self.storage
        cookie = step["cookie"]
        if isinstance(cookie, dict):
            cookie = self.returned[cookie["from_step"]]
        self.session = self.storage.read(self.real(cookie))

    def _set(self, step: dict[str, Any]) -> None:
        self.session.set(step["key"], _value(step))

    def _flash(self, step: dict[str, Any]) -> None:
        self.session.flash(step["key"], _value(step))

    def _unset(self, step: dict[str, Any]) -> None:
        self.session.unset(step["key"])

    def _regenerateId(self, step: dict[str, Any]) -> None:  # noqa: N802 - Remix's word
        self.session.regenerate_id(bool(step.get("deleteOld")))

    def _destroy(self, step: dict[str, Any]) -> None:
        self.session.destroy()

    def _get(self, step: dict[str, Any]) -> list[Any]:
        return self.probe(step["key"])

    def _save(self, step: dict[str, Any]) -> str | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotRevocableWarning)
            return self.storage.save(self.session)

    def _keep(self, step: dict[str, Any]) -> None:
        self.named[step["name"]] = self.session

    def _use(self, step: dict[str, Any]) -> None:
        self.session = self.named[step["name"]]

    def probe(self, key: str) -> list[Any]:
        """`[]` where Remix says undefined, else `[value]`."""
        missing = object()
        value = self.session.get(key, missing)
        return (
            []
            if value is missing or (value is None and self.session._values.get(key, 0) is None)
            else [value]
        )

    def real(self, text: str | None) -> str | None:
        """A text of the trace with this run's IDs in place of `<id1>`."""
        for name, session_id in self.ids.items():
            text = text.replace(name, session_id) if text else text
        return text

    def learn(self, expected: dict[str, Any] | None) -> None:
        """Take the ID that stands for a name that was not seen before."""
        if expected and expected["id"].startswith("<id") and expected["id"] not in self.ids:
            self.ids[expected["id"]] = self.session.id

    def state(self, keys: list[str]) -> dict[str, Any]:
        """What can be seen of the session, with the trace's names for IDs."""
        session = self.session
        values, flash = session.data
        return {
            "id": session.id,
            "deleteId": session.delete_id,
            "size": session.size,
            "dirty": session.dirty,
            "destroyed": session.destroyed,
            "data": [values, flash],
            "get": {key: self.probe(key) for key in keys},
            "has": {key: session.has(key) for key in keys},
        }


def _data(initial: Any) -> Any:
    return (initial[0] or {}, initial[1] or {}) if initial else None


def _value(step: dict[str, Any]) -> Any:
    return {"undefined": None}[step["value_js"]] if "value_js" in step else step["value"]


PlayerOf = Callable[[dict[str, Any]], Player]


@pytest.fixture
def player_of(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[PlayerOf]:
    """Players of traces, each on an empty storage: for Redis and Memcached on real servers."""
    with contextlib.ExitStack() as opened:

        def url(kind: str | None) -> str:
            if kind in ("redis", "memcached"):
                server = request.getfixturevalue(f"{kind}_server")
                return f"{server.url}?prefix={request.getfixturevalue('unique_prefix')}"
            return f"fs:{tmp_path / 'store'}" if kind == "fs" else f"{kind or 'memory'}:"

        def player(trace: dict[str, Any]) -> Player:
            player = Player(trace, url(trace["storage"]))
            if player.storage is not None:
                opened.callback(player.storage.close)
            return player

        yield player


def _playable(trace: dict[str, Any]) -> bool:
    return not any(step.get("value_js") not in (None, "undefined") for step in trace["steps"])


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in TRACES
        if name not in MENDED and not NO_SANE_SHAPE.match(name) and _playable(TRACES[name])
    ],
)
def test_trace(name: str, player_of: PlayerOf) -> None:
    """After every move, all that can be seen is what Remix showed."""
    trace = TRACES[name]
    replay(player_of(trace))


def replay(player: Player) -> None:
    """Play all moves of a player's trace, and compare what can be seen after each."""
    trace = player.trace
    for step in trace["steps"]:
        try:
            answer = player.play(step)
        except SessionctlError:
            assert "throws" in step, step
            player.returned.append(None)
            continue
        assert "throws" not in step, step
        player.returned.append(answer)
        player.learn(step["after"])
        if step["op"] == "save":
            assert answer == player.real(step["returned"])
            if step.get("store") is not None:
                _assert_store(player, step["store"])
        expected = json.loads(json.dumps(step["after"]))
        if expected:
            expected["id"] = player.real(expected["id"])
            expected["deleteId"] = player.real(expected["deleteId"])
            assert player.state(trace["keys"]) == expected, step


def _assert_store(player: Player, expected: dict[str, str]) -> None:
    storage = player.storage
    assert isinstance(storage, RecordStorage)
    kept = {entry.key: storage.load(entry.key).text.decode() for entry in storage.scan()}
    assert kept == {storage.key_of(player.real(name)): player.real(text) for name, text in expected.items()}


@pytest.mark.parametrize("name", [name for name in TRACES if NO_SANE_SHAPE.match(name)])
def test_strange_records(name: str, player_of: PlayerOf) -> None:
    """A record or cookie of no sane shape gives a session or an error of our tree, never another."""
    trace = TRACES[name]
    player = player_of(trace)
    for step in trace["steps"]:
        try:
            player.returned.append(player.play(step))
        except MalformedError:
            return
        player.learn(step["after"])
