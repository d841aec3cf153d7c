"""One session made, changed or ended from outside a request: what the commands do, as functions.

No function here is a request: pending flash survives all of them but the `flash` of the same key. A cookie
is changed only if it is genuine; changing a forged one would sign it.
"""

from sessionctl.editing.changing import change, regenerate
from sessionctl.editing.ending import Ended, destroy
from sessionctl.editing.made import Made
from sessionctl.editing.making import create
from sessionctl.editing.opening import Opened, open_session
from sessionctl.editing.reading import get
from sessionctl.keypaths import find_path

__all__ = [
    "Ended",
    "Made",
    "Opened",
    "change",
    "create",
    "destroy",
    "find_path",
    "get",
    "open_session",
    "regenerate",
]
