"""Laravel: cookies of its EncryptCookies middleware, and texts of its Crypt facade.

    percent-encoded standard base64 of JSON {"iv": ..., "value": ..., "mac": ..., "tag": ...}

The sealing is drawn in `sessionctl.signing.laravel`. Inside is

    kind=cookie         40 hexadecimal digits "|" value: the prefix binds the value to the cookie's name;
                        with EncryptCookies::$serialize a PHP-serialized string of all that
    kind=crypt          Crypt::encrypt(): a PHP-serialized value; not percent-encoded
    kind=crypt-string   Crypt::encryptString(): the text itself; not percent-encoded

The session cookie holds an ID of 40 letters and digits. With the session driver `cookie` there is a second
one, named by that ID, which holds the session and its end (`sessionctl.payload.laravel`), with
`session.encrypt` once more sealed by Crypt::encrypt(). Every key of the ring may verify (APP_PREVIOUS_KEYS),
for the encryption and for the prefix by itself.
Sources: illuminate/encryption 8.83 and 12.x Encrypter.php; illuminate/cookie 12.x
Middleware/EncryptCookies.php; illuminate/session 12.x CookieSessionHandler.php, EncryptedStore.php.
"""

from __future__ import annotations

import binascii
import math
from typing import TYPE_CHECKING, Any

from sessionctl.encoding import as_text
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    MalformedError,
    NotSupportedError,
    SecretError,
    UnserializableValueError,
    UsageError,
    WrongKeyTypeError,
)
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import expire, first_fit, genuine
from sessionctl.payload import laravel as payload
from sessionctl.payload import php, php_writer
from sessionctl.signing import aes
from sessionctl.signing import laravel as signing
from sessionctl.signing.mac import compare_digest
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.signing.keys import KeyRing, Secret

_ID = 40
_TOKEN_COOKIE = "XSRF-TOKEN"  # noqa: S105 - a name
_LONGEST_NUMBER = 9

_ENVELOPE = Warn("non-canonical", "the base64 is not the text that Laravel writes, though Laravel accepts it")
_UNCHECKED = Warn(
    "name-unchecked",
    "the value is bound to the cookie's name, which was not given (name=value, or --cookie-name)",
)
_OTHER_NAME = Warn("other-name", "the value was made for a cookie of another name: Laravel would drop it")


class Laravel(Format):
    """The encrypted cookies of Laravel."""

    name = "laravel"
    may_hold_id = True
    summary = "Laravel 5.6 and later: encrypted cookies, the session driver cookie, texts of Crypt"
    cookie_names = ("laravel_session", "laravel-session")
    options = (
        Option("cipher", "aes-256-cbc", "app.cipher; left out, key and text tell", tuple(signing.KEY_SIZES)),
        Option("kind", "cookie", "the cookie middleware, or Crypt", ("cookie", "crypt", "crypt-string")),
        Option("serialize", "false", "EncryptCookies::$serialize", ("false", "true")),
        Option("serialization", "php", "session.serialization, of a session to write", ("php", "json")),
        Option("lifetime", "120", "session.lifetime in minutes, of the session driver cookie"),
    )
    example = (
        "eyJpdiI6IjN2a3RON241eUlIK2d4clRYUnVSZEE9PSIsInZhbHVlIjoiR3VITWpaYzdUb0kvMCtqUWNQOWFNdGNFVWxENnEx"
        "MXBMNVF1VWRBR1Z3VVBkL0JQTFpKTGNGTmo1ajJaeWs5aXg2M2M0NHQwZGZhdVM2QUZpbnlzU0hpalZPaFQvcGcxL05WZndH"
        "UWZBdVppNUZrcmNuTTREQ3A1SVI4MFFEY0EiLCJtYWMiOiI1ZDYwNjk0NTc4ZTJiYmQ3MjE3MDkwZjM1OTQwNzIxYzBlM2Q3"
        "ZmQwNTk3MTk1MDIxZjBiMTdmMjg0NDM3MTUzIiwidGFnIjoiIn0%3D"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._kind = self.option("kind")
        self._cipher = self.option("cipher")
        lifetime = self.option("lifetime")
        if not (lifetime.isascii() and lifetime.isdigit() and len(lifetime) <= _LONGEST_NUMBER):
            raise UsageError("option 'lifetime' of format 'laravel' is a number of minutes")
        self._lifetime = int(lifetime) * 60

    # -- the four questions ---------------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - the JSON is distinctive
        if not text.startswith("eyJ"):
            return 0.0
        return 0.98 if signing.unseal(text).is_whole else 0.0

    def _decode(self, text: str, context: Context) -> Decoded:
        sealed = signing.unseal(text)
        plain, index = self._open(sealed, context)
        decoded = self._said(self._unserialized(plain), context)
        return decoded._replace(
            encrypted=True,
            algorithm=signing.algorithm(sealed.mode, context.keys[index]),
            warnings=(*decoded.warnings, *_odd(sealed)),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        sealed = signing.unseal(text)
        plain, index = self._open(sealed, context)
        plain = self._unserialized(plain)
        warnings = _odd(sealed)
        wrapped = None
        if self._kind == "cookie":
            warnings += self._check_name(plain, context)
            plain = plain[signing.PREFIX :]
            wrapped = payload.unwrap(plain)
        elif self._kind == "crypt":
            php.loads(plain)
        verdict = genuine(
            context,
            index,
            algorithm=signing.algorithm(sealed.mode, context.keys[index]),
            value=as_text(plain)[0],
            warnings=warnings,
        )
        return verdict if wrapped is None else self._judge_end(verdict, wrapped.expires_at, context)

    def _encode(self, content: Content, context: Context) -> str:
        secret = context.keys.newest
        cipher = self._cipher if self.given("cipher") else signing.default_cipher(secret)
        size = signing.KEY_SIZES[cipher]
        if len(secret.bytes) != size:
            raise SecretError(f"the key has {counted(len(secret.bytes), 'byte')}; {cipher} takes {size}")
        plain = self._plain(content, context, secret)
        sealed = signing.seal(plain, secret, cipher[-3:], self.kept(signing.mac_of, secret, "sha256"))
        if self._kind != "cookie":
            return sealed
        return sealed.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        mode = signing.unseal(text).mode
        cipher = f"aes-{len(context.keys.newest.bytes) * 8}-{mode}"
        serialization = "json" if self._decode(text, context).payload_type == "json" else "php"
        return {"cipher": cipher, "serialization": serialization}

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """`data` as Laravel stores it after `flash()`: the next request sees the value."""
        if not isinstance(data, dict):
            raise NotSupportedError(
                "this cookie of Laravel holds no session, so nothing can be flashed in it"
            )
        return payload.with_flash(data, key, value)

    # -- records of the other session drivers ---------------------------------------------------------

    def decode_record(
        self, data: bytes, keys: KeyRing | Iterable[str | bytes] = (), **context: Any
    ) -> Decoded:
        """What a record of a store says: a session, plain or sealed, in base64 where a database keeps it.

        Raises `MalformedError`; for a sealed one also `NoKeyError` and `BadSignatureError`.
        """
        text = data.strip(b"\r\n\t ")
        if not text:
            return Decoded(data=[], signed=False, payload_type="php")
        for candidate in (text, payload.from_base64(text)):
            if candidate[:2] == b"a:" or candidate[:1] in (b"{", b"["):
                return _session(candidate)
            if _is_sealed(candidate):
                return self._sealed_record(candidate.decode("ascii"), keys, context)
        return _session(text)

    def _sealed_record(
        self, text: str, keys: KeyRing | Iterable[str | bytes], context: dict[str, Any]
    ) -> Decoded:
        cipher = {"cipher": self._cipher} if self.given("cipher") else {}
        opened = type(self)(kind="crypt-string", **cipher).decode(text, keys, **context)
        serialized = (
            opened.data.encode() if opened.payload_type == "text" else binascii.a2b_base64(opened.data)
        )
        session = _session(php.loads_string(serialized))
        return session._replace(encrypted=True, signed=True, algorithm=opened.algorithm)

    # -- reading --------------------------------------------------------------------------------------

    def _open(self, sealed: signing.Sealed, context: Context) -> tuple[bytes, int]:
        """The plain text and the index of its key. Raises `NoKeyError`, `BadSignatureError`."""
        self._check_parts(sealed)
        sizes = {signing.KEY_SIZES[self._cipher]} if self.given("cipher") else set(signing.KEY_SIZES.values())
        if context.keys and not any(len(secret.bytes) in sizes for secret in context.keys):
            wanted = " or ".join(map(str, sorted(sizes)))
            raise WrongKeyTypeError(
                f"the key has {counted(len(context.keys[0].bytes), 'byte')} in place of {wanted} (APP_KEY: base64:...)"
            )
        opened: list[bytes] = []

        def fits(secret: Secret) -> bool:
            if len(secret.bytes) not in sizes:
                return False
            plain = signing.unlock(sealed, secret, self.kept(signing.mac_of, secret, "sha256"))
            if plain is not None:
                opened.append(plain)
            return plain is not None

        index = first_fit(context, fits)
        return opened[0], index

    def _check_parts(self, sealed: signing.Sealed) -> None:
        if self.given("cipher") and sealed.mode != self._cipher[-3:]:
            mode = sealed.mode.upper()
            raise MalformedCookieError(
                f"the iv of {counted(len(sealed.iv), 'byte')} is that of {mode}, not of {self._cipher}"
            )
        if sealed.mode == "gcm" and len(sealed.tag) != aes.TAG:
            raise MalformedCookieError(
                f"the tag of GCM has {counted(len(sealed.tag), 'byte')} in place of {aes.TAG}"
            )
        if sealed.mode == "cbc" and sealed.tag:
            raise MalformedCookieError("there is a tag, which CBC does not have")

    def _unserialized(self, plain: bytes) -> bytes:
        """The text of a cookie without PHP's serialization around it, where there is one."""
        if self._kind != "cookie" or self.option("serialize") != "true":
            return plain
        return php.loads_string(plain)

    def _is_bound(self, plain: bytes, context: Context) -> bool:
        """Whether the prefix is that of the cookie's name; of a usual name, where none was given."""
        name = context.cookie_name
        names = (*self.cookie_names, _TOKEN_COOKIE) if name is None else (name,)
        given = plain[: signing.PREFIX]
        return any(
            compare_digest(signing.prefix(self.kept(signing.mac_of, secret, "sha1"), each), given)
            for secret in context.keys
            for each in names
        )

    def _check_name(self, plain: bytes, context: Context) -> tuple[Warn, ...]:
        """Raise `BadSignatureError` where the prefix is of another name; warn where no name was given."""
        if self._is_bound(plain, context):
            return ()
        if not signing.has_prefix(plain):
            raise BadSignatureError(
                "the text decrypts, but nothing binds it to a cookie; Crypt writes such (-O kind=crypt)"
            )
        if context.cookie_name is None:
            return (_UNCHECKED,)
        raise BadSignatureError("the text decrypts, but it was made for a cookie of another name")

    def _said(self, plain: bytes, context: Context) -> Decoded:
        """What the plain text says."""
        if self._kind == "crypt":
            return Decoded(data=php.loads(plain), payload_type="php")
        if self._kind == "crypt-string":
            data, kind = as_text(plain)
            return Decoded(data=data, payload_type=kind)
        warnings = () if self._is_bound(plain, context) else (_name_warning(context),)
        value = plain[signing.PREFIX :] if signing.has_prefix(plain) else plain
        wrapped = payload.unwrap(value)
        if wrapped is not None:
            return self._said_by_driver(wrapped, context)._replace(warnings=warnings)
        data, kind = as_text(value)
        is_id = (
            len(data) == _ID and data.isascii() and data.isalnum() and context.cookie_name != _TOKEN_COOKIE
        )
        return Decoded(data=data, id=data if is_id else None, payload_type=kind, warnings=warnings)

    def _said_by_driver(self, wrapped: payload.Wrapped, context: Context) -> Decoded:
        """The session of the driver cookie; the cookie's name is its ID."""
        session = self.decode_record(wrapped.text, context.keys, now=context.now)
        return session._replace(
            id=context.cookie_name,
            signed=True,
            issued_at=wrapped.expires_at - self._lifetime,
            expires_at=wrapped.expires_at,
        )

    def _judge_end(self, verdict: Verdict, expires_at: float, context: Context) -> Verdict:
        """Past its end Laravel takes the session for empty; the clock counts whole seconds."""
        verdict = verdict._replace(issued_at=expires_at - self._lifetime, expires_at=expires_at)
        return expire(verdict, expires_at, context) if math.floor(context.now) > expires_at else verdict

    # -- writing --------------------------------------------------------------------------------------

    def _plain(self, content: Content, context: Context, secret: Secret) -> bytes:
        if self._kind == "crypt":
            return php_writer.dumps(content.data)
        if self._kind == "crypt-string":
            return _utf8(content.data)
        value = self._value(content.data, context)
        name = context.cookie_name or (self.cookie_names[0] if isinstance(content.data, str) else content.id)
        if name is None:
            raise UsageError(
                "a session of Laravel's driver cookie is named by its ID: --cookie-name gives it"
            )
        plain = signing.prefix(self.kept(signing.mac_of, secret, "sha1"), name) + value
        return b's:%d:"%s";' % (len(plain), plain) if self.option("serialize") == "true" else plain

    def _value(self, data: Any, context: Context) -> bytes:
        if not isinstance(data, (dict, list)):
            return _utf8(data)
        text = payload.dumps(data, self.option("serialization"))
        return payload.wrap(text, int(context.now) + self._lifetime)


def _is_sealed(text: bytes) -> bool:
    if not text.startswith(b"eyJ"):
        return False
    try:
        signing.unseal(text.decode("ascii"))
    except (MalformedError, UnicodeDecodeError):
        return False
    return True


def _session(text: bytes) -> Decoded:
    """The session in its serialized text."""
    values, kind = payload.loads(text)
    return Decoded(data=values, flash=payload.flashed(values), signed=False, payload_type=kind)


def _odd(sealed: signing.Sealed) -> tuple[Warn, ...]:
    return () if sealed.canonical else (_ENVELOPE,)


def _name_warning(context: Context) -> Warn:
    return _UNCHECKED if context.cookie_name is None else _OTHER_NAME


def _utf8(data: Any) -> bytes:
    if not isinstance(data, str):
        raise UnserializableValueError(
            "", "this kind of Laravel text holds text alone (or a session, in a cookie)"
        )
    try:
        return data.encode()
    except UnicodeEncodeError:
        raise UnserializableValueError("", "a lone surrogate has no UTF-8") from None
