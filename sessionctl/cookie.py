"""`Cookie`: the Cookie header in, the Set-Cookie header out.

The rules are those of RFC 6265bis (draft-ietf-httpbis-rfc6265bis-22): what a browser would refuse or cut
short without a word is an error here.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from sessionctl import records
from sessionctl.duration import parse_age
from sessionctl.errors import (
    CookieAttributeError,
    CookieTooLargeError,
    MalformedCookieError,
    MalformedError,
    UnknownFormatError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.signing.keys import KeyRing, Secret
from sessionctl.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sessionctl.signing.base import Signer, Unsigned

MAX_SIZE: Final = 4096
"""Bytes of name and value together (RFC 6265bis, 5.6)."""

MAX_ATTRIBUTE: Final = 1024
"""Bytes of one attribute's value (RFC 6265bis, 5.6)."""

MAX_AGE: Final = 400 * 86400
"""Seconds that a browser keeps a cookie at the most (RFC 6265bis, 5.5)."""

MAX_SKEW: Final = 60
"""Seconds that the clocks of two servers may differ, where a cookie has a `max_age`."""

SameSite = Literal["Strict", "Lax", "None"]

_DEFAULTS: Final[dict[str, Any]] = {"path": "/", "http_only": True, "secure": True, "same_site": "Lax"}
_WRITTEN: Final = {"httponly": "HttpOnly", "samesite": "SameSite"}
_BAD_NAME = "a cookie's name is letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, 5.6.2)"
_NO_NAME = "a cookie's name has no spaces, control characters, =, ; or ,"
_NO_TEXT = "no cookie's text has ';' or control characters (RFC 6265bis, 5.6)"
_NEVER_IN_A_TEXT = re.compile(r"[;\x00-\x1f\x7f]")
_NEVER_IN_A_NAME = frozenset(" =;,")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ATTRIBUTES = frozenset(
    {"path", "domain", "max_age", "expires", "http_only", "secure", "same_site", "partitioned"}
)


class Cookie:
    """A signed cookie of one name: `parse` and `verify` read it, `serialize` writes it.

    `secrets` are newest first: the first signs, all verify. `format` is `native` or `remix`; without
    secrets, `remix` is unsigned and `native` raises `SecretError`. Attributes: `path` (`/`), `domain`,
    `max_age` in seconds, as text, `30d`, or a `timedelta` (400 days at most; a `native` cookie older than that
    is expired), `expires` (an aware datetime), `http_only` (True), `secure` (True), `same_site` (`Lax`),
    `partitioned`.

    Raises `CookieAttributeError` for what a browser would refuse, `SecretError` for a bare string as
    `secrets`.
    """

    def __init__(
        self,
        name: str,
        secrets: Iterable[str | bytes | Secret] = (),
        format: str = "native",  # noqa: A002 - the field's own word
        *,
        clock: Callable[[], float] = time.time,
        **attributes: Any,
    ) -> None:
        if not _TOKEN.fullmatch(name):
            raise CookieAttributeError(_BAD_NAME)
        self.name = name
        self.keys = secrets if isinstance(secrets, KeyRing) else KeyRing(secrets)
        self.format = format
        self._signer = _signer(format, self.keys)
        self._clock = clock
        self._attributes: dict[str, Any] = _DEFAULTS | _known(attributes)
        self._suffix = _suffix(name, self._attributes)
        self._max_age: float | None = self._attributes.get("max_age")

    def __repr__(self) -> str:
        return f"<Cookie {self.name} {self.format}>"

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes that `serialize` sends."""
        return dict(self._attributes)

    def parse(self, header: str | bytes | None) -> str | None:
        """The value in a Cookie header, bytes as ASGI has it; None where the cookie is missing, not genuine or expired.

        An empty cookie is `""`.
        """
        text = find(header, self.name)
        if not text:
            return text
        try:
            found = self._signer.unsign(text)
        except MalformedCookieError:
            return None
        return found.value if self._max_age is None or not self._expired(found) else None

    def verify(self, header: str | bytes | None) -> Verdict:
        """As `parse`, with the reason, the key, and whether the cookie should be signed anew."""
        text = find(header, self.name)
        keys = len(self.keys)
        if text is None:
            return Verdict(
                valid=False, reason="malformed", detail=f"no cookie {self.name!r} in the header", keys=keys
            )
        if not text:
            return Verdict(valid=True, value="", keys=keys)
        try:
            found = self._signer.unsign(text)
        except MalformedCookieError as error:
            return Verdict(valid=False, reason="malformed", detail=str(error), keys=keys)
        return self._verdict(found)

    def _verdict(self, found: Unsigned) -> Verdict:
        keys = len(self.keys)
        if found.value is None:
            return Verdict(valid=False, reason="bad-signature", detail="no key fits the signature", keys=keys)
        expired = self._expired(found)
        return Verdict(
            valid=not expired,
            reason="expired" if expired else None,
            detail="genuine, but older than max_age" if expired else "",
            key_index=found.key_index,
            keys=keys,
            needs_resign=bool(found.key_index),
            issued_at=found.issued_at,
            expired=expired,
            algorithm="HMAC-SHA256" if self.keys else None,
            value=None if expired else found.value,
        )

    def _expired(self, found: Unsigned) -> bool:
        if self._max_age is None or found.issued_at is None:
            return False
        age = self._clock() - found.issued_at
        return age > self._max_age or age < -MAX_SKEW

    def serialize(self, value: str | None, **attributes: Any) -> str:
        """The Set-Cookie text of a value; `""` clears the cookie.

        Attributes given here hold for this text alone. Raises `CookieTooLargeError`, which names the largest
        keys of a session, `CookieAttributeError`, `UnserializableValueError` for half of a surrogate pair, and
        `UsageError` for None, with which a storage says that nothing is to be sent.
        """
        suffix = self._suffix
        if attributes:
            suffix = _suffix(self.name, self._attributes | _known(attributes))
        if not value:
            if value is None:
                raise UsageError("None says that no cookie is to be sent; only a text can be")
            return _cleared(self.name, self._attributes | _known(attributes))
        try:
            text = self._signer.sign(value)
        except UnicodeEncodeError as error:
            raise UnserializableValueError(
                "", f"half of a surrogate pair at character {error.start}"
            ) from None
        if len(self.name) + len(text) > MAX_SIZE:
            raise CookieTooLargeError(len(self.name) + len(text), MAX_SIZE, _largest(value))
        return f"{self.name}={text}{suffix}"


def set_cookie(name: str, text: str, **attributes: Any) -> str:
    """The Set-Cookie text of a cookie text that is signed and encoded already; `""` clears the cookie.

    Raises `CookieAttributeError` and `CookieTooLargeError`.
    """
    if not _TOKEN.fullmatch(name):
        raise CookieAttributeError(_BAD_NAME)
    if not can_be_sent(text):
        raise CookieAttributeError(f"{_NO_TEXT}: it would end the cookie, or the header")
    given = _DEFAULTS | _known(attributes)
    if not text:
        return _cleared(name, given)
    if len(name) + len(text.encode()) > MAX_SIZE:
        raise CookieTooLargeError(len(name) + len(text.encode()), MAX_SIZE)
    return f"{name}={text}{_suffix(name, given)}"


def set_cookie_like(name: str, text: str, attributes: Mapping[str, str] | None) -> str:
    """As `set_cookie`, with the attributes that a header had, wise or not; their names are in lower case.

    None where there was no header. An empty text clears the cookie: the header's age and expiry do not count then.
    """
    if attributes is None:
        return set_cookie(name, text)
    ages = () if text else ("max-age", "expires")
    kept = {
        key: value
        for key, value in attributes.items()
        if key not in ages and _TOKEN.fullmatch(key) and can_be_sent(value)
    }
    if not text:
        kept |= {"max-age": "0", "expires": _http_date(_EPOCH) or ""}
    parts = [f"{_WRITTEN.get(key) or key.title()}{value and f'={value}'}" for key, value in kept.items()]
    return "; ".join([f"{name}={text}", *parts])


def check_name(name: str) -> None:
    """Raise `CookieAttributeError` for what is no cookie name (RFC 9110, 5.6.2)."""
    if not _TOKEN.fullmatch(name):
        raise CookieAttributeError(_BAD_NAME)


def can_be_sent(text: str) -> bool:
    """Whether a text can stand in a Cookie header: some formats sign what an application gives them as it is."""
    return not _NEVER_IN_A_TEXT.search(text)


def check_sent_name(name: str) -> None:
    """Raise `CookieAttributeError` for what no browser sends as a name (RFC 6265bis, 5.6).

    Browsers let more pass than a server should set: koa-session's default was `koa:sess` before version 6.
    """
    if not name or any(char in _NEVER_IN_A_NAME or not char.isprintable() for char in name):
        raise CookieAttributeError(_NO_NAME)


def find(header: str | bytes | None, name: str) -> str | None:
    """The raw value of the first cookie of that name in a Cookie header, without quotes around it."""
    if not header:
        return None
    if isinstance(header, bytes):
        header = header.decode("latin-1")  # as WSGI servers do (PEP 3333)
    start = header.find(name)
    if start < 0:
        return None
    equals = start + len(name)
    if header[equals : equals + 1] == "=" and (start == 0 or header[start - 2 : start] == "; "):
        end = header.find(";", equals)  # the name stands there first: a quick answer
        return _unquoted(header[equals + 1 : end if end >= 0 else None])
    for part in header.split(";"):
        found, sign, value = part.partition("=")
        if sign and found.strip(" \t") == name:
            return _unquoted(value)
    return None


def _unquoted(value: str) -> str:
    value = value.strip(" \t")
    return value[1:-1] if value[:1] == '"' and value[-1] == '"' and len(value) > 1 else value


def _signer(name: str, keys: KeyRing) -> Signer:
    if name == "native":
        from sessionctl.signing.native import NativeSigner

        return NativeSigner(keys)
    if name == "remix":
        from sessionctl.signing.remix import RemixSigner

        return RemixSigner(keys)
    raise UnknownFormatError(f"Cookie writes the formats native and remix, not {name!r}")


def _largest(value: str) -> tuple[tuple[str, int], ...]:
    try:
        record = records.parse_value(value)
    except MalformedError:
        return ()
    return records.largest(record.values, record.flash)


# -- attributes ---------------------------------------------------------------------------------------


def _known(attributes: dict[str, Any]) -> dict[str, Any]:
    unknown = attributes.keys() - _ATTRIBUTES
    if unknown:
        raise CookieAttributeError(
            f"no cookie attribute {min(unknown)!r}; there are {', '.join(sorted(_ATTRIBUTES))}"
        )
    max_age = attributes.get("max_age")
    return (
        attributes | {"max_age": _seconds(max_age)} if isinstance(max_age, (str, timedelta)) else attributes
    )


def _suffix(name: str, attributes: dict[str, Any]) -> str:
    """The attributes as text, in the order in which Remix writes them."""
    _check(name, attributes)
    parts = [
        _pair("Domain", attributes.get("domain")),
        _pair("Expires", _http_date(attributes.get("expires"))),
        "; HttpOnly" if attributes.get("http_only") else "",
        _pair("Max-Age", _whole(attributes.get("max_age"))),
        "; Partitioned" if attributes.get("partitioned") else "",
        _pair("Path", attributes.get("path")),
        _pair("SameSite", _same_site(attributes.get("same_site"))),
        "; Secure" if attributes.get("secure") else "",
    ]
    return "".join(parts)


def _check(name: str, attributes: dict[str, Any]) -> None:
    _check_prefix(name.lower(), attributes)
    secure = attributes.get("secure")
    if attributes.get("partitioned") and not secure:
        raise CookieAttributeError("Partitioned needs Secure (CHIPS)")
    if _same_site(attributes.get("same_site")) == "None" and not secure:
        raise CookieAttributeError("SameSite=None needs Secure (RFC 6265bis, 5.7)")
    for key in ("domain", "path"):
        _check_value(key, attributes.get(key))


def _check_prefix(name: str, attributes: dict[str, Any]) -> None:
    """The rules that a browser takes from the name, whatever its case (RFC 6265bis, 4.1.3)."""
    secure = attributes.get("secure")
    bound = secure and attributes.get("path") == "/" and not attributes.get("domain")
    if name.startswith("__host-") and not bound:
        raise CookieAttributeError(
            "a __Host- cookie needs Secure, Path=/ and no Domain (RFC 6265bis, 4.1.3.2)"
        )
    if name.startswith("__secure-") and not secure:
        raise CookieAttributeError("a __Secure- cookie needs Secure (RFC 6265bis, 4.1.3.1)")
    if name.startswith(("__http-", "__host-http-")) and not (secure and attributes.get("http_only")):
        raise CookieAttributeError(
            "a __Http- cookie needs Secure and HttpOnly (draft-ietf-httpbis-layered-cookies)"
        )


def _check_value(key: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or ";" in value:
        raise CookieAttributeError(f"{key} is printable ASCII without ';'")
    if key == "domain" and not re.fullmatch(
        r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]", value
    ):
        raise CookieAttributeError("domain is a host name (RFC 6265bis, 4.1.2.3)")
    if len(value) > MAX_ATTRIBUTE:
        raise CookieAttributeError(f"{key} is {MAX_ATTRIBUTE} bytes at the most (RFC 6265bis, 5.6)")
    if key == "path" and not value.startswith("/"):
        raise CookieAttributeError("path begins with '/'")


def _same_site(value: Any) -> str | None:
    if value is None:
        return None
    for known in ("Strict", "Lax", "None"):
        if str(value).lower() == known.lower():
            return known
    raise CookieAttributeError("same_site is Strict, Lax or None (as text; None itself leaves it out)")


def _seconds(max_age: str | timedelta) -> float:
    try:
        return max_age.total_seconds() if isinstance(max_age, timedelta) else parse_age(max_age)
    except UsageError as error:
        raise CookieAttributeError(f"max_age: {error}") from None


def _whole(seconds: Any) -> str | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds != seconds:  # noqa: PLR0124 - NaN
        raise CookieAttributeError(
            "max_age is a number of seconds, a duration as text, '30d', or a timedelta"
        )
    if seconds > MAX_AGE:
        raise CookieAttributeError(f"max_age is {MAX_AGE} seconds (400 days) at the most (RFC 6265bis, 5.5)")
    return str(int(max(seconds, 0)))


def _http_date(moment: Any) -> str | None:
    """As RFC 9110, 5.6.7."""
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise CookieAttributeError("expires is a datetime with a time zone: datetime.now(UTC) + ...")
    utc = moment.astimezone(UTC)  # strftime's own names would be those of the locale
    return f"{_WEEKDAYS[utc.weekday()]}, {utc:%d} {_MONTHS[utc.month - 1]} {utc:%Y %H:%M:%S} GMT"


def _pair(name: str, value: str | None) -> str:
    return "" if value is None else f"; {name}={value}"


def _cleared(name: str, attributes: dict[str, Any]) -> str:
    return f"{name}={_suffix(name, {**attributes, 'max_age': 0, 'expires': _EPOCH})}"
