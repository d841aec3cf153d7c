"""A path with dots is read, set and removed by one rule: a key as it is written first, then what it leads into."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import KeyRing, UsageError, editing, open_storage
from sessionctl.identify import Setup, Target
from sessionctl.keypaths import find_path, top_level
from sessionctl.sources import read_cookie
from tests.limits import assert_quick

DATA: dict[str, Any] = {"cart": [{"sku": "a", "q": 2}], "n": 1, "a.b": 1, "prefs": {"x.y": 1, "z": {}}}


def changed(setup: Setup, **changes: Any) -> Any:
    """What a session that held DATA holds after a change by paths."""
    made = editing.create(setup, DATA, {"notice": {"text": "hi"}})
    source = read_cookie(f"session={made.cookie}", None)
    after = editing.change(Target(source=source), setup, **changes)
    found = [
        editing.get(Target(source=read_cookie(f"session={after.cookie}", None)), setup, key) for key in DATA
    ]
    return {key: value for key, (_, value) in zip(DATA, found, strict=True)}, after


SETUPS = [
    pytest.param(Setup(storage=open_storage("cookie:"), keys=KeyRing(["k"]), format="native"), id="native"),
    pytest.param(Setup(keys=KeyRing(["k"]), format="flask", cookie_name="session"), id="flask"),
]


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize(
    ("values", "key", "expected"),
    [
        pytest.param({"cart.0.q": 5}, "cart", [{"sku": "a", "q": 5}], id="a value that is there"),
        pytest.param({"cart.0.new": 5}, "cart", [{"sku": "a", "q": 2, "new": 5}], id="new in an object"),
        pytest.param({"cart.1": "b"}, "cart", [{"sku": "a", "q": 2}, "b"], id="the next index of an array"),
        pytest.param({"cart.1": {}, "cart.1.q": 1}, "cart", [{"sku": "a", "q": 2}, {"q": 1}], id="one upon another"),
        pytest.param({"cart.0.q": None}, "cart", [{"sku": "a"}], id="null removes"),
        pytest.param({"a.b": 2}, "a.b", 2, id="a key with dots"),
        pytest.param({"prefs.x.y": 2}, "prefs", {"x.y": 2, "z": {}}, id="a key with dots inside"),
        pytest.param({"prefs.z.k": 2}, "prefs", {"x.y": 1, "z": {"k": 2}}, id="two objects deep"),
    ],
)  # fmt: skip
def test_set(setup: Setup, values: dict[str, Any], key: str, expected: Any) -> None:
    """A path changes the one place that it names, and get finds it there."""
    data, _ = changed(setup, values=values)
    assert data == {**DATA, key: expected}


@pytest.mark.parametrize("setup", SETUPS)
def test_a_new_key(setup: Setup) -> None:
    """A name with dots whose beginning is no object or array that is there is a key."""
    _, made = changed(setup, values={"n.x": 1, "none.x": 2})
    data = editing.open_session(
        Target(source=read_cookie(f"session={made.cookie}", None)), setup, to_change=False
    )
    held = data.session.data[0] if data.session else data.decoded and data.decoded.data
    assert isinstance(held, dict)
    assert {key: value for key, value in held.items() if key != "_flashes"} == {**DATA, "n.x": 1, "none.x": 2}


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize(
    ("path", "place"),
    [("cart.2", "'cart'"), ("cart.x", "'cart'"), ("cart.0.q.z", "'cart.0.q'"), ("prefs.new.z", "'prefs.new'"),
     ("cart.1.q", "'cart.1'"), ("prefs.", "'prefs'")],
)  # fmt: skip
def test_a_path_that_leads_nowhere(setup: Setup, path: str, place: str) -> None:
    """It is refused, and the message names the place where it ends."""
    with pytest.raises(UsageError, match=f"cannot be set in {place}"):
        changed(setup, values={path: 1})


@pytest.mark.parametrize("setup", SETUPS)
def test_unset(setup: Setup) -> None:
    """Several places of one array are those that it had before any was removed."""
    _, made = changed(setup, values={"cart": ["a", "b", "c"]})
    source = read_cookie(f"session={made.cookie}", None)
    after = editing.change(Target(source=source), setup, unset=["cart.0", "cart.1", "a.b", "prefs.x.y"])
    source = read_cookie(f"session={after.cookie}", None)
    for key, found in {"cart": (True, ["c"]), "a.b": (False, None), "prefs": (True, {"z": {}})}.items():
        assert editing.get(Target(source=source), setup, key) == found


def test_flash() -> None:
    """A path leads into a message that waits; flash itself may be null."""
    setup = SETUPS[0].values[0]
    assert isinstance(setup, Setup)
    _, made = changed(setup, flash={"notice.text": "bye", "gone": None})
    source = read_cookie(f"session={made.cookie}", None)
    assert editing.get(Target(source=source), setup, "flash.notice") == (True, {"text": "bye"})
    assert editing.get(Target(source=source), setup, "flash.gone") == (True, None)


_LONG = ".".join("a" * 100_000)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="nothing there"),
        pytest.param({"a": {"a": {"a.a": {}}}}, id="objects"),
        pytest.param({"a": {"": 1}, "a.": {"a": 1}}, id="names that the path has not"),
        pytest.param({_LONG[: 2 * count + 1]: {} for count in range(400)}, id="many names that begin it"),
    ],
)
def test_a_path_of_100_000_dots(data: dict[str, Any]) -> None:
    """Such a path is looked for and set in time, whatever there is that it may lead into."""
    assert_quick(lambda: find_path(data, _LONG))
    assert_quick(lambda: top_level(data, {_LONG: 1}))
    assert_quick(lambda: top_level(data, {}, [_LONG]))
