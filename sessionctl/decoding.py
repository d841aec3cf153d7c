"""What a cookie says: identify its format and decode it, without keys where it is not encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.errors import MalformedCookieError, NoKeyError, RefusedError
from sessionctl.identify import identify

if TYPE_CHECKING:
    from sessionctl.formats.base import Decoded
    from sessionctl.identify import Setup
    from sessionctl.sources import Source


def decode(source: Source, setup: Setup) -> tuple[str, Decoded]:
    """The name of the format and what the text says.

    Raises `MalformedCookieError`; of an encrypted text `NoKeyError` without a key and `BadSignatureError`
    where none fits. The error carries the format in `json_fields`.
    """
    try:
        known = identify(source, setup, judge=False)
    except MalformedCookieError as error:
        from sessionctl.stores.lookup import bare_id

        known = bare_id(source, setup, error)
    try:
        decoded = known.decode()
    except (RefusedError, MalformedCookieError) as error:
        if isinstance(error, RefusedError):
            missing = setup.keys_missing if isinstance(error, NoKeyError) else ""
            said = "; ".join(filter(None, [str(error), missing]))
            error = type(error)(f"{known.format.name} cookie, encrypted: {said}")
        elif setup.format is not None and (note := known.looks_otherwise()) is not None:
            error = type(error)(f"{note.message}; as {known.format.name}: {error}")
        elif (note := known.doubt()) is not None:
            error = type(error)(f"{error}; {note.message}")
        error.json_fields = {"format": known.format.name}
        raise error from None
    note = known.doubt()
    if note is not None:
        decoded = decoded._replace(warnings=(*decoded.warnings, note))
    return known.format.name, decoded
