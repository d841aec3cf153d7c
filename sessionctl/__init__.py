"""Sessions for Python web applications, and the command that reads anybody's session cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sessionctl import formats
    from sessionctl.cookie import Cookie
    from sessionctl.errors import (
        BadSignatureError,
        ConfigError,
        CookieAttributeError,
        CookieTooLargeError,
        CorruptRecordError,
        ExpiredError,
        MalformedCookieError,
        MalformedError,
        MissingExtraError,
        NoKeyError,
        NotSupportedError,
        RecordTooLargeError,
        RefusedError,
        SecretError,
        SessionctlError,
        SessionDestroyedError,
        SessionNotFoundError,
        StorageError,
        StorageUnavailableError,
        UnknownFormatError,
        UnknownStorageError,
        UnserializableValueError,
        UsageError,
        WrongKeyTypeError,
    )
    from sessionctl.session import Session, create_session_id
    from sessionctl.signing.keys import KeyRing, Secret
    from sessionctl.storage.base import SessionStorage
    from sessionctl.storage.registry import open_storage

_HOMES = {
    "Cookie": "sessionctl.cookie",
    "KeyRing": "sessionctl.signing.keys",
    "Secret": "sessionctl.signing.keys",
    "Session": "sessionctl.session",
    "SessionStorage": "sessionctl.storage.base",
    "create_session_id": "sessionctl.session",
    "open_storage": "sessionctl.storage.registry",
}

__all__ = [
    "BadSignatureError",
    "ConfigError",
    "Cookie",
    "CookieAttributeError",
    "CookieTooLargeError",
    "CorruptRecordError",
    "ExpiredError",
    "KeyRing",
    "MalformedCookieError",
    "MalformedError",
    "MissingExtraError",
    "NoKeyError",
    "NotSupportedError",
    "RecordTooLargeError",
    "RefusedError",
    "Secret",
    "SecretError",
    "Session",
    "SessionDestroyedError",
    "SessionNotFoundError",
    "SessionStorage",
    "SessionctlError",
    "StorageError",
    "StorageUnavailableError",
    "UnknownFormatError",
    "UnknownStorageError",
    "UnserializableValueError",
    "UsageError",
    "WrongKeyTypeError",
    "create_session_id",
    "formats",
    "open_storage",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that the command line pays for what it needs (PEP 562)."""
    from importlib import import_module

    if name == "formats":
        return import_module("sessionctl.formats")
    if name not in __all__:
        raise AttributeError(f"module 'sessionctl' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "sessionctl.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
