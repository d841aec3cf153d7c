r"""aiohttp-session: encrypted by Fernet or NaCl, or plain JSON.

    {"created": 1795424225, "session": {...}}       the payload, JSON with spaces, always

    kind    text
    fernet  URL-safe base64 with padding of
              0x80 (1), time (8, big-endian Unix seconds), IV (16), AES-128-CBC with PKCS7 (16 n),
              HMAC-SHA256 over all before (32)
            key: 32 bytes, the first half for the HMAC, the second for AES
    nacl    standard base64 with padding of nonce (24), Poly1305 tag (16), XSalsa20 stream
            key: 32 bytes
    simple  the payload itself, in double quotes with octal escapes: neither signed nor encrypted

The value stands in double quotes where it holds `=` or `/`. `max_age` is compared with `created`; with Fernet
it is the `ttl` too, and a time more than 60 seconds ahead is refused then.
Sources: aiohttp-session 2.12.1 __init__.py, cookie_storage.py and nacl_storage.py; cryptography 45 fernet.py.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.duration import human_seconds
from sessionctl.encoding import (
    b64decode,
    b64decode_urlsafe,
    b64encode,
    is_canonical_b64,
    quote,
    to_standard,
    unquote,
)
from sessionctl.errors import (
    MalformedCookieError,
    MalformedError,
    MissingExtraError,
    UnserializableValueError,
    WrongKeyTypeError,
)
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import expire, first_opened, genuine, refused
from sessionctl.payload import python_json
from sessionctl.signing.aes import open_cbc, seal_cbc
from sessionctl.signing.mac import Hmac
from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

ALGORITHMS = {"fernet": "AES-128-CBC, HMAC-SHA256", "nacl": "XSalsa20-Poly1305"}
CLOCK_SKEW = 60
"""Seconds that a Fernet token may be ahead of the clock."""

_KEY = 32
_FERNET_START = "gAAAAA"  # 0x80, and a time before the year 2106
_FERNET_HEAD, _TAG, _BLOCK = 25, 32, 16
_NONCE, _POLY1305 = 24, 16
_SHORTEST_JSON = len('{"created": 1795424225, "session": {}}')


class Opened(NamedTuple):
    """What a cookie holds: the JSON, and the time of the Fernet token around it."""

    text: str
    stamp: int | None = None


class Aiohttp(Format):
    """The session cookie of aiohttp-session."""

    name = "aiohttp"
    takes_last_cookie = True
    summary = "aiohttp-session: Fernet, NaCl or plain JSON in the cookie"
    cookie_names = ("AIOHTTP_SESSION",)
    options = (
        Option(
            "kind",
            "fernet",
            "the storage: EncryptedCookieStorage, NaClCookieStorage or SimpleCookieStorage",
            ("fernet", "nacl", "simple"),
        ),
    )
    example = r'"{\"created\": 1795424225\054 \"session\": {\"user_id\": 42\054 \"username\": \"alice\"}}"'

    # -- detect -----------------------------------------------------------------------------------

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._created: float | None = None

    def _detect(self, text: str, cookie_name: str | None) -> float:
        text = unquote(text)
        named = cookie_name in self.cookie_names
        kind = self._kind(text)
        if kind == "simple":
            payload = python_json.loads(text)
            ours = isinstance(payload, dict) and payload.keys() == {"created", "session"}
            return 0.97 if ours else 0.0
        if len(text) % 4 or not is_canonical_b64(text):
            return 0.0
        if kind == "fernet" and text.startswith(_FERNET_START):
            _fernet_parts(text)
            return 0.98 if named else 0.9
        if "-" in text or "_" in text:
            return 0.0
        if len(b64decode(text)) < _NONCE + _POLY1305 + _SHORTEST_JSON:
            return 0.0
        return 0.88 if named else 0.15

    def _kind(self, text: str) -> str:
        """The kind that was asked for, else the one that the text looks like."""
        if self.given("kind") or text.startswith(_FERNET_START):
            return self.option("kind")
        return "simple" if text.startswith("{") else "nacl"

    # -- decode and verify ------------------------------------------------------------------------

    def _decode(self, text: str, context: Context) -> Decoded:
        text = unquote(text)
        kind = self._kind(text)
        encrypted = kind != "simple"
        opened = self._open(kind, text, context)[1] if encrypted else Opened(text)
        payload = _load(opened.text)
        created = _created(payload)
        return Decoded(
            data=_session(payload),
            issued_at=created if created is not None else opened.stamp,
            encrypted=encrypted,
            signed=encrypted,
            algorithm=ALGORITHMS.get(kind),
            warnings=_odd(kind, text, payload),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        text = unquote(text)
        kind = self._kind(text)
        limit = context.age_limit(self.default_max_age)
        if kind == "simple":
            created = _created(_load(text))
            return refused(
                "unsigned",
                "SimpleCookieStorage neither signs nor encrypts",
                context,
                issued_at=created,
                expired=limit is not None and created is not None and int(context.now) - created > limit,
            )
        index, opened = self._open(kind, text, context)
        payload = _load(opened.text)
        verdict = genuine(
            context,
            index,
            issued_at=_created(payload),
            algorithm=ALGORITHMS[kind],
            value=opened.text,
            warnings=_odd(kind, text, payload),
        )
        return verdict if limit is None else _judge(verdict, opened.stamp, limit, context)

    def _ways(self, text: str, context: Context) -> dict[str, str]:  # noqa: ARG002 - needs no key
        return {"kind": self._kind(unquote(text))}

    def inherit(self, text: str, context: Context) -> None:
        """The session stays as old as it is."""
        self._created = self._decode(text, context).issued_at

    def _open(self, kind: str, text: str, context: Context) -> tuple[int, Opened]:
        """The index of the key that fits, and what the cookie holds. Raises as `first_opened` does."""
        if kind == "nacl":
            box = _nacl_box(text)
            return first_opened(context, lambda secret: _open_nacl(_key(secret), box))
        data = _fernet_parts(text)

        def opens(secret: Secret) -> Opened | None:
            mac = self.kept(_fernet_mac, secret)
            if not mac.verify(data[:-_TAG], data[-_TAG:]):
                return None
            return Opened(_decrypt_cbc(_key(secret)[16:], data[9:25], data[25:-_TAG]), _stamp(data))

        return first_opened(context, opens)

    # -- encode -----------------------------------------------------------------------------------

    def _encode(self, content: Content, context: Context) -> str:
        if not isinstance(content.data, dict):
            raise UnserializableValueError("", "an aiohttp session is an object")
        now = int(context.now)
        created = now if self._created is None else int(self._created)
        payload = python_json.dumps({"created": created, "session": content.data}, spaced=True)
        kind = self.option("kind")
        if kind == "simple":
            return quote(payload)
        secret = context.keys.newest
        key = _key(secret)
        if kind == "nacl":
            return quote(_seal_nacl(key, payload.encode()))
        import os
        from base64 import urlsafe_b64encode

        vector = os.urandom(_BLOCK)
        body = b"\x80" + now.to_bytes(8, "big") + vector + seal_cbc(key[16:], vector, payload.encode())
        return quote(urlsafe_b64encode(body + self.kept(_fernet_mac, secret).digest(body)).decode("ascii"))


def _key(secret: Secret) -> bytes:
    """The 32 bytes of a key: URL-safe base64 of them, or they themselves. Raises `WrongKeyTypeError`."""
    if secret.text is not None:
        try:
            data = b64decode_urlsafe(secret.text)
        except MalformedError:
            data = b""
        if len(data) == _KEY:
            return data
    if len(secret.bytes) != _KEY:
        raise WrongKeyTypeError(
            f"a key of aiohttp-session is 32 bytes, or URL-safe base64 of them, not {len(secret.bytes)} "
            "(hex:... gives bytes)"
        )
    return secret.bytes


def _fernet_mac(secret: Secret) -> Hmac:
    return Hmac(_key(secret)[:16])


def _fernet_parts(text: str) -> bytes:
    """The bytes of a Fernet token of the right shape. Raises `MalformedCookieError`."""
    data = _b64(to_standard(text))
    size = len(data) - _FERNET_HEAD - _TAG
    if data[:1] != b"\x80" or size < _BLOCK or size % _BLOCK:
        raise MalformedCookieError(
            "the token is not of Fernet's shape: 0x80, time, IV, blocks of 16 bytes, tag"
        )
    return data


def _b64(text: str) -> bytes:
    """Base64 as Python reads it: foreign characters and low bits do not count, padding does."""
    try:
        return a2b_base64(text.encode("ascii", "ignore"))
    except Base64Error:
        raise MalformedCookieError("the text is not base64, or has lost its padding") from None


def _stamp(data: bytes) -> int:
    return int.from_bytes(data[1:9], "big")


def _nacl_box(text: str) -> bytes:
    """The nonce and the box after it. Raises `MalformedCookieError`."""
    data = _b64(text)
    if len(data) < _NONCE + _POLY1305:
        raise MalformedCookieError(f"{counted(len(data), 'byte')}, too few for a nonce and a tag")
    return data


def _open_nacl(key: bytes, box: bytes) -> Opened | None:
    try:
        from nacl.exceptions import CryptoError
        from nacl.secret import SecretBox
    except ImportError:
        raise MissingExtraError("format aiohttp", "formats") from None
    try:
        return Opened(_text(SecretBox(key).decrypt(box)))
    except CryptoError:
        return None


def _seal_nacl(key: bytes, payload: bytes) -> str:
    try:
        from nacl.secret import SecretBox
    except ImportError:
        raise MissingExtraError("format aiohttp", "formats") from None
    return b64encode(bytes(SecretBox(key).encrypt(payload)))


def _decrypt_cbc(key: bytes, vector: bytes, data: bytes) -> str:
    """The text of AES-CBC with PKCS7. Raises `MalformedCookieError`; the HMAC is to be verified before."""
    plain = open_cbc(key, vector, data)
    if plain is None:
        raise MalformedCookieError("the padding of the plaintext is broken")
    return _text(plain)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise MalformedCookieError("the payload is not UTF-8") from None


def _load(text: str) -> Any:
    try:
        return python_json.loads(text)
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None


def _created(payload: Any) -> float | None:
    created = payload.get("created") if isinstance(payload, dict) else None
    return float(created) if isinstance(created, (int, float)) and abs(created) < 1 << 62 else None


def _session(payload: Any) -> Any:
    """The session without the envelope; what is no envelope stays as it is."""
    if not isinstance(payload, dict):
        return payload
    session = payload.get("session")
    return {} if session is None else session


def _odd(kind: str, text: str, payload: Any) -> tuple[Warn, ...]:
    warnings = []
    if kind != "simple" and not is_canonical_b64(text):
        warnings.append(
            Warn("non-canonical", "the base64 is not what aiohttp-session writes, but it reads it")
        )
    if not isinstance(payload, dict) or not isinstance(payload.get("session", {}), (dict, type(None))):
        warnings.append(
            Warn("no-session", "the payload is no session: aiohttp-session would fail to read it")
        )
    return tuple(warnings)


def _judge(verdict: Verdict, stamp: int | None, limit: float, context: Context) -> Verdict:
    """A genuine verdict judged by the session's age, and by the time of the Fernet token."""
    now = int(context.now)
    starts = [start for start in (verdict.issued_at, stamp) if start is not None]
    if not starts:
        return verdict
    expires_at = min(starts) + limit
    if expires_at < now:
        return expire(verdict, expires_at, context)
    if stamp is not None and stamp > now + CLOCK_SKEW:
        detail = f"genuine, but made {human_seconds(stamp - now)} in the future, and Fernet allows a minute"
        return verdict._replace(valid=False, reason="expired", detail=detail)
    return verdict._replace(expires_at=expires_at)
