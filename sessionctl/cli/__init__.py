"""The command line."""

from __future__ import annotations

from sessionctl.cli.main import main

__all__ = ["main"]
