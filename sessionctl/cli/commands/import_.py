"""`sessionctl import`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import moving, options
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of
from sessionctl.errors import UsageError


@click.command("import", cls=Command)
@click.argument("file", metavar="FILE", shell_complete=options.completes("files"))
@moving.moving_options
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, file: str, **params: Any) -> None:
    """Store the sessions of a file that export wrote; - is standard input.

    Of a file that ends early, or a line that cannot be read, it tells and stores the rest.

    \b
    sessionctl import sessions.ndjson.gz -s fs:/var/lib/app/sessions?ttl=30d
    ssh old sessionctl export - | sessionctl import - -s redis://cache/0?ttl=30d
    """
    import sys

    from sessionctl import fleet
    from sessionctl.fleet.compressed import reading

    look = options.look_of(params)
    chosen = {name: params.pop(name) for name in ("overwrite", "dry_run")}
    setup = setup_of(params, keys="store")
    if file == "-" and sys.stdin.isatty():
        raise UsageError("- reads an export from standard input, which is a terminal here")
    with reading(file) as lines, moving.progress(look) as on_progress:
        moved = fleet.import_(setup.storage, lines, on_progress=on_progress, **chosen)
    moving.tell(moved, look)
    ctx.exit(moved.exit_status)
