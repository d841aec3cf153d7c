"""Sessions for Python web applications, and the command that reads anybody's session cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sessionctl import formats as formats
    from sessionctl.cookie import Cookie as Cookie
    from sessionctl.errors import (
        BadSignatureError as BadSignatureError,
        ConfigError as ConfigError,
        CookieAttributeError as CookieAttributeError,
        CookieTooLargeError as CookieTooLargeError,
        CorruptRecordError as CorruptRecordError,
        ExpiredError as ExpiredError,
        MalformedCookieError as MalformedCookieError,
        MalformedError as MalformedError,
        MissingExtraError as MissingExtraError,
        NoKeyError as NoKeyError,
        NotSupportedError as NotSupportedError,
        RecordTooLargeError as RecordTooLargeError,
        RefusedError as RefusedError,
        SecretError as SecretError,
        SessionctlError as SessionctlError,
        SessionDestroyedError as SessionDestroyedError,
        SessionNotFoundError as SessionNotFoundError,
        StorageError as StorageError,
        StorageUnavailableError as StorageUnavailableError,
        UnknownFormatError as UnknownFormatError,
        UnknownStorageError as UnknownStorageError,
        UnserializableValueError as UnserializableValueError,
        UsageError as UsageError,
        WrongKeyTypeError as WrongKeyTypeError,
    )
    from sessionctl.session import Session as Session, create_session_id as create_session_id
    from sessionctl.signing.keys import KeyRing as KeyRing, Secret as Secret
    from sessionctl.storage.base import SessionStorage as SessionStorage
    from sessionctl.storage.registry import open_storage as open_storage

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
