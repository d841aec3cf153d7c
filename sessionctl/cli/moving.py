"""What `copy` and `import` have in common."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import problems
from sessionctl.cli.output import print_json, print_words, say
from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.cli.options import Look
    from sessionctl.fleet.transfer import Moved

_COUNTS = (
    ("same", "the same already"),
    ("kept", "kept, with other content (--overwrite)"),
    ("expired", "expired"),
    ("failed", "failed"),
)


def moving_options(function: Any) -> Any:
    """--overwrite, --dry-run."""
    for decorator in (
        click.option("--dry-run", is_flag=True, help="Write nothing, count."),
        click.option(
            "--overwrite",
            type=click.Choice(["never", "older", "always"]),
            default="never",
            metavar="WHEN",
            help="What is there but differs: never, older or always.",
        ),
    ):
        function = decorator(function)
    return function


def progress(look: Look) -> Any:
    """A context that gives what is called after each batch, or None."""
    if look.quiet or not sys.stderr.isatty():
        return nullcontext()
    from sessionctl.cli.views.progress import move_progress

    return move_progress(look.color)


def tell(moved: Moved, look: Look) -> None:
    """Print what came of it."""
    problems.tell(moved)
    if moved.endless:
        which = counted(moved.endless, "session never ends", "sessions never end")
        say(f"{which} there; put ?ttl= into the URL", quiet=look.quiet)
    if look.json:
        print_json(moved.as_json())
    elif not look.quiet:
        print_words(_line(moved))


def _line(moved: Moved) -> str:
    verb = "would write" if moved.dry_run else "wrote"
    counts = "".join(f", {getattr(moved, name)} {words}" for name, words in _COUNTS if getattr(moved, name))
    checked = "" if moved.is_same else ", NOT VERIFIED"
    if moved.verified and moved.matched and not moved.dry_run:
        checked = ", verified"
    rest = "" if moved.complete else ", not complete"
    return (
        f"{verb} {moved.written} of {counted(moved.matched, 'session')}{counts}, "
        f"in {moved.seconds:.1f} s{checked}{rest}"
    )
