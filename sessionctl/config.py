"""Where settings come from: option, environment, profile, default.

The embedded default needs no configuration: a file storage and a secret of its own under the user's data
directory, made at first use by a command that writes. Profiles stand in `config.toml` under the user's
configuration directory:

    [profiles.shop]
    storage = "redis://cache/0?ttl=30d"
    secrets = ["env:SHOP_SECRET", "file:/etc/shop/old-secret"]      # newest first
    cookie_name = "sid"
    format = "express"
    options = { prefix = "s:" }
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Any

from sessionctl.errors import ConfigError, SecretError
from sessionctl.signing.keys import KeyRing, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILE_KEYS = ("storage", "secrets", "cookie_name", "format", "options", "max_age")


# -- places -------------------------------------------------------------------------------------------


def data_directory() -> str:
    """The directory of the default storage and secret. Raises `ConfigError` where there is no home."""
    if given := os.environ.get("SESSIONCTL_HOME"):
        return given
    from platformdirs import user_data_dir

    return _absolute(user_data_dir("sessionctl", appauthor=False), "storage and secret")


def config_path() -> str:
    """The user's configuration file, whether it exists or not. Raises `ConfigError`."""
    if given := os.environ.get("SESSIONCTL_CONFIG"):
        return given
    from platformdirs import user_config_dir

    return f"{_absolute(user_config_dir('sessionctl', appauthor=False), 'configuration')}/config.toml"


def _absolute(path: str, what: str) -> str:
    if not os.path.isabs(path):
        raise ConfigError(
            f"there is no home directory for the default {what}; set HOME, or give -s URL and --secret-file"
        )
    return path


def default_storage_url() -> str:
    """The URL of the embedded storage."""
    return f"fs:{data_directory()}/sessions"


# -- the embedded secret ------------------------------------------------------------------------------


def default_keys(*, make: bool) -> KeyRing:
    """The ring of the embedded secret; empty where it was not made yet and is not to be made now.

    Raises `SecretError` and `ConfigError`.
    """
    try:
        path = f"{data_directory()}/secret"
    except ConfigError:
        if make:
            raise
        return KeyRing()
    text = _read_secret(path)
    if text is None and make:
        text = _make_secret(path)
    return KeyRing() if text is None else KeyRing([text])


def _read_secret(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(4096).strip()
            mode = os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"cannot read the default secret {path}: {_reason(error)}") from None
    if not text:
        raise SecretError(f"the default secret {path} is empty; remove the file and a new one is made")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o600)
    return text


def _make_secret(path: str) -> str:
    """Write a new secret whole, or take the one that another process has made meanwhile."""
    text = new_secret()
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, f"{text}\n".encode())
        finally:
            os.close(file)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return _read_secret(path) or text
        finally:
            os.unlink(temporary)
    except OSError as error:
        raise ConfigError(f"cannot make the default secret {path}: {_reason(error)}; give --secret") from None
    return text


def new_secret(size: int = 32) -> str:
    """A new secret: so many random bytes as URL-safe text."""
    import secrets

    return secrets.token_urlsafe(size)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


# -- profiles -----------------------------------------------------------------------------------------


def load_profile(name: str) -> Mapping[str, Any]:
    """The settings of a profile in the user's file. Raises `ConfigError`, which names the nearest."""
    path = config_path()
    profiles = _load(path).get("profiles", {})
    if not isinstance(profiles, dict) or name not in profiles:
        raise ConfigError(f"{path} has no profile {name!r}{_near(name, list(profiles))}")
    profile = profiles[name]
    if not isinstance(profile, dict):
        raise ConfigError(f"{path}: profiles.{name} is no table")
    for key in profile:
        if key not in PROFILE_KEYS:
            raise ConfigError(
                f"{path}: profiles.{name} has an unknown key {key!r}{_near(key, list(PROFILE_KEYS))}"
            )
    return profile


def profile_names() -> list[str]:
    """The names of the profiles in the user's file, for completion."""
    return sorted(_load(config_path()).get("profiles", {}))


def _load(path: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {_reason(error)}") from None


def _near(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(sorted(known))}" if known else ""


def profile_keys(profile: Mapping[str, Any]) -> KeyRing:
    """The ring that a profile names: `env:NAME`, `file:PATH`, or a secret as `--secret` takes it."""
    return KeyRing([_profile_secret(text) for text in profile.get("secrets", ())])


def _profile_secret(text: str) -> Secret:
    kind, _, rest = text.partition(":")
    if kind == "env":
        value = os.environ.get(rest)
        if not value:
            raise SecretError(f"the environment variable {rest} of this profile's secret is not set")
        return Secret.parse(value)
    if kind == "file":
        return Secret.parse(f"@{os.path.expanduser(rest)}")
    return Secret.parse(text)
