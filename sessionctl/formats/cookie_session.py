"""cookie-session (Express) and koa-session: JSON in one cookie, its signature in another.

    NAME      base64(JSON), standard with padding; of koa-session with a store the store's key as it is
    NAME.sig  HMAC-SHA1(UTF-8 of the key, NAME "=" value), URL-safe base64 without padding (27 characters)

The cookie's name is signed too, so it has to be known; without one it is `session`. koa-session adds
`_expire` and `_maxAge` (milliseconds), or `_session: true` where its cookie has no age; cookie-session has no
time in it. A `Keygrip` of the application's own may set another digest, or hexadecimal signatures.
Sources: cookie-session 2.1.1, index.js; koa-session 7.0.2, src/context.ts and src/util.ts; cookies 0.9.2,
which takes quotes off the value; keygrip 1.1.0; connect-flash 0.1.1 (member `flash`: type to list).
"""

from __future__ import annotations

from binascii import hexlify
from typing import TYPE_CHECKING, Any, TypeGuard

from sessionctl import jsontext
from sessionctl.encoding import b64decode, b64decode_lenient, b64encode, b64encode_urlsafe_tag, utf8
from sessionctl.errors import MalformedError
from sessionctl.formats import cookie_signature
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import expire, genuine
from sessionctl.signing.mac import ALGORITHMS
from sessionctl.signing.macs import Macs

if TYPE_CHECKING:
    from collections.abc import Callable

_KOA = ("koa.sess", "koa:sess")
_FLASH = "flash"
_LONGEST_KEY = 128
_DIGESTS = ("sha1", "sha224", "sha256", "sha384", "sha512")
_KEPT_APART = frozenset({"_expire", "_maxAge", "_session"})

_NO_SESSION = Warn(
    "not-a-session",
    "the value is no base64 JSON: cookie-session starts an empty session, koa-session may have a store",
)


class CookieSession(Format):
    """The session cookie of cookie-session and koa-session."""

    name = "cookie-session"
    summary = "cookie-session for Express, koa-session: signature in NAME.sig"
    cookie_names = ("session", *_KOA)
    options = (
        Option("digest", "sha1", "the hash of Keygrip's HMAC", _DIGESTS),
        Option("encoding", "base64", "how Keygrip writes the signature", ("base64", "hex")),
    )
    example = (
        "eyJ1c2VyIjoiYWxpY2UiLCJ2aXNpdHMiOjMsIl9leHBpcmUiOjE3OTU1MTIyMTIzNzgsIl9tYXhBZ2UiOjg2NDAwMDAwfQ=="
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._algorithm = ALGORITHMS[self.option("digest")]
        self._macs = Macs(lambda secret: cookie_signature.mac_of(secret, self.option("digest")), _DIGESTS)
        self._write: Callable[[bytes], bytes] = (
            hexlify if self.option("encoding") == "hex" else b64encode_urlsafe_tag
        )

    def _detect(self, text: str, cookie_name: str | None) -> float:
        value = _bare(text)
        if len(value) % 4 or not value.startswith(("ey", "e30=")):
            return 0.0
        data = jsontext.loads_bytes(b64decode(value))
        if not isinstance(data, dict):
            return 0.0
        if data.keys() == {"i", "d"} or {"iv", "value", "mac"} <= data.keys():  # Remix 3, Laravel
            return 0.1
        if "_maxAge" in data and "_expire" in data:
            return 0.98 if cookie_name in _KOA else 0.95
        return 0.6 if cookie_name in self.cookie_names else 0.5

    def _decode(self, text: str, context: Context) -> Decoded:
        value = _bare(text)
        data, warnings = _session(value)
        issued_at, expires_at = _times(data)
        signed = self._signature(context) is not None
        return Decoded(
            data=data,
            id=data if isinstance(data, str) else None,
            flash=_flash_view(data),
            issued_at=issued_at,
            expires_at=expires_at,
            signed=signed,
            payload_type="text" if isinstance(data, str) else "json",
            algorithm=self._algorithm if signed else None,
            warnings=warnings,
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        value = _bare(text)
        data, warnings = _session(value)
        issued_at, expires_at = _times(data)
        expired = expires_at is not None and expires_at < context.now
        given = self._signature(context)
        if given is None:
            missing = f"there is no cookie {self._name(context)}.sig, which holds the signature: give both"
            return cookie_signature.unsigned(
                context, missing, issued_at=issued_at, expires_at=expires_at, expired=expired
            )
        message, tag = utf8(f"{self._name(context)}={value}"), utf8(given)
        index = self._macs.find(context.keys, message, tag, self._write)
        verdict = genuine(
            context,
            index,
            algorithm=self._algorithm,
            issued_at=issued_at,
            expires_at=expires_at,
            value=value,
            warnings=warnings,
        )
        return expire(verdict, expires_at, context) if expired else verdict

    def _encode(self, content: Content, context: Context) -> str:
        context.keys.newest  # noqa: B018 - without a key there is no companion, and it would be unsigned
        data = content.id if content.data is None and content.id else content.data
        return data if isinstance(data, str) else b64encode(jsontext.dumps_bytes(data))

    def companions(self, text: str, context: Context) -> dict[str, str]:
        """The cookies that go along with one that `encode` made: `NAME.sig`. Raises `NoKeyError`."""
        name = self._name(context)
        message = utf8(f"{name}={_bare(text)}")
        tag = self._macs.of(context.keys)[0].digest(message)
        return {f"{name}.sig": self._write(tag).decode("ascii")}

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """The data with a message where connect-flash keeps it: in the list `flash[KEY]`."""
        held = data.get(_FLASH, {}) if isinstance(data, dict) else None
        if not isinstance(held, dict) or not isinstance(held.get(key, []), list):
            return super().with_flash(data, key, value)
        new = value if isinstance(value, list) else [value]
        return {**data, _FLASH: {**held, key: [*held.get(key, []), *new]}}

    def for_people(self, decoded: Decoded) -> Any:
        """The data without what koa-session keeps beside them; the times stand in the report."""
        if not isinstance(decoded.data, dict):
            return decoded.data
        return {key: value for key, value in decoded.data.items() if key not in _KEPT_APART}

    def _name(self, context: Context) -> str:
        return context.cookie_name or self.cookie_names[0]

    def _signature(self, context: Context) -> str | None:
        companion = context.cookies.get(f"{self._name(context)}.sig")
        return _bare(companion) if companion else None


def _bare(text: str) -> str:
    """The value without double quotes, as `cookies` takes them off."""
    return text[1:-1] if text[:1] == '"' else text


def _session(value: str) -> tuple[Any, tuple[Warn, ...]]:
    """The session, or the text itself where it is none: the key of a store, or what nobody can read."""
    try:
        return jsontext.loads_bytes(b64decode_lenient(value)), ()
    except MalformedError:
        return value, () if _looks_like_key(value) else (_NO_SESSION,)


def _looks_like_key(value: str) -> bool:
    return (
        len(value) <= _LONGEST_KEY and value.isascii() and value.replace("-", "").replace("_", "").isalnum()
    )


def _times(data: Any) -> tuple[float | None, float | None]:
    """When koa-session made it and when it ends, in Unix seconds."""
    if not isinstance(data, dict):
        return None, None
    ends, age = data.get("_expire"), data.get("_maxAge")
    if not _is_time(ends):
        return None, None
    return (ends - age) / 1000 if _is_time(age) else None, ends / 1000


def _is_time(value: Any) -> TypeGuard[float]:
    """A number of milliseconds that a JavaScript date can hold (ECMA-262, 21.4.1.1)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 8.64e15  # noqa: PLR2004


def _flash_view(data: Any) -> Any:
    return data.get(_FLASH) if isinstance(data, dict) and isinstance(data.get(_FLASH), dict) else None
