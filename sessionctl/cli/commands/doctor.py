"""`sessionctl doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionctl.cli import options, selecting
from sessionctl.cli.conflicts import refuse_said
from sessionctl.cli.output import print_json, say
from sessionctl.cli.page import Command
from sessionctl.cli.problems import Problems
from sessionctl.cli.setup import setup_of
from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.fleet.findings import Finding

UNSOUND = 1


@click.command("doctor", cls=Command)
@click.argument("words", nargs=-1, metavar="[COOKIE]", shell_complete=options.completes("at_files"))
@click.option(
    "--fix", is_flag=True, help="Mend what can be mended without losing anything; asks on a terminal."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--url", metavar="URL", help="Of a cookie: the place that it was set at.")
@options.source_options
@options.key_options
@options.place_options
@options.look_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **params: Any) -> None:
    """Tell what is wrong with a store, or with a cookie or recorded visit, and what mends it.

    COOKIE or --har: a security report by OWASP's rules. Ends 1 where there are findings that are more than notes.

    \b
    sessionctl doctor -s fs:/var/lib/app/sessions
    sessionctl doctor -s redis://cache/0?ttl=30d --json
    sessionctl doctor --har visit.har
    """
    from sessionctl.cli.commands import doctor_cookie
    from sessionctl.fleet import doctor
    from sessionctl.fleet import findings as found

    look = options.look_of(params)
    wanted, yes = params.pop("fix"), params.pop("yes")
    if doctor_cookie.is_meant(words, params):
        if wanted:
            raise UsageError("--fix mends stores; what mends a cookie stands with each finding")
        ctx.exit(doctor_cookie.report(words, params, look))
    refuse_said("is the place of a cookie; a store is -s URL", url="--url")
    for name in ("har", "cookie_jar", "url"):
        params.pop(name)
    setup = setup_of(params, keys="store")
    problems = Problems()
    findings = doctor.examine(setup.storage, on_problem=problems)
    fixable = [finding for finding in findings if finding.fixable]
    if wanted and fixable and (yes or not selecting.may_ask() or selecting.confirm(_question(fixable))):
        for done in doctor.fix(setup.storage, on_problem=problems):
            say(f"mended {done.code}: {done.count}", quiet=look.quiet)
        findings = doctor.examine(setup.storage)
    _print(findings, look)
    if not findings:
        say("nothing is wrong with this store", quiet=look.quiet or look.json)
    ctx.exit(problems.end() or (0 if found.is_sound(findings) else UNSOUND))


def _question(fixable: list[Finding]) -> str:
    return f"Mend {', '.join(f'{finding.code} ({finding.count})' for finding in fixable)}?"


def _print(findings: Iterable[Finding], look: options.Look) -> None:
    if not look.json:
        from sessionctl.cli.views.findings import print_of_store

        print_of_store(findings, look.color)
        return
    for finding in findings:
        print_json(finding.as_json())
