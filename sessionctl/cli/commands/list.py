"""`sessionctl list`."""

from __future__ import annotations

import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options, selecting
from sessionctl.cli.output import print_data, print_json, say
from sessionctl.cli.page import Command
from sessionctl.cli.pager import show
from sessionctl.cli.problems import Problems, tell_doubts, tell_nothing, tell_owner
from sessionctl.cli.setup import setup_of
from sessionctl.cli.views.cells import cells, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.fleet.select import Found


@click.command("list", cls=Command)
@selecting.selection_options
@selecting.finding_options
@click.option("--columns", metavar="K,K", help="Values to show: userId,role,cart.0.sku,flash.notice.")
@click.option("--data", is_flag=True, help="Show what the sessions hold.")
@click.option("--reveal", is_flag=True, help="Show the store's keys (in Redis they hold the IDs).")
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> None:
    """List stored sessions by their refs: a table; into a pipe, columns parted by tabs.

    \b
    sessionctl list -s fs:/var/lib/app/sessions --columns userId,role
    sessionctl list -s redis://cache/0 --where role=admin --sort -size --json
    """
    from sessionctl import fleet

    look = options.look_of(params)
    columns = [name.strip() for name in (params.pop("columns") or "").split(",") if name.strip()]
    data, reveal = params.pop("data"), params.pop("reveal")
    setup = setup_of(params, keys="store")
    selection = selecting.selection_of(params, setup.now)
    problems = Problems()
    found = fleet.select(
        setup.storage, selection, now=setup.now, content=data or bool(columns), on_problem=problems
    )
    first = next(found, None)
    if first is None:
        if not tell_nothing(setup.storage, look, given=setup.storage_given):
            say(_nothing(selection), quiet=look.quiet or look.json)
            tell_doubts(selection.where, look)
    else:
        _print(chain([first], found), look, columns, data=data, reveal=reveal)
        tell_owner(setup.storage, look)
    ctx.exit(problems.end())


def _print(
    found: Iterable[Found], look: options.Look, columns: list[str], *, data: bool, reveal: bool
) -> None:
    if look.json:
        for one in found:
            print_json(answer(one, columns, data=data, reveal=reveal))
    elif sys.stdout.isatty():
        from sessionctl.cli.views.table import table_lines

        left_out: list[str] = []
        show(table_lines(found, columns, look.color, data=data, reveal=reveal, on_left_out=left_out.extend))
        if left_out:
            say(f"no room for {', '.join(left_out)}; --json tells all", quiet=look.quiet)
    else:
        for one in found:
            print_data("\t".join(cells(one, columns, data=data, reveal=reveal)))


def answer(found: Found, columns: list[str], *, data: bool, reveal: bool) -> dict[str, Any]:
    """The JSON object of one session."""
    from sessionctl.duration import iso

    entry, record = found.entry, found.record if data else None
    result: dict[str, Any] = {
        "ref": entry.ref,
        "key": entry.key if reveal else None,
        "size": entry.size,
        "modified_at": iso(entry.modified_at),
        "expires_at": iso(entry.expires_at),
        "data": None if record is None else record.values,
        "flash": None if record is None else record.flash,
    }
    if columns:
        result["columns"] = {name: value_at(found, name)[1] for name in columns}
    if found.problem is not None:
        result["problem"] = found.problem
    return result


def _nothing(selection: Any) -> str:
    from sessionctl.fleet import Selection

    return "no session in this store" if selection == Selection() else "no session matches"
