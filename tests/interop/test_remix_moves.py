"""Random moves on Remix 3's own Session and storages come to the same here, but for the fault that is mended."""

from __future__ import annotations

import random
import re
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from sessionctl.storage import RecordStorage
from sessionctl.storage.cookie import NotRevocableWarning
from tests.storage.test_traces import Player, replay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

SEQUENCES = 100
KEYS = ["a", "b", "10", "2", "", "ż", "__proto__", "😀"]
VALUES: list[Any] = [
    0,
    1,
    -7,
    1.5,
    "",
    "x",
    "zażółć 😀",
    "\ud800",
    True,
    False,
    [],
    {},
    [1, [None]],
    {"2": 1, "1": {"k": []}},
]
MOVES = ["set", "set", "flash", "unset", "save", "save", "read", "read", "regenerateId", "destroy"]
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def moves(draw: random.Random) -> list[dict[str, Any]]:
    """Up to 30 moves, as in the corpus' traces, one request after another.

    They end where a session is destroyed after its ID was regenerated: Remix leaves a record behind there.
    """
    steps: list[dict[str, Any]] = [{"op": "read", "cookie": None}]
    saved: list[int] = []
    regenerated = False
    for _ in range(draw.randrange(3, 30)):
        op = draw.choice(MOVES)
        step: dict[str, Any] = {"op": op}
        if op in ("set", "flash", "unset"):
            step["key"] = draw.choice(KEYS)
        if op in ("set", "flash"):
            step["value"] = draw.choice([*VALUES, None] if op == "set" else VALUES)
        if op == "regenerateId":
            step["deleteOld"] = draw.random() < 0.5
            regenerated = True
        if op == "read":
            step["cookie"] = draw.choice([None, "", "client-id", *({"from_step": at} for at in saved * 2)])
            regenerated = False
        if op == "save":
            saved.append(len(steps))
        steps.append(step)
        if op == "destroy" and regenerated:
            break
    return steps


def named(found: Any) -> Any:
    """The same with `<id1>`, `<id2>` in place of random IDs, in order of first appearance."""
    names: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        return names.setdefault(match[0], f"<id{len(names) + 1}>")

    def walk(item: Any) -> Any:
        if isinstance(item, str):
            return UUID.sub(name, item)
        if isinstance(item, list):
            return [walk(one) for one in item]
        if isinstance(item, dict):
            return {walk(key): walk(one) for key, one in item.items()}
        return item

    return walk(found)


@pytest.mark.parametrize("kind", ["memory", "cookie", "fs"])
@pytest.mark.parametrize("unknown", [False, True], ids=["unknown IDs refused", "unknown IDs kept"])
def test_random_moves(node: Node, kind: str, unknown: bool, tmp_path: Path) -> None:
    """After every move of a hundred random sequences, all that can be seen is what Remix shows."""
    for seed in range(SEQUENCES):
        draw = random.Random(f"{kind} {unknown} {seed}")
        theirs, ours = tmp_path / f"theirs-{seed}", tmp_path / f"ours-{seed}"
        trace = {"storage": kind, "options": {"useUnknownIds": unknown}, "keys": KEYS}
        steps = node("remix.trace", **trace, directory=str(theirs), steps=moves(draw))
        player = Player({**trace, "steps": named(steps)}, f"fs:{ours}" if kind == "fs" else f"{kind}:")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotRevocableWarning)
            try:
                replay(player)
            except AssertionError as error:
                error.add_note(f"sequence {seed}: {player.trace['steps']}")
                raise
        player.storage.close()


def changes(draw: random.Random) -> list[dict[str, Any]]:
    """A few values set and unset, as one request does it."""
    keys = draw.sample(KEYS, draw.randrange(1, 5))
    return [
        {"op": "unset", "key": key}
        if draw.random() < 0.3
        else {"op": "set", "key": key, "value": draw.choice(VALUES)}
        for key in keys
    ]


def applied(values: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The values after those moves."""
    values = dict(values)
    for step in steps:
        values.pop(step["key"], None) if step["op"] == "unset" else values.update(
            {step["key"]: step["value"]}
        )
    return values


@pytest.mark.parametrize("first", ["saves", "destroys", "regenerates, and deletes the old"])
@pytest.mark.parametrize("kind", ["memory", "fs"])
def test_two_requests(node: Node, kind: str, first: str, tmp_path: Path) -> None:
    """Of two requests at once all changes stay and what ended stays ended; in Remix the last save wins."""
    for seed in range(SEQUENCES // 2):
        draw = random.Random(f"{kind} {first} {seed}")
        start, one, two = changes(draw), changes(draw), changes(draw)
        end = {"saves": one, "destroys": [{"op": "destroy"}]}.get(
            first, [{"op": "regenerateId", "deleteOld": True}]
        )
        steps: list[dict[str, Any]] = [{"op": "read", "cookie": None}, *start, {"op": "save"}]
        cookie = {"from_step": len(steps) - 1}
        steps += [{"op": "read", "cookie": cookie}, {"op": "keep", "name": "two"}]
        steps += [{"op": "read", "cookie": cookie}, *end, {"op": "save"}]
        steps += [{"op": "use", "name": "two"}, *two, {"op": "save"}, {"op": "read", "cookie": cookie}]
        trace = {"storage": kind, "options": {}, "keys": KEYS}
        theirs = node("remix.trace", **trace, directory=str(tmp_path / f"theirs-{seed}"), steps=steps)
        began = applied({}, start)
        assert theirs[-1]["after"]["data"][0] == applied(began, two)  # the last one wins, as if it were alone

        url = f"fs:{tmp_path / f'ours-{seed}'}" if kind == "fs" else "memory:"
        player = Player({**trace, "steps": steps}, url)
        for step in steps:
            player.returned.append(player.play(step))
        assert player.session is not None
        if first == "saves":
            assert player.session.data[0] == applied(applied(began, one), two)
        else:
            assert (player.returned[-2], player.named["two"].lost) == (None, True)
            assert (player.session.is_new, player.session.data) == (True, ({}, {}))
        player.storage.close()


@pytest.mark.parametrize("delete_old", [False, True])
def test_a_destroyed_session_leaves_nothing(node: Node, delete_old: bool, tmp_path: Path) -> None:
    """After `regenerateId` and `destroy` Remix keeps the old record unless told otherwise; here it ends too."""
    steps: list[dict[str, Any]] = [
        {"op": "read", "cookie": None},
        {"op": "set", "key": "a", "value": 1},
        {"op": "save"},
    ]
    steps += [{"op": "read", "cookie": {"from_step": 2}}, {"op": "regenerateId", "deleteOld": delete_old}]
    steps += [{"op": "save"}, {"op": "destroy"}, {"op": "save"}]
    trace = {"storage": "fs", "options": {}, "keys": KEYS}
    theirs = node("remix.trace", **trace, directory=str(tmp_path / "theirs"), steps=steps)
    assert len(theirs[-1]["store"]) == (0 if delete_old else 1)
    player = Player({**trace, "steps": steps}, f"fs:{tmp_path / 'ours'}")
    for step in steps:
        player.returned.append(player.play(step))
    assert isinstance(player.storage, RecordStorage)
    assert list(player.storage.scan()) == []
