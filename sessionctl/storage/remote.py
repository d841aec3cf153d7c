"""What storages on other servers have in common: a prefix marks their keys, and the server ends records."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING, Any

from sessionctl.errors import UsageError
from sessionctl.storage.base import RecordStorage, created_in

if TYPE_CHECKING:
    from sessionctl.storage.stored import Stored

_ROUNDING = 2.0
"""Seconds within which an expiry counts as the end of `lifetime`: servers round to seconds."""


class RemoteStorage(RecordStorage):
    """Records on a server that drops them itself when they expire.

    `prefix` begins every key; whatever begins with something else is never touched. `timeout` is how many
    seconds an answer may take, `connect_timeout` a connection. The other options are `RecordStorage`'s.
    """

    expires_itself = True

    def __init__(
        self, *, prefix: str, timeout: float = 2.0, connect_timeout: float = 1.0, **options: Any
    ) -> None:
        super().__init__(**options)
        for name, seconds in (("timeout", timeout), ("connect_timeout", connect_timeout)):
            if not seconds > 0:
                raise UsageError(f"{name} must be more than 0 seconds")
        self.prefix = prefix
        self.timeout = timeout
        self.connect_timeout = connect_timeout

    def is_live(self, stored: Stored) -> bool:
        return self.lifetime is None or super().is_live(stored)

    def location_of(self, key: str) -> str:
        return f"{self.url}: session {self.ref_of(key)}"

    def check_sweep(self) -> None:
        if not self.prefix:
            raise UsageError(
                f"{self.url}: with an empty prefix every key of the server would count as a session"
            )

    def _modified_at(self, text: bytes | None, expires_at: float | None) -> float | None:
        """When a record was last saved or touched: its expiry less `ttl`.

        None where that cannot be told: without `ttl`, or where `lifetime` may have set the expiry. The text
        is needed, and asked for, only with `lifetime`.
        """
        if self.ttl is None or expires_at is None:
            return None
        if self.lifetime is None:
            return expires_at - self.ttl
        if text is None:
            return None
        created = created_in(text)
        if expires_at >= (self.clock() if created is None else created) + self.lifetime - _ROUNDING:
            return None
        return expires_at - self.ttl


def reason_of(error: BaseException | None) -> str:
    """What the system, the resolver or OpenSSL said, in brackets, where they were the cause of an error."""
    if not isinstance(error, OSError) or isinstance(error, TimeoutError):
        return ""
    if isinstance(error, ssl.SSLError):
        reason = (
            getattr(error, "verify_message", "")
            or str(getattr(error, "reason", None) or "TLS").replace("_", " ").lower()
        )
    elif isinstance(error, socket.gaierror):
        reason = error.strerror or ""
    else:
        reason = os.strerror(error.errno) if error.errno else ""
    return f" ({reason})" if reason else ""
