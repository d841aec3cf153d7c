"""Records of CherryPy's FileSession: a pickle of `(dict, expiry)`.

The expiry is a datetime without time zone, in the server's local time: it is taken for UTC here, and said so.
Source: CherryPy 18.10.0 lib/sessions.py.
"""

from __future__ import annotations

from typing import Any

from sessionctl.errors import MalformedError
from sessionctl.stores.base import NO, Guess, RecordContext, Sample, StoredRecord, iso_seconds, pickle_of
from sessionctl.verdict import Warn

NAMES = ("cherrypy",)

_LOCAL = Warn(
    "local-time", "CherryPy writes the expiry in the server's local time; it is shown as if that were UTC"
)


def recognise(sample: Sample) -> Guess:
    """A pair of an object and a date."""
    return Guess(0.97, "cherrypy") if _is_pair(sample.whole_pickle) else NO


def read(sample: Sample, context: RecordContext) -> StoredRecord:  # noqa: ARG001 - needs no key
    """The session. Raises `MalformedError`."""
    value = pickle_of(sample)
    if not _is_pair(value):
        raise MalformedError("a file of CherryPy is a pickle of the session and its expiry")
    data, expiry = value
    return StoredRecord(data=data, payload_type="pickle", expires_at=iso_seconds(expiry), warnings=(_LOCAL,))


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - a pair
        and isinstance(value[0], dict)
        and iso_seconds(value[1]) is not None
    )
