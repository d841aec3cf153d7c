"""The formats: one module a framework, found by name through one registry.

`get(name)` gives a format, `detect(text)` ranks all of them, and `names()` lists them. A package adds its own
through the entry point group `sessionctl.formats`: `name = "module:Class"`.
"""

from __future__ import annotations

from sessionctl.formats.base import Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.registry import detect, get, names

__all__ = ["Context", "Decoded", "Format", "Option", "Verdict", "Warn", "detect", "get", "names"]
