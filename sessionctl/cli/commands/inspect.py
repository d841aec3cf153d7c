"""`sessionctl inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_json
from sessionctl.cli.page import Command
from sessionctl.cli.setup import setup_of
from sessionctl.cli.views.verdicts import MALFORMED
from sessionctl.cli.words import refuse_rest, target_of, tell_notes
from sessionctl.errors import CorruptRecordError, MalformedCookieError, StorageError

if TYPE_CHECKING:
    from sessionctl.inspection import Report
    from sessionctl.stores.base import StoredRecord


@click.command("inspect", cls=Command)
@click.argument("words", nargs=-1, metavar="COOKIE", shell_complete=options.completes("at_files"))
@click.option(
    "--diff-with", metavar="B", help="Tell only what differs from another: COOKIE, @FILE, id:ID, ref:REF."
)
@options.target_options
@options.key_options
@options.place_options
@options.look_options
def command(words: tuple[str, ...], **params: Any) -> None:
    """Tell everything about a cookie: what it is, whether it is genuine, what it holds, what is odd.

    Changes nothing. Ends 1 where a key or a storage was given and the answer is no.

    \b
    sessionctl inspect "$COOKIE"
    sessionctl inspect --secret "$SECRET_KEY" "session=$COOKIE"
    """
    ctx = click.get_current_context()
    from sessionctl import inspection

    look = options.look_of(params)
    other = params.pop("diff_with")
    target, rest = target_of(params, words)
    refuse_rest(rest)
    setup = setup_of(params, keys="may")
    try:
        report = inspection.inspect_target(target, setup)
    except MalformedCookieError:
        tell_notes(target.source, look)  # no report will have them
        raise
    except (StorageError, CorruptRecordError) as error:
        if error.report is not None and look.json:
            error.json_fields = answer(error.report)
        elif error.report is not None:
            _print(error.report, look)
        raise
    if other is not None:
        from sessionctl.cli.commands.diff import against

        ctx.exit(against(report, other, params, setup, look))
    if look.json:
        print_json(answer(report))
    else:
        _print(report, look)
    ctx.exit(MALFORMED if report.is_malformed else 0 if report.ends_well else 1)


def _print(report: Report, look: options.Look) -> None:
    from sessionctl.cli.views.report import print_report

    print_report(report, look.color, verbose=look.verbose)


def answer(report: Report) -> dict[str, Any]:
    """The JSON object of a report."""
    from sessionctl.duration import iso

    verdict = report.verdict
    return {
        "format": report.format,
        "candidates": list(report.candidates),
        "cookie_name": report.cookie_name,
        "id": report.id,
        "ref": report.ref,
        "data": report.data,
        "flash": report.flash,
        "payload_type": report.payload_type,
        "signature": {
            "status": report.status,
            "algorithm": report.algorithm,
            "key_index": verdict.key_index,
            "keys": verdict.keys,
            "reason": verdict.reason,
            "detail": verdict.detail,
            "needs_resign": verdict.needs_resign,
        },
        "encrypted": report.encrypted,
        "issued_at": iso(report.issued_at),
        "modified_at": iso(report.modified_at),
        "expires_at": iso(report.expires_at),
        "expires_by": report.end.by,
        "expired": report.expired,
        "size": {"bytes": report.size, "limit": report.limit},
        "storage": report.storage,
        "found": report.found,
        "asked": [*report.asked],
        "record": _record(report.record),
        "facts": dict(report.facts),
        "attributes": None if report.attributes is None else dict(report.attributes),
        "warnings": [warning._asdict() for warning in report.warnings],
    }


def _record(record: StoredRecord | None) -> dict[str, Any] | None:
    """What is to say about a record of another framework, its data aside."""
    if record is None:
        return None
    told = record.as_json()
    return {name: told[name] for name in ("format", "payload_type", "encrypted", "signature")}
