"""One session made, changed or ended from outside a request: what the commands do, as functions.

No function here is a request: pending flash survives all of them but the `flash` of the same key. A cookie
is changed only if it is genuine; changing a forged one would sign it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

from sessionctl import records
from sessionctl.cookie import MAX_SIZE, check_name, set_cookie
from sessionctl.errors import (
    BadSignatureError,
    CookieTooLargeError,
    CorruptRecordError,
    ExpiredError,
    MalformedCookieError,
    NoKeyError,
    NotSupportedError,
    RefusedError,
    SessionNotFoundError,
    UsageError,
)
from sessionctl.formats.base import Content, Decoded
from sessionctl.identify import Identified, Setup, Target, identify
from sessionctl.inspection import find_ref, not_found, ref_of
from sessionctl.session import Session, create_session_id
from sessionctl.sources import Source
from sessionctl.storage.base import RecordStorage, SessionStorage
from sessionctl.storage.cookie import CookieStorage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sessionctl.formats.base import Format
    from sessionctl.verdict import Verdict

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
    revoked: bool = True
    """False where an old session was to be ended that lives on in copies of its cookie."""

    @property
    def ref(self) -> str | None:
        """The ref of the ID."""
        return None if self.id is None else ref_of(self.id)

    @property
    def set_cookie(self) -> str | None:
        """The Set-Cookie text with the attributes that a session cookie should have.

        None without a cookie, and for one that its framework would cut over several.
        """
        if self.cookie is None or len(self.cookie_name) + len(self.cookie.encode()) > MAX_SIZE:
            return None
        return set_cookie(self.cookie_name, self.cookie)


@dataclass(slots=True, kw_only=True)
class Opened:
    """A session that was found: our own (`session`), or another framework's data (`decoded`)."""

    setup: Setup
    format: str
    cookie_name: str
    known: Identified | None = None
    storage: SessionStorage | None = None
    session: Session | None = None
    decoded: Decoded | None = None
    ref: str | None = None


# -- making -------------------------------------------------------------------------------------------


def create(
    setup: Setup,
    data: Any,
    flash: Mapping[str, Any],
    session_id: str | None = None,
) -> Made:
    """Make a session and store it, or put it into the cookie where the format or storage holds it there.

    Raises `UsageError` where the ID is taken or there is no key to sign with.
    """
    name = setup.format or "native"
    form = setup.open(name)
    cookie_name = setup.cookie_name or next(iter(form.cookie_names), "session")
    if name not in OWN:
        return _create_foreign(setup, name, cookie_name, data, flash, session_id)
    if not isinstance(data, dict):
        raise UsageError("the values of a session are an object of name to value")
    storage = _storage(setup)
    _check_makeable(setup, name, cookie_name)
    session = Session(session_id) if session_id is not None else Session()
    _refuse_taken(storage, session_id)
    for key, value in data.items():
        session.set(key, value)
    for key, value in flash.items():
        session.flash(key, value)
    session.mark_dirty()
    value = storage.save(session)
    return _made(setup, name, cookie_name, value or "", storage, session.id)


def _create_foreign(
    setup: Setup, name: str, cookie_name: str, data: Any, flash: Mapping[str, Any], session_id: str | None
) -> Made:
    form = setup.open(name)
    _check_makeable(setup, name, cookie_name)
    context = setup.context(name, Source(cookie_name, None))
    if not form.holds_session:
        session_id = session_id or create_session_id()
        data = data or session_id  # an ID, or what the application puts there in its place
    content = Content(data, session_id, flash)
    text = form.encode(
        content.data, context.keys, id=session_id, flash=flash, **_context_fields(setup, cookie_name)
    )
    _check_size(form, cookie_name, text, data if isinstance(data, dict) else {})
    companions = form.companions(text, context)
    return Made(
        cookie=text, cookie_name=cookie_name, format=name, storage=None, id=session_id, companions=companions
    )


def _refuse_taken(storage: SessionStorage, session_id: str | None) -> None:
    if session_id is None or not isinstance(storage, RecordStorage):
        return
    if storage.load(storage.key_for(session_id)) is not None:
        raise UsageError(f"{storage.url} has a session of that ID already; 'set' changes it")


def _storage(setup: Setup) -> SessionStorage:
    if setup.storage is None:
        raise UsageError("no storage; -s URL names one")
    return setup.storage


def _made(
    setup: Setup, name: str, cookie_name: str, value: str, storage: SessionStorage, session_id: str
) -> Made:
    """The cookie text of a cookie value, signed with the newest key."""
    form = setup.open(name)
    text = form.encode(value, setup.keys_for(name), now=setup.now)
    if isinstance(storage, CookieStorage):
        _check_size(form, cookie_name, text, records.parse_value(value).values)
    url = None if isinstance(storage, CookieStorage) else storage.url
    return Made(cookie=text, cookie_name=cookie_name, format=name, storage=url, id=session_id)


def _check_makeable(setup: Setup, name: str, cookie_name: str) -> None:
    """Raise what would keep the cookie from being printed, before anything is stored."""
    if not setup.keys_for(name):
        raise UsageError(f"a {name} cookie needs a secret to be made: --secret or --secret-file")
    check_name(cookie_name)


def _check_size(form: Format, cookie_name: str, text: str, data: Mapping[str, Any]) -> None:
    """Raise `CookieTooLargeError`, which names the largest keys; a format that cuts long texts has no limit."""
    size = len(cookie_name) + len(text.encode())
    if size > MAX_SIZE and not form.chunks:
        raise CookieTooLargeError(size, MAX_SIZE, records.largest(data, {}))


def _context_fields(setup: Setup, cookie_name: str) -> dict[str, Any]:
    return {"cookie_name": cookie_name, "now": setup.now, "max_age": setup.max_age}


# -- opening ------------------------------------------------------------------------------------------


def open_session(target: Target, setup: Setup, *, to_change: bool) -> Opened:
    """Find the session that is meant.

    Raises `RefusedError` where the cookie is not genuine or the store has no such session. To read, a cookie
    that holds its data and for which no key was given is opened unchecked.
    """
    if target.source is None:
        return _open_stored(target, setup, to_change=to_change)
    known = identify(target.source, setup)
    if to_change:
        check_name(target.source.name or setup.cookie_name or "session")
    unchecked = (
        not to_change and known.verdict.reason in ("no-key", "unsigned") and known.format.holds_session
    )
    if not known.verdict.valid and not unchecked:
        refuse(known.verdict)
    decoded = known.format.decode(known.text, known.context.keys, **_known_fields(known))
    cookie_name = target.source.name or setup.cookie_name or next(iter(known.format.cookie_names), "session")
    opened = Opened(
        setup=setup, format=known.format.name, cookie_name=cookie_name, known=known, decoded=decoded
    )
    if known.format.name in OWN:
        return _open_own(opened, setup)
    if not known.format.holds_session:
        raise NotSupportedError(
            f"{known.format.name} cookies hold an ID alone, and their framework's store is not written here"
        )
    return opened


def _known_fields(known: Identified) -> dict[str, Any]:
    context = known.context
    return {"cookie_name": context.cookie_name, "cookies": context.cookies, "now": context.now}


def _open_own(opened: Opened, setup: Setup) -> Opened:
    decoded, known = opened.decoded, opened.known
    assert decoded is not None  # noqa: S101 - made two lines before
    assert known is not None  # noqa: S101
    value = known.verdict.value
    if isinstance(decoded.data, dict):
        storage: SessionStorage = (
            setup.storage if isinstance(setup.storage, CookieStorage) else CookieStorage()
        )
        value = known.verdict.value if known.verdict.valid else records.dump_value(_record(decoded))
    else:
        storage = _storage(setup)
    if isinstance(storage, CookieStorage) and not isinstance(decoded.data, dict):
        raise SessionNotFoundError("the cookie holds an ID and no session; -s URL names the store to look in")
    if value is None:
        refuse(known.verdict)  # an ID that no key has vouched for opens no store
    opened.storage, opened.session = storage, storage.read(value)
    if opened.session.is_new:
        raise SessionNotFoundError(not_found(storage, setup))
    return opened


def _record(decoded: Decoded) -> records.Record:
    return records.Record(decoded.data, dict(decoded.flash or {}), id=decoded.id)


def _open_stored(target: Target, setup: Setup, *, to_change: bool) -> Opened:
    storage = _storage(setup)
    if not isinstance(storage, RecordStorage):
        raise UsageError(f"{storage.scheme}: stores nothing, so --id and --ref find nothing there")
    name = setup.format or "native"
    if to_change and target.id is not None:
        _check_makeable(setup, name, setup.cookie_name or "session")
    opened = Opened(setup=setup, format=name, cookie_name=setup.cookie_name or "session", storage=storage)
    if target.id is not None:
        opened.session = storage.read(target.id)
        if opened.session.is_new:
            raise SessionNotFoundError(not_found(storage, setup))
        return opened
    key = find_ref(storage, target.ref or "")
    opened.ref = storage.ref_of(key)
    opened.session = storage.read_key(key)
    if opened.session is None:
        raise SessionNotFoundError(not_found(storage, setup))
    return opened


def refuse(verdict: Verdict) -> NoReturn:
    """Raise what a verdict of no means."""
    errors: dict[str | None, type[RefusedError]] = {"no-key": NoKeyError, "expired": ExpiredError}
    if verdict.reason == "malformed":
        raise MalformedCookieError(verdict.detail)
    if verdict.reason == "unsigned":
        raise BadSignatureError("the cookie is not signed, so nothing shows that it is genuine")
    raise errors.get(verdict.reason, BadSignatureError)(verdict.detail)


# -- reading ------------------------------------------------------------------------------------------


def get(target: Target, setup: Setup, key: str) -> tuple[bool, Any]:
    """Whether there is a value of that name, and the value: a key, `flash.KEY`, or a path with dots."""
    opened = open_session(target, setup, to_change=False)
    if opened.session is not None:
        values: Any = {**opened.session.flashed, **opened.session.data[0]}
        flash = opened.session.flashed
    else:
        assert opened.decoded is not None  # noqa: S101 - one of the two is always there
        values, flash = opened.decoded.data, opened.decoded.flash
    return find_path({**values, "flash": flash} if _names_flash(values, key) else values, key)


def _names_flash(values: Any, key: str) -> bool:
    return (
        isinstance(values, dict) and key.startswith("flash.") and key not in values and "flash" not in values
    )


def find_path(value: Any, path: str) -> tuple[bool, Any]:
    """The value of a key, else of a path with dots: `cart.0.sku`."""
    if isinstance(value, dict):
        if path in value:
            return True, value[path]
        head, dot, rest = path.partition(".")
        while dot:
            if head in value:
                found, inner = find_path(value[head], rest)
                if found:
                    return True, inner
            more, dot, rest = rest.partition(".")
            head = f"{head}.{more}"
    if isinstance(value, list):
        head, dot, rest = path.partition(".")
        if head.isdecimal() and int(head) < len(value):
            return find_path(value[int(head)], rest) if dot else (True, value[int(head)])
    return False, None


# -- changing -----------------------------------------------------------------------------------------


def change(
    target: Target,
    setup: Setup,
    *,
    values: Mapping[str, Any] | None = None,
    unset: Iterable[str] = (),
    flash: Mapping[str, Any] | None = None,
) -> Made:
    """Set and unset values, leave flash for the next request, and give the cookie text to send."""
    opened = open_session(target, setup, to_change=True)
    if opened.session is None:
        return _change_foreign(opened, values or {}, unset, flash or {})
    session = opened.session
    session.keep()
    for key, value in (values or {}).items():
        session.set(key, value)
    for key in unset:
        session.unset(key)
    for key, value in (flash or {}).items():
        session.flash(key, value)
    return _saved(opened)


def regenerate(target: Target, setup: Setup, *, delete_old: bool) -> Made:
    """Give the session a new ID. Raises `NotSupportedError` for a framework whose cookie has none."""
    opened = open_session(target, setup, to_change=True)
    if opened.session is None:
        raise NotSupportedError(f"a {opened.format} cookie has no session ID to renew")
    if not opened.session.id:
        raise UsageError("a session found by its ref keeps its unknown ID; give the cookie or --id")
    opened.session.keep()
    in_cookie = isinstance(opened.storage, CookieStorage)
    opened.session.regenerate_id(delete_old and not in_cookie)
    return replace(_saved(opened), revoked=not (delete_old and in_cookie))


def _saved(opened: Opened) -> Made:
    session, storage = opened.session, opened.storage
    assert session is not None  # noqa: S101 - the callers have checked
    assert storage is not None  # noqa: S101
    session.mark_dirty()
    value = storage.save(session)
    if session.lost:
        raise SessionNotFoundError(f"the session was ended in {storage.url} while this changed it")
    if not session.id:
        return Made(
            cookie=None, cookie_name=opened.cookie_name, format=opened.format, storage=storage.url, id=None
        )
    return _made(opened.setup, opened.format, opened.cookie_name, value or "", storage, session.id)


def _change_foreign(
    opened: Opened, values: Mapping[str, Any], unset: Iterable[str], flash: Mapping[str, Any]
) -> Made:
    known, decoded = opened.known, opened.decoded
    assert known is not None  # noqa: S101 - a foreign session always comes from a cookie
    assert decoded is not None  # noqa: S101
    if not isinstance(decoded.data, dict):
        raise NotSupportedError(f"this {opened.format} cookie holds no object of names and values")
    data = {**decoded.data, **values}
    for key in [*unset, *(key for key, value in values.items() if value is None)]:
        data.pop(key, None)
    context = known.context
    text = known.format.encode(
        data, context.keys, id=decoded.id, flash=flash, cookie_name=opened.cookie_name,
        now=opened.setup.now, max_age=opened.setup.max_age,
    )  # fmt: skip
    _check_size(known.format, opened.cookie_name, text, data)
    companions = known.format.companions(text, context)
    return Made(
        cookie=text,
        cookie_name=opened.cookie_name,
        format=opened.format,
        storage=None,
        id=decoded.id,
        companions=companions,
    )


# -- ending -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What `destroy` answers; `set_cookie` clears a cookie that could not be revoked."""

    matched: int
    destroyed: int
    revocable: bool
    set_cookie: str | None = None


def destroy(target: Target, setup: Setup) -> Ended:
    """End one session. What lives in its cookie cannot be ended: the answer then clears the cookie."""
    try:
        opened = open_session(target, setup, to_change=True)
    except CorruptRecordError:
        return _destroy_unread(target, setup)
    if opened.session is None or isinstance(opened.storage, CookieStorage):
        return Ended(matched=1, destroyed=0, revocable=False, set_cookie=set_cookie(opened.cookie_name, ""))
    assert opened.storage is not None  # noqa: S101 - a session of ours has one
    opened.session.destroy()
    opened.storage.save(opened.session)
    return Ended(matched=1, destroyed=1, revocable=True)


def _destroy_unread(target: Target, setup: Setup) -> Ended:
    """End a session whose record cannot be read: it needs no reading to be deleted."""
    storage = _storage(setup)
    assert isinstance(storage, RecordStorage)  # noqa: S101 - no other has records
    if target.source is not None:
        known = identify(target.source, setup)
        key = storage.key_of(known.verdict.value or "")
    else:
        key = find_ref(storage, target.ref) if target.ref else storage.key_of(target.id or "")
    done = storage.delete(key).done
    return Ended(matched=1, destroyed=int(done), revocable=True)
