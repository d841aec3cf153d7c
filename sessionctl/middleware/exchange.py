"""What both middlewares do around a request: the Cookie header in, the Set-Cookie header out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

from sessionctl.errors import SecretError, UsageError

if TYPE_CHECKING:
    from sessionctl.cookie import Cookie
    from sessionctl.session import Session
    from sessionctl.storage.base import SessionStorage


class Exchange(NamedTuple):
    """The storage and the cookie of one application.

    Raises `SecretError` for a cookie that is not signed: a client could choose its session then.
    """

    storage: SessionStorage
    cookie: Cookie

    @classmethod
    def of(cls, storage: SessionStorage, cookie: Cookie) -> Exchange:
        """The two together, checked."""
        if not cookie.keys:
            raise SecretError("the session cookie must be signed: Cookie(name, secrets=[...])")
        if not cookie.attributes.get("http_only"):
            warnings.warn(
                f"scripts on the page can read the cookie {cookie.name}: it is not HttpOnly", stacklevel=3
            )
        return cls(storage, cookie)

    def set_cookie(self, header: str | None, session: Session, value: str | None) -> str | None:
        """The Set-Cookie text for what `save` answered; None to send nothing.

        A cookie that an older key signed is signed anew, though the session was not changed.
        """
        if value is not None:
            return self.cookie.serialize(value)
        if session.lost or session.is_new:
            return None
        verdict = self.cookie.verify(header)
        if verdict.needs_resign and verdict.value:
            return self.cookie.serialize(verdict.value)
        return None


def refuse_second(found: object) -> None:
    """Raise `UsageError` where another middleware has put a session there already."""
    if found is not None:
        raise UsageError("there is a session already: the middleware stands twice around the application")
