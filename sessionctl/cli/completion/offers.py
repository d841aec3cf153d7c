"""What a TAB press offers for the value of an option or an argument.

Nothing here writes, speaks or takes long: what fails offers nothing, and after `MOST_SECONDS` it fails.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import click

    Items = Iterable[CompletionItem[str]]

MOST_SECONDS = 1.0
MOST_FILES = 10_000
"""Entries of a directory that are looked at."""

URL_OPTIONS = {
    "layout": "whose store it is",
    "ttl": "idle life: 30d",
    "lifetime": "absolute life: 90d",
    "unknown_ids": "new or reuse",
    "on_corrupt": "error or new",
    "prefix": "what the names of records begin with",
}
_OF_RECORDS, _NO_RECORDS = {"layout", "prefix"}, ("memory", "cookie")
"""Options that tell how records lie, and the schemes of storages where none do."""

_URL_CHOICES = {"unknown_ids": ("new", "reuse"), "on_corrupt": ("error", "new")}


def offer(name: str, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """What the function of that name offers, in time or not at all."""
    import signal

    signal.signal(signal.SIGALRM, _too_late)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        offers: Callable[[click.Context, str], Items] = globals()[name]
        return [item for item in offers(ctx, incomplete) if item.value.startswith(incomplete)]
    except Exception:  # noqa: BLE001 - completion is silent on failure
        return []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _too_late(*_: object) -> None:
    raise TimeoutError


def _items(values: Iterable[str], **kind: Any) -> Iterator[CompletionItem[str]]:
    return (CompletionItem(value, **kind) for value in values)


def formats(ctx: click.Context, incomplete: str) -> Items:  # noqa: ARG001 - all have the same parameters
    """The names of the formats."""
    from sessionctl.formats.registry import names

    return _items(names())


def profiles(ctx: click.Context, incomplete: str) -> Items:  # noqa: ARG001
    """The names of the profiles."""
    from sessionctl.config.settings import profile_names

    return _items(profile_names())


def topics(ctx: click.Context, incomplete: str) -> Items:  # noqa: ARG001
    """What `help` has a page for: a topic or a command; behind one that has commands of its own, these."""
    from sessionctl.cli.main import COMMANDS, main
    from sessionctl.cli.manual import TOPICS

    before = ctx.params.get("words") or ()
    if not before:
        return _items(dict.fromkeys((*TOPICS, "options", *COMMANDS)))
    group = main.get_command(ctx, before[0]) if len(before) == 1 else None
    return _items(getattr(group, "commands", ()))


def sort_keys(ctx: click.Context, incomplete: str) -> Items:  # noqa: ARG001
    """What sessions are sorted by, up, and down with a hyphen."""
    from sessionctl.fleet.select import SORT_KEYS

    return _items(f"{'-' if incomplete.startswith('-') else ''}{key}" for key in SORT_KEYS)


def files(ctx: click.Context, incomplete: str) -> Items:  # noqa: ARG001
    """The files that begin so."""
    return _paths(incomplete, "", only_directories=False)


def at_files(ctx: click.Context, incomplete: str) -> Items:  # noqa: ARG001
    """The files behind an `@`; anything else is no file."""
    return _paths(incomplete[1:], "@", only_directories=False) if incomplete.startswith("@") else []


def directories(ctx: click.Context, incomplete: str) -> Items:  # noqa: ARG001
    """The directories that begin so."""
    return _paths(incomplete, "", only_directories=True)


def sides(ctx: click.Context, incomplete: str) -> Items:
    """What `diff` compares: files behind an `@`, and behind `ref:` the sessions of the chosen storage."""
    if len(ctx.params.get("words") or ()) > 1:
        return ()
    if not incomplete.startswith("ref:"):
        return at_files(ctx, incomplete)
    found = refs(ctx, incomplete.removeprefix("ref:"))
    return (CompletionItem(f"ref:{item.value}", help=item.help) for item in found)


def storages(ctx: click.Context, incomplete: str) -> Items:  # noqa: ARG001
    """The schemes; behind `fs:` the directories, behind `?` the options, behind `layout=` the layouts."""
    from sessionctl.storage.registry import schemes

    scheme, colon, place = incomplete.partition(":")
    if not colon:
        return _items((f"{name}:" for name in schemes()), type="open")
    if "?" in place:
        return _url_options(incomplete, scheme)
    return _paths(place, "fs:", only_directories=True) if scheme == "fs" else []


def _url_options(url: str, scheme: str) -> Items:
    head = url[: max(url.rfind("?"), url.rfind("&")) + 1]
    name, equals, _ = url[len(head) :].partition("=")
    if not equals:
        used = {part.partition("=")[0] for part in head.partition("?")[2].split("&")}
        used |= _OF_RECORDS if scheme in _NO_RECORDS else set()
        return [
            CompletionItem(f"{head}{key}=", type="open", help=text)
            for key, text in URL_OPTIONS.items()
            if key not in used
        ]
    if name == "layout":
        from sessionctl.stores import layouts

        known = [one for one in layouts.every() if (one.files if scheme == "fs" else one.servers) is not None]
        return [CompletionItem(f"{head}layout={one.name}", help=one.summary) for one in known]
    return _items(f"{head}{name}={value}" for value in _URL_CHOICES.get(name, ()))


def format_options(ctx: click.Context, incomplete: str) -> Items:
    """The options of the chosen format, and behind `=` the values that one may have."""
    from sessionctl.cli.setup import settings_of
    from sessionctl.formats.registry import get

    name = ctx.params.get("format_name") or settings_of(ctx.params).get("format")
    if name is None:
        return
    for option in get(name).options:
        if not incomplete.startswith(f"{option.name}="):
            yield CompletionItem(f"{option.name}=", type="open", help=option.help)
            continue
        for value in option.choices or filter(None, (option.default,)):
            yield CompletionItem(f"{option.name}={value}")


def refs(ctx: click.Context, incomplete: str) -> Items:
    """The refs of the sessions in the chosen storage."""
    import time

    from sessionctl.cli.setup import storage_of
    from sessionctl.duration import human_seconds
    from sessionctl.fleet.refs import refs_like

    now = time.time()
    for entry in refs_like(storage_of(dict(ctx.params)), incomplete):
        saved = "" if entry.modified_at is None else f", saved {human_seconds(now - entry.modified_at)} ago"
        yield CompletionItem(entry.ref, help=f"{entry.size} bytes{saved}")


def _paths(typed: str, head: str, *, only_directories: bool) -> Iterator[CompletionItem[str]]:
    folder = typed[: typed.rfind("/") + 1]
    hidden = typed[len(folder) :].startswith(".")
    with os.scandir(os.path.expanduser(folder) or ".") as entries:
        found = sorted(
            (entry.name, entry.is_dir()) for entry in islice(entries, MOST_FILES) if entry.name.isprintable()
        )
    for name, is_directory in found:
        if name.startswith(".") == hidden and (is_directory or not only_directories):
            yield CompletionItem(f"{head}{folder}{name}{'/' if is_directory else ''}", type="path")
