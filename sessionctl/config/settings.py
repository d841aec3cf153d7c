"""A profile as it holds: the project's settings before the user's, each with where it comes from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sessionctl.config.places import config_path, project_path
from sessionctl.errors import ConfigError, SecretError
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.config.files import ConfigFile
    from sessionctl.errors import UsageError
    from sessionctl.signing.keys import KeyRing, Secret

GUARDED = ("storage", "secrets", "url")
"""What a project's file sets, or chooses among its user's profiles, only once its user has trusted it."""

COMMAND_SECONDS = 30
"""How long the command of a `command:` secret may take."""


class Value:
    """One setting, the file that it stands in, and the line."""

    __slots__ = ("file", "line", "value")

    def __init__(self, value: Any, file: ConfigFile, line: int) -> None:
        self.value, self.file, self.line = value, file, line

    @property
    def source(self) -> str:
        """Where it comes from, for messages."""
        return f"{self.file.path}, line {self.line}" if self.line else self.file.path


class Settings:
    """A profile as it holds.

    `withheld` are settings of a project's file that do not count, as it is not trusted; `asked` says whether
    the profile was named by its user, not by a file.
    """

    __slots__ = ("asked", "profile", "project", "values", "withheld")

    def __init__(
        self,
        profile: str | None = None,
        values: Mapping[str, Value] | None = None,
        withheld: tuple[str, ...] = (),
        project: str | None = None,
        asked: bool = False,
    ) -> None:
        self.profile, self.values, self.withheld = profile, values or {}, withheld
        self.project, self.asked = project, asked

    def get(self, key: str) -> Any:
        """The value of a setting, None where it is not set."""
        found = self.values.get(key)
        return None if found is None else found.value

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"the profile {self.profile}"

    def blamed(self, key: str, error: UsageError, *inner: str) -> ConfigError:
        """A mistake in the value of a setting, or of an item in it: with file, line and key."""
        place = ".".join(("profiles", str(self.profile), key, *inner))
        return ConfigError(f"{self.values[key].source}: {place}: {error}")

    def refuse_withheld(self, key: str) -> None:
        """Raise `ConfigError` where a profile that was asked for has a setting that does not count."""
        if key in self.withheld and self.asked:
            raise ConfigError(f"{self.warning()}")

    def warning(self) -> str:
        """What to say about settings that do not count."""
        what = " and ".join(dict.fromkeys(key.partition(".")[0] for key in self.withheld))
        return f"{self.project} sets {what}, and you have not trusted it: read it, then run 'sessionctl config trust'"

    def storage_url(self) -> str | None:
        """The URL of the storage; a relative directory of files is taken from the file's own place."""
        found = self.values.get("storage")
        if found is None:
            return None
        scheme, _, rest = str(found.value).partition(":")
        if scheme == "fs" and rest.partition("?")[0]:
            return f"fs:{_beside(rest, found.file.path)}"
        return str(found.value)

    def keys(self) -> KeyRing:
        """The ring that the profile names: `env:NAME`, `file:PATH`, `command:...`, or as `--secret` takes it.

        Raises `SecretError` where one of them cannot be had.
        """
        from sessionctl.signing.keys import KeyRing

        found = self.values.get("secrets")
        if found is None:
            return KeyRing()
        return KeyRing([_secret(text, found.file) for text in found.value])

    def options(self) -> dict[str, str]:
        """The options of the format, as text; `@FILE` and `env:NAME` are what stands there.

        Raises `SecretError` where that cannot be had.
        """
        found = self.values.get("options")
        if found is None:
            return {}
        return {key: _option(_text(value), found.file) for key, value in found.value.items()}


def _option(text: str, file: ConfigFile) -> str:
    if not text.startswith(("@", "env:")):
        return text
    secret = _secret(f"file:{text[1:]}" if text.startswith("@") else text, file)
    return secret.text if secret.text is not None else f"hex:{secret.bytes.hex()}"


def load_settings(profile: str | None = None, directory: str | None = None) -> Settings:
    """The profile of that name; without one, what the files call their default, else nothing.

    Raises `ConfigError`, which names file, line and the nearest right key.
    """
    files = sorted(config_files(directory), key=lambda file: not file.trusted)  # what comes first counts
    if profile is None and not files:
        return Settings()
    name = profile or next(
        (file.tables["default_profile"] for file in files if "default_profile" in file.tables), None
    )
    if name is None:
        return Settings()
    _refuse_unknown(name, files, asked=profile is not None)
    chosen = profile is not None or any(
        file.trusted and file.tables.get("default_profile") == name for file in files
    )
    values: dict[str, Value] = {}
    withheld: list[str] = []
    for file in files:
        for key, value in file.profiles.get(name, {}).items():
            if not file.trusted and (key in GUARDED or _reads_files(key, value)):
                withheld.append(key)
            elif not chosen and key in GUARDED:
                withheld.append("default_profile")
            else:
                values.setdefault(key, Value(value, file, file.line("profiles", name, key)))
    project = next((file.path for file in files if file.kind == "project"), None)
    return Settings(
        name, values, tuple(key for key in withheld if key not in values), project, profile is not None
    )


def config_files(directory: str | None = None) -> list[ConfigFile]:
    """The files that there are: the project's, then the user's. Raises `ConfigError`."""
    project, user = project_path(directory), _user_path()
    if project is None and user is None:
        return []
    if project is not None and user is not None and os.path.samefile(project, user):
        project = None
    from sessionctl.config.files import read_config

    found = [
        read_config(project, "project") if project else None,
        read_config(user, "user") if user else None,
    ]
    return [file for file in found if file is not None]


def profile_names() -> list[str]:
    """The names of all profiles."""
    return sorted({name for file in config_files() for name in file.profiles})


def _user_path() -> str | None:
    try:
        path = config_path()
    except ConfigError:
        return None
    return path if os.path.exists(path) else None


def _refuse_unknown(name: str, files: list[ConfigFile], *, asked: bool) -> None:
    from sessionctl.config.files import near

    known = sorted({name for file in files for name in file.profiles})
    if name in known:
        return
    if asked:
        where = " and ".join(file.path for file in files) or config_path()
        none = "" if known else " ('sessionctl config init' begins one)"
        raise ConfigError(f"there is no profile {name!r} in {where}{near(name, known)}{none}")
    file = next(file for file in files if "default_profile" in file.tables)
    raise ConfigError(
        str(file.mistake(("default_profile",), f"there is no profile {name!r}{near(name, known)}"))
    )


def _reads_files(key: str, value: Any) -> bool:
    return key == "options" and any(str(item).startswith(("@", "env:")) for item in value.values())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _beside(path: str, config: str) -> str:
    path = os.path.expanduser(path)
    return path if os.path.isabs(path) else os.path.join(os.path.dirname(os.path.abspath(config)), path)


def _secret(text: str, file: ConfigFile) -> Secret:
    from sessionctl.signing.keys import Secret

    kind, _, rest = text.partition(":")
    if kind == "env":
        value = os.environ.get(rest)
        if not value:
            raise SecretError(
                f"{file.path} takes a secret from the environment variable {rest}, which is not set"
            )
        return Secret.parse(value)
    if kind == "file":
        return Secret.read(_beside(rest, file.path))
    if kind == "command" and file.kind == "user":
        return Secret(_run(rest, file.path))
    try:
        return Secret.parse(text)
    except SecretError as error:
        raise SecretError(f"{file.path}: {error}") from None


def _run(command: str, path: str) -> str:
    """What a command prints, without its last line break. No shell reads the command."""
    import shlex
    import subprocess

    whose = f"the command of a secret in {path}"
    try:
        done = subprocess.run(  # noqa: S603 - the user's own file says so
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        text = done.stdout.decode().removesuffix("\n")
    except OSError as error:
        raise SecretError(f"{whose} cannot be started: {error.strerror}; no shell reads it") from None
    except subprocess.TimeoutExpired:
        raise SecretError(f"{whose} did not end within {COMMAND_SECONDS} seconds") from None
    except UnicodeDecodeError:
        raise SecretError(f"{whose} printed no UTF-8") from None
    except ValueError as error:
        raise SecretError(f"{whose} cannot be read: {error}") from None
    if done.returncode or not text:
        raise SecretError(f"{whose} ended with {done.returncode} and {counted(len(text), 'character')}")
    return text
