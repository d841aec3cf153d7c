"""`sessionctl diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_json, say
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of, tell_missing_keys
from sessionctl.cli.words import target_of
from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from sessionctl.diff import Change
    from sessionctl.identify import Setup, Target
    from sessionctl.inspection import Report

DIFFERENT = 1


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
    targets = [target_of_word(word, params) for word in words]
    setup = setup_of(params, keys="may")
    tell_missing_keys(setup, quiet=look.quiet)
    reports = [inspection.inspect_target(target, setup) for target in targets]
    click.get_current_context().exit(tell(reports[0], reports[1], look))


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
    from sessionctl.diff import compare, is_untold

    changes, untold = compare(before, after), is_untold(before, after)
    if look.json:
        print_json({"same": not (changes or untold), "changes": [answer(change) for change in changes]})
    elif not look.quiet:
        from sessionctl.cli.views.diff import print_changes

        if changes or not untold:
            print_changes(changes, look.color)
    if untold:
        say(
            "the texts differ, and what is encrypted in them cannot be compared without its key (--secret)",
            quiet=look.quiet,
        )
    elif not changes and before.text != after.text:
        say(
            "though the texts differ: in their signatures, or in how they are encoded",
            quiet=look.quiet or look.json,
        )
    return DIFFERENT if changes or untold else 0


def answer(change: Change) -> dict[str, Any]:
    """The JSON object of a change."""
    from sessionctl.duration import iso

    times = change.part in ("issued_at", "expires_at")
    return {
        "kind": change.kind,
        "part": change.part,
        "path": change.path,
        "before": iso(change.before) if times else change.before,
        "after": iso(change.after) if times else change.after,
    }


def against(report: Report, word: str, params: dict[str, Any], setup: Setup, look: options.Look) -> int:
    """Compare a session that was inspected with another: `inspect --diff-with`."""
    from sessionctl import inspection

    return tell(report, inspection.inspect_target(target_of_word(word, params), setup), look)
