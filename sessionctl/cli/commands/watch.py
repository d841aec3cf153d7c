"""`sessionctl watch`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options, selecting
from sessionctl.cli.conflicts import refuse_one_beside_many
from sessionctl.cli.output import print_json, say
from sessionctl.cli.page import Command
from sessionctl.cli.problems import tell_doubts, tell_nothing, tell_owner
from sessionctl.cli.setup import keys_for, setup_of
from sessionctl.cli.words import refuse_rest, target_of
from sessionctl.errors import UsageError
from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.fleet.select import Selection
    from sessionctl.identify import Setup, Target
    from sessionctl.watch import Seen

NAMED = 20
"""How many of the sessions that are there at the beginning are named, one a line."""


@click.command("watch", cls=Command)
@click.argument("words", nargs=-1, metavar="[COOKIE]", shell_complete=options.completes("at_files"))
@click.option("--for", "duration", metavar="DURATION", help="Stop after that time; else Ctrl-C ends it.")
@click.option("--interval", metavar="DURATION", default="500ms", show_default=True, help="Between two looks.")
@selecting.where_option
@options.target_options
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Tell live what happens to a stored session, or to all that match: made, changed, ended.

    Files wake it at once where watchfiles is installed, Redis where it sends keyspace notifications; else it
    looks at intervals. A store that goes away is told, and asked until it is back.

    \b
    sessionctl watch --id "$ID" -s fs:/var/lib/app/sessions --for 1s
    sessionctl watch --where userId=42 -s redis://cache/0 --for 1s --json
    """
    from sessionctl.watch import watch

    look = options.look_of(params)
    seconds, interval = _seconds(params.pop("duration")), _seconds(params.pop("interval"))
    many = bool(params["where"])
    chosen: dict[str, Any] = {}
    if many or not (words or params["session_id"] or params["ref"] or params["har"] or params["cookie_jar"]):
        if words:
            raise UsageError("--where means many sessions, and a COOKIE one; give one of them")
        refuse_one_beside_many(params)
        chosen["selection"] = selecting.selection_of(params)
        setup = setup_of(params, keys="store")
    else:
        target, rest = target_of(params, words)
        refuse_rest(rest)
        setup = setup_of(params, keys=keys_for(target))
        chosen["key"] = _key(target, setup)
    chosen["on_way"] = lambda how: say(f"changes are noticed {how}", quiet=not look.verbose)
    chosen["on_begin"] = lambda count: _begin(count, setup, look, chosen.get("selection"))
    found = 0
    for seen in watch(setup.storage, interval=interval or 0.0, seconds=seconds, **chosen):
        found += seen.kind == "found"
        if look.json or seen.kind != "found" or found <= NAMED:
            _tell(seen, look)


def _begin(count: int, setup: Setup, look: options.Look, selection: Selection | None) -> None:
    """Say what is watched; and where that is nothing, or another framework's, why it may be."""
    if selection is not None:
        say(f"watching {counted(count, 'session')}", quiet=look.quiet or look.json)
    elif not count:
        say("there is no such session yet", quiet=look.quiet or look.json)
    if count:
        tell_owner(setup.storage, look)
    elif not tell_nothing(setup.storage, look, given=setup.storage_given) and selection is not None:
        tell_doubts(selection.where, look)


def _seconds(text: str | None) -> float | None:
    from sessionctl.duration import parse_duration

    return None if text is None else parse_duration(text)


def _key(target: Target, setup: Setup) -> str:
    """The key of the session that is meant. Raises `UsageError` where its cookie holds it itself."""
    from sessionctl.identify import identify
    from sessionctl.inspection.stored import find_ref
    from sessionctl.storage.base import RecordStorage

    storage = setup.storage
    if not isinstance(storage, RecordStorage):
        raise UsageError("only what lies in a storage can be watched; -s URL names one")
    if target.ref is not None:
        return find_ref(storage, target.ref)
    session_id = target.id
    if target.source is not None:
        known = identify(target.source, setup, judge=False)
        decoded = known.decode()
        if decoded.id is None or decoded.id != decoded.data:
            raise UsageError("the cookie holds the session itself, so there is nothing to watch")
        session_id = decoded.id
    return storage.key_of(session_id or "")


def answer(seen: Seen) -> dict[str, Any]:
    """The JSON object of what was seen."""
    from sessionctl.duration import iso

    return {
        "time": iso(seen.time),
        "kind": seen.kind,
        "ref": seen.ref,
        "changes": [change.as_json() for change in seen.changes],
        "detail": seen.detail,
        "expires_at": iso(seen.expires_at),
    }


def _tell(seen: Seen, look: options.Look) -> None:
    """Print what was seen; that the store is away, or back, is no data but a message, and with --json both."""
    if seen.kind in ("unreachable", "back"):
        say(seen.detail or "the store is back", quiet=look.quiet)
    if look.json:
        print_json(answer(seen))
    elif seen.kind not in ("unreachable", "back"):
        from sessionctl.cli.views.timeline import print_seen

        print_seen(seen, look.color)
    sys.stdout.flush()
