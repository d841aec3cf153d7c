"""`sessionctl decode`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.conflicts import refuse_two_sessions
from sessionctl.cli.output import json_text, print_data, print_json, say
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of
from sessionctl.cli.words import content_of_file, refuse_rest, source_of, tell_notes

if TYPE_CHECKING:
    from sessionctl.identify import Setup


@click.command("decode", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE", shell_complete=options.completes("at_files"))
@click.option(
    "--record",
    metavar="FILE",
    shell_complete=options.completes("files"),
    help="Read a stored session of any framework; - is standard input.",
)
@options.source_options
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **params: Any) -> None:
    """Print what a cookie says, as JSON; no key is needed unless it is encrypted.

    COOKIE is a text, name=value, a Cookie: or Set-Cookie: header, or - for standard input.

    \b
    sessionctl decode "$COOKIE"
    sessionctl decode --json -f flask "session=eyJ1c2VyIjo0Mn0.awP70w.ZHVtbXk"
    sessionctl decode --record /var/lib/php/sessions/sess_rca5s8h9onui1egclkj8
    """
    from sessionctl.decoding import decode
    from sessionctl.duration import iso

    look = options.look_of(params)
    refuse_two_sessions(params)
    if (record := params.pop("record")) is not None:
        name = params.pop("format_name")
        refuse_rest(words)
        ctx.exit(_print_record(record, name, setup_of(params, text_alone=True, keys="may"), look))
    setup = setup_of(params, text_alone=True, keys="may")
    source, rest = source_of(params, words, setup.cookie_name)
    refuse_rest(rest)
    tell_notes(source, look)
    name, decoded = decode(source, setup)
    for warning in decoded.warnings:
        say(warning.message, quiet=look.quiet or look.json)
    if look.json:
        print_json(
            {
                "format": name,
                "id": None if decoded.is_value else decoded.id,
                "data": decoded.data,
                "flash": decoded.flash,
                "issued_at": iso(decoded.issued_at),
                "expires_at": iso(decoded.expires_at),
                "encrypted": decoded.encrypted,
                "signed": decoded.signed,
                "payload_type": decoded.payload_type,
                "warnings": [warning._asdict() for warning in decoded.warnings],
            }
        )
    else:
        print_data(json_text(decoded.data))


def _print_record(path: str, name: str | None, setup: Setup, look: options.Look) -> int:
    """Print a stored session; 1 where keys were given and its signature does not fit them."""
    from sessionctl.errors import MalformedError
    from sessionctl.stores import may_be_empty, read_record

    content = content_of_file(path)
    if path == "-" and not content.strip() and not may_be_empty(name):
        raise MalformedError("standard input is empty: whatever was asked for the record has found none")
    record = read_record(
        content,
        name,
        keys=setup.keys,
        cookie_name=setup.cookie_name,
        options=setup.options,
        now=setup.now,
        max_size=setup.max_size,
    )
    for warning in record.warnings:
        say(warning.message, quiet=look.quiet or look.json)
    if record.verdict is not None and not record.genuine:
        say(f"{record.verdict.reason}: {record.verdict.detail}", quiet=look.json)
    if look.json:
        print_json(record.as_json(setup.now))
    else:
        print_data(json_text(record.data))
    return 0 if record.genuine else 1
