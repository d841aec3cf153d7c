"""Options that say two things at once, or something to nobody: wrong usage, never ignored in silence.

Where a setting may also come from the environment or a profile, which serve many commands, only the command line
counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

ONE_SESSION: Mapping[str, str] = {
    "session_id": "--id",
    "ref": "--ref",
    "har": "--har",
    "cookie_jar": "--cookie-jar",
    "record": "--record",
}
"""What names one session, or takes it from somewhere, in place of a COOKIE."""


def refuse_two_sessions(params: Mapping[str, Any]) -> None:
    """Raise `UsageError` where more than one option says which session is meant."""
    given = [option for name, option in ONE_SESSION.items() if params.get(name) is not None]
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} name two sessions; give one")


def refuse_one_beside_many(params: Mapping[str, Any]) -> None:
    """Raise `UsageError` where one session is named beside what means many."""
    if any(params.get(name) is not None for name in ONE_SESSION):
        raise UsageError(
            "give one session (a COOKIE, --id, --ref), or say which are meant (--where, ...), not both"
        )


def is_said(name: str) -> bool:
    """Whether a parameter stands on the command line itself."""
    context = click.get_current_context(silent=True)
    return (
        context is not None and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    )


def refuse_said(why: str, **options: str) -> None:
    """Raise `UsageError` where one of these parameters stands on the command line."""
    for name, option in options.items():
        if is_said(name):
            raise UsageError(f"{option} {why}")
