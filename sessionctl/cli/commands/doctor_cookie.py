"""`sessionctl doctor COOKIE`: the security report on a cookie, headers, or a recorded visit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.cli.output import print_json, say
from sessionctl.cli.setup import setup_of, url_of
from sessionctl.cli.words import content_of_file, refuse_rest, target_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sessionctl.checkup import Finding
    from sessionctl.cli import options

UNSAFE = 1


def is_meant(words: Sequence[str], params: dict[str, Any]) -> bool:
    """Whether a cookie or a visit was given, not a store."""
    return bool(words) or bool(params.get("har")) or bool(params.get("cookie_jar"))


def report(words: tuple[str, ...], params: dict[str, Any], look: options.Look) -> int:
    """Print the findings; the exit status is 1 where one is more than a note."""
    from sessionctl.checkup import worst

    findings = _findings(words, params)
    _print(findings, look)
    if not findings:
        say("nothing is wrong with this cookie", quiet=look.quiet or look.json)
    return 0 if worst(findings) in (None, "note") else UNSAFE


def _findings(words: tuple[str, ...], params: dict[str, Any]) -> list[Finding]:
    """A HAR is judged as a visit, whether it came by --har, as @FILE or on standard input."""
    from sessionctl.checkup import examine, examine_visit
    from sessionctl.outputs import place_of
    from sessionctl.sources.har import read_visit

    url = url_of(params)
    if url is not None:
        place_of(url)
    har = params.get("har")
    if har is None and words and words[0].startswith("@") and words[0].endswith(".har"):
        har, words = words[0][1:], words[1:]
    if har is not None:
        refuse_rest(words)
        params.pop("har")
        params.pop("cookie_jar", None)
        setup = setup_of(params, text_alone=True)
        return examine_visit(read_visit(content_of_file(har)), setup)
    target, rest = target_of({"session_id": None, "ref": None, **params}, words)
    refuse_rest(rest)
    params.pop("har", None)
    params.pop("cookie_jar", None)
    setup = setup_of(params, text_alone=True)
    assert target.source is not None  # noqa: S101 - neither an ID nor a ref was given
    return examine(target.source, setup, url=url)


def _print(findings: Iterable[Finding], look: options.Look) -> None:
    if not look.json:
        from sessionctl.cli.views.findings import print_of_cookie

        print_of_cookie(findings, look.color, quiet=look.quiet)
        return
    for finding in findings:
        print_json(finding._asdict())
