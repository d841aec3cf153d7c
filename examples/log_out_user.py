"""End every session of one user: python examples/log_out_user.py fs:/var/lib/app/sessions 42

The same from the shell: sessionctl destroy --where userId=42 -s fs:/var/lib/app/sessions
"""

from __future__ import annotations

import sys

from sessionctl import fleet, open_storage
from sessionctl.fleet.where import parse_where


def log_out(url: str, user_id: str) -> int:
    """How many sessions were ended."""
    selection = fleet.Selection(where=(parse_where(f"userId={user_id}"),))
    return fleet.destroy(open_storage(url), selection).done


if __name__ == "__main__":
    print(log_out(*sys.argv[1:]))
