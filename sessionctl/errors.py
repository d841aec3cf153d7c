"""Every error that a user of sessionctl can meet.

SessionctlError
├── UsageError                     wrong call: an option, a key, a value that cannot be
│   ├── ConfigError                a configuration file or an environment variable is wrong
│   ├── SecretError                a secret cannot be read or used
│   ├── UnknownFormatError         no format of that name
│   ├── UnknownStorageError        no storage of that name
│   ├── MissingExtraError          an optional library is not installed
│   ├── CookieAttributeError       attributes that a browser would refuse together
│   ├── NotSupportedError          this storage or format cannot do that, ever
│   └── UnserializableValueError   a value that JSON cannot keep
├── SessionDestroyedError          a destroyed session was changed
├── CookieTooLargeError            the cookie is over what browsers keep
├── RefusedError                   the answer is no
│   ├── SessionNotFoundError       the store has no such session
│   ├── NoKeyError                 a key is needed, and none was given
│   ├── BadSignatureError          the signature, or the tag of the cipher, does not fit
│   │   └── WrongKeyTypeError      the key is of another kind than the cookie asks for
│   └── ExpiredError               genuine, but too old
├── MalformedError                 the input cannot be read
│   ├── MalformedCookieError       the cookie is not of the format it should be of
│   └── CorruptRecordError         the stored record cannot be read
└── StorageError                   the storage did not do it
    ├── RecordTooLargeError        the record is over what the server takes
    └── StorageUnavailableError    it could not be reached, or not in time

Each class carries `code`, the word for it in JSON, and `exit_status`, what the
command line ends with. Messages never hold a secret, a session ID or raw bytes
from outside.
"""

from __future__ import annotations

from typing import Any


class SessionctlError(Exception):
    """The base of every error that this package raises on purpose."""

    code = "error"
    exit_status = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.json_fields: dict[str, object] = {}
        """What the JSON answer holds beside the error."""


class UsageError(SessionctlError):
    """The call is wrong: an option, a key or a value that cannot be."""

    code = "usage"
    exit_status = 2


class ConfigError(UsageError):
    """A configuration file or an environment variable is wrong."""

    code = "bad-config"


class SecretError(UsageError):
    """A secret cannot be read or used."""

    code = "bad-secret"


class UnknownFormatError(UsageError):
    """There is no format of that name."""

    code = "unknown-format"


class UnknownStorageError(UsageError):
    """There is no storage of that name."""

    code = "unknown-storage"


class MissingExtraError(UsageError):
    """An optional library is not installed; the message says how to install it."""

    code = "missing-extra"

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the extra {extra!r}; in the clone of sessionctl: pip install '.[{extra}]'"
        )
        self.extra = extra


class CookieAttributeError(UsageError):
    """A browser would refuse a cookie with these attributes."""

    code = "bad-attribute"


class NotSupportedError(UsageError):
    """This storage or format cannot do that, whatever the options."""

    code = "not-supported"


class UnserializableValueError(UsageError, TypeError):
    """A value that would not come back from JSON as it went in.

    `key` names the place of the value, with dots: `user.tags[2]`.
    """

    code = "unserializable"

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key or 'the value'}: {problem}")
        self.key = key


class SessionDestroyedError(SessionctlError):
    """A destroyed session cannot be changed any more."""

    code = "destroyed"

    def __init__(self) -> None:
        super().__init__("the session has been destroyed")


class CookieTooLargeError(SessionctlError):
    """The cookie is over the limit, so browsers would drop it without a word.

    `size` and `limit` are in bytes; `largest` names the largest keys with the
    bytes that each takes, largest first.
    """

    code = "cookie-too-large"
    exit_status = 2

    def __init__(self, size: int, limit: int, largest: tuple[tuple[str, int], ...] = ()) -> None:
        keys = ", ".join(f"{key} ({length} bytes)" for key, length in largest)
        where = f"; the largest keys: {keys}" if keys else ""
        super().__init__(f"the cookie takes {size} bytes, over the limit of {limit}{where}")
        self.size = size
        self.limit = limit
        self.largest = largest


class RefusedError(SessionctlError):
    """The answer is no."""

    code = "refused"
    exit_status = 1


class SessionNotFoundError(RefusedError):
    """The store has no such session."""

    code = "not-found"


class NoKeyError(RefusedError):
    """A key is needed, and none was given."""

    code = "no-key"


class BadSignatureError(RefusedError):
    """The signature, or the authentication tag of a cipher, does not fit any key."""

    code = "bad-signature"


class WrongKeyTypeError(BadSignatureError):
    """The key is of another kind or length than the cookie asks for, so that it was not even tried."""

    code = "wrong-key-type"


class ExpiredError(RefusedError):
    """Genuine, but too old."""

    code = "expired"


class MalformedError(SessionctlError):
    """The input cannot be read."""

    code = "malformed"
    exit_status = 3


class MalformedCookieError(MalformedError):
    """The text is not a cookie of the format it should be of."""


class CorruptRecordError(MalformedError):
    """A stored record cannot be read. `location` says which, without giving an ID away, `problem` why not.

    `report` is what `inspection.inspect` had found out about the cookie itself.
    """

    code = "corrupt-record"
    report: Any = None

    def __init__(self, location: str, problem: str) -> None:
        super().__init__(f"{location}: {problem}")
        self.location, self.problem = location, problem


class StorageError(SessionctlError):
    """The storage did not do what it was asked to do.

    `report` is what `inspection.inspect` had found out about the cookie itself when its store failed.
    """

    code = "storage"
    exit_status = 4
    report: Any = None


class RecordTooLargeError(StorageError):
    """The record is over what the store takes for one; what was stored before is still there.

    `size` is in bytes; `largest` names the largest keys with the bytes that each takes, largest first.
    """

    code = "record-too-large"

    def __init__(self, location: str, size: int, largest: tuple[tuple[str, int], ...] = ()) -> None:
        keys = ", ".join(f"{key} ({length} bytes)" for key, length in largest)
        where = f"; the largest keys: {keys}" if keys else ""
        super().__init__(f"{location}: its {size} bytes are more than the store takes for one session{where}")
        self.location = location
        self.size = size
        self.largest = largest


class StorageUnavailableError(StorageError):
    """The storage could not be reached, or did not answer in time."""

    code = "storage-unavailable"
