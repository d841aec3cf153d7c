"""Many stored sessions: select, count, end, change, move and examine them."""

from __future__ import annotations

from sessionctl.fleet.archive import Exported, export, import_
from sessionctl.fleet.change import Changed, change, destroy
from sessionctl.fleet.doctor import examine, fix
from sessionctl.fleet.findings import Finding
from sessionctl.fleet.purge import purge
from sessionctl.fleet.select import Found, Selection, select
from sessionctl.fleet.stats import Stats, stats
from sessionctl.fleet.sweep import Purged
from sessionctl.fleet.transfer import Moved, copy
from sessionctl.fleet.where import Condition, parse_where
from sessionctl.fleet.whose import other_framework, other_owner
from sessionctl.stores.likely import missing_place

__all__ = [
    "Changed",
    "Condition",
    "Exported",
    "Finding",
    "Found",
    "Moved",
    "Purged",
    "Selection",
    "Stats",
    "change",
    "copy",
    "destroy",
    "examine",
    "export",
    "fix",
    "import_",
    "missing_place",
    "other_framework",
    "other_owner",
    "parse_where",
    "purge",
    "select",
    "stats",
]
