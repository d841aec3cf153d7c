"""What could not be done in a run over many sessions, on stderr: the first messages, and how many more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.cli.options import Look
    from sessionctl.fleet.failures import Failures
    from sessionctl.fleet.store import OnProblem
    from sessionctl.fleet.where import Condition
    from sessionctl.storage.base import SessionStorage

STORAGE_FAILED = 4


def tell(failures: Failures) -> None:
    """Tell what failed in a run that has ended."""
    for problem in failures.problems:
        say(problem)
    _tell_rest(failures.failed - len(failures.problems))


def _tell_rest(count: int) -> None:
    if count > 0:
        say(f"and {count} more that failed")


def tell_nothing(
    storage: SessionStorage | None, look: Look, *, given: bool = True, changes: bool = False
) -> bool:
    """Say why a run met no session, if that can be told: the place is not there, or is another framework's.

    Answers whether it is another framework's. That a place is not there is said only of one that was `given`;
    who `changes` sessions is told that another framework's are only read.
    """
    from sessionctl import fleet

    if given and (missing := fleet.missing_place(storage)):
        say(f"warning: there is no {missing}; is the path right?")
        return False
    hint = fleet.other_framework(storage, changes=changes)
    if hint is not None:
        say(hint, quiet=look.quiet)
    return hint is not None


def tell_owner(storage: SessionStorage | None, look: Look) -> None:
    """Where the sessions that a run met are another framework's, under the same prefix, say so."""
    from sessionctl import fleet

    hint = fleet.other_owner(storage)
    if hint is not None:
        say(hint, quiet=look.quiet)


def tell_doubts(where: Iterable[Condition], look: Look) -> None:
    """Say what is odd about conditions under which no session was met."""
    for condition in where:
        if condition.doubt:
            say(f"hint: {condition.doubt}", quiet=look.quiet)


class Problems:
    """Tells the first problems of a run as they come."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: object) -> None:
        """Tell one."""
        from sessionctl.fleet.failures import KEPT

        self.count += 1
        if self.count <= KEPT:
            say(str(error))

    def end(self) -> int:
        """Tell how many more there were; the exit status that they come to."""
        from sessionctl.fleet.failures import KEPT

        _tell_rest(self.count - KEPT)
        return STORAGE_FAILED if self.count else 0


if TYPE_CHECKING:
    _: OnProblem = Problems()
