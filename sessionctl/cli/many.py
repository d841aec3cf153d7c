"""What `destroy`, `set`, `unset` and `flash` have in common where they mean many sessions (`--where`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options, problems, selecting
from sessionctl.cli.conflicts import refuse_one_beside_many, refuse_said
from sessionctl.cli.output import print_data, print_json, say
from sessionctl.cli.page import SharedOption
from sessionctl.cli.setup import setup_of
from sessionctl.errors import UsageError
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.fleet.change import Changed
    from sessionctl.fleet.select import Selection
    from sessionctl.identify import Setup

    Act = Callable[[Setup, Selection, bool], Changed]
    """Do it to the sessions that are meant, or with True only count them."""

_ACTS = {"destroy": "destroy", "set": "change", "unset": "change", "flash": "change"}
"""What each command does to the sessions that it means, in a sentence."""

DECLINED = 1
INTERRUPTED = 130


def many_options(function: Any) -> Any:
    """The options of a selection, --dry-run and --yes."""
    for decorator in (
        click.option(
            "--yes", cls=SharedOption, is_flag=True, help="Do not ask; without a terminal nothing asks."
        ),
        click.option("--dry-run", is_flag=True, help="With --where: change nothing, count."),
        selecting.selection_options,
    ):
        function = decorator(function)
    return function


def take_away(params: dict[str, Any]) -> None:
    """Take the options of this module out of a command's parameters, where they are not meant."""
    if params.pop("dry_run") or params.pop("limit") is not None:
        raise UsageError("--dry-run and --limit are for many sessions: with --where, --older-than, ...")
    for name in (*selecting.MANY, "yes"):
        params.pop(name, None)


def act_on_many(ctx: click.Context, params: dict[str, Any], verb: str, act: Act) -> None:
    """Select, ask where somebody can be asked, act, and print how many there were."""
    look = options.look_of(params)
    _refuse_one(params)
    dry_run, yes = params.pop("dry_run"), params.pop("yes")
    setup = setup_of(params, keys="store")
    selection = selecting.selection_of(params, setup.now)
    if not dry_run and not yes and selecting.may_ask():
        found = act(setup, selection, True)
        if found.interrupted:
            ctx.exit(INTERRUPTED)
        place = setup.storage.url if setup.storage is not None else ""
        question = f"{_ACTS[verb].capitalize()} {counted(found.matched, 'session')} of {place}?"
        if found.matched and not selecting.confirm(question):
            say("nothing was changed", quiet=look.quiet)
            ctx.exit(DECLINED)
    done = act(setup, selection, dry_run)
    _tell(done, verb, look, setup, selection)
    ctx.exit(INTERRUPTED if done.interrupted else problems.STORAGE_FAILED if done.failed else 0)


def _tell(done: Changed, verb: str, look: options.Look, setup: Setup, selection: Selection) -> None:
    problems.tell(done)
    if look.json:
        word, extra = ("destroyed", {"revocable": True}) if verb == "destroy" else ("changed", {})
        print_json({"matched": done.matched, word: done.done, **extra, "dry_run": done.dry_run})
    else:
        print_data(str(done.matched if done.dry_run else done.done))
    if done.matched and done.dry_run:
        say(f"would {_ACTS[verb]} {counted(done.matched, 'session')}", quiet=look.quiet or look.json)
    if done.matched or done.interrupted:
        return
    if not problems.tell_nothing(setup.storage, look, given=setup.storage_given, changes=True):
        say("no session matches", quiet=look.quiet or look.json)
        problems.tell_doubts(selection.where, look)


def _refuse_one(params: dict[str, Any]) -> None:
    """What is about one session or its cookie has no place beside what means many."""
    refuse_one_beside_many(params)
    refuse_said("is for the cookie of one session", output="--output", url="--url")
    for name in ("session_id", "ref", "har", "cookie_jar", "output", "url"):
        params.pop(name, None)
