"""What the commands that print a cookie have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.cli import many, options, selecting
from sessionctl.cli.conflicts import refuse_said
from sessionctl.cli.output import print_file, print_json, say
from sessionctl.cli.setup import setup_of, url_of
from sessionctl.cli.words import refuse_rest, target_of, tell_notes
from sessionctl.errors import NotSupportedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from sessionctl.editing import Made
    from sessionctl.fleet.change import Changed
    from sessionctl.fleet.select import Selection
    from sessionctl.identify import Setup, Target


def writing_options(function: Any) -> Any:
    """The options of `set`, `unset` and `flash`: which session or sessions, and the form of the cookie."""
    for decorator in (
        options.look_options,
        options.place_options,
        options.key_options,
        many.many_options,
        options.target_options,
        options.output_options,
    ):
        function = decorator(function)
    return function


def change(
    words: tuple[str, ...],
    params: dict[str, Any],
    make: Callable[[Target, Setup, tuple[str, ...]], Made],
    *,
    wants: str | None,
) -> None:
    """Find the session, change it by `make` and print its cookie; `wants` names the arguments it needs."""
    look, output, url = form_of(params)
    target, rest = target_of(params, words)
    tell_notes(target.source, look)
    if wants is None:
        refuse_rest(rest)
    elif not rest:
        raise UsageError(f"{wants} is missing")
    print_made(make(target, setup_of(params, writes=True), rest), look, output, url)


def change_one_or_many(
    ctx: click.Context,
    words: tuple[str, ...],
    params: dict[str, Any],
    verb: str,
    changes_of: Callable[[tuple[str, ...]], dict[str, Any]],
    *,
    wants: str,
) -> None:
    """Change one session and print its cookie, or with --where and its like many, and print how many.

    `changes_of` makes of the words what `editing.change` and `fleet.change` take: values, unset or flash.
    """

    def act(setup: Setup, selection: Selection, dry_run: bool) -> Changed:
        from sessionctl import fleet

        if not words:
            raise UsageError(f"{wants} is missing")
        return fleet.change(setup.storage, selection, **changes_of(words), now=setup.now, dry_run=dry_run)

    if selecting.means_many(params):
        many.act_on_many(ctx, params, verb, act)
    from sessionctl import editing

    many.take_away(params)
    change(
        words,
        params,
        lambda target, setup, rest: editing.change(target, setup, **changes_of(rest)),
        wants=wants,
    )


def print_made(made: Made, look: options.Look, output: str | None = None, url: str | None = None) -> None:
    """Print the cookie of a session that was made or changed, in the form that was asked for.

    Else as commands take it: its value, or with companions, without which it is not signed, the pairs.
    """
    if not made.revoked:
        say(
            "not revocable: a copy of the old cookie stays valid until it expires",
            quiet=look.quiet or look.json,
        )
    for warning in made.warnings:
        say(warning.message, quiet=look.quiet or look.json or output == "json")
    if look.json or output == "json":
        form = (
            {}
            if output in (None, "json") or made.cookie is None
            else {"output": _rendered(made, output, url)}
        )
        print_json({**answer(made), **form})
        return
    if made.cookie is None:
        say("done; the store keeps no ID, so there is no cookie to print", quiet=look.quiet)
        return
    print_file(_rendered(made, output or ("pair" if made.companions else "value"), url))


def answer(made: Made) -> dict[str, Any]:
    """The JSON object of a session that was made or changed."""
    result: dict[str, Any] = {
        "cookie": made.cookie,
        "set_cookie": made.set_cookie,
        "cookie_name": made.cookie_name,
        "format": made.format,
        "storage": made.storage,
        "id": made.id,
        "ref": made.ref,
    }
    warnings = [warning._asdict() for warning in made.warnings]
    if not made.revoked:
        warnings.append({"code": "not-revocable", "message": "a copy of the old cookie stays valid"})
    if warnings:
        result["warnings"] = warnings
    if made.companions:
        result["companions"] = dict(made.companions)
    return result


def form_of(params: dict[str, Any]) -> tuple[options.Look, str | None, str | None]:
    """Take --json and its like, --output and --url out of a command's parameters.

    Raises `UsageError` and `NotSupportedError` before anything is written, where a place is missing or in vain.
    """
    look = options.look_of(params)
    output, url = params.pop("output"), url_of(params)
    if output is None:
        refuse_said("goes with --output, whose place it is", url="--url")
    if output is not None or url is not None:
        _check_place(output, url)
    return look, output, url


def _check_place(output: str | None, url: str | None) -> None:
    from sessionctl.outputs import PLACED, place_of

    if output in PLACED and not url:
        raise NotSupportedError(f"--output {output} needs a place: --url https://example.com/")
    if url is not None:
        place_of(url)


def _rendered(made: Made, output: str, url: str | None) -> str:
    if output == "value":
        return made.cookie or ""
    from sessionctl.outputs import render

    return render(made, output, url)
