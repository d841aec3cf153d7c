"""`sessionctl config`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_data, print_file, print_json, print_words, say, value_text
from sessionctl.cli.page import Group
from sessionctl.cli.setup import given_secrets, settings_of

BAD_CONFIG = 2


@click.group("config", cls=Group)
def command() -> None:
    """Show where settings come from, begin a configuration, check it, trust a project's."""


@command.command("path")
@options.look_options
def path(**params: Any) -> None:
    """Print where the configuration file is; --json also tells the default storage and secret.

    \b
    sessionctl config path
    sessionctl config path --json
    """
    from sessionctl import config
    from sessionctl.errors import ConfigError

    places = {
        "config": config.config_path(),
        "project": config.project_path(),
        "storage": None,
        "secret": None,
    }
    with suppress(ConfigError):  # there may be no place for them
        places["storage"] = config.default_storage_url()
        places["secret"] = f"{config.data_directory()}/secret"
    if options.look_of(params).json:
        print_json({**places, "config_exists": os.path.exists(str(places["config"]))})
        return
    print_data(str(places["config"]))


@command.command("show")
@options.key_options
@options.place_options
@options.look_options
def show(**params: Any) -> None:
    """Print every setting and where it comes from, secrets hidden.

    \b
    sessionctl config show
    sessionctl config show --format flask --json
    """
    from sessionctl.config import checking

    look = options.look_of(params)
    settings = settings_of(params)
    shown = checking.show(settings, _given(click.get_current_context()))
    if look.json:
        print_json({
            "profile": settings.profile,
            "settings": [{"key": key, "value": value, "source": source} for key, value, source in shown],
            "withheld": list(settings.withheld),
        })  # fmt: skip
        return
    for key, value, source in shown:
        if value not in (None, [], {}):
            print_words(f"{key:<12} {value_text(value)}  ({source})", 13)


_PARAMS = {
    "storage": ("storage", "-s"), "cookie_name": ("cookie_name", "--cookie-name"),
    "format_name": ("format", "-f"), "format_options": ("options", "-O"), "max_age": ("max_age", "--max-age"),
}  # fmt: skip


def _given(ctx: click.Context) -> dict[str, tuple[Any, str]]:
    """What options and the environment say, with the option's or the variable's name."""
    found: dict[str, tuple[Any, str]] = {}
    texts, files, source = given_secrets(ctx.params.get("secrets", ()), ctx.params.get("secret_file", ()))
    if texts or files:
        masked = (text if text.startswith("@") else "x" * len(text) for text in texts)
        found["secrets"] = ([*masked, *(f"@{path}" for path in files)], source)
    for param in ctx.command.params:
        value = ctx.params.get(param.name or "")
        if param.name not in _PARAMS or not value:
            continue
        key, option = _PARAMS[param.name]
        by_environment = ctx.get_parameter_source(param.name) is click.core.ParameterSource.ENVIRONMENT
        if param.name == "format_options":
            value = dict(text.partition("=")[::2] for text in value)
        found[key] = (value, str(param.envvar) if by_environment else option)
    return found


@command.command("init")
@click.argument(
    "directory",
    default=".",
    type=click.Path(exists=True, file_okay=False),
    shell_complete=options.completes("directories"),
)
@click.option("--user", is_flag=True, help="Write your own config.toml in place of the project's file.")
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
@click.option("--print", "only_print", is_flag=True, help="Print the text, write nothing.")
@options.look_options
def init(directory: str, user: bool, force: bool, only_print: bool, **params: Any) -> None:
    """Write a commented sessionctl.toml for a project; its framework is seen from its files.

    Flask, Django, Express, Remix and Rails are recognized. None of the project's code is run.

    \b
    sessionctl config init
    sessionctl config init --print .
    """
    from sessionctl import config
    from sessionctl.config import projects, template

    look = options.look_of(params)
    proposals = projects.propose(directory)
    text = template.render(proposals)
    target = config.config_path() if user else os.path.join(os.path.abspath(directory), "sessionctl.toml")
    if not only_print:
        template.write(target, text, force=force)
    if look.json:
        found = [_proposed(proposal) for proposal in proposals]
        print_json({"path": None if only_print else target, "profiles": found, "text": text})
    elif only_print:
        print_file(text.rstrip("\n"))
    else:
        print_data(target)
        _tell(proposals, look, user=user)


def _proposed(proposal: Any) -> dict[str, Any]:
    """The JSON object of a profile that is proposed: all its notes together."""
    answer: dict[str, Any] = proposal._asdict()
    answer["notes"] += answer.pop("storage_notes")
    lifetime = answer.pop("lifetime")
    answer["max_age"] = None if lifetime is None else lifetime.max_age
    answer["max_age_from"] = None if lifetime is None else f"{lifetime.setting} ({lifetime.place})"
    return answer


def _tell(proposals: Any, look: options.Look, *, user: bool) -> None:
    for proposal in proposals:
        say(f"{proposal.name}: {proposal.because}", quiet=look.quiet)
    if not proposals:
        say("no framework was recognized; the file is a beginning to fill in", quiet=look.quiet)
    names = [
        text.removeprefix("env:") for proposal in proposals for text in proposal.secrets if text[:4] == "env:"
    ]
    if names:
        say(
            f"its secret comes by the environment: export {names[0]}=..., or of a .env file: set -a; . ./.env; set +a",
            quiet=look.quiet,
        )
    if not user:
        say("read it over, then: sessionctl config trust", quiet=look.quiet)


@command.command("check")
@options.look_options
def check(**params: Any) -> None:
    """Read the configuration files over: every mistake with file, line, key and the nearest right key.

    Ends 0 where there is no error (warnings are none), else 2.

    \b
    sessionctl config check
    sessionctl config check --json
    """
    from sessionctl.config import checking

    look = options.look_of(params)
    findings = checking.check()
    errors = sum(finding.severity == "error" for finding in findings)
    if look.json:
        print_json({"ok": not errors, "findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            print_words(f"{finding.severity}: {finding}")
        if not findings:
            say("nothing is wrong", quiet=look.quiet)
    click.get_current_context().exit(BAD_CONFIG if errors else 0)


@command.command("trust")
@click.argument("file", required=False, shell_complete=options.completes("files"))
@click.option("--revoke", is_flag=True, help="Trust it no longer.")
@options.look_options
def trust(file: str | None, revoke: bool, **params: Any) -> None:
    """Let the storages and secrets of a project's sessionctl.toml count, as the file is now.

    Without FILE it is the one of the working directory. After a change it must be trusted again. Read it first:
    a foreign file could send session IDs to a server of its own.

    \b
    sessionctl config trust
    sessionctl config trust --revoke
    """
    from sessionctl import config
    from sessionctl.config import trust as trusting
    from sessionctl.config.files import read_config
    from sessionctl.errors import ConfigError

    look = options.look_of(params)
    place = file or config.project_path()
    if place is None:
        raise ConfigError("there is no sessionctl.toml here or above; 'sessionctl config init' writes one")
    if os.path.isdir(place):
        place = os.path.join(place, "sessionctl.toml")
    if revoke:
        was = trusting.revoke(place)
        _answer(look, place, trusted=False, word="trusted no longer" if was else "was not trusted")
        return
    read = read_config(place, "project")
    if read is None:
        raise ConfigError(f"there is no file {place}")
    trusting.trust(place, read.text.encode())
    _answer(look, place, trusted=True, word="trusted as it is now")


def _answer(look: options.Look, place: str, *, trusted: bool, word: str) -> None:
    if look.json:
        print_json({"path": os.path.realpath(place), "trusted": trusted})
    else:
        say(f"{place}: {word}", quiet=look.quiet)
