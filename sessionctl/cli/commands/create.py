"""`sessionctl create`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.conflicts import is_said
from sessionctl.cli.output import say
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of
from sessionctl.cli.words import assignments, read_stdin
from sessionctl.cli.writing import form_of, print_made
from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from sessionctl.fixtures import Fixture


@click.command("create", cls=Command)
@click.option("--set", "values", multiple=True, metavar="K=V", help="A value; K:=JSON demands JSON.")
@click.option("--flash", "flashes", multiple=True, metavar="K=V", help="A message for the next request.")
@click.option("--id", "session_id", metavar="ID", help="The session's ID, in place of a random one.")
@click.option(
    "--from",
    "from_file",
    metavar="FILE",
    shell_complete=options.completes("files"),
    help="JSON or YAML to begin with, a list too; - is stdin.",
)
@click.option("--count", type=click.IntRange(1), help="Make so many, a JSON object a line.")
@options.output_options
@options.key_options
@options.place_options
@options.look_options
def command(**params: Any) -> None:
    """Make a session, store it, and print the text of its cookie.

    \b
    COOKIE=$(sessionctl create --set userId=42 --flash notice=hi)
    sessionctl create -f flask --secret "$SECRET_KEY" --set user_id=42
    """
    from sessionctl import editing

    look, output, url = form_of(params)
    fixtures = _fixtures(params)
    count = params.pop("count")
    if (count or len(fixtures)) > 1:
        _refuse_one_id(fixtures, count or 1)
        output = output or "json"
    setup = setup_of(params, writes=True)
    for fixture in fixtures:
        for _ in range(count or 1):
            made = editing.create(setup, fixture.data, fixture.flash, fixture.id)
            print_made(made, look, output, url)
    if made.storage is None and is_said("storage"):
        say(
            f"nothing was stored: only native and remix sessions are, and this is {made.format}",
            quiet=look.quiet,
        )


def _fixtures(params: dict[str, Any]) -> list[Fixture]:
    from sessionctl.fixtures import Fixture

    values = assignments(params.pop("values"))
    flash = assignments(params.pop("flashes"))
    session_id = params.pop("session_id")
    if session_id == "":
        raise UsageError("an ID is text, and not empty")
    path = params.pop("from_file")
    beginnings = [Fixture({}, {})] if path is None else _read(path)
    return [fixture.with_values(values, flash, session_id) for fixture in beginnings]


def _read(path: str) -> list[Fixture]:
    from sessionctl import jsontext
    from sessionctl.fixtures import parse_fixtures
    from sessionctl.sources import read_file

    text = read_stdin() if path == "-" else jsontext.decode_utf8(read_file(path))
    return parse_fixtures(text, yaml=path.endswith((".yaml", ".yml")))


def _refuse_one_id(fixtures: list[Fixture], count: int) -> None:
    ids = [fixture.id for fixture in fixtures if fixture.id is not None]
    if ids and (count > 1 or len(set(ids)) < len(ids)):
        raise UsageError("several sessions cannot have one ID")
