"""What a format is: how one framework writes its session cookie.

A format answers four questions about a cookie text: is it one of mine
(`detect`), what does it say (`decode`), is it genuine (`verify`), and how is
one made (`encode`). A module of this package answers them for one framework by
overriding `_detect`, `_decode`, `_verify` and `_encode`; this base class
settles the rest once: options, the key ring, the clock, what was malformed.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeVar

from sessionctl.errors import (
    BadSignatureError,
    MalformedError,
    NoKeyError,
    NotSupportedError,
    SessionctlError,
    UsageError,
)
from sessionctl.formats.judging import genuine, refused
from sessionctl.signing.keys import KeyRing, Secret
from sessionctl.signing.macs import Macs
from sessionctl.verdict import Verdict as Verdict
from sessionctl.verdict import Warn as Warn
from sessionctl.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Self

    from sessionctl.signing.mac import Hmac

T = TypeVar("T")

MAX_SIZE: Final = 1 << 20
"""How many bytes a compressed payload may become, unless told otherwise."""

MAX_TEXT: Final = 1 << 20
"""How many characters a cookie text may have; browsers keep 4,096 bytes."""

DEFAULT_MAX_AGE: Final = -1.0
"""Stands for "the format's own" where an age limit is asked for."""


CLEARED: Final = Warn(
    "cleared", "the cookie is empty: the application ended the session, nothing is left to verify"
)


class Context(NamedTuple):
    """What is known beside the text.

    `cookies` are the cookies that came in the same header (`NAME.sig`), `now` is in Unix seconds,
    `max_age` in seconds: None sets no limit, `DEFAULT_MAX_AGE` takes the framework's. `max_size` bounds
    what a compressed payload may become, in bytes.
    """

    keys: KeyRing = KeyRing()
    cookie_name: str | None = None
    cookies: Mapping[str, str] = MappingProxyType({})
    now: float = 0.0
    max_age: float | None = DEFAULT_MAX_AGE
    max_size: int = MAX_SIZE

    def age_limit(self, default: float | None) -> float | None:
        """The limit that was asked for, else the format's own."""
        return default if self.max_age == DEFAULT_MAX_AGE else self.max_age


class Decoded(NamedTuple):
    """What a cookie says, whether or not it is genuine.

    `data` is the session as the framework wrote it, as JSON; for an ID-only cookie it is the ID, and `id`
    too. `flash` is a view of the flashed messages where the framework has them. Times are Unix seconds.
    `payload_type` names the serialization: json, pickle, marshal, php, msgpack, gob, etf, text, bytes;
    encrypted or unreadable where `data` could not be had.
    """

    data: Any
    id: str | None = None
    flash: Any = None
    issued_at: float | None = None
    expires_at: float | None = None
    encrypted: bool = False
    signed: bool = True
    payload_type: str = "json"
    algorithm: str | None = None
    warnings: tuple[Warn, ...] = ()
    is_value: bool = False
    """Whether `id` by its looks is none, but a value of the application's: `dark`, a name, an address."""

    @property
    def is_id(self) -> bool:
        """Whether the cookie is the ID of a stored session, and nothing else."""
        return self.id is not None and self.data == self.id


class Content(NamedTuple):
    """What goes into a new cookie. `flash` is empty where the format keeps it inside `data`."""

    data: Any
    id: str | None = None
    flash: Mapping[str, Any] = {}


class Option(NamedTuple):
    """An option of a format: its name with hyphens, the framework's default, and what it is."""

    name: str
    default: str
    help: str
    choices: tuple[str, ...] = ()
    explains: bool = True
    """Whether a fit with another choice tells why a cookie is refused; False where it only drops a check."""
    usual: tuple[str, ...] = ()
    """Values that applications are known to choose where any may be chosen, such as a salt."""


class Format(ABC):
    """One framework's session cookie, with its options set.

    Raises `UsageError` for an option that the format does not have, or a value that it cannot have.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line: which frameworks and releases."""
    cookie_names: ClassVar[tuple[str, ...]] = ()
    """The names that the framework gives its cookie, most usual first."""
    options: ClassVar[tuple[Option, ...]] = ()
    default_max_age: ClassVar[float | None] = None
    """The framework's age limit in seconds; None: the text itself tells, or nothing does."""
    age_setting: ClassVar[str] = ""
    """What an application calls its own limit, where `default_max_age` is what it has without one."""
    holds_session: ClassVar[bool] = True
    """Whether the cookie holds the session itself, not its ID."""
    may_hold_id: ClassVar[bool] = False
    """Whether a cookie that may hold the session may also hold nothing but the ID of a stored one."""
    has_key: ClassVar[bool] = True
    """Whether the framework signs or encrypts its cookies; where not, one is made without a key."""
    takes_last_cookie: ClassVar[bool] = False
    """Whether the framework takes the last of several cookies of one name in one header; most take the first.

    So do, as tried with three in one header: Go 1.19 net/http, on which gorilla and scs rest (cookie.go, readCookies),
    rack 2.2 (utils.rb, parse_cookies_header) and Rails 6.1 on it, PHP 8.2 and with it Symfony's Request and Laravel,
    Plug since 1.16.1 (lib/plug/conn/cookies.ex; up to 1.16.0 it took the last).
    """
    chunks: ClassVar[bool] = False
    """Whether the framework cuts a long text over several cookies, so that it may be longer than one."""
    flash_apart: ClassVar[bool] = False
    """Whether flash lies beside `data` (native, remix), not in a place inside it."""
    surest: ClassVar[float] = 1.0
    """The most that `detect` answers: it is not asked where another format that a key fits is surer."""
    example: ClassVar[str] = ""
    """A real cookie text with a throw-away key, for help pages."""

    def __init__(self, **options: str) -> None:
        self._options = {option.name: option.default for option in self.options}
        self._given = set[str]()
        self._kept: dict[tuple[Any, ...], Any] = {}
        self._derived: dict[tuple[Any, ...], Macs] = {}
        for name, value in options.items():
            self._set_option(name.replace("_", "-"), value)

    def _set_option(self, name: str, value: str) -> None:
        known = {option.name: option for option in self.options}
        if name not in known:
            have = f"; it has {', '.join(sorted(known))}" if known else "; it has none"
            raise UsageError(
                f"format {self.name!r} has no option {name!r}{did_you_mean(name, known) or have}"
            )
        choices = known[name].choices
        if choices and value not in choices:
            raise UsageError(f"option {name!r} of format {self.name!r} is one of {', '.join(choices)}")
        self._options[name] = value
        self._given.add(name)

    def option(self, name: str) -> str:
        """The value of an option, or its default."""
        return self._options[name]

    def given(self, name: str) -> bool:
        """Whether an option was set, be it to its default."""
        return name in self._given

    def kept(self, make: Callable[..., T], secret: Secret, *more: Any) -> T:
        """`make(secret, *more)`, remembered: key derivation is done once, however many cookies follow."""
        place = (make.__name__, secret.bytes, secret.text, *more)
        found: T | None = self._kept.get(place)
        if found is None:
            found = self._kept[place] = make(secret, *more)
        return found

    def macs(self, make: Callable[..., Hmac], *more: Any) -> Macs:
        """The HMACs `make(secret, *more)` of a key ring, remembered as `kept` does."""
        place = (make, *more)
        found = self._derived.get(place)
        if found is None:
            found = self._derived[place] = Macs(lambda secret: make(secret, *more))
        return found

    # -- what callers use -------------------------------------------------------------------------

    def detect(self, text: str, *, cookie_name: str | None = None) -> float:
        """How sure it is, from 0 to 1, that the text is of this format; never raises."""
        if len(text) > MAX_TEXT:
            return 0.0
        try:
            return self._detect(text, cookie_name)
        except (SessionctlError, ValueError, RecursionError, OverflowError):
            return 0.0

    def decode(self, text: str, keys: KeyRing | Iterable[str | bytes] = (), **context: Any) -> Decoded:
        """What the text says. Keyword arguments are the fields of `Context`.

        Raises `MalformedCookieError`; for an encrypted text also `NoKeyError` without a key and
        `BadSignatureError` where none fits.
        """
        _bound(text)
        if not text:
            return Decoded(data=None, signed=False, warnings=(CLEARED,))
        return self._decode(text, _context(keys, context))

    def verify(self, text: str, keys: KeyRing | Iterable[str | bytes] = (), **context: Any) -> Verdict:
        """Whether the text is genuine. Keyword arguments are the fields of `Context`.

        A text that cannot be read gives a verdict too, with the reason `malformed`.
        """
        return self.judge(text, _context(keys, context))

    def judge(self, text: str, context: Context) -> Verdict:
        """As `verify`, with the context made once for many cookies."""
        try:
            if len(text) > MAX_TEXT:
                _bound(text)
            if not text:
                return genuine(context, None, value="", warnings=(CLEARED,))
            return self._verify(text, context)
        except MalformedError as error:
            return refused("malformed", str(error), context)
        except NoKeyError as error:
            return self._unread(text, context) or refused("no-key", str(error), context)
        except BadSignatureError as error:
            return refused(error.code, str(error), context)

    def _unread(self, text: str, context: Context) -> Verdict | None:
        """The verdict on a text that no key is needed for to see that it is broken."""
        try:
            self._decode(text, context)
        except MalformedError as error:
            return refused("malformed", str(error), context)
        except SessionctlError:
            pass  # encrypted, or an extra is missing that reading takes
        return None

    def encode(
        self,
        data: Any,
        keys: KeyRing | Iterable[str | bytes] = (),
        *,
        id: str | None = None,  # noqa: A002 - the field's own word
        flash: Mapping[str, Any] | None = None,
        **context: Any,
    ) -> str:
        """The cookie text of a session that the framework will read.

        `data` is what `decode` gives as `data`. Raises `NoKeyError`, `SecretError` for a key of the wrong
        kind, `UnserializableValueError`, and `NotSupportedError` where the format cannot be written.
        """
        content = Content(data, id, flash or {})
        if not self.flash_apart:
            for key, value in content.flash.items():
                data = self.with_flash(data, key, value)
            content = Content(data, id)
        return self._encode(content, _context(keys, context))

    def with_flash(self, data: Any, key: str, value: Any) -> Any:  # noqa: ARG002 - part of the interface
        """`data` with a message flashed in the framework's own layout; `data` itself stays as it is."""
        raise NotSupportedError(f"format {self.name!r} has no flash messages of its own")

    def like(self, text: str, context: Context) -> Self:
        """The format set to write as a text was written that it reads, for a session that is changed.

        Kind, algorithm and serializer are as in the text, unless options say otherwise.
        Raises `NotSupportedError` where such a text cannot be written.
        """
        ways = {name: way for name, way in self._ways(text, context).items() if not self.given(name)}
        form = self.altered(ways)
        form.inherit(text, context)
        return form

    def altered(self, options: Mapping[str, str]) -> Self:
        """The format with other values of these options, and all else that was given."""
        kept = {name: self.option(name) for name in self._given}
        return type(self)(**{name.replace("-", "_"): value for name, value in {**kept, **options}.items()})

    def trials(self, text: str) -> Iterator[Mapping[str, str]]:  # noqa: ARG002 - part of the interface
        """The options by which a text may have been signed that no key fits, other than they are set."""
        for option in self.options:
            usual = {option.default, *option.usual} if option.usual else ()
            for value in (*option.choices, *sorted(usual)) if option.explains else ():
                if value != self.option(option.name):
                    yield {option.name: value}

    def inherit(self, text: str, context: Context) -> None:  # noqa: B027 - most have nothing to keep
        """Keep for the next text what else this one says beside the session: a header, the time of creation."""

    def without_key(self, text: str) -> Decoded:  # noqa: ARG002 - most show nothing
        """What an encrypted text says to anybody: the times that stand beside the ciphertext.

        Nobody has proved them. Raises `MalformedCookieError`.
        """
        return Decoded(data=None, encrypted=True, payload_type="encrypted")

    def life_like(self, decoded: Decoded, context: Context) -> float | None:  # noqa: ARG002 - part of the interface
        """The `max_age` for a changed text that is to end as the one before, where the text says when it ends."""
        return context.max_age

    def new_id(self) -> str:
        """A new session ID, as a cookie of the format can hold it."""
        from sessionctl.session import create_session_id

        return create_session_id()

    def wants_id(self, data: Any, cookie_name: str) -> bool:  # noqa: ARG002 - part of the interface
        """Whether the framework takes a new session with these data for none unless its ID is in it."""
        return False

    def remarks(self, data: Any, flash: Mapping[str, Any]) -> tuple[Warn, ...]:  # noqa: ARG002 - part of the interface
        """What to say to whoever has `encode` make a text of this, where the framework may look elsewhere for it."""
        return ()

    def companions(self, text: str, context: Context) -> dict[str, str]:  # noqa: ARG002 - part of the interface
        """The cookies, by name, that go along with a text that `encode` made: cookie-session's `NAME.sig`."""
        return {}

    def for_people(self, decoded: Decoded) -> Any:
        """The data as a report shows them: Flask's tags resolved, and the like."""
        return decoded.data

    # -- what a format is made of -----------------------------------------------------------------

    @abstractmethod
    def _detect(self, text: str, cookie_name: str | None) -> float: ...

    @abstractmethod
    def _decode(self, text: str, context: Context) -> Decoded: ...

    @abstractmethod
    def _verify(self, text: str, context: Context) -> Verdict: ...

    def _ways(self, text: str, context: Context) -> dict[str, str]:  # noqa: ARG002 - part of the interface
        """The options with which a text was written, as far as it tells."""
        return {}

    def _encode(self, content: Content, context: Context) -> str:  # noqa: ARG002 - part of the interface
        raise NotSupportedError(f"format {self.name!r} cannot be written, only read")


def _context(keys: KeyRing | Iterable[str | bytes], given: Mapping[str, Any]) -> Context:
    ring = keys if isinstance(keys, KeyRing) else KeyRing(keys)
    known = {name: value for name, value in given.items() if value is not None or name == "max_age"}
    known.setdefault("now", time.time())
    return Context(keys=ring, **known)


def _bound(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise MalformedError(f"{len(text)} characters, over the limit of {MAX_TEXT}")
