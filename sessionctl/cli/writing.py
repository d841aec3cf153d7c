"""What the commands that print a cookie have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.cli import options
from sessionctl.cli.output import print_data, print_json, say
from sessionctl.cli.setup import setup_of, url_of
from sessionctl.cli.words import refuse_rest, target_of
from sessionctl.errors import NotSupportedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.editing import Made
    from sessionctl.identify import Setup, Target


def change(
    words: tuple[str, ...],
    params: dict[str, Any],
    make: Callable[[Target, Setup, tuple[str, ...]], Made],
    *,
    wants: str | None,
) -> None:
    """Find the session, change it by `make` and print its cookie; `wants` names the arguments it needs."""
    look = options.look_of(params)
    output, url = params.pop("output"), url_of(params)
    check_output(output, url)
    target, rest = target_of(params, words)
    if wants is None:
        refuse_rest(rest)
    elif not rest:
        raise UsageError(f"{wants} is missing")
    print_made(make(target, setup_of(params, writes=True), rest), look, output, url)


def print_made(made: Made, look: options.Look, output: str | None = None, url: str | None = None) -> None:
    """Print the cookie of a session that was made or changed, in the form that was asked for."""
    if not made.revoked:
        say(
            "not revocable: a copy of the old cookie stays valid until it expires",
            quiet=look.quiet or look.json,
        )
    if look.json or output == "json":
        print_json(answer(made))
        return
    if made.cookie is None:
        say("done; the store keeps no ID, so there is no cookie to print", quiet=look.quiet)
        return
    if output in (None, "value"):
        print_data(made.cookie)
        return
    from sessionctl.outputs import render

    print_data(render(made, output, url))


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
    if not made.revoked:
        result["warnings"] = [{"code": "not-revocable", "message": "a copy of the old cookie stays valid"}]
    if made.companions:
        result["companions"] = dict(made.companions)
    return result


def check_output(output: str | None, url: str | None) -> None:
    """Raise `NotSupportedError` before anything is written, where the output needs a URL."""
    if output is None and url is None:
        return
    from sessionctl.outputs import PLACED, place_of

    if output in PLACED and not url:
        raise NotSupportedError(f"--output {output} needs a place: --url https://example.com/")
    if url is not None:
        place_of(url)
