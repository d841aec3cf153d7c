r"""Django's flashed messages, as they lie in a cookie of their own or in the session.

    ["__json_message", safe, level, text, extra_tags]

    safe        1 where the text is HTML that is marked as safe, else 0
    level       10 debug, 20 info, 25 success, 30 warning, 40 error, or any number of the application
    extra_tags  may be missing; from Django 4.0 on the empty text is written

A cookie holds a list of these, which ends in "__messagesnotfinished__" where more lie in the session; the
session holds the JSON text of such a list under `_messages`; Django 1.4 a pickled list of its `Message` objects.
Sources: Django 5.2 contrib/messages/constants.py, storage/cookie.py and storage/session.py.
"""

from __future__ import annotations

from typing import Any

from sessionctl.errors import MalformedError, UnserializableValueError
from sessionctl.payload import python_json

MESSAGES_KEY = "_messages"
MESSAGE = "__json_message"
NOT_FINISHED = "__messagesnotfinished__"

_CLASS = "django.contrib.messages.storage.base.Message"

LEVELS = {"debug": 10, "info": 20, "success": 25, "warning": 30, "error": 40}
_NAMES = {number: name for name, number in LEVELS.items()}


def is_message(item: Any) -> bool:
    """Whether it is one message as Django writes it."""
    return isinstance(item, list) and len(item) in (4, 5) and item[0] == MESSAGE


def are_messages(data: Any) -> bool:
    """Whether it is what a cookie of messages holds."""
    return (
        isinstance(data, list)
        and bool(data)
        and all(is_message(item) or item == NOT_FINISHED for item in data)
    )


def flashed(data: Any) -> list[dict[str, Any]] | None:
    """The messages of a list, or of the JSON text of one, in words; None where there are none."""
    if isinstance(data, str):
        try:
            data = python_json.loads(data)
        except MalformedError:
            return None
    if not isinstance(data, list):
        return None
    messages = (_as_list(item) for item in data)
    return [_in_words(item) for item in messages if is_message(item)] or None


def _as_list(item: Any) -> Any:
    """A message as newer releases write it, where it is an object of Django 1.4."""
    if not isinstance(item, dict) or item.get("__type__") != _CLASS:
        return item
    return [MESSAGE, 0, item.get("level"), item.get("message"), item.get("extra_tags")]


def _in_words(item: list[Any]) -> dict[str, Any]:
    level = item[2]
    words = {"level": _NAMES.get(level, level) if isinstance(level, int) else level, "message": item[3]}
    if len(item) > 4 and item[4]:  # noqa: PLR2004 - the tags are the fifth
        words["tags"] = item[4]
    return words


def message(key: str, value: Any) -> list[Any]:
    """A message as Django writes it. `key` is the name or the number of its level, else its extra tags."""
    if key.isascii() and key.isdigit() and len(key) <= 9:  # noqa: PLR2004 - a level, no number of 4,000 digits
        return [MESSAGE, 0, int(key), value, ""]
    if key in LEVELS:
        return [MESSAGE, 0, LEVELS[key], value, ""]
    return [MESSAGE, 0, LEVELS["info"], value, key]


def flash_in_list(data: Any, key: str, value: Any) -> list[Any]:
    """A list of messages with one more, before the word that more lie elsewhere.

    Raises `UnserializableValueError` where `data` is no list.
    """
    if data is None or data == {}:
        data = []
    if not isinstance(data, list):
        raise UnserializableValueError("", "Django's messages are a list")
    end = len(data) - (data[-1:] == [NOT_FINISHED])
    return [*data[:end], message(key, value), *data[end:]]


def flash_in_session(data: Any, key: str, value: Any) -> dict[str, Any]:
    """A session with one message more, as `SessionStorage` keeps them.

    Raises `UnserializableValueError` where `data` is no object, or has something else under `_messages`.
    """
    if not isinstance(data, dict):
        raise UnserializableValueError("", "a Django session is an object")
    kept = data.get(MESSAGES_KEY) or []
    if isinstance(kept, str):
        try:
            kept = python_json.loads(kept)
        except MalformedError as error:
            raise UnserializableValueError(MESSAGES_KEY, str(error)) from None
    return {**data, MESSAGES_KEY: python_json.dumps(flash_in_list(kept, key, value), spaced=True)}
