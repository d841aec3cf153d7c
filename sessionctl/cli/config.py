"""`sessionctl config`."""

from __future__ import annotations

import os
from typing import Any

import click

from sessionctl.cli import options
from sessionctl.cli.output import print_data, print_json


@click.group("config")
def command() -> None:
    """Show where settings come from."""


@command.command("path")
@options.look_options
def path(**params: Any) -> None:
    """Print where the configuration file, the default storage and the default secret are.

    \b
    sessionctl config path
    sessionctl config path --json
    """
    from sessionctl import config

    places = {
        "config": config.config_path(),
        "storage": config.default_storage_url(),
        "secret": f"{config.data_directory()}/secret",
    }
    if options.look_of(params).json:
        print_json({**places, "config_exists": os.path.exists(places["config"])})
        return
    print_data(places["config"])
