"""`sessionctl verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_data, print_json

if TYPE_CHECKING:
    from sessionctl.identify import Identified, Setup
    from sessionctl.verdict import Verdict

MALFORMED = 3


@click.command("verify")
@click.argument("words", nargs=-1, metavar="COOKIE")
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
    setup = options.setup_of(params)
    if words == ("-",) and not (params.get("har") or params.get("cookie_jar")):
        from sessionctl.cli.verify_many import verify_lines

        ctx.exit(verify_lines(setup, look))
    from sessionctl.errors import MalformedCookieError
    from sessionctl.identify import identify

    source, rest = options.source_of(params, words, setup.cookie_name)
    options.refuse_rest(rest)
    options.tell_notes(source, look)
    try:
        known = identify(source, setup)
    except MalformedCookieError as error:
        if not look.json:
            raise
        print_json(answer(None, unread(setup, str(error))))
        ctx.exit(MALFORMED)
    if look.json:
        print_json(answer(known.format.name, known.verdict))
    else:
        print_data(line(known.format.name, known.verdict, _source_of(known, setup)))
    ctx.exit(status_of(known.verdict))


def _source_of(known: Identified, setup: Setup) -> str:
    return setup.keys_source if setup.keys else "the default secret" if known.context.keys else "none"


def unread(setup: Setup, detail: str) -> Verdict:
    """The verdict on a text of no known format."""
    from sessionctl.verdict import Verdict

    return Verdict(valid=False, reason="malformed", detail=detail, keys=len(setup.keys))


def answer(name: str | None, verdict: Verdict) -> dict[str, Any]:
    """The JSON object of one verdict."""
    from sessionctl.duration import iso

    return {
        "valid": verdict.valid,
        "format": name,
        "key_index": verdict.key_index,
        "keys": verdict.keys,
        "needs_resign": verdict.needs_resign,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "issued_at": iso(verdict.issued_at),
        "expires_at": iso(verdict.expires_at),
        "expired": verdict.expired,
        "warnings": [warning._asdict() for warning in verdict.warnings],
    }


def line(name: str, verdict: Verdict, keys_source: str = "none") -> str:
    """One verdict as a line for people."""
    if verdict.valid:
        if verdict.key_index is None:
            return f"{name}: nothing to verify, the cookie is empty"
        again = "; sign it anew, with the newest key" if verdict.needs_resign else ""
        return f"{name}: genuine, by key {verdict.key_index} of {verdict.keys}{again}"
    source = f" ({keys_source})" if verdict.reason == "bad-signature" and keys_source != "none" else ""
    return f"{name}: {verdict.reason}: {verdict.detail}{source}"


def status_of(verdict: Verdict) -> int:
    """The exit status of one verdict."""
    if verdict.valid:
        return 0
    return MALFORMED if verdict.reason == "malformed" else 1
