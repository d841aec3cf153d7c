"""Where files lie: the user's configuration and data, and the project's configuration."""

from __future__ import annotations

import os
import sys

from sessionctl.errors import ConfigError

PROJECT_FILE = "sessionctl.toml"


def data_directory() -> str:
    """The directory of the default storage and secret. Raises `ConfigError` where there is no home."""
    if given := os.environ.get("SESSIONCTL_HOME"):
        return given
    if _is_relative("XDG_DATA_HOME"):
        return _absolute(os.path.expanduser("~/.local/share/sessionctl"), "storage and secret")
    from platformdirs import user_data_dir

    try:
        path = user_data_dir("sessionctl", appauthor=False)
    except RuntimeError:  # newer releases of platformdirs; older ones give a path that begins with "~"
        path = ""
    return _absolute("" if _is_below_a_file(path) else path, "storage and secret")


def config_path() -> str:
    """The user's configuration file, whether it exists or not. Raises `ConfigError`."""
    if given := os.environ.get("SESSIONCTL_CONFIG"):
        return given
    return f"{_absolute(_config_directory(), 'configuration')}/config.toml"


def _config_directory() -> str:
    """As platformdirs has it; on Linux without importing it, since every command asks."""
    if sys.platform == "linux":
        base = "" if _is_relative("XDG_CONFIG_HOME") else os.environ.get("XDG_CONFIG_HOME", "").strip()
        return f"{base or os.path.expanduser('~/.config')}/sessionctl"
    from platformdirs import user_config_dir

    return user_config_dir("sessionctl", appauthor=False)


def _is_relative(variable: str) -> bool:
    """Whether a variable is to be ignored, as it must be absolute (XDG Base Directory Specification)."""
    given = os.environ.get(variable, "").strip()
    return sys.platform == "linux" and given != "" and not os.path.isabs(given)


def _is_below_a_file(path: str) -> bool:
    """Whether nothing can ever lie at a path: HOME=/dev/null, as service users have it."""
    while path and not os.path.lexists(path):
        path = os.path.dirname(path)
    return bool(path) and not os.path.isdir(path)


def _absolute(path: str, what: str) -> str:
    if not os.path.isabs(path):
        raise ConfigError(
            f"there is no home directory for the default {what}; set HOME, or give -s URL and --secret-file"
        )
    return path


def default_storage_url() -> str:
    """The URL of the embedded storage."""
    directory = data_directory()
    if "?" in directory:
        raise ConfigError(
            "the data directory has a '?' in its name, which a storage URL cannot hold; set SESSIONCTL_HOME"
        )
    return f"fs:{directory}/sessions"


def project_path(directory: str | None = None) -> str | None:
    """The `sessionctl.toml` of the working directory or the nearest directory above it; None: there is none."""
    try:
        place = os.path.realpath(directory or os.getcwd())
    except OSError:
        return None  # the working directory has been removed
    while True:
        path = os.path.join(place, PROJECT_FILE)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(place)
        if above == place:
            return None
        place = above
