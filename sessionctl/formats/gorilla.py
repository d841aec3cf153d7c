"""Go's gorilla/securecookie, and gorilla/sessions over it.

    URL-safe base64 with padding of   date "|" value "|" mac

    date   Unix seconds in decimal
    value  URL-safe base64 with padding of the payload; with a block key of 16 bytes of iv and the payload
           under AES-CTR
    mac    raw bytes, 32 with SHA-256: HMAC(hash key, cookie name "|" date "|" value)

The payload is gob (of gorilla/sessions a `map[interface{}]interface{}`, of its FilesystemStore and other
stores the ID of 52 characters), JSON with a line end, or bytes as they are (NopEncoder, shown as standard
base64). Flashes are lists, under `_flash` unless the application names another key. A text of more than 4096
characters is refused; the time may lie in the future; the age counts whole seconds; max_age 0 sets no limit.
Sources: gorilla/securecookie 1.1.1 securecookie.go; gorilla/sessions 1.2.1 sessions.go, store.go.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.encoding import b64decode, b64decode_urlsafe, b64encode, to_urlsafe
from sessionctl.errors import (
    BadSignatureError,
    CookieTooLargeError,
    MalformedCookieError,
    MalformedError,
    NoKeyError,
    NotSupportedError,
    UnserializableValueError,
    UsageError,
)
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict
from sessionctl.formats.judging import expire, genuine
from sessionctl.payload import gob, gob_writer
from sessionctl.signing.aes import counter_mode
from sessionctl.signing.keys import parse_option_secret
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES, Hmac
from sessionctl.signing.macs import Macs
from sessionctl.verdict import new_tuple
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.signing.keys import KeyRing

FLASH = "_flash"

_LONGEST = 4096
_IV = 16
_BEGINNINGS = ("MT", "Mj")  # dates that begin with 1 or 2: from 2001 to 2065
_DIGESTS = ("sha256", "sha512", "sha384", "sha1", "md5")
_MAC_SIZES = {DIGEST_SIZES[digest] for digest in _DIGESTS}
_BLOCK_KEYS = (16, 24, 32)
_EARLIEST, _LATEST = 946_684_800, 4_102_444_800  # the years 2000 and 2100
_ID = 52
_ID_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


class _Parts(NamedTuple):
    """What the outer base64 holds; `signed` is the date and the value, with the bar between them."""

    date: bytes
    value: bytes
    mac: bytes
    signed: bytes

    def payload(self) -> bytes:
        """What the value says. Raises `MalformedCookieError`."""
        return _b64(self.value.decode("latin-1"), "the value")


class Gorilla(Format):
    """The cookies of gorilla/securecookie."""

    name = "gorilla"
    may_hold_id = True
    summary = "Go: gorilla/securecookie, and gorilla/sessions in cookies and stores"
    cookie_names = ("session", "session-name")
    options = (
        Option(
            "block-key", "", "the second key, which encrypts: base64:..., hex:... or text of 16, 24, 32 bytes"
        ),
        Option("digest", "sha256", "HashFunc", _DIGESTS),
        Option("serializer", "gob", "left out, the payload tells", ("gob", "json", "nop")),
    )
    default_max_age = 2_592_000.0  # MaxAge of New(): 30 days
    age_setting = "MaxAge"
    example = (
        "MTc5NTQyNTI3M3xEdi1EQkFFQ180UUFBUkFCRUFBQVBQLUVBQUlHYzNSeWFXNW5EQVlBQkhWelpYSUdjM1J5YVc1bkRBY0FC"
        "V0ZzYVdObEJuTjBjbWx1Wnd3SUFBWjJhWE5wZEhNRGFXNTBCQUlBQmc9PXyog5T7qsETqSmlNuAY6tYDzjNjY1KmyuQkvjtW"
        "jHt0_g=="
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        block_key = self.option("block-key")
        self._block_key = parse_option_secret(block_key) if block_key else None
        if self._block_key is not None and len(self._block_key) not in _BLOCK_KEYS:
            raise UsageError(
                f"the block key has {counted(len(self._block_key), 'byte')} in place of 16, 24 or 32"
            )
        self._digest = self.option("digest")
        self._algorithm = ALGORITHMS[self._digest]
        self._macs = Macs(lambda secret: Hmac(secret.bytes, self._digest), _DIGESTS)
        self._serializer = self.option("serializer")
        self._text_keys = False

    # -- the four questions ---------------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - the layout is distinctive
        text = _bare(text)
        if len(text) % 4 or text[:2] not in _BEGINNINGS or len(text) > _LONGEST:
            return 0.0
        parts = _split(text)
        if not _EARLIEST < _seconds(parts.date) < _LATEST or len(parts.mac) not in _MAC_SIZES:
            return 0.0
        parts.payload()
        return 0.97

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - the payload needs no key
        parts = _split(_bare(text))
        payload = self._decrypted(parts.payload())
        data, kind = self._deserialized(payload)
        return Decoded(
            data=data,
            id=data if _is_id(data) else None,
            flash=data.get(FLASH) if isinstance(data, dict) else None,
            issued_at=float(_seconds(parts.date)),
            encrypted=self._block_key is not None,
            payload_type=kind,
            algorithm=self._algorithm,
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        text = _bare(text)
        if len(text) > _LONGEST:
            raise MalformedCookieError(f"{len(text)} characters: securecookie reads {_LONGEST} (MaxLength)")
        parts = _split(text)
        name = context.cookie_name
        index = self._key_of(parts, context) if name is None else self._fit(parts, name, context)
        issued_at = float(_seconds(parts.date))
        limit = context.age_limit(self.default_max_age) or None
        expires_at = None if limit is None else issued_at + limit
        late = expires_at is not None and expires_at < context.now // 1
        value = None if late else self._checked(parts.payload())
        verdict = genuine(
            context,
            index,
            algorithm=self._algorithm,
            value=value,
            issued_at=issued_at,
            expires_at=expires_at,
        )
        return expire(verdict, expires_at, context) if late else verdict

    def _encode(self, content: Content, context: Context) -> str:
        name = context.cookie_name or self.cookie_names[0]
        payload = self._serialized(content.id if content.data is None else content.data)
        if self._block_key is not None:
            iv = os.urandom(_IV)
            payload = iv + counter_mode(self._block_key, iv, payload)
        signed = b"%d|%s" % (int(context.now), _encode_b64(payload).encode())
        tag = self._macs.of(context.keys)[0].digest(_utf8(name) + b"|" + signed)
        text = _encode_b64(signed + b"|" + tag)
        if len(text) > _LONGEST:
            raise CookieTooLargeError(len(text), _LONGEST)
        return text

    def _ways(self, text: str, context: Context) -> dict[str, str]:  # noqa: ARG002 - the payload needs no key
        kind = self._recognised(self._decrypted(_split(_bare(text)).payload()))[0]
        return {"serializer": kind} if kind else {}

    def inherit(self, text: str, context: Context) -> None:  # noqa: ARG002 - the payload needs no key
        """Keep the type of the map. Raises `NotSupportedError` where another type inside would change."""
        if self._serializer == "gob":
            self._text_keys = gob.check_plain(self._decrypted(_split(_bare(text)).payload()))

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """`data` after `session.AddFlash(value, key)`; the key of gorilla's own is `_flash`."""
        if not isinstance(data, dict):
            raise NotSupportedError("this gorilla cookie holds no session, so nothing can be flashed in it")
        found = data.get(key)
        return {**data, key: [*(found if isinstance(found, list) else ()), value]}

    def decode_record(
        self, data: bytes, keys: KeyRing | Iterable[str | bytes] = (), **context: Any
    ) -> Decoded:
        """What a file of FilesystemStore says: the text of a cookie. Raises `MalformedError`."""
        try:
            text = data.strip(b"\r\n").decode("ascii")
        except UnicodeDecodeError:
            raise MalformedError("a record of gorilla/sessions is ASCII alone") from None
        return self.decode(text, keys, **context)

    # -- reading --------------------------------------------------------------------------------------

    def _fit(self, parts: _Parts, name: str, context: Context) -> int:
        message = b"%s|%s" % (_utf8(name), parts.signed)
        try:
            return self._macs.find(context.keys, message, parts.mac)
        except BadSignatureError as error:
            raise BadSignatureError(f"{error}; it covers the cookie's name too, here {name[:80]!r}") from None

    def _key_of(self, parts: _Parts, context: Context) -> int:
        """The key, where no name was given: the usual names are tried."""
        for name in self.cookie_names:
            try:
                return self._fit(parts, name, context)
            except BadSignatureError:
                continue
        raise BadSignatureError(
            "the signature fits no key; it covers the cookie's name, which was not given (name=value)"
        )

    def _decrypted(self, value: bytes) -> bytes:
        if self._block_key is None:
            return value
        if len(value) <= _IV:
            raise MalformedCookieError("the value could not be decrypted: it has no more than an iv")
        return counter_mode(self._block_key, value[:_IV], value[_IV:])

    def _recognised(self, payload: bytes) -> tuple[str, str | None]:
        """How a payload was serialized, and its text if in JSON; `("", None)` for none of what may be."""
        wanted = (self._serializer,) if self.given("serializer") else ("gob", "json")
        if "nop" in wanted or ("gob" in wanted and gob.looks_whole(payload)):
            return wanted[0], None
        text = _json_text(payload) if "json" in wanted else None
        return ("", None) if text is None else ("json", text)

    def _checked(self, value: bytes) -> str | None:
        """The JSON text of a genuine cookie; raise `MalformedError` for a payload that Go could not read."""
        kind, text = self._recognised(self._decrypted(value))
        if not kind:
            raise MalformedCookieError(f"signed by the key, but {self._problem()}")
        return text

    def _deserialized(self, payload: bytes) -> tuple[Any, str]:
        """The data and how they were written. Raises `MalformedError`, `NoKeyError`, `BadSignatureError`."""
        kind, text = self._recognised(payload)
        if text is not None:
            return jsontext.loads(text), "json"
        if kind == "nop":
            return b64encode(payload), "bytes"
        if kind:
            return gob.loads(payload), "gob"
        raise (NoKeyError if self._block_key is None else BadSignatureError)(self._problem())

    def _problem(self) -> str:
        expected = self._serializer if self.given("serializer") else "gob or JSON"
        if self._block_key is None:
            return f"the payload is no {expected}: it may be encrypted (-O block-key=...)"
        return f"the payload is no {expected}: the block key does not fit"

    # -- writing --------------------------------------------------------------------------------------

    def _serialized(self, data: Any) -> bytes:
        if self._serializer == "nop":
            if not isinstance(data, str):
                raise UnserializableValueError("", "the serializer nop takes bytes, as base64 text")
            try:
                return b64decode(data, "the data")
            except MalformedError as error:
                raise UnserializableValueError("", str(error)) from None
        if self._serializer == "json":
            return _go_json(data)
        return gob_writer.dumps(data, text_keys=self._text_keys)


def _bare(text: str) -> str:
    """The value without double quotes around it, as net/http gives it (Go 1.19 net/http/cookie.go)."""
    return text[1:-1] if text[:1] == '"' == text[-1:] and len(text) > 1 else text


def _split(text: str) -> _Parts:
    """The parts, in at most three: the mac may hold bars. Raises `MalformedCookieError`."""
    if not text.isascii():
        raise MalformedCookieError("a securecookie is ASCII alone")
    data = _b64(text, "the text")
    date, bar, rest = data.partition(b"|")
    value, more, mac = rest.partition(b"|")
    if not bar or not more:
        raise MalformedCookieError("a securecookie has a date, a value and a mac, with bars between")
    return new_tuple(_Parts, (date, value, mac, data[: len(date) + 1 + len(value)]))


def _b64(text: str, what: str) -> bytes:
    """URL-safe base64 as Go's `base64.URLEncoding` reads it: padding is a must, line ends are dropped."""
    if "\n" in text or "\r" in text:
        text = text.replace("\r", "").replace("\n", "")
    if len(text) % 4:
        raise MalformedCookieError(f"{what} is not URL-safe base64 with padding")
    return b64decode_urlsafe(text, what)


def _encode_b64(data: bytes) -> str:
    return to_urlsafe(b64encode(data))


def _seconds(date: bytes) -> int:
    """The date as Go's `ParseInt` takes it. Raises `MalformedCookieError`."""
    digits = date[1:] if date[:1] in (b"-", b"+") else date
    if not digits.isdigit() or len(digits) > 18:  # noqa: PLR2004 - below 2**63 in any case
        raise MalformedCookieError("the date is no number of seconds")
    return int(date)


def _utf8(name: str) -> bytes:
    return name.encode("utf-8", "replace")


def _json_text(payload: bytes) -> str | None:
    """The JSON text of a payload, which Go ends with a line feed; None where it is something else."""
    try:
        text = jsontext.decode_utf8(payload)
        jsontext.loads(text)
    except MalformedError:
        return None
    return text.removesuffix("\n")


def _go_json(data: Any) -> bytes:
    """JSON as Go's encoder writes it: HTML's special characters escaped, and a line end."""
    text = jsontext.dumps(data)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode() + b"\n"


def _is_id(data: Any) -> bool:
    return isinstance(data, str) and len(data) == _ID and _ID_ALPHABET.issuperset(data)
