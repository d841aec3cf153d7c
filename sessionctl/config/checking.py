"""What is wrong with the configuration, and what it comes to: `config check` and `config show`."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sessionctl.config.files import ConfigFile, near, parse_config
from sessionctl.config.places import config_path, project_path
from sessionctl.errors import ConfigError, SessionctlError, UnknownFormatError
from sessionctl.storage.address import hide_password
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sessionctl.config.settings import Settings

SECRET_NAME = re.compile(r"(?i)secret|password|(^|[-_])key$")
"""Names of format options whose values are secrets (gorilla's `block-key`, iron's `integrity-secret`)."""


class Finding(NamedTuple):
    """Something about a configuration file that is wrong, or ought to be known."""

    severity: Literal["error", "warning"]
    path: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.path}, line {self.line}" if self.line else self.path
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


def check() -> list[Finding]:
    """All that is wrong with the files that there are. A storage is opened, but not asked anything."""
    found: list[Finding] = []
    files: list[ConfigFile] = []
    for path, kind in ((project_path(), "project"), (_user_path(), "user")):
        if path is None:
            continue
        try:
            file = parse_config(path, "project" if kind == "project" else "user")
        except ConfigError as error:
            message = str(error).removeprefix(path)
            line = re.match(r", line (\d+): ", message)
            found.append(
                Finding("error", path, int(line[1]) if line else 0, "", message[line.end() if line else 2 :])
            )
            continue
        if file is not None:
            files.append(file)
    names = [name for file in files for name in file.profiles]
    for file in files:
        known = names if file.kind == "project" else list(file.profiles)
        found += [*_check_file(file), *_check_default(file, known)]
    return found


def _check_default(file: ConfigFile, known: list[str]) -> Iterator[Finding]:
    """A default profile that is nowhere: a project may name one of the user's, who may be anywhere with theirs."""
    default = file.tables.get("default_profile")
    if isinstance(default, str) and default not in known:
        yield _finding(
            file, ("default_profile",), f"there is no profile {default!r}{near(default, known)}", "error"
        )


def _user_path() -> str | None:
    try:
        return config_path()
    except ConfigError:
        return None


def _check_file(file: ConfigFile) -> Iterator[Finding]:
    wrong = set()
    for mistake in file.mistakes():
        wrong.add(mistake.key)
        yield Finding("error", *mistake)
    if _has_own_secret(file) and file.open_mode:
        yield Finding(
            "warning", file.path, 0, "", f"it holds a secret and others can read it: chmod 600 {file.path}"
        )
    if not file.trusted and _guarded(file):
        yield Finding(
            "warning",
            file.path,
            0,
            "",
            "its storages and secrets do not count until 'sessionctl config trust'",
        )
    if "profiles" in wrong:
        return
    for name, profile in file.profiles.items():
        if isinstance(profile, dict):
            right = {key: value for key, value in profile.items() if f"profiles.{name}.{key}" not in wrong}
            yield from _check_profile(file, name, right)


def _check_profile(file: ConfigFile, name: str, profile: Mapping[str, Any]) -> Iterator[Finding]:
    from sessionctl.config.settings import GUARDED, Settings, Value

    values = {key: Value(value, file, file.line("profiles", name, key)) for key, value in profile.items()}
    settings = Settings(name, values)
    for key, test in (("format", _try_format), ("storage", _try_storage)):
        if key in profile and (file.trusted or key not in GUARDED):
            yield from _tried(file, (name, key), test, settings)
    for option in profile.get("options", ()) if "format" in profile else ():
        one = Settings(name, {**values, "options": Value({option: profile["options"][option]}, file, 0)})
        yield from _tried(file, (name, "options", option), _try_options, one)
    if file.trusted and "secrets" in profile:
        for index in range(len(profile["secrets"])):
            one = Settings(name, {"secrets": Value([profile["secrets"][index]], file, 0)})
            if not str(profile["secrets"][index]).startswith("command:"):
                yield from _tried(file, (name, "secrets"), Settings.keys, one)
        yield from _open_secret_files(file, name, profile["secrets"])


def _tried(file: ConfigFile, place: tuple[str, ...], test: Any, settings: Settings) -> Iterator[Finding]:
    try:
        test(settings)
    except SessionctlError as error:
        severity: Literal["error", "warning"] = "warning" if place[1] == "secrets" else "error"
        yield _finding(file, ("profiles", *place), str(error), severity)


def _try_format(settings: Settings) -> None:
    from sessionctl import formats

    formats.get(settings.get("format"))


def _try_options(settings: Settings) -> None:
    from sessionctl import formats

    with suppress(UnknownFormatError):  # told of the format itself
        formats.get(settings.get("format"), **settings.options())


def _try_storage(settings: Settings) -> None:
    from sessionctl.storage.registry import open_storage

    open_storage(settings.storage_url() or "")


def _open_secret_files(file: ConfigFile, name: str, secrets: list[str]) -> Iterator[Finding]:
    for text in secrets:
        kind, _, rest = text.partition(":")
        path = os.path.join(os.path.dirname(file.path), os.path.expanduser(rest))
        if kind == "file" and os.path.exists(path) and os.stat(path).st_mode & 0o077:
            message = f"others can read the secret's file {path}: chmod 600 {path}"
            yield _finding(file, ("profiles", name, "secrets"), message, "warning")


def _finding(
    file: ConfigFile, keys: tuple[str, ...], message: str, severity: Literal["error", "warning"]
) -> Finding:
    return Finding(severity, file.path, file.line(*keys), ".".join(keys), message)


def _guarded(file: ConfigFile) -> bool:
    return any(
        isinstance(profile, dict) and {"storage", "secrets"} & profile.keys() for profile in _profiles(file)
    )


def _has_own_secret(file: ConfigFile) -> bool:
    """Whether a secret, or a password in a storage's URL, stands in the file itself."""
    for profile in _profiles(file):
        secrets = profile.get("secrets")
        if isinstance(secrets, list) and any(
            describe_secret(text).startswith("(") for text in secrets if isinstance(text, str)
        ):
            return True
        if hide_password(str(profile.get("storage"))) != str(profile.get("storage")):
            return True
        options = profile.get("options")
        if isinstance(options, dict) and any(SECRET_NAME.search(key) for key in options):
            return True
    return False


def _profiles(file: ConfigFile) -> list[Mapping[str, Any]]:
    profiles = file.tables.get("profiles")
    return (
        [item for item in profiles.values() if isinstance(item, dict)] if isinstance(profiles, dict) else []
    )


# -- showing ------------------------------------------------------------------------------------------


class Shown(NamedTuple):
    """One setting as it may be shown, and where it comes from."""

    key: str
    value: Any
    source: str


def show(settings: Settings, given: Mapping[str, tuple[Any, str]]) -> list[Shown]:
    """Every setting with its value and its source, secrets hidden.

    `given` are values from options and the environment with what they came by; they win.
    """
    from sessionctl.config.places import default_storage_url

    found = [Shown("profile", settings.profile, _profile_source(settings))]
    defaults = {
        "storage": (_or_none(default_storage_url), "default"),
        "secrets": (["(the default secret)"], "default"),
    }
    for key in ("storage", "secrets", "cookie_name", "format", "options", "max_age", "url"):
        if key in given:
            value, source = given[key]
        elif key in settings.values:
            value, source = settings.values[key].value, settings.values[key].source
        else:
            value, source = defaults.get(key, (None, "default"))
        if key == "secrets" and source == "default" and (given.get("format") or settings.get("format")):
            value = []
        found.append(Shown(key, _hidden(key, value), source))
    return found


def _or_none(make: Any) -> Any:
    try:
        return make()
    except ConfigError:
        return None


def _profile_source(settings: Settings) -> str:
    if settings.profile is None:
        return "default"
    return "-p" if settings.asked else "default_profile"


def _hidden(key: str, value: Any) -> Any:
    if key == "storage" and isinstance(value, str):
        return hide_password(value)
    if key == "secrets":
        return [describe_secret(text) for text in value or ()]
    if key == "options" and isinstance(value, dict):
        return {name: "(hidden)" if SECRET_NAME.search(name) else item for name, item in value.items()}
    return value


def describe_secret(text: str) -> str:
    """Where a secret comes from; what stands there itself is hidden."""
    kind, colon, _ = text.partition(":")
    if (colon and kind in ("env", "file", "command")) or text.startswith(("@", "(the ")):
        return text
    return f"(hidden, {counted(len(text), 'character')})"
