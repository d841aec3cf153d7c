"""The options that mean the same on every command; `setup.py` and `words.py` make of them what they come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from sessionctl.cli import page
from sessionctl.cli.page import SharedOption

F = TypeVar("F", bound=Callable[..., Any])


class Look(NamedTuple):
    """How the answer is to look."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"


def _option(*names: str, **settings: Any) -> Callable[[F], F]:
    """An option with its environment variable, `SESSIONCTL_<OPTION>`."""
    word = next(name for name in names if name.startswith("--"))[2:]
    settings.setdefault("envvar", f"SESSIONCTL_{word.upper().replace('-', '_')}")
    return click.option(*names, **settings)


def _shared(*names: str, **settings: Any) -> Callable[[F], F]:
    return _option(*names, cls=SharedOption, **settings)


def completes(name: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """What a TAB press offers; its module is imported by one alone."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:  # noqa: ARG001
        from sessionctl.cli.completion.offers import offer

        return offer(name, ctx, incomplete)

    return complete


def look_options(function: F) -> F:
    """--json, -q, -v, --color, --no-pager, and --help, which click would give a line of its own."""
    for decorator in (
        page.told("-h", "--help", help="Print this page.", tell=click.Context.get_help),
        page.no_pager,
        _shared("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours."),
        _shared("-v", "--verbose", is_flag=True, help="Say more."),
        _shared("-q", "--quiet", is_flag=True, help="Say nothing but the answer."),
        _shared("--json", "as_json", is_flag=True, help="The answer as one JSON object."),
    ):
        function = decorator(function)
    return function


def key_options(function: F) -> F:
    """--secret, --secret-file, -f, -O, --max-age, --now, --max-size, -p."""
    for decorator in (
        _shared("--max-size", type=click.IntRange(1), metavar="BYTES",
                help="What a compressed payload may become at most."),
        _shared("--now", metavar="TIME", help="Judge, or make, as of this time: Unix seconds or ISO 8601."),
        _shared("--max-age", metavar="DURATION", help="How old a timed cookie may be; none: no limit."),
        click.option("-O", "--format-option", "format_options", cls=SharedOption, multiple=True, metavar="K=V",
                     shell_complete=completes("format_options"),
                     help="An option of the format; 'sessionctl formats NAME' lists them."),
        _shared("-f", "--format", "format_name", metavar="NAME", help="The format; else it is detected.",
                shell_complete=completes("formats")),
        click.option("--secret-file", cls=SharedOption, multiple=True, metavar="PATH",
                     shell_complete=completes("files"), help="A file of secrets, one a line."),
        click.option("--secret", "secrets", cls=SharedOption, multiple=True, metavar="TEXT",
                     shell_complete=completes("at_files"),
                     help="A secret, again for older ones: text, text:, hex:, base64:, @FILE."),
    ):  # fmt: skip
        function = decorator(function)
    return function


def place_options(function: F) -> F:
    """-s, -p, --cookie-name."""
    for decorator in (
        _shared("--cookie-name", metavar="NAME", help="The cookie's name."),
        _shared("-p", "--profile", metavar="NAME", help="A profile of the configuration.",
                shell_complete=completes("profiles")),
        _shared("-s", "--storage", metavar="URL", help="fs:DIR, cookie:, memory:, redis://..., memcached://...",
                shell_complete=completes("storages")),
    ):  # fmt: skip
        function = decorator(function)
    return function


def target_options(function: F) -> F:
    """--id, --ref: a session in the storage in place of a cookie."""
    for decorator in (
        click.option(
            "--ref",
            metavar="REF",
            shell_complete=completes("refs"),
            help="The session of this ref, in place of a COOKIE.",
        ),
        click.option(
            "--id", "session_id", metavar="ID", help="The session of this ID, in place of a COOKIE."
        ),
    ):
        function = decorator(function)
    return source_options(function)


har_option = click.option(
    "--har",
    cls=SharedOption,
    metavar="FILE",
    shell_complete=completes("files"),
    help="Take the cookie from a HAR file; - is stdin.",
)


def source_options(function: F) -> F:
    """--har, --cookie-jar: where the cookie is taken from in place of an argument."""
    jar_option = click.option(
        "--cookie-jar",
        cls=SharedOption,
        metavar="FILE",
        shell_complete=completes("files"),
        help="Take the cookie from a Netscape jar; - is stdin.",
    )
    return har_option(jar_option(function))


def output_options(function: F) -> F:
    """--output, --env and --url: the form of a cookie that is printed."""
    kinds = [
        "value", "pair", "header", "set-cookie", "curl", "wget", "cookie-jar", "playwright", "httpie", "requests",
        "httpx", "env", "json",
    ]  # fmt: skip
    for decorator in (
        _shared("--url", metavar="URL", help="The place that it is for: domain and Secure come from it."),
        click.option("--env", "output", cls=SharedOption, flag_value="env",
                     help="As --output env: lines of a .env file."),
        _option("--output", type=click.Choice(kinds), metavar="KIND",
                help="Its form: pair, set-cookie, curl, httpie, ..."),
    ):  # fmt: skip
        function = decorator(function)
    return function


def look_of(params: dict[str, Any]) -> Look:
    """Take --json, -q, -v and --color out of a command's parameters."""
    return Look(params.pop("as_json"), params.pop("quiet"), params.pop("verbose"), params.pop("color"))
