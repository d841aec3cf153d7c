"""Sessions that are rows of a framework's database, which its own client reads."""

from __future__ import annotations

_QUERIES = {
    "django": "select session_data from django_session where session_key = 'ID'",
    "laravel": "select payload from sessions where id = 'ID'",
}

READERS = {
    name: f'psql -Atc "{query}" | sessionctl decode -f {name} --record -' for name, query in _QUERIES.items()
}
"""The command that decodes the record of the session `ID`, by the format of its cookie."""
