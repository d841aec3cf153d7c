"""Many stored sessions: select, purge, change, count, move and examine them."""

from __future__ import annotations

from sessionctl.fleet.purge import Purged, purge
from sessionctl.fleet.select import Found, Selection, select
from sessionctl.fleet.stats import Stats, stats
from sessionctl.fleet.where import Condition, parse_where

__all__ = ["Condition", "Found", "Purged", "Selection", "Stats", "parse_where", "purge", "select", "stats"]
