r"""Pyramid's sessions in the cookie: SignedCookieSessionFactory, and the older "unencrypted" factory.

    base64url( signature, serialized )     kind=signed, from 1.5 on
    hex signature, base64( serialized )    kind=unencrypted: UnencryptedCookieSessionFactoryConfig, up to 1.10

    signature   64 bytes: HMAC-SHA512 over the serialized bytes; unencrypted: 40 hexadecimal digits of
                HMAC-SHA1
    serialized  [renewed, created, {the session}]: JSON from 2.0 on, a pickle before; renewed and created are
                Unix seconds, created with a fraction
    key         salt + secret ("pyramid.session." by default); unencrypted: the secret. Both in Latin-1 where
                they fit, else both in UTF-8

Base64 of `signed` is URL-safe without padding. It expires `timeout` seconds, 1200, after `renewed`. Messages
lie under "_f_" and the name of their queue, the CSRF token under "_csrft_".
Sources: Pyramid 2.1, 1.10.8 and 1.4.9 session.py; WebOb 1.8.9 cookies.py (`SignedSerializer`).
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, hexlify
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.encoding import (
    b64decode_lenient,
    b64decode_urlsafe,
    b64encode,
    b64encode_urlsafe,
    has_stray_bits,
    unquote,
)
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    MalformedError,
    UnserializableValueError,
)
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import genuine_within
from sessionctl.payload import pickle_or_json, python_json
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES, Hmac
from sessionctl.signing.macs import Macs
from sessionctl.verdict import new_tuple
from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

FLASH = "_f_"
"""What the key of a queue of messages begins with."""

_NON_CANONICAL = Warn("non-canonical", "the base64 is not the text that Pyramid writes, but it reads it")
_UNENCRYPTED = "unencrypted"
_HEX_SIGNATURE = 40
_HEX = frozenset("0123456789abcdef")
_LATEST = 253_402_300_799  # the end of the year 9999, past which Python has no dates


class Pyramid(Format):
    """The session cookie of Pyramid's cookie session factories."""

    name = "pyramid"
    takes_last_cookie = True
    summary = "Pyramid: SignedCookieSessionFactory; UnencryptedCookieSessionFactoryConfig up to 1.10"
    cookie_names = ("session",)
    options = (
        Option("kind", "signed", "which session factory", ("signed", _UNENCRYPTED)),
        Option(
            "salt",
            "pyramid.session.",
            "what stands before the secret (kind=signed)",
            usual=("pyramid.session.",),
        ),
        Option("digest", "sha512", "hash of the signature: `hashalg` (kind=signed)", tuple(DIGEST_SIZES)),
        Option("serializer", "json", "how a new session is written; reading sees it", ("json", "pickle")),
    )
    default_max_age = 1200.0  # the factories' `timeout`
    age_setting = "timeout"
    example = (
        "i9oKnRtOJZJKwRQOvfTTfj0JKpU8uggkRVFLG7b0L5lcXvNf9sq5lNkpZ1SJeSG1n3Ovk8k"
        "mupV_v6JZf-jt5FsxNzk1NDIzNzQyLCAxNzk1NDIzNzQyLCB7InVzZXJfaWQiOiA0MiwgInVzZXJuYW1lIjogImFsaWNlIn1d"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._created: float | None = None
        self._unencrypted = self.option("kind") == _UNENCRYPTED
        digest, salt = self.option("digest"), self.option("salt")
        self._digest = digest
        self._macs = Macs(lambda secret: Hmac(_salted(salt, secret), digest), DIGEST_SIZES)
        self._old_macs = Macs(lambda secret: Hmac(_salted("", secret), "sha1"))

    # -- the four questions -----------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:
        text = unquote(text)
        if len(text) < _SHORTEST or not text.isascii():
            return 0.0
        named = 0.02 if cookie_name in self.cookie_names else 0.0
        if set(text[:_HEX_SIGNATURE]) <= _HEX:
            return 0.97 + named if _is_session(_split_unencrypted(text).serialized) else 0.0
        if "." in text or "=" in text:
            return 0.0
        data = b64decode_lenient(text, "the text")
        for digest in (self.option("digest"),) if self.given("digest") else _MOST_USUAL_FIRST:
            if _is_session(data[DIGEST_SIZES[digest] :]):
                return (0.97 if digest == "sha512" else 0.93) + named
        return 0.0

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - needs no key
        parts = self._split(text)
        session = _read(parts.serialized)
        return Decoded(
            data=session.state,
            flash=_flashed(session.state),
            issued_at=session.renewed,
            payload_type=session.payload_type,
            warnings=() if parts.canonical else (_NON_CANONICAL,),
            algorithm=ALGORITHMS[parts.digest],
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        parts = self._split(text)
        if not context.keys:
            _read(parts.serialized)  # what cannot be read is told before the want of a key
        if parts.old:
            index = self._old_macs.find(context.keys, parts.serialized, parts.signature, hexlify)
        elif parts.digest == self._digest or not context.keys:
            index = self._macs.find(context.keys, parts.serialized, parts.signature)
        else:
            raise _other_digest(self._digest, parts.digest)
        renewed = _read(parts.serialized).renewed
        return genuine_within(
            context,
            context.age_limit(self.default_max_age),
            index,
            renewed,
            algorithm=ALGORITHMS[parts.digest],
            warnings=() if parts.canonical else (_NON_CANONICAL,),
        )

    def _encode(self, content: Content, context: Context) -> str:
        if not isinstance(content.data, dict):
            raise UnserializableValueError("", "a Pyramid session is an object")
        created = context.now if self._created is None else self._created
        serialized = self._dump([int(context.now), created, content.data])
        if self._unencrypted:
            return self._old_macs.of(context.keys)[0].digest(serialized).hex() + b64encode(serialized)
        return b64encode_urlsafe(self._macs.of(context.keys)[0].digest(serialized) + serialized)

    def _ways(self, text: str, context: Context) -> dict[str, str]:  # noqa: ARG002 - needs no key
        parts = self._split(text)
        kind = _UNENCRYPTED if parts.old else "signed"
        return {"serializer": pickle_or_json.kept(parts.serialized), "kind": kind}

    def inherit(self, text: str, context: Context) -> None:  # noqa: ARG002 - needs no key
        """The session stays as old as it is."""
        self._created = pickle_or_json.loads(self._split(text).serialized)[0][1]

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """`data` with a message as `session.flash(value, queue)` adds it; `key` is the queue."""
        if not isinstance(data, dict):
            raise UnserializableValueError("", "a Pyramid session is an object")
        queue = data.get(FLASH + key, [])
        if not isinstance(queue, list):
            raise UnserializableValueError(FLASH + key, "the messages are no list")
        return {**data, FLASH + key: [*queue, value]}

    # -- the text ---------------------------------------------------------------------------------

    def _split(self, text: str) -> _Parts:
        """Signature and session, by the kind and the digest that were asked for, else by what the text looks like."""
        text = unquote(text)
        if self._unencrypted or (not self.given("kind") and _looks_unencrypted(text)):
            return _split_unencrypted(text)
        data, canonical = _b64decode(text)
        digest = self._digest
        if not self.given("digest") and not _begins(data[DIGEST_SIZES[digest] :]):
            digest = next(
                (one for one in _MOST_USUAL_FIRST if _is_session(data[DIGEST_SIZES[one] :])), digest
            )
        size = DIGEST_SIZES[digest]
        if len(data) <= size:
            raise MalformedCookieError(
                f"{counted(len(data), 'byte')}, not more than the signature of {size} takes"
            )
        return new_tuple(_Parts, (data[:size], data[size:], digest, False, canonical))

    def _dump(self, value: Any) -> bytes:
        if self.option("serializer") == "json" and not self._unencrypted:
            return python_json.dumps(value, spaced=True).encode("ascii")
        from sessionctl.payload import pickle

        return pickle.dumps(value)


_MOST_USUAL_FIRST = ("sha512", "sha256", "sha1", "sha384", "sha224", "md5")

_SHORTEST = 48
"""Characters of the shortest session: a signature of MD5 and `[1, 1, {}]` with ten digits each."""


class _Parts(NamedTuple):
    signature: bytes
    serialized: bytes
    digest: str = "sha1"
    old: bool = False
    """Whether the "unencrypted" factory made it."""
    canonical: bool = True
    """Whether the base64 is the one text for these bytes."""


class _Session(NamedTuple):
    renewed: float
    state: Any
    payload_type: str


def _b64decode(text: str) -> tuple[bytes, bool]:
    """The bytes, and whether this is the one text for them. Raises `MalformedCookieError`."""
    try:
        return b64decode_urlsafe(text), text[-1:] != "=" and not has_stray_bits(text)
    except MalformedCookieError:
        return b64decode_lenient(text, "the text"), False


def _split_unencrypted(text: str) -> _Parts:
    try:
        signature, payload = text[:_HEX_SIGNATURE].encode(), text[_HEX_SIGNATURE:]
        data = a2b_base64(payload.encode())
        return _Parts(signature, data, old=True, canonical=b64encode(data) == payload)
    except (Base64Error, UnicodeEncodeError):
        raise MalformedCookieError("what follows the signature of 40 digits is not base64") from None


def _looks_unencrypted(text: str) -> bool:
    """Whether a text begins with a signature of 40 digits, and a pickle follows in base64."""
    return _HEX.issuperset(text[:_HEX_SIGNATURE]) and text[_HEX_SIGNATURE : _HEX_SIGNATURE + 1] in ("g", "K")


def _other_digest(wanted: str, digest: str) -> BadSignatureError:
    return BadSignatureError(
        f"the signature is none of {wanted}; it may be one of {digest} (-O digest={digest})"
    )


def _read(serialized: bytes) -> _Session:
    """The session with its time. Raises `MalformedCookieError`."""
    try:
        content, payload_type = pickle_or_json.loads(serialized)
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None
    if not isinstance(content, list) or len(content) != 3:  # noqa: PLR2004
        raise MalformedCookieError("the payload is not [renewed, created, session]")
    renewed, created, state = content
    _time(created)
    return new_tuple(_Session, (_time(renewed), state, payload_type))


def _time(value: Any) -> float:
    """A time as `float` takes it. Raises `MalformedCookieError`."""
    try:
        moment = float(value)
    except (TypeError, ValueError, OverflowError):
        moment = -1.0
    if not 0 <= moment <= _LATEST:
        raise MalformedCookieError("the payload's times are no Unix seconds")
    return moment


def _begins(serialized: bytes) -> bool:
    """Whether the bytes begin like a session: as JSON or as a pickle."""
    return serialized[:1] in (b"[", b"\x80", b"(")


def _is_session(serialized: bytes) -> bool:
    """Whether the bytes begin like a session and are one."""
    if not _begins(serialized):
        return False
    try:
        session = _read(serialized)
    except MalformedCookieError:
        return False
    return isinstance(session.state, dict)


def _flashed(state: Any) -> dict[str, Any] | None:
    """The messages by queue, that of the default queue being empty, or None where there are none."""
    if not isinstance(state, dict):
        return None
    return {key.removeprefix(FLASH): value for key, value in state.items() if key.startswith(FLASH)} or None


def _salted(salt: str, secret: Secret) -> bytes:
    """Salt and secret in Latin-1 where both fit, else both in UTF-8; bytes are taken as they are."""
    if secret.text is None:
        try:
            return salt.encode("latin-1") + secret.bytes
        except UnicodeEncodeError:
            return salt.encode("utf-8", "surrogatepass") + secret.bytes
    try:
        return (salt + secret.text).encode("latin-1")
    except UnicodeEncodeError:
        return salt.encode("utf-8", "surrogatepass") + secret.bytes
