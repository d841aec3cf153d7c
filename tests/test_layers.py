"""A layer imports only what stands above it: nothing imports upward."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "sessionctl"

LAYERS = [
    "errors", "wording", "verdict", "duration", "jsontext", "keypaths", "encoding", "plugins", "records", "session",
    "signing", "payload", "cookie", "storage", "formats", "sources", "refusals", "unsent", "unrecognised", "identify",
    "lines", "stores", "decoding", "diagnosis", "inspection", "editing", "outputs", "fixtures", "fleet", "diff",
    "visit_values", "timeline", "strength", "checkup", "watch", "config", "middleware", "testing", "pytest_plugin",
    "cli",
]  # fmt: skip
"""From the top down. `sessionctl` itself, which hands public names on, is no layer."""

ALLOWED = {
    ("storage", "stores"): "open_storage hands a URL with ?layout= on, when there is one",
    ("signing", "payload"): "Django signs objects in JSON as Python writes it",
}


def layer_of(path: Path) -> str:
    """The layer that a module belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """The layers that a module imports, wherever in it, but for types alone."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only or not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        parts = node.module.split(".")
        if parts[0] == "sessionctl":
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return {name for name in found if (ROOT / name).exists() or (ROOT / f"{name}.py").exists()}


MODULES = [
    path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem not in ("__init__", "__main__")
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_imports_upward(path: Path) -> None:
    """Every import leads to the same layer or to one above."""
    own = layer_of(path)
    below = {
        name for name in imports_of(path)
        if LAYERS.index(name) > LAYERS.index(own) and (own, name) not in ALLOWED
    }  # fmt: skip
    assert not below, f"{own} imports {below}, which stands below it"
