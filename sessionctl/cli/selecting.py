"""The options that say which sessions of a store are meant, and the `Selection` that they come to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sessionctl.cli.options import completes
from sessionctl.cli.page import SharedOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from sessionctl.fleet.select import Selection

    F = TypeVar("F", bound="Callable[..., Any]")

MANY = ("older_than", "newer_than", "created_before", "expired", "where", "corrupt")
"""The options by which a command means many sessions."""

_WHERE = click.option(
    "--where", multiple=True, metavar="K=V",
    help="That hold this: K, K=V, K!=V, K:=JSON, cart.0.sku.",
)  # fmt: skip


def selection_options(function: F) -> F:
    """--where, --older-than, --newer-than, --created-before, --expired, --corrupt, --limit."""
    for decorator in (
        click.option("--limit", type=click.IntRange(1), metavar="N", help="So many at the most."),
        click.option("--corrupt", cls=SharedOption, is_flag=True, help="Whose record cannot be read."),
        click.option(
            "--expired",
            cls=SharedOption,
            is_flag=True,
            help="That have expired, by the store's ttl or lifetime.",
        ),
        click.option(
            "--created-before",
            cls=SharedOption,
            metavar="TIME",
            help="Made before: a duration ago, or a time (needs lifetime).",
        ),
        click.option(
            "--newer-than", cls=SharedOption, metavar="DURATION", help="Last saved (with ttl: used) after it."
        ),
        click.option("--older-than", metavar="DURATION", help="Last saved (with ttl: used) before it."),
        _WHERE,
    ):
        function = decorator(function)
    return function


def where_option(function: F) -> F:
    """--where alone."""
    return _WHERE(function)


def finding_options(function: F) -> F:
    """--id, --ref, --sort: for commands that only look."""
    for decorator in (
        click.option(
            "--sort",
            metavar="KEY",
            shell_complete=completes("sort_keys"),
            help="modified_at, expires_at, size, ref; -size: down.",
        ),
        click.option(
            "--ref",
            "refs",
            multiple=True,
            metavar="REF",
            shell_complete=completes("refs"),
            help="Of this ref, or that begins so.",
        ),
        click.option("--id", "ids", multiple=True, metavar="ID", help="Of this ID."),
    ):
        function = decorator(function)
    return function


def means_many(params: dict[str, Any]) -> bool:
    """Whether a command that takes one session is asked for many."""
    return any(params[name] for name in MANY)


def selection_of(params: dict[str, Any], now: float | None = None) -> Selection:
    """Take the options of a selection out of a command's parameters. Raises `UsageError`."""
    from sessionctl.fleet.select import Selection

    return Selection(
        older_than=_duration(params.pop("older_than", None)),
        newer_than=_duration(params.pop("newer_than", None)),
        created_before=_moment(params.pop("created_before", None), now),
        expired=params.pop("expired", False),
        where=conditions_of(params),
        ids=params.pop("ids", ()),
        refs=params.pop("refs", ()),
        corrupt=params.pop("corrupt", False),
        limit=params.pop("limit", None),
        sort=params.pop("sort", None),
    )


def conditions_of(params: dict[str, Any]) -> Any:
    """Take --where out of a command's parameters."""
    from sessionctl.fleet.where import parse_where

    return tuple(parse_where(text) for text in params.pop("where", ()))


def _duration(text: str | None) -> float | None:
    from sessionctl.duration import parse_age

    return None if text is None else parse_age(text)


def _moment(text: str | None, now: float | None) -> float | None:
    """A time, or a duration before now."""
    if text is None:
        return None
    import time

    from sessionctl.duration import parse_age, parse_time

    if text.strip()[-1:].isalpha() and not text.strip().endswith("Z"):
        return (time.time() if now is None else now) - parse_age(text)
    return parse_time(text)


def may_ask() -> bool:
    """Whether somebody sits at a terminal who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Ask on stderr; only where `may_ask`."""
    return click.confirm(question, err=True)
