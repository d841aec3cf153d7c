"""Where settings come from: option, environment, the project's file, the user's file, default.

The embedded default needs no configuration: a file storage and a secret of its own under the user's data
directory, made at first use by a command that writes. Profiles stand in `sessionctl.toml`, found upward from the
working directory, and in `config.toml` under the user's configuration directory:

    default_profile = "shop"

    [profiles.shop]
    storage = "redis://cache/0?ttl=30d"
    secrets = ["env:SHOP_SECRET", "file:/etc/shop/old-secret"]      # newest first
    cookie_name = "sid"
    format = "express"
    options = { prefix = "s:" }
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl.config.places import config_path, data_directory, default_storage_url, project_path

if TYPE_CHECKING:
    from sessionctl.config.embedded import default_keys, new_secret

__all__ = [
    "config_path",
    "data_directory",
    "default_keys",
    "default_storage_url",
    "new_secret",
    "project_path",
]


def __getattr__(name: str) -> Any:
    """The secret's functions, imported when they are used: most commands that read need neither."""
    if name not in ("default_keys", "new_secret"):
        raise AttributeError(name)
    from sessionctl.config import embedded

    return getattr(embedded, name)
