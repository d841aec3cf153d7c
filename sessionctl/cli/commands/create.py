"""`sessionctl create`."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.conflicts import is_said
from sessionctl.cli.output import say
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of
from sessionctl.cli.words import assignments, stdin
from sessionctl.cli.writing import form_of, print_made
from sessionctl.errors import MalformedError, SessionctlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sessionctl.fixtures import Fixture


@click.command("create", cls=Command)
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="K=V",
    help="A value; dots in K are part of it; K:=JSON demands JSON.",
)
@click.option("--flash", "flashes", multiple=True, metavar="K=V", help="A message for the next request.")
@click.option("--id", "session_id", metavar="ID", help="The session's ID, in place of a random one.")
@click.option(
    "--from",
    "from_file",
    metavar="FILE",
    shell_complete=options.completes("files"),
    help="JSON, YAML or NDJSON to begin with; - is stdin.",
)
@click.option("--count", type=click.IntRange(1), metavar="N", help="Make so many, a JSON object a line.")
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
    wanted = _wanted(params)
    count = params.pop("count")
    several = (count or len(wanted.ahead)) > 1
    if several:
        _refuse_one_id(wanted, count or 1)
        output = output or "json"
    setup = setup_of(params, writes=True)
    for fixture in wanted:
        for _ in range(count or 1):
            with _told_at(fixture.place):
                made = editing.create(setup, fixture.data, fixture.flash, fixture.id)
            print_made(made, look, output, url)
    if made.storage is None and is_said("storage"):
        say(
            f"nothing was stored: only native and remix sessions are, and this is {made.format}",
            quiet=look.quiet,
        )


@contextmanager
def _told_at(place: str | None) -> Iterator[None]:
    """Have an error name the place of the session that it is about."""
    try:
        yield
    except SessionctlError as error:
        if place is not None:
            error.args = (f"{place}: {error}",)
        raise


class _Wanted:
    """The sessions to make, two of them read ahead to see whether there are several."""

    def __init__(self, fixtures: Iterator[Fixture]) -> None:
        self.ahead = list(islice(fixtures, 2))
        self._rest = fixtures

    def __iter__(self) -> Iterator[Fixture]:
        return chain(self.ahead, self._rest)


def _wanted(params: dict[str, Any]) -> _Wanted:
    values = assignments(params.pop("values"))
    flash = assignments(params.pop("flashes"))
    session_id = params.pop("session_id")
    if session_id == "":
        raise UsageError("an ID is text, and not empty")
    path = params.pop("from_file")
    wanted = _Wanted(fixture.with_values(values, flash, session_id) for fixture in _beginnings(path))
    if not wanted.ahead:
        raise MalformedError("--from has no session")
    return wanted


def _beginnings(path: str | None) -> Iterator[Fixture]:
    from sessionctl.fixtures import Fixture, read_fixtures

    if path is None:
        yield Fixture({}, {})
    elif path == "-":
        yield from read_fixtures(stdin(), yaml=None)
    else:
        from sessionctl.sources import open_file

        with open_file(path) as file:
            yield from read_fixtures(file, yaml=path.endswith((".yaml", ".yml")))


def _refuse_one_id(wanted: _Wanted, count: int) -> None:
    ids = [fixture.id for fixture in wanted.ahead if fixture.id is not None]
    if ids and (count > 1 or len(set(ids)) < len(ids)):
        raise UsageError("several sessions cannot have one ID")
