"""Sessions for Python web applications, and the command that reads anybody's session cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sessionctl import formats as formats
    from sessionctl.cookie import Cookie as Cookie
    from sessionctl.errors import (
        BadSignatureError as BadSignatureError,
    )
    from sessionctl.errors import (
        ConfigError as ConfigError,
    )
    from sessionctl.errors import (
        CookieAttributeError as CookieAttributeError,
    )
    from sessionctl.errors import (
        CookieTooLargeError as CookieTooLargeError,
    )
    from sessionctl.errors import (
        CorruptRecordError as CorruptRecordError,
    )
    from sessionctl.errors import (
        ExpiredError as ExpiredError,
    )
    from sessionctl.errors import (
        MalformedCookieError as MalformedCookieError,
    )
    from sessionctl.errors import (
        MalformedError as MalformedError,
    )
    from sessionctl.errors import (
        MissingExtraError as MissingExtraError,
    )
    from sessionctl.errors import (
        NoKeyError as NoKeyError,
    )
    from sessionctl.errors import (
        NotSupportedError as NotSupportedError,
    )
    from sessionctl.errors import (
        RecordTooLargeError as RecordTooLargeError,
    )
    from sessionctl.errors import (
        RefusedError as RefusedError,
    )
    from sessionctl.errors import (
        SecretError as SecretError,
    )
    from sessionctl.errors import (
        SessionctlError as SessionctlError,
    )
    from sessionctl.errors import (
        SessionDestroyedError as SessionDestroyedError,
    )
    from sessionctl.errors import (
        SessionNotFoundError as SessionNotFoundError,
    )
    from sessionctl.errors import (
        StorageError as StorageError,
    )
    from sessionctl.errors import (
        StorageUnavailableError as StorageUnavailableError,
    )
    from sessionctl.errors import (
        UnknownFormatError as UnknownFormatError,
    )
    from sessionctl.errors import (
        UnknownStorageError as UnknownStorageError,
    )
    from sessionctl.errors import (
        UnserializableValueError as UnserializableValueError,
    )
    from sessionctl.errors import (
        UsageError as UsageError,
    )
    from sessionctl.errors import (
        WrongKeyTypeError as WrongKeyTypeError,
    )
    from sessionctl.session import Session as Session
    from sessionctl.session import create_session_id as create_session_id
    from sessionctl.signing.keys import KeyRing as KeyRing
    from sessionctl.signing.keys import Secret as Secret
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
