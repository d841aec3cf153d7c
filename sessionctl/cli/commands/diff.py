"""`sessionctl diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_json, say
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of, tell_missing_keys
from sessionctl.cli.words import target_of
from sessionctl.errors import SessionctlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.identify import Setup, Target
    from sessionctl.inspection import Report

T = TypeVar("T")

DIFFERENT = 1
SIDES = ("A, the first session", "B, the second session")


@click.command("diff", cls=Command)
@click.argument("words", nargs=-1, metavar="A B", shell_complete=options.completes("sides"))
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Tell what differs between two sessions: the cookie's properties, and the data by its place.

    A and B are each a COOKIE, @FILE, -, or id:ID and ref:REF for a stored session. Ends 0 where nothing
    differs, 1 where something does.

    \b
    sessionctl diff "$BEFORE" "$AFTER"
    sessionctl diff ref:3f2a9c41d07e ref:a767bc4b5b94 -s fs:/var/lib/app/sessions
    """
    from sessionctl import inspection

    look = options.look_of(params)
    if len(words) != 2:  # noqa: PLR2004 - A and B
        raise UsageError(f"diff takes two sessions, not {len(words)}")
    targets = [_of(side, target_of_word, word, params) for side, word in zip(SIDES, words, strict=True)]
    setup = setup_of(params, keys="may")
    tell_missing_keys(setup, quiet=look.quiet)
    before, after = (
        _of(side, inspection.inspect_target, target, setup)
        for side, target in zip(SIDES, targets, strict=True)
    )
    click.get_current_context().exit(tell(before, after, look))


def _of(side: str, call: Callable[..., T], *arguments: Any) -> T:
    """What a call gives; its error says of which of the two sessions it is."""
    try:
        return call(*arguments)
    except SessionctlError as error:
        error.message = f"{side}: {error}"
        error.args = (error.message,)
        raise


def target_of_word(word: str, params: dict[str, Any]) -> Target:
    """The session that one argument means."""
    from sessionctl.identify import Target

    kind, _, rest = word.partition(":")
    if kind == "ref" and rest:
        return Target(ref=rest)
    if kind == "id" and rest:
        return Target(id=rest)
    target, _ = target_of(dict(params), (word,))
    return target


def tell(before: Report, after: Report, look: options.Look) -> int:
    """Print what differs, and give the exit status; what nobody can tell counts as different."""
    from sessionctl.diff import compare

    found = compare(before, after)
    if look.json:
        print_json(found.as_json())
    elif not look.quiet and (found.changes or not found.untold):
        from sessionctl.cli.views.diff import print_changes

        print_changes(found.changes, look.color)
    if found.untold:
        say(
            "the texts differ, and what is encrypted in them cannot be compared without its key (--secret)",
            quiet=look.quiet,
        )
    elif found.recoded:
        say(
            "though the texts differ: in their signatures, or in how they are encoded",
            quiet=look.quiet or look.json,
        )
    return 0 if found.same else DIFFERENT


def against(report: Report, word: str, params: dict[str, Any], setup: Setup, look: options.Look) -> int:
    """Compare a session that was inspected with another: `inspect --diff-with`."""
    from sessionctl import inspection

    other = _of("--diff-with", target_of_word, word, params)
    return tell(report, _of("--diff-with", inspection.inspect_target, other, setup), look)
