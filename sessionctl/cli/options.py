"""The options that mean the same on every command, and what they come to: a `Setup` and a `Target`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from sessionctl.errors import UsageError

if TYPE_CHECKING:
    from sessionctl.config.settings import Settings
    from sessionctl.identify import Setup, Target
    from sessionctl.sources import Source

F = TypeVar("F", bound=Callable[..., Any])

MAX_INPUT = 1 << 20
"""Characters of standard input that a cookie may have."""

LONGEST_SHOWN = 24
"""Characters of an argument that a message repeats."""

MAX_VISIT = 64 << 20
"""Bytes of standard input that a recorded visit may have."""


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


class SharedOption(click.Option):
    """An option that means the same on every command: one line of a command's help names all of them."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Nothing, but for the last of the command's shared options, which tells all their names."""
        shared = [param for param in ctx.command.params if isinstance(param, SharedOption)]
        if shared[-1] is not self:
            return None
        names = " ".join(min(param.opts, key=len) for param in shared)
        return ("shared options", f"{names} ('sessionctl help options' tells)")


def _shared(*names: str, **settings: Any) -> Callable[[F], F]:
    return _option(*names, cls=SharedOption, **settings)


def look_options(function: F) -> F:
    """--json, -q, -v, --color."""
    for decorator in (
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
        _shared("--max-size", type=click.IntRange(1), help="Bytes that a compressed payload may become."),
        _shared("--now", metavar="TIME", help="Judge, or make, as of this time: Unix seconds or ISO 8601."),
        _shared("--max-age", metavar="DURATION", help="How old a timed cookie may be; none: no limit."),
        click.option("-O", "--format-option", "format_options", cls=SharedOption, multiple=True, metavar="K=V",
                     help="An option of the format; 'sessionctl formats NAME' lists them."),
        _shared("-f", "--format", "format_name", metavar="NAME", help="The format; else it is detected.",
                shell_complete=_complete_formats),
        click.option("--secret-file", cls=SharedOption, multiple=True, metavar="PATH",
                     help="A file of secrets, one a line."),
        click.option("--secret", "secrets", cls=SharedOption, multiple=True, metavar="TEXT",
                     help="A secret, again for older ones: text, text:, hex:, base64:, @FILE."),
    ):  # fmt: skip
        function = decorator(function)
    return function


def place_options(function: F) -> F:
    """-s, -p, --cookie-name."""
    for decorator in (
        _shared("--cookie-name", metavar="NAME", help="The cookie's name."),
        _shared("-p", "--profile", metavar="NAME", help="A profile of the configuration.",
                shell_complete=_complete_profiles),
        _shared("-s", "--storage", metavar="URL", help="fs:DIR, cookie:, memory:, redis://..., memcached://...",
                shell_complete=_complete_storages),
    ):  # fmt: skip
        function = decorator(function)
    return function


def target_options(function: F) -> F:
    """--id, --ref: a session in the storage in place of a cookie."""
    for decorator in (
        click.option("--ref", metavar="REF", help="The session of this ref, in place of a COOKIE."),
        click.option(
            "--id", "session_id", metavar="ID", help="The session of this ID, in place of a COOKIE."
        ),
    ):
        function = decorator(function)
    return source_options(function)


def source_options(function: F) -> F:
    """--har, --cookie-jar: where the cookie is taken from in place of an argument."""
    for decorator in (
        click.option(
            "--cookie-jar",
            cls=SharedOption,
            metavar="FILE",
            help="Take the cookie from a Netscape jar; - is stdin.",
        ),
        click.option(
            "--har", cls=SharedOption, metavar="FILE", help="Take the cookie from a HAR file; - is stdin."
        ),
    ):
        function = decorator(function)
    return function


def _complete_formats(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    from sessionctl.formats.registry import names

    return [name for name in names() if name.startswith(incomplete)]


def _complete_profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    from sessionctl.config.settings import profile_names

    try:
        return [name for name in profile_names() if name.startswith(incomplete)]
    except Exception:  # noqa: BLE001 - completion is silent on failure
        return []


def _complete_storages(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    from sessionctl.storage.registry import schemes

    return [f"{scheme}:" for scheme in schemes() if scheme.startswith(incomplete)]


# -- what the options come to -------------------------------------------------------------------------


def look_of(params: dict[str, Any]) -> Look:
    """Take --json, -q, -v and --color out of a command's parameters."""
    return Look(params.pop("as_json"), params.pop("quiet"), params.pop("verbose"), params.pop("color"))


def setup_of(params: dict[str, Any], *, writes: bool = False, text_alone: bool = False) -> Setup:
    """Take the shared options out of a command's parameters and make a `Setup` of them.

    A command that `writes` makes the default secret where there is none yet; others create nothing. One
    that looks at the `text_alone` needs neither the default secret nor the default storage.
    """
    from sessionctl.duration import parse_duration, parse_time
    from sessionctl.formats.base import DEFAULT_MAX_AGE, MAX_SIZE
    from sessionctl.identify import Setup

    settings = settings_of(params)
    params.pop("profile", None)
    keys, keys_source = _keys(params.pop("secrets", ()), params.pop("secret_file", ()), settings)
    asked = params.pop("format_name", None)
    name = asked or settings.get("format")
    options = _format_options(params.pop("format_options", ()) or _one_of("SESSIONCTL_FORMAT_OPTION"))
    if asked in (None, settings.get("format")):
        options = settings.options() | options  # those of another format would be none of its own
    max_age, now = params.pop("max_age", None) or settings.get("max_age"), params.pop("now", None)
    size = params.pop("max_size", None)
    if name is not None:
        from sessionctl.formats.registry import get

        get(name, **{key.replace("-", "_"): value for key, value in options.items()})
    cookie_name = params.pop("cookie_name", None) or settings.get("cookie_name")
    if cookie_name is not None:
        from sessionctl.cookie import check_name

        check_name(cookie_name)
    storage, given, source = _storage(params.pop("storage", None), settings, text_alone=text_alone)
    moment = None if now is None else parse_time(now)
    if storage is not None and moment is not None and hasattr(storage, "clock"):
        storage.clock = lambda: moment
    if storage is not None and storage.read_only:
        storage.keys = keys  # its records may be encrypted or signed
    return Setup(
        storage=storage,
        storage_given=given,
        storage_source=source,
        keys=keys,
        keys_source=keys_source,
        default_keys=_default_keys(bool(keys) or text_alone, name, writes=writes),
        format=name,
        options=options,
        cookie_name=cookie_name,
        max_age=_max_age(max_age, DEFAULT_MAX_AGE, parse_duration),
        max_size=MAX_SIZE if size is None else size,
        now=moment,
    )


def shown(word: str) -> str:
    """A word of the command line in a message: a long one may be a cookie, an ID or a secret, and stays out."""
    return repr(word) if len(word) <= LONGEST_SHOWN else f"a text of {len(word)} characters"


def _max_age(text: Any, default: float, parse: Callable[[str], float]) -> float | None:
    if text is None:
        return default
    return None if str(text).lower() == "none" else parse(str(text))


def settings_of(params: dict[str, Any]) -> Settings:
    """The profile that holds for a command, read once; what does not count in it is told."""
    context = click.get_current_context(silent=True)
    place = context.meta if context is not None else {}
    found: Settings | None = place.get("sessionctl.settings")
    if found is None:
        from sessionctl.config.settings import load_settings

        found = place["sessionctl.settings"] = load_settings(params.get("profile"))
        if found.withheld and not found.asked and context is not None and not context.params.get("quiet"):
            from sessionctl.cli.output import say

            say(f"warning: {found.warning()}")
    return found


def _keys(texts: tuple[str, ...], files: tuple[str, ...], settings: Settings) -> tuple[Any, str]:
    from sessionctl.signing.keys import KeyRing, read_secret_file

    if texts or files:
        ring = [*KeyRing.parse(texts), *(secret for path in files for secret in read_secret_file(path))]
        return KeyRing(ring), "--secret" if texts else "--secret-file"
    if secret := os.environ.get("SESSIONCTL_SECRET"):
        return KeyRing.parse([secret]), "SESSIONCTL_SECRET"
    if path := os.environ.get("SESSIONCTL_SECRET_FILE"):
        return read_secret_file(path), "SESSIONCTL_SECRET_FILE"
    settings.refuse_withheld("secrets")
    if settings.get("secrets"):
        return settings.keys(), settings.name
    return KeyRing(), "none"


def _default_keys(given: bool, name: str | None, *, writes: bool) -> Any:
    from sessionctl.signing.keys import KeyRing

    if given or name not in (None, "native"):
        return KeyRing()
    from sessionctl.config import default_keys

    return default_keys(make=writes)


def _storage(url: str | None, settings: Settings, *, text_alone: bool) -> tuple[Any, bool, str]:
    if text_alone and not url:
        return None, False, "none"
    from sessionctl.storage.registry import open_storage

    if url:
        return open_storage(url), True, _said("storage", "-s", "SESSIONCTL_STORAGE")
    settings.refuse_withheld("storage")
    if (place := settings.storage_url()) is not None:
        return open_storage(place), True, settings.name
    from sessionctl.config import default_storage_url
    from sessionctl.errors import ConfigError

    try:
        return open_storage(default_storage_url()), False, "the default"
    except ConfigError:
        return None, False, "none"


def _said(param: str, option: str, variable: str) -> str:
    """Whether an option was given on the command line or by its environment variable."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(param) if context is not None else None
    return variable if source is click.core.ParameterSource.ENVIRONMENT else option


def _one_of(variable: str) -> tuple[str, ...]:
    """The one value of an environment variable, whole: it is not split at blanks."""
    value = os.environ.get(variable)
    return (value,) if value else ()


def _format_options(texts: tuple[str, ...]) -> dict[str, str]:
    options = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"-O takes K=V, not {shown(text)}")
        options[key] = _content_of(value[1:]) if value.startswith("@") else value
    return options


def _content_of(path: str) -> str:
    from sessionctl.signing.keys import Secret

    secret = Secret.parse(f"@{path}")
    return secret.text if secret.text is not None else f"hex:{secret.bytes.hex()}"


def target_of(params: dict[str, Any], words: tuple[str, ...]) -> tuple[Target, tuple[str, ...]]:
    """The session that is meant, and the arguments that are left: the first is the COOKIE, but with
    --id, --ref, --har or --cookie-jar.
    """
    from sessionctl.identify import Target

    session_id, ref = params.pop("session_id", None), params.pop("ref", None)
    if session_id is not None or ref is not None:
        if session_id is not None and ref is not None:
            raise UsageError("--id and --ref name two sessions; give one")
        _no_files(params)
        return Target(id=session_id, ref=ref), words
    name = params.get("cookie_name") or settings_of(params).get("cookie_name")
    source, rest = source_of(params, words, name)
    return Target(source=source), rest


def _no_files(params: dict[str, Any]) -> None:
    params.pop("har", None)
    params.pop("cookie_jar", None)


def source_of(
    params: dict[str, Any], words: tuple[str, ...], name: str | None
) -> tuple[Source, tuple[str, ...]]:
    """The cookie that is meant, and the arguments that are left."""
    from sessionctl import sources

    har, jar = params.pop("har", None), params.pop("cookie_jar", None)
    if har is not None:
        return _named(sources.read_har, content_of_file(har), name), words
    if jar is not None:
        return _named(sources.read_cookie_jar, content_of_file(jar), name), words
    if not words:
        raise UsageError("a COOKIE is missing: a text, name=value, a header, @FILE, or - for standard input")
    return _named(sources.read_cookie, _text_of(words[0]), name), words[1:]


def _named(read: Callable[[Any, str | None], Source], content: Any, name: str | None) -> Source:
    """The cookie of that name. A name that only a profile gives is let go where there is no such cookie."""
    found = read(content, name)
    context = click.get_current_context(silent=True)
    asked = context is None or context.params.get("cookie_name") is not None
    if found.value is not None or asked or name is None:
        return found
    found = read(content, None)
    return found._replace(notes=(f"there is no cookie {name!r}, as the profile calls it", *found.notes))


def _text_of(word: str) -> str:
    """The text of a COOKIE: itself, the content of `@FILE`, or standard input."""
    if word == "-":
        return read_stdin()
    if word.startswith("@") and len(word) > 1:
        from sessionctl.sources import read_file

        return read_file(word[1:]).decode(errors="surrogateescape")
    return word


def content_of_file(path: str) -> bytes:
    """The content of a file, or of standard input for `-`. Raises `UsageError`."""
    from sessionctl.sources import read_file

    return read_stdin_bytes() if path == "-" else read_file(path)


def read_stdin() -> str:
    """Standard input as text. Raises `UsageError` where it is a terminal, since nothing prompts."""
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("- reads the cookie from standard input, which is a terminal here")
    data = sys.stdin.buffer.read(MAX_INPUT + 1)
    if len(data) > MAX_INPUT and data.lstrip()[:1] in (b"{", b"["):
        data += sys.stdin.buffer.read(MAX_VISIT)  # a recorded visit, which may be long
    elif len(data) > MAX_INPUT:
        raise UsageError(f"more than {MAX_INPUT} bytes on standard input are no cookie")
    return data.decode(errors="surrogateescape")


def tell_notes(source: Source, look: Look) -> None:
    """Say on stderr how a cookie was got out of what was given."""
    from sessionctl.cli.output import say

    for note in source.notes:
        say(note, quiet=look.quiet or look.json)


def assignments(words: tuple[str, ...]) -> dict[str, Any]:
    """`K=V` and `K:=JSON`: V is JSON where it parses as JSON, else text. Raises `UsageError`."""
    return dict(_assignment(word) for word in words)


def _assignment(word: str) -> tuple[str, Any]:
    from sessionctl import jsontext
    from sessionctl.errors import MalformedError

    key, equals, text = word.partition("=")
    if not equals or key in ("", ":"):
        raise UsageError(f"{shown(word)} is no K=V")
    try:
        value = jsontext.loads(text)
    except MalformedError as error:
        if key.endswith(":"):
            raise UsageError(f"{key[:-1]}:= demands JSON, and its value is {error}") from None
        value = text
    return key.removesuffix(":"), value


def output_options(function: F) -> F:
    """--output, --env and --url: the form of a cookie that is printed."""
    kinds = [
        "value", "pair", "header", "set-cookie", "curl", "wget", "cookie-jar", "playwright", "httpie", "requests",
        "httpx", "env", "json",
    ]  # fmt: skip
    for decorator in (
        _option("--url", metavar="URL", help="The place that it is for: domain and Secure come from it."),
        click.option("--env", "output", flag_value="env", help="As --output env: lines of a .env file."),
        _option("--output", type=click.Choice(kinds), metavar="KIND",
                help="value (default), pair, header, set-cookie, env, json; with --url also curl, wget, cookie-jar, "
                     "playwright, httpie, requests, httpx."),
    ):  # fmt: skip
        function = decorator(function)
    return function


def url_of(params: dict[str, Any]) -> str | None:
    """Take --url out of a command's parameters, else what the profile says."""
    given: str | None = params.pop("url", None)
    return given if given is not None else settings_of(params).get("url")


def refuse_rest(words: tuple[str, ...]) -> None:
    """Raise `UsageError` for arguments that a command has no use for."""
    if words:
        raise UsageError(f"{len(words)} more argument{'s' if len(words) > 1 else ''} than this command takes")


def read_stdin_bytes() -> bytes:
    """Standard input as it is. Raises `UsageError` where it is a terminal."""
    if sys.stdin is None:
        raise UsageError("- reads standard input, which is closed")
    stream = sys.stdin.buffer
    if stream.isatty():
        raise UsageError("- reads standard input, which is a terminal here")
    return stream.read()
