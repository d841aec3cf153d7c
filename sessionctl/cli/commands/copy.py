"""`sessionctl copy`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import moving, options, selecting
from sessionctl.cli.page import Command
from sessionctl.cli.problems import tell_doubts, tell_nothing


@click.command("copy", cls=Command)
@click.argument("source", metavar="FROM", shell_complete=options.completes("storages"))
@click.argument("target", metavar="TO", shell_complete=options.completes("storages"))
@moving.moving_options
@selecting.selection_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, source: str, target: str, **params: Any) -> None:
    """Copy sessions from one store to another: their IDs stay, and the life that is left.

    What is there already is skipped, so that a run that broke off may be repeated. Files and Memcached keep
    only the SHA-256 of an ID: they copy to each other, and never to Redis.

    \b
    sessionctl copy redis://cache/0?ttl=30d fs:/var/lib/app/sessions?ttl=30d
    sessionctl copy fs:old fs:new --where role=admin --dry-run
    """
    from sessionctl import fleet
    from sessionctl.storage.registry import open_storage

    look = options.look_of(params)
    chosen = {name: params.pop(name) for name in ("overwrite", "dry_run")}
    selection = selecting.selection_of(params)
    with open_storage(source) as origin, open_storage(target) as place, moving.progress(look) as on_progress:
        moved = fleet.copy(origin, place, selection, on_progress=on_progress, **chosen)
        if not moved.matched and not tell_nothing(origin, look):
            tell_doubts(selection.where, look)
    moving.tell(moved, look)
    ctx.exit(moved.exit_status)
