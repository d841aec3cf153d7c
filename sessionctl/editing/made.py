"""What a command that writes answers: a cookie text, signed with the newest key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sessionctl import records
from sessionctl.cookie import MAX_SIZE, can_be_sent, check_name, set_cookie_like
from sessionctl.errors import CookieTooLargeError, UsageError
from sessionctl.inspection.stored import ref_of
from sessionctl.storage.cookie import CookieStorage
from sessionctl.wording import with_article

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.formats.base import Format
    from sessionctl.identify import Setup
    from sessionctl.storage.base import SessionStorage
    from sessionctl.verdict import Warn


OWN = ("native", "remix")
"""The formats whose cookies hold a `Session` or its ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a command that writes answers. `cookie` is None where only a ref was known, not the ID."""

    cookie: str | None
    cookie_name: str
    format: str
    storage: str | None
    id: str | None
    companions: Mapping[str, str] = field(default_factory=dict)
    stored_ref: str | None = None
    """The ref of a session whose ID its store does not keep."""
    revoked: bool = True
    """False where an old session was to be ended that lives on in copies of its cookie."""
    attributes: Mapping[str, str] | None = None
    """Those of the Set-Cookie header that the session was taken from; None where it came otherwise."""
    warnings: tuple[Warn, ...] = ()
    """Where the framework may look elsewhere for what was made."""

    @property
    def ref(self) -> str | None:
        """The ref of the session, where it has an ID."""
        return self.stored_ref if self.id is None else ref_of(self.id)

    @property
    def set_cookie(self) -> str | None:
        """The Set-Cookie text with the attributes that it came with, else those that a session cookie should have.

        None without a cookie, for one that its framework would cut over several, and for a text that no
        cookie can have.
        """
        if self.cookie is None or not can_be_sent(self.cookie):
            return None
        if len(self.cookie_name) + len(self.cookie.encode()) > MAX_SIZE:
            return None
        return set_cookie_like(self.cookie_name, self.cookie, self.attributes)


def made_of(
    setup: Setup, name: str, cookie_name: str, value: str, storage: SessionStorage, session_id: str
) -> Made:
    """The cookie text of a cookie value, signed with the newest key."""
    form = setup.open(name)
    text = form.encode(value, setup.keys_for(name), now=setup.now)
    if isinstance(storage, CookieStorage):
        check_size(form, cookie_name, text, records.parse_value(value).values)
    return Made(cookie=text, cookie_name=cookie_name, format=name, storage=storage.url, id=session_id)


def check_makeable(setup: Setup, name: str, cookie_name: str) -> None:
    """Raise what would keep the cookie from being printed, before anything is stored."""
    if setup.open(name).has_key and not setup.keys_for(name):
        raise UsageError(f"{with_article(name)} cookie needs a secret to be made: --secret or --secret-file")
    check_name(cookie_name)


def check_size(form: Format, cookie_name: str, text: str, data: Mapping[str, Any]) -> None:
    """Raise `CookieTooLargeError`, which names the largest keys; a format that cuts long texts has no limit."""
    size = len(cookie_name) + len(text.encode())
    if size > MAX_SIZE and not form.chunks:
        raise CookieTooLargeError(size, MAX_SIZE, records.largest(data, {}))


def storage_of(setup: Setup) -> SessionStorage:
    """The storage that was named. Raises `UsageError` where there is none."""
    if setup.storage is None:
        raise UsageError("no storage; -s URL names one")
    return setup.storage
