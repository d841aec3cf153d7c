"""What failed in a run over many sessions: how often, and the first of the messages."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT = 20
"""How many of the messages of a run are kept and told one by one."""


@dataclass(slots=True)
class Failures:
    """How often something failed, and the first of the messages; the rest of the run goes on."""

    failed: int = 0
    problems: list[str] = field(default_factory=list)

    def fail(self, problem: object) -> None:
        """Count one, and keep its message if it is among the first."""
        self.failed += 1
        self.mention(problem)

    def mention(self, problem: object) -> None:
        """Keep a message of what is no failure of one session."""
        if len(self.problems) < KEPT:
            self.problems.append(str(problem))
