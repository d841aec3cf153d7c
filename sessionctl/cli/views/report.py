"""The report of `inspect` for people: the first line says what it is and whether it is genuine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.text import Text

from sessionctl.cli.output import visible
from sessionctl.cli.pager import show
from sessionctl.cli.views.console import BAD, DIM, GOOD, NAME, ODD, console, put
from sessionctl.cli.wrapping import INDENT
from sessionctl.duration import human_seconds, iso
from sessionctl.inspection import STORED
from sessionctl.inspection.ending import DEFAULT
from sessionctl.wording import counted

if TYPE_CHECKING:
    from rich.console import Console

    from sessionctl.inspection import Report
    from sessionctl.inspection.ending import End
    from sessionctl.verdict import Warn


LONGEST_KEY = 32
"""Columns of a key that a value stands beside; below a longer one, and one of more than a third of the line."""

MOST_ASKED = 4
"""How many names under which a session was looked for are shown; --json has all."""

BESIDE = 9
"""Columns that a fact's name takes, with the gap behind it."""


def print_report(report: Report, color: str, *, verbose: bool = False) -> None:
    """Print a report, without white space at the ends of lines."""
    out = console(color)
    with out.capture() as capture:
        _print_all(out, report, verbose=verbose)
    show(line.rstrip() for line in capture.get().splitlines())


def _print_all(out: Console, report: Report, *, verbose: bool) -> None:
    put(out, _headline(report))
    _print_facts(out, report, verbose=verbose)
    _print_data(out, report)
    told = [one for one in report.warnings if not _is_told(one, report)]
    if told:
        out.print()
    for warning in told:
        mark = "hint" if warning.code == "hint" else "note"
        put(out, Text(visible(warning.message)), BESIDE, Text(mark, style=ODD))


def _is_told(warning: Warn, report: Report) -> bool:
    """Whether a warning only says what the first line does."""
    return warning.code == "cleared" or warning.message == f"it is encrypted: {report.verdict.detail}"


def _headline(report: Report) -> Text:
    verdict = report.verdict
    if verdict.detail == STORED:
        state = ("expired", BAD) if report.expired else "found"
        return Text.assemble(("stored session", "bold"), ", ", state)
    kind = (f"{report.format} cookie{', encrypted' if report.encrypted else ''}", "bold")
    by = visible(_by(report))
    if report.status == "valid" and report.expired:
        return Text.assemble(kind, ": ", ("expired", BAD), f", though genuine{by}")
    if report.status == "valid" and not verdict.valid:
        reason = (verdict.reason or "").replace("-", " ")
        return Text.assemble(kind, ": ", (reason, BAD), f": {visible(verdict.detail)} ({report.keys_source})")
    if report.status == "valid" and report.found is False:
        return Text.assemble(kind, ": ", ("session not found", BAD), f", though genuine{by}")
    if report.status == "valid":
        return Text.assemble(kind, ": ", ("genuine", GOOD), by)
    if report.status == "unsigned" and report.is_id:
        return Text.assemble(kind, ": an ID, not signed; ", _known_to_store(report))
    if report.status == "unsigned":
        return Text.assemble(kind, ": ", ("not signed", ODD), ", anybody could have written it")
    if report.verdict.cleared:
        return Text.assemble(("empty cookie", "bold"), ": the application ended the session")
    if report.status == "unchecked":
        return Text.assemble(kind, ": ", ("not checked", ODD), f", {_lacking(report)}")
    source = "" if report.keys_source == "none" else f" ({report.keys_source})"
    return Text.assemble(kind, ": ", (_refusal(report), BAD), f": {visible(verdict.detail)}{source}")


def _refusal(report: Report) -> str:
    if report.verdict.reason == "wrong-key-type":
        return "wrong kind of key"
    return "NOT genuine" if report.signed else "NOT signed"


def _known_to_store(report: Report) -> Text:
    """What the store says of an ID that is not signed, and that nothing else can vouch for."""
    if report.found is None:
        return Text("only its store can tell whether it is known", style=ODD)
    if not report.found:
        return Text("the store does not know it", style=BAD)
    if report.expired:
        return Text.assemble("the store knows it, ", ("as expired", BAD))
    return Text("the store knows it", style=GOOD)


def _lacking(report: Report) -> str:
    """What is missing for a check: a secret, or what the format needs beside the ones given."""
    if report.verdict.keys:
        return visible(report.verdict.detail)
    _, _, which = report.verdict.detail.partition("; --secret takes ")
    return f"no secret was given (--secret{f': {which}' if which else ''})"


def _by(report: Report) -> str:
    verdict = report.verdict
    if verdict.key_index is None:
        return ""
    which = f"key {verdict.key_index} of {verdict.keys} from {report.keys_source}"
    if verdict.keys == 1:
        which = (
            report.keys_source
            if report.keys_source.startswith("the ")
            else f"the secret from {report.keys_source}"
        )
    elif verdict.key_index == 0:
        which = f"the newest of {verdict.keys} keys from {report.keys_source}"
    return f", by {which}{f' ({report.algorithm})' if report.algorithm else ''}"


def _print_facts(out: Console, report: Report, *, verbose: bool) -> None:
    lines = [line for line in _lines(report, verbose=verbose) if line[1]]
    beside = max(BESIDE, *(len(name) + 2 for name, _ in lines))
    for name, text in lines:
        put(out, Text(visible(text)), beside, Text(name, style=DIM))


def _lines(report: Report, *, verbose: bool) -> list[tuple[str, str]]:
    lines = [
        ("record", counted(report.size, "byte"))
        if report.verdict.detail == STORED
        else ("cookie", _size(report)),
        ("issued", _when(report, report.issued_at)),
        ("expires", _when(report, report.expires_at, _by_default(report.end))),
        ("session", f"ref {report.ref}" if report.ref else ""),
        ("holds", _value(report) if report.is_value else ""),
        ("store", _store(report)),
        ("asked", _asked(report)),
        ("saved", _when(report, report.modified_at)),
        ("others", ", ".join(report.candidates[1:4]) if verbose else ""),
    ]
    shown = verbose or report.found is False  # how the store is kept is of interest where it has none
    lines += [
        (str(name).replace("_", " "), str(value))
        for name, value in report.facts.items()
        if shown or name in {"node", "slot"}
    ]
    if verbose and report.attributes:
        lines.append(
            (
                "sent with",
                "; ".join(f"{key}={value}" if value else key for key, value in report.attributes.items()),
            )
        )
    return lines


def _value(report: Report) -> str:
    return f"a {'value' if report.status == 'unsigned' else 'signed value'}, by its looks no session's ID"


def _size(report: Report) -> str:
    percent = report.size * 100 // report.limit
    return f"{report.cookie_name or '(no name)'}, {report.size} of {report.limit} bytes ({percent}%)"


def _store(report: Report) -> str:
    if report.storage is None:
        return ""
    found = "found in" if report.found else "NOT FOUND in"
    return f"{found} {report.storage} ({report.storage_source})"


def _asked(report: Report) -> str:
    """Under which names the session was looked for."""
    more = len(report.asked) - MOST_ASKED
    return ", ".join(report.asked[:MOST_ASKED]) + (f" and {more} more" if more > 0 else "")


def _by_default(end: End) -> str:
    """That an end is only as the framework reckons it where the application says nothing else."""
    if end.by != DEFAULT:
        return ""
    return f", by {end.whose}'s default; --max-age is your {end.setting}"


def _when(report: Report, moment: float | None, more: str = "") -> str:
    if moment is None:
        return ""
    distance = report.now - moment
    words = human_seconds(distance)
    side = f"{words} ago" if distance >= 0 else f"in {words}"
    return f"{iso(moment) or 'at no date that exists'} ({side}{more})"


def _print_data(out: Console, report: Report) -> None:
    if report.data is None and (report.encrypted or report.verdict.cleared or report.is_malformed):
        return
    out.print()
    if report.is_id and not report.found:
        _print_whereabouts(out, report)
        return
    _print_members(out, "data", report.for_people)
    if report.flash:
        out.print()
        _print_members(out, "flash, waiting for the next request", report.flash)


def _print_whereabouts(out: Console, report: Report) -> None:
    """Where the session of an ID may lie: in a store, or in the framework's database."""
    from sessionctl.stores.rows import READERS

    where = "an ID alone"
    if report.found is None:
        where += f"; the session lies in a store {_stores(report)}"
    put(out, Text(where), BESIDE, Text("data", style="bold"))
    if report.found is None and (command := READERS.get(report.format)):
        told = "perhaps it is a row of the database, which this reads (sqlite3 FILE in place of psql -Atc for SQLite):"
        put(out, Text(told), BESIDE)
        out.print(Text(f"  {command}"), soft_wrap=True)  # whole, to be copied


def _stores(report: Report) -> str:
    """The option that names the store; with the layouts that sessions of the format usually have."""
    from sessionctl.stores.layouts import every

    names = [layout.name for layout in every() if report.format in layout.formats]
    return f"(-s URL?layout={', '.join(names)})" if names else "(-s URL)"


def _print_members(out: Console, title: str, value: Any) -> None:
    out.print(Text(title, style="bold"))
    if not isinstance(value, dict) or not value:
        _print_value(out, value, INDENT)
        return
    keys = {key: Text.assemble(" " * INDENT, (visible(key), NAME)) for key in value}
    most = min(LONGEST_KEY, out.width // 3)
    beside = INDENT + max((head.cell_len for head in keys.values() if head.cell_len <= most), default=INDENT)
    for key, item in value.items():
        head = keys[key]
        if head.cell_len + INDENT > beside:
            out.print(head, soft_wrap=True)
            head = Text()
        _print_value(out, item, beside, head)


def _print_value(out: Console, value: Any, indent: int, head: Text | None = None) -> None:
    """A value as JSON, a large one in several lines; what is longer than a line stays whole."""
    text = json.dumps(value, ensure_ascii=False, indent=2 if _is_large(value) else None)
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        put(out, Text(visible(bare)), indent + len(line) - len(bare), head)
        head = None


def _is_large(value: Any) -> bool:
    return isinstance(value, (dict, list)) and len(json.dumps(value)) > 60  # noqa: PLR2004 - one line holds it
