"""`sessionctl formats`."""

from __future__ import annotations

import sys
from itertools import chain
from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_json, print_words
from sessionctl.cli.page import Command
from sessionctl.cli.pager import show
from sessionctl.cli.wrapping import fitted
from sessionctl.duration import human_seconds


@click.command("formats", cls=Command)
@click.argument("name", required=False, shell_complete=options.completes("formats"))
@options.look_options
def command(name: str | None, **params: Any) -> None:
    """List the cookie formats, or the options of one.

    \b
    sessionctl formats
    sessionctl formats itsdangerous
    """
    from sessionctl import formats

    look = options.look_of(params)
    if name is not None:
        _print_one(formats.get(name), look)
        return
    forms = [formats.get(known) for known in formats.names()]
    if not look.json:
        lines = (fitted(f"{form.name:<15} {form.summary}", sys.stdout, 16) for form in forms)
        show(chain.from_iterable(lines))
        return
    for form in forms:
        print_json(_answer(form))


def _print_one(form: Any, look: options.Look) -> None:
    if look.json:
        print_json(_answer(form))
        return
    print_words(f"{form.name}: {form.summary}")
    print_words(f"cookie: {', '.join(form.cookie_names) or 'any name'}")
    print_words(f"max-age: {_life(form.default_max_age)}")
    for option in form.options:
        choices = f" ({', '.join(option.choices)})" if option.choices else ""
        print_words(f"  -O {option.name}={option.default or '...'}  {option.help}{choices}", 6)
    if form.example:
        print_words(f"example: {form.example}")


def _life(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds:.0f}s ({human_seconds(seconds)})"


def _answer(form: Any) -> dict[str, Any]:
    return {
        "name": form.name,
        "summary": form.summary,
        "cookie_names": list(form.cookie_names),
        "holds_session": form.holds_session,
        "default_max_age": form.default_max_age,
        "options": [
            {
                "name": option.name,
                "default": option.default,
                "help": option.help,
                "choices": list(option.choices),
            }
            for option in form.options
        ],
        "example": form.example or None,
    }
