"""`sessionctl doctor COOKIE`: the security report on a cookie, headers, or a recorded visit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.cli.conflicts import refuse_two_sessions
from sessionctl.cli.output import print_json, say
from sessionctl.cli.setup import setup_of, tell_missing_keys, url_of
from sessionctl.cli.words import (
    content_of_file,
    refuse_rest,
    source_in,
    source_in_visit,
    target_of,
    tell_notes,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sessionctl.checkup import Finding
    from sessionctl.cli import options
    from sessionctl.sources import Source
    from sessionctl.sources.har import Exchange

UNSAFE = 1


def is_meant(words: Sequence[str], params: dict[str, Any]) -> bool:
    """Whether a cookie or a visit was given, not a store."""
    return bool(words) or bool(params.get("har")) or bool(params.get("cookie_jar"))


def report(words: tuple[str, ...], params: dict[str, Any], look: options.Look) -> int:
    """Print the findings; the exit status is 1 where one is more than a note."""
    from sessionctl.checkup import worst

    findings = _findings(words, params, look)
    _print(findings, look)
    if not findings:
        say("nothing is wrong with this cookie", quiet=look.quiet or look.json)
    return 0 if worst(findings) in (None, "note") else UNSAFE


def _findings(words: tuple[str, ...], params: dict[str, Any], look: options.Look) -> list[Finding]:
    """A HAR is judged as a visit, whether it came by --har, as @FILE or on standard input."""
    from sessionctl.checkup import examine, examine_visit
    from sessionctl.outputs import place_of

    url = url_of(params)
    if url is not None:
        place_of(url)
    visit, source = _given(words, params)
    tell_notes(source, look)
    params.pop("har", None)
    params.pop("cookie_jar", None)
    setup = setup_of(params, text_alone=True, keys="may")
    tell_missing_keys(setup, quiet=look.quiet)
    if visit:
        return examine_visit(visit, setup._replace(cookie_name=source.name))
    return examine(source, setup, url=url)


def _given(words: tuple[str, ...], params: dict[str, Any]) -> tuple[list[Exchange], Source]:
    """The visit that is meant, empty where there is none, and the cookie."""
    from sessionctl.sources.har import read_visit, visit_in

    refuse_two_sessions(params)
    if params.get("har") is not None:
        refuse_rest(words)
        recorded = read_visit(content_of_file(params["har"]))
        return recorded, source_in_visit(recorded, params, whole=True)
    if params.get("cookie_jar") is not None:
        target, rest = target_of({"session_id": None, "ref": None, **params}, words)
        refuse_rest(rest)
        assert target.source is not None  # noqa: S101 - neither --id nor --ref
        return [], target.source
    refuse_rest(words[1:])
    text = text_of(words[0])
    visit = visit_in(text)
    return (
        ([], source_in(text, params))
        if visit is None
        else (visit, source_in_visit(visit, params, whole=True))
    )


def _print(findings: Iterable[Finding], look: options.Look) -> None:
    if not look.json:
        from sessionctl.cli.views.findings import print_of_cookie

        print_of_cookie(findings, look.color, quiet=look.quiet)
        return
    for finding in findings:
        print_json(finding._asdict())
