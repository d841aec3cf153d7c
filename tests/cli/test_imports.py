"""Start-up time is a feature: a command imports what it needs and nothing else."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {
    "asyncio", "rich", "itsdangerous", "redis", "pymemcache", "platformdirs", "cryptography", "joserfc", "nacl",
    "secrets", "random", "tomllib", "importlib.metadata", "email", "http.client", "fcntl", "pytest",
}  # fmt: skip

COOKIE = "eyJpIjoibWoiLCJkIjpbeyJ1c2VySWQiOjQyfSx7fV19.T3ARJCJAcgkuWS0jhzjAGXD4xzVo9fqDy2fYGrjC0Bc"

PROGRAM = """
import sys
sys.argv = ["sessionctl", *sys.argv[1:]]
import click
before = set(sys.modules)
try:
    from sessionctl.cli import main
    main()
except SystemExit:
    pass
print("\\n".join(sorted(set(sys.modules) - before)), file=sys.stderr)
"""


def imported(*arguments: str, **environment: str) -> set[str]:
    """The modules that a command imports beyond click's own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
    )  # fmt: skip
    return set(done.stderr.split("\n"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["decode", COOKIE],
        ["decode", "-f", "remix", "--json", COOKIE],
        ["--help"],
        ["--version"],
        ["decode", "--help"],
    ],
    ids=" ".join,
)
def test_light_commands(arguments: list[str]) -> None:
    """`decode`, `--help` and `--version` load nothing heavy."""
    assert not imported(*arguments) & HEAVY


def test_what_few_cookies_need() -> None:
    """`decode` makes no session, and `inspect` reads the date of an Expires only where there is one."""
    assert "sessionctl.session" not in imported("decode", COOKIE)
    assert not imported("inspect", COOKIE) & {"email.utils", "socket"}
    assert "email.utils" in imported(
        "inspect", f"Set-Cookie: session={COOKIE}; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    )


def test_purge_by_one_loads_nothing_of_several(tmp_path: Path) -> None:
    """What starts processes is loaded for --jobs alone."""
    command = ["purge", "--older-than", "1d", "-s", f"fs:{tmp_path}"]
    several = {"sessionctl.fleet.purge_jobs", "subprocess", "selectors"}
    assert not imported(*command) & several
    assert imported(*command, "--jobs", "2") >= several


def test_decode_loads_few_formats() -> None:
    """Detection imports the formats that the text may be of, not all."""
    loaded = {name for name in imported("decode", COOKIE) if name.startswith("sessionctl.formats.")}
    assert not loaded & {"sessionctl.formats.iron", "sessionctl.formats.tornado", "sessionctl.formats.rails"}


@pytest.mark.parametrize(
    "words", ["sessionctl ", "sessionctl in", "sessionctl inspect --", "sessionctl decode -f fl"]
)
def test_completion(words: str) -> None:
    """A TAB press loads nothing heavy, and no format."""
    loaded = imported(_SESSIONCTL_LINE=words, _SESSIONCTL_COMPLETE="bash_complete")
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith("sessionctl.formats.")} - {
        "sessionctl.formats.base", "sessionctl.formats.judging", "sessionctl.formats.registry"
    }  # fmt: skip


@pytest.mark.parametrize("before", ["enable", "disable"])
def test_collector_is_left_as_it_was(before: str) -> None:
    """The import of the command line pauses Python's garbage collector, and no longer than that."""
    program = f"import gc; gc.{before}(); import sessionctl.cli; print(gc.isenabled(), gc.get_freeze_count())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(before == "enable"), "0"]
