"""The command line."""

from __future__ import annotations

import gc

_collecting = gc.isenabled()
gc.disable()  # an import leaves nothing to collect, and looking for it took a tenth of a command's start
try:
    from sessionctl.cli.main import main
finally:
    if _collecting:
        gc.enable()

__all__ = ["main"]
