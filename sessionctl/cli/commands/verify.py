"""`sessionctl verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.conflicts import is_said
from sessionctl.cli.output import print_json, print_words, say
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of
from sessionctl.cli.views.verdicts import MALFORMED, answer, line, status_of, unread
from sessionctl.cli.words import refuse_rest, source_of, tell_notes

if TYPE_CHECKING:
    from sessionctl.identify import Identified, Setup
    from sessionctl.verdict import Warn


@click.command("verify", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE", shell_complete=options.completes("at_files"))
@options.source_options
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Say whether a cookie is genuine, with which key, or precisely why not.

    With - as COOKIE it takes one a line from standard input and answers a line for each.

    \b
    sessionctl verify "$COOKIE"
    sessionctl verify -f flask --secret "$NEW" --secret "$OLD" "session=$COOKIE"
    """
    ctx = click.get_current_context()
    look = options.look_of(params)
    setup = setup_of(params)
    if words == ("-",) and not (params.get("har") or params.get("cookie_jar")):
        from sessionctl.cli.commands.verify_many import verify_lines

        ctx.exit(verify_lines(setup, look))
    from sessionctl.errors import MalformedCookieError
    from sessionctl.identify import identify

    recorded = params.get("har") or params.get("cookie_jar")
    source = None
    try:
        source, rest = source_of(params, words, setup.cookie_name)
        refuse_rest(rest)
        tell_notes(source, look)
        known = identify(source, setup, mend=True)
    except MalformedCookieError as error:
        if not look.json or (
            source is None and recorded
        ):  # a recorded visit without a cookie: nothing to judge
            raise
        print_json(answer(None, unread(setup, str(error))))
        ctx.exit(MALFORMED)
    hinted = [] if known.verdict.valid else _hints(known, setup)
    if look.json:
        verdict = known.verdict
        warnings = tuple(dict.fromkeys([*verdict.warnings, *hinted]))
        print_json(answer(known.format.name, verdict._replace(warnings=warnings)))
    else:
        print_words(line(known.format.name, known.verdict, _source_of(known, setup)))
        for hint in hinted or _damage(known):
            say(f"hint: {hint.message}", quiet=look.quiet)
    if is_said("max_age") and known.verdict.valid and known.verdict.issued_at is None:
        say(f"{known.format.name} keeps no time of issue, so --max-age says nothing", quiet=look.quiet)
    ctx.exit(status_of(known.verdict))


def _hints(known: Identified, setup: Setup) -> list[Warn]:
    from sessionctl.diagnosis import hints

    return hints(known, setup)


def _damage(known: Identified) -> list[Warn]:
    """What was found to be odd about a text that no format knows as it is."""
    return [
        warning for warning in known.verdict.warnings if warning.code in ("cut", "damaged", "other-format")
    ]


def _source_of(known: Identified, setup: Setup) -> str:
    return setup.keys_source if setup.keys else "the default secret" if known.context.keys else "none"
