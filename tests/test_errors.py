"""The tree of errors: complete, drawn, and the only one."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from redis import RedisError

import sessionctl
from sessionctl import errors
from sessionctl.errors import SessionctlError

TREE = [item for item in vars(errors).values() if inspect.isclass(item) and issubclass(item, Exception)]
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(sessionctl.__path__, "sessionctl.")
    if not info.name.endswith("__main__")
)

ON_PURPOSE = {
    "AttributeError",
    "KeyError",
    "TypeError",
    "NotImplementedError",
    "AssertionError",
    "SystemExit",
    "EOFError",
}
"""What Python's own protocols want raised: a missing attribute or key, a wrong argument, a test's failure, a
compressed file that breaks off.
"""


@pytest.mark.parametrize("name", MODULES)
def test_every_error_of_the_package_has_one_base(name: str) -> None:
    """An application that catches `SessionctlError` catches every exception class that any module defines.

    One of redis-py's kind goes through redis-py, and is translated as all of these are.
    """
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "sessionctl":
            raise
        pytest.skip(f"needs {error.name}")
    own = [item for item in vars(module).values() if inspect.isclass(item) and item.__module__ == name]
    foreign = [
        item
        for item in own
        if issubclass(item, BaseException)
        and not issubclass(item, SessionctlError)
        and not issubclass(item, (Warning, RedisError))
    ]
    assert [item for item in foreign if not item.__module__.startswith("sessionctl.cli")] == []


@pytest.mark.parametrize("kind", TREE)
def test_every_error_has_a_code_and_an_exit_status(kind: type[SessionctlError]) -> None:
    """The code is a word for JSON, the exit status one of those documented."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert kind.exit_status in (1, 2, 3, 4)
    assert kind.__doc__


def test_codes_are_not_shared_but_with_a_parent() -> None:
    """A program can tell the classes apart by their code; a class without its own has its parent's."""
    owners = [kind for kind in TREE if "code" in vars(kind)]
    assert len({kind.code for kind in owners}) == len(owners)


def test_the_docstring_draws_all_of_them() -> None:
    """The tree at the top of the module has every class under its parent."""
    drawn: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([│├└─ ]*)([A-Z]\w+Error)\b", line)
        if match:
            depth = len(match[1])
            above = [entry for entry in above if entry[0] < depth]
            drawn[match[2]] = above[-1][1] if above else None
            above.append((depth, match[2]))
    real = {
        kind.__name__: next((base.__name__ for base in kind.__mro__[1:] if base in TREE), None)
        for kind in TREE
    }
    assert drawn == real


@pytest.mark.parametrize("path", sorted(Path(sessionctl.__path__[0]).rglob("*.py")), ids=str)
def test_only_errors_of_the_tree_are_raised(path: Path) -> None:
    """No module raises a built-in exception on purpose, but what Python's protocols want or what is caught inside."""
    source = path.read_text(encoding="utf-8")
    raised = {
        node.exc.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
    }
    builtin = {name for name in raised if name in dir(__builtins__) or name in __builtins__}
    caught = {name for name in builtin if re.search(rf"except .*\b{name}\b", source)}
    assert builtin - caught - ON_PURPOSE == set()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            errors.MissingExtraError("redis:", "redis"),
            "redis: needs the extra 'redis'; in the clone of sessionctl: pip install '.[redis]'",
        ),
        (errors.UnserializableValueError("a.b", "no"), "a.b: no"),
        (errors.UnserializableValueError("", "no"), "the value: no"),
        (errors.SessionDestroyedError(), "the session has been destroyed"),
        (errors.CookieTooLargeError(5000, 4096), "the cookie takes 5000 bytes, over the limit of 4096"),
        (
            errors.CookieTooLargeError(5000, 4096, (("a", 9),)),
            "the cookie takes 5000 bytes, over the limit of 4096; the largest keys: a (9 bytes)",
        ),
        (errors.CorruptRecordError("file", "torn"), "file: torn"),
    ],
)
def test_messages_say_what_where_and_what_to_do(error: SessionctlError, message: str) -> None:
    """The text of an error is its message."""
    assert (str(error), error.message) == (message, message)


def test_what_json_cannot_keep_is_also_a_type_error() -> None:
    """Code that expects what `json.dumps` raises goes on to work."""
    assert issubclass(errors.UnserializableValueError, TypeError)
