"""Live changes of stored sessions: what was made, changed or ended, as it happens.

`looks` sees what is there, `wakes` passes the time until there may be something new, and `watching` tells the
difference.
"""

from __future__ import annotations

from sessionctl.watch.watching import INTERVAL, Kind, Seen, watch

__all__ = ["INTERVAL", "Kind", "Seen", "watch"]
