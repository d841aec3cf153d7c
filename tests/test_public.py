"""The public names of the package."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import sessionctl
from sessionctl import errors


def test_every_public_name_is_there() -> None:
    """Whatever `__all__` names can be imported, and `dir` shows it."""
    for name in sessionctl.__all__:
        assert getattr(sessionctl, name) is not None
    assert set(sessionctl.__all__) <= set(dir(sessionctl))


def test_all_is_sorted_and_has_no_name_twice() -> None:
    """Classes first, then functions and modules, each in order (isort's rule, which ruff keeps)."""
    names = sessionctl.__all__
    assert list(names) == sorted(names, key=lambda name: (name[0].islower(), name))
    assert len(set(names)) == len(names)


def test_every_error_is_public() -> None:
    """No error class needs a longer import than the others."""
    kinds = [
        name for name, item in vars(errors).items() if inspect.isclass(item) and issubclass(item, Exception)
    ]
    assert set(kinds) <= set(sessionctl.__all__)


def test_the_names_for_type_checkers_are_the_same() -> None:
    """What is imported under TYPE_CHECKING is what `__all__` names."""
    source = Path(sessionctl.__file__).read_text(encoding="utf-8")
    block = next(node for node in ast.parse(source).body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert sorted(alias.name for node in imports for alias in node.names) == sorted(sessionctl.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """`from sessionctl import Nothing` fails as anywhere."""
    with pytest.raises(AttributeError, match="Nothing"):
        _ = sessionctl.Nothing


def test_the_package_says_that_it_is_typed() -> None:
    """`py.typed` lies beside the code (PEP 561)."""
    assert (Path(sessionctl.__path__[0]) / "py.typed").exists()


@pytest.mark.parametrize("name", ["itsdangerous", "asyncio", "redis", "rich", "click", "zlib", "pytest"])
def test_the_bare_import_costs_nothing(name: str) -> None:
    """`import sessionctl` imports nothing until a name is used."""
    code = f"import sys, sessionctl; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_contract_needs_no_pytest() -> None:
    """`sessionctl.testing` can be imported where pytest is not installed."""
    code = "import sys; sys.modules['pytest'] = None; import sessionctl.testing"
    subprocess.run([sys.executable, "-c", code], check=True)
