"""`sessionctl destroy`."""

from __future__ import annotations

from typing import Any

import click

from sessionctl.cli import many, options, selecting
from sessionctl.cli.output import print_data, print_json, say
from sessionctl.cli.page import Command
from sessionctl.cli.setup import keys_for, setup_of
from sessionctl.cli.words import refuse_rest, target_of, tell_notes


@click.command("destroy", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE", shell_complete=options.completes("at_files"))
@options.target_options
@many.many_options
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **params: Any) -> None:
    """End a session, or (--where, --older-than) all that match and say how many.

    Of one that lives in its cookie, what clears it is printed; copies live on.

    \b
    sessionctl destroy "$COOKIE"
    sessionctl destroy --ref 3f2a9c41d07e -s redis://localhost/0
    sessionctl destroy --where userId=42 -s redis://localhost/0
    """
    if selecting.means_many(params):
        refuse_rest(words)
        many.act_on_many(ctx, params, "destroy", _destroy_many)
    from sessionctl import editing

    many.take_away(params)
    look = options.look_of(params)
    target, rest = target_of(params, words)
    tell_notes(target.source, look)
    refuse_rest(rest)
    ended = editing.destroy(target, setup_of(params, keys=keys_for(target)))
    if look.json:
        print_json(_answer(ended))
    elif ended.set_cookie:
        print_data(ended.set_cookie)
    if not ended.revocable:
        say(
            "not revocable: a copy of this cookie stays valid until it expires", quiet=look.quiet or look.json
        )


def _destroy_many(setup: Any, selection: Any, dry_run: bool) -> Any:
    from sessionctl import fleet

    return fleet.destroy(setup.storage, selection, now=setup.now, dry_run=dry_run)


def _answer(ended: Any) -> dict[str, Any]:
    answer = {"matched": ended.matched, "destroyed": ended.destroyed, "revocable": ended.revocable}
    if ended.set_cookie:
        answer["set_cookie"] = ended.set_cookie
        answer["warnings"] = [{"code": "not-revocable", "message": "a copy of the cookie stays valid"}]
    return answer
