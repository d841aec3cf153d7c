"""`sessionctl create`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.writing import check_output, print_made
from sessionctl.errors import UsageError


@click.command("create")
@click.option("--set", "values", multiple=True, metavar="K=V", help="A value; K:=JSON demands JSON.")
@click.option("--flash", "flashes", multiple=True, metavar="K=V", help="A message for the next request.")
@click.option("--id", "session_id", metavar="ID", help="The session's ID, in place of a random one.")
@click.option(
    "--from", "from_file", metavar="FILE", help="JSON to begin with, as decode --json prints it; - is stdin."
)
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

    look = options.look_of(params)
    output, url = params.pop("output"), params.pop("url")
    check_output(output, url)
    data, flash, session_id = _beginning(params.pop("from_file"))
    data = _with(data, options.assignments(params.pop("values")))
    flash |= options.assignments(params.pop("flashes"))
    setup = options.setup_of(params, writes=True)
    print_made(
        editing.create(setup, data, flash, _id(params.pop("session_id"), session_id)), look, output, url
    )


def _with(data: Any, values: dict[str, Any]) -> Any:
    if not values:
        return data
    if not isinstance(data, dict):
        raise click.UsageError("--set adds to an object, and --from gave something else")
    return {**data, **values}


def _beginning(path: str | None) -> tuple[Any, dict[str, Any], str | None]:
    """Data, flash and ID of a file: what `decode --json` prints, or the values themselves."""
    if path is None:
        return {}, {}, None
    from sessionctl import jsontext
    from sessionctl.sources import read_file

    value = jsontext.loads(options.read_stdin() if path == "-" else jsontext.decode_utf8(read_file(path)))
    if isinstance(value, dict) and "data" in value and value.keys() & {"format", "flash", "id"}:
        flash = value.get("flash")
        apart = value.get("format") in (None, "native", "remix") and isinstance(flash, dict)
        return value["data"], flash if apart and isinstance(flash, dict) else {}, value.get("id")
    return value, {}, None


def _id(given: str | None, from_file: Any) -> str | None:
    """The ID that was asked for, else that of the file. Raises `UsageError` for what is no ID."""
    chosen = given if given is not None else from_file
    if chosen is not None and (not isinstance(chosen, str) or not chosen):
        raise UsageError("an ID is text, and not empty")
    return chosen
