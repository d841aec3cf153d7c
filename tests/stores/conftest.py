"""The program, and servers, for the tests of stores."""

from tests.cli.conftest import home, process, run

__all__ = ["home", "process", "run"]
