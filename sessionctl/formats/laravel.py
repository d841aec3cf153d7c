"""Laravel: cookies of its EncryptCookies middleware, and texts of its Crypt facade.

    percent-encoded standard base64 of JSON {"iv": I, "value": V, "mac": M, "tag": T}

    I  base64 of 16 random bytes with CBC, of 12 with GCM
    V  base64 of the AES ciphertext (CBC: PKCS 7 padding), under the bytes of APP_KEY
    M  with CBC 64 hexadecimal digits: HMAC-SHA256(APP_KEY, I + V), the two base64 texts; with GCM empty
    T  with GCM base64 of the tag of 16 bytes, no further data being authenticated; with CBC empty

and inside

    kind=cookie         40 hexadecimal digits "|" value: HMAC-SHA1(APP_KEY, cookie name + "v2") binds the value
                        to its name; with EncryptCookies::$serialize a PHP-serialized string of all that
    kind=crypt          Crypt::encrypt(): a PHP-serialized value
    kind=crypt-string   Crypt::encryptString(): the text itself

The session cookie holds an ID of 40 letters and digits. With the session driver `cookie` a second cookie, which
is named by that ID, holds JSON {"data": text, "expires": Unix seconds}, and the text the session: PHP-serialized
or JSON (`session.serialization`), and with `session.encrypt` once more a text of Crypt::encrypt(). Flashed values
lie among the others; in a stored session `_flash.old` names those that the next request still sees. Every key of
the ring may verify (APP_PREVIOUS_KEYS), for the encryption and for the name by itself.
Sources: illuminate/encryption 8.83 and 12.x Encrypter.php; illuminate/cookie Middleware/EncryptCookies.php,
CookieValuePrefix.php; illuminate/session CookieSessionHandler.php, Store.php, EncryptedStore.php.
"""

from __future__ import annotations

import binascii
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.encoding import percent_decode
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    MalformedError,
    MissingExtraError,
    NotSupportedError,
    SecretError,
    UnserializableValueError,
    UsageError,
    WrongKeyTypeError,
)
from sessionctl.formats.base import (
    Content,
    Context,
    Decoded,
    Format,
    Option,
    Verdict,
    Warn,
    as_text,
    expire,
    first_fit,
    genuine,
)
from sessionctl.payload import php, python_json
from sessionctl.signing.mac import Hmac, b64encode, compare_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.signing.keys import KeyRing, Secret

_KEY_SIZES = {"aes-256-cbc": 32, "aes-128-cbc": 16, "aes-256-gcm": 32, "aes-128-gcm": 16}
_IV_SIZES = {"cbc": 16, "gcm": 12}
_MODES = {size: mode for mode, size in _IV_SIZES.items()}
_TAG = 16
_MAC = 64
_PREFIX = 41  # 40 hexadecimal digits and "|"
_ID = 40
_HEX = frozenset(b"0123456789abcdef")
_TOKEN_COOKIE = "XSRF-TOKEN"  # noqa: S105 - a name

_UNCHECKED = Warn(
    "name-unchecked",
    "the value is bound to the cookie's name, which was not given: name=value or --cookie-name lets it be checked",
)
_ENVELOPE = Warn(
    "non-canonical", "the outer base64 is not the text that Laravel writes, though Laravel accepts it"
)


class _Sealed(NamedTuple):
    """The parts of the JSON, with the texts as they are where the MAC covers the texts."""

    iv_text: str
    value_text: str
    mac: str
    iv: bytes
    value: bytes
    tag: bytes
    mode: str
    canonical: bool


class Laravel(Format):
    """The encrypted cookies of Laravel."""

    name = "laravel"
    summary = "Laravel 5.6 and later: encrypted cookies, the session driver cookie, texts of Crypt"
    cookie_names = ("laravel_session", "laravel-session")
    options = (
        Option("cipher", "aes-256-cbc", "app.cipher; left out, key and text tell", tuple(_KEY_SIZES)),
        Option("kind", "cookie", "the cookie middleware, or Crypt", ("cookie", "crypt", "crypt-string")),
        Option("serialize", "false", "EncryptCookies::$serialize", ("false", "true")),
        Option("serialization", "php", "session.serialization, of a session to write", ("php", "json")),
        Option("lifetime", "120", "session.lifetime in minutes, of the session driver cookie"),
    )
    example = "EXAMPLE"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._kind = self.option("kind")
        self._cipher = self.option("cipher")
        lifetime = self.option("lifetime")
        if not (lifetime.isascii() and lifetime.isdigit() and len(lifetime) < 10):  # noqa: PLR2004
            raise UsageError("option 'lifetime' of format 'laravel' is a number of minutes")
        self._lifetime = int(lifetime) * 60

    # -- the four questions ---------------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - the JSON is distinctive
        if not text.startswith("eyJ"):
            return 0.0
        sealed = _unseal(text)
        if sealed.mode == "gcm":
            return 0.98 if len(sealed.tag) == _TAG and not sealed.mac else 0.0
        return 0.98 if len(sealed.mac) == _MAC and _HEX.issuperset(sealed.mac.encode()) else 0.0

    def _decode(self, text: str, context: Context) -> Decoded:
        sealed = _unseal(text)
        plain, index = self._open(sealed, context)
        decoded = self._said(self._unserialized(plain), context)
        odd = () if sealed.canonical else (_ENVELOPE,)
        algorithm = _algorithm(sealed.mode, context.keys[index])
        return replace(decoded, encrypted=True, algorithm=algorithm, warnings=(*decoded.warnings, *odd))

    def _verify(self, text: str, context: Context) -> Verdict:
        sealed = _unseal(text)
        plain, index = self._open(sealed, context)
        plain = self._unserialized(plain)
        warnings = () if sealed.canonical else (_ENVELOPE,)
        expires_at = None
        if self._kind == "cookie":
            warnings += self._check_name(plain, context)
            plain = plain[_PREFIX:]
            expires_at = _expiry(plain)
        elif self._kind == "crypt":
            php.loads(plain)
        verdict = genuine(
            context,
            index,
            algorithm=_algorithm(sealed.mode, context.keys[index]),
            value=as_text(plain)[0],
            warnings=warnings,
            issued_at=None if expires_at is None else expires_at - self._lifetime,
            expires_at=expires_at,
        )
        late = expires_at is not None and int(context.now) > expires_at
        return expire(verdict, expires_at, context) if late else verdict

    def _encode(self, content: Content, context: Context) -> str:
        secret = context.keys.newest
        cipher = self._cipher if self.given("cipher") else _default_cipher(secret)
        if len(secret.bytes) != _KEY_SIZES[cipher]:
            raise SecretError(f"the key has {len(secret.bytes)} bytes; {cipher} takes {_KEY_SIZES[cipher]}")
        sealed = self._seal(self._plain(content, context, secret), secret, cipher[-3:])
        if self._kind != "cookie":
            return sealed
        return sealed.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")

    # -- flash, and records of the other session drivers ----------------------------------------------

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """`data` as Laravel stores it after `flash()`: the value among the others, its name in `_flash.old`."""
        if not isinstance(data, dict):
            raise NotSupportedError(
                "this cookie of Laravel holds no session, so nothing can be flashed in it"
            )
        old, new = _flash_names(data)
        flash = {"old": [*(name for name in old if name != key), key], "new": [n for n in new if n != key]}
        return {**data, key: value, "_flash": flash}

    def decode_record(
        self, data: bytes, keys: KeyRing | Iterable[str | bytes] = (), **context: Any
    ) -> Decoded:
        """What a record of the store says: a session, plain or encrypted, in base64 where a database keeps it.

        Raises `MalformedError`; for an encrypted one also `NoKeyError` and `BadSignatureError`.
        """
        text = data.strip(b"\r\n\t ")
        if not text:
            return Decoded(data=[], signed=False, payload_type="php")
        sealed = _sealed_record(text)
        if sealed is None:
            return _session(text)
        cipher = {"cipher": self._cipher} if self.given("cipher") else {}
        opener = type(self)(kind="crypt-string", **cipher)
        decoded = opener.decode(sealed, keys, **context)
        session = _session(php.loads_string(_bytes_of(decoded)))
        return replace(session, encrypted=True, signed=True, algorithm=decoded.algorithm)

    # -- reading --------------------------------------------------------------------------------------

    def _open(self, sealed: _Sealed, context: Context) -> tuple[bytes, int]:
        """The plain text and the index of its key. Raises `NoKeyError`, `BadSignatureError`, `MalformedError`."""
        self._check_parts(sealed)
        sizes = {_KEY_SIZES[self._cipher]} if self.given("cipher") else set(_KEY_SIZES.values())
        if context.keys and not any(len(secret.bytes) in sizes for secret in context.keys):
            wanted = " or ".join(map(str, sorted(sizes)))
            raise WrongKeyTypeError(
                f"the key has {len(context.keys[0].bytes)} bytes, but AES takes {wanted} here (APP_KEY as base64:...)"
            )
        opened: list[bytes] = []

        def fits(secret: Secret) -> bool:
            if len(secret.bytes) not in sizes:
                return False
            plain = self._unlock(sealed, secret)
            opened.extend(() if plain is None else (plain,))
            return plain is not None

        index = first_fit(context, fits)
        return opened[0], index

    def _check_parts(self, sealed: _Sealed) -> None:
        if self.given("cipher") and sealed.mode != self._cipher[-3:]:
            raise MalformedCookieError(
                f"the iv of {len(sealed.iv)} bytes is that of {sealed.mode.upper()}, not of {self._cipher}"
            )
        if sealed.mode == "gcm" and len(sealed.tag) != _TAG:
            raise MalformedCookieError(f"the tag of GCM has {len(sealed.tag)} bytes in place of {_TAG}")
        if sealed.mode == "cbc" and sealed.tag:
            raise MalformedCookieError("there is a tag, which CBC does not have")

    def _unlock(self, sealed: _Sealed, secret: Secret) -> bytes | None:
        """The plain text, or None where the key does not fit."""
        if sealed.mode == "gcm":
            return _decrypt_gcm(sealed, secret.bytes)
        mac = self.kept(_mac, secret, "sha256")
        message = (sealed.iv_text + sealed.value_text).encode()
        if not compare_digest(mac.digest(message).hex().encode(), sealed.mac.encode()):
            return None
        return _decrypt_cbc(sealed, secret.bytes)

    def _unserialized(self, plain: bytes) -> bytes:
        """The text of a cookie without PHP's serialization around it, where there is one."""
        if self._kind != "cookie" or self.option("serialize") != "true":
            return plain
        return php.loads_string(plain)

    def _check_name(self, plain: bytes, context: Context) -> tuple[Warn, ...]:
        """Raise `BadSignatureError` where the prefix is that of another name; warn where no name was given."""
        if self._is_bound(plain, context):
            return ()
        if not _has_prefix(plain):
            raise BadSignatureError(
                "the text decrypts, but nothing binds it to a cookie: Crypt made it (-O kind=crypt), or an old Laravel"
            )
        if context.cookie_name is None:
            return (_UNCHECKED,)
        raise BadSignatureError("the text decrypts, but it was made for a cookie of another name")

    def _is_bound(self, plain: bytes, context: Context) -> bool:
        names = (
            self.cookie_names + (_TOKEN_COOKIE,) if context.cookie_name is None else (context.cookie_name,)
        )
        given = plain[:_PREFIX]
        return any(
            compare_digest(_prefix(self.kept(_mac, secret, "sha1"), name), given)
            for secret in context.keys
            for name in names
        )

    def _said(self, plain: bytes, context: Context) -> Decoded:
        """What the plain text says, the prefix taken off."""
        if self._kind == "crypt":
            return Decoded(data=php.loads(plain), payload_type="php")
        if self._kind == "crypt-string":
            data, kind = as_text(plain)
            return Decoded(data=data, payload_type=kind)
        warnings: tuple[Warn, ...] = ()
        if not self._is_bound(plain, context):
            warnings = (_UNCHECKED if context.cookie_name is None else _OTHER_NAME,)
        value = plain[_PREFIX:] if _has_prefix(plain) else plain
        expires_at = _expiry(value)
        if expires_at is not None:
            session = self.decode_record(_envelope(value)["data"].encode(), context.keys, now=context.now)
            return replace(
                session,
                id=context.cookie_name,
                signed=True,
                issued_at=expires_at - self._lifetime,
                expires_at=expires_at,
                warnings=warnings,
            )
        data, kind = as_text(value)
        is_id = (
            len(data) == _ID and data.isascii() and data.isalnum() and context.cookie_name != _TOKEN_COOKIE
        )
        return Decoded(data=data, id=data if is_id else None, payload_type=kind, warnings=warnings)

    # -- writing --------------------------------------------------------------------------------------

    def _plain(self, content: Content, context: Context, secret: Secret) -> bytes:
        if self._kind == "crypt":
            return php.dumps(content.data)
        if self._kind == "crypt-string":
            return _text_of(content.data)
        name = context.cookie_name or (
            content.id if not isinstance(content.data, str) else self.cookie_names[0]
        )
        if name is None:
            raise UsageError(
                "a session of Laravel's driver cookie is named by its ID: --cookie-name gives it"
            )
        value = (
            _text_of(content.data)
            if isinstance(content.data, str)
            else self._driver_text(content.data, context)
        )
        plain = _prefix(self.kept(_mac, secret, "sha1"), name) + value
        return _php_string(plain) if self.option("serialize") == "true" else plain

    def _driver_text(self, data: Any, context: Context) -> bytes:
        """What the session driver cookie keeps of a session."""
        if not isinstance(data, (dict, list)):
            raise UnserializableValueError("", "a cookie of Laravel holds text or a session")
        as_json = self.option("serialization") == "json"
        text = _php_json(data) if as_json else php.dumps(data).decode()
        return _php_json({"data": text, "expires": int(context.now) + self._lifetime}).encode()

    def _seal(self, plain: bytes, secret: Secret, mode: str) -> str:
        iv = os.urandom(_IV_SIZES[mode])
        value, tag = _encrypt(plain, secret.bytes, iv, mode)
        parts = {"iv": b64encode(iv), "value": b64encode(value), "mac": "", "tag": b64encode(tag)}
        if mode == "cbc":
            mac = self.kept(_mac, secret, "sha256")
            parts["mac"] = mac.digest((parts["iv"] + parts["value"]).encode()).hex()
        return b64encode(jsontext.dumps_bytes(parts))


_OTHER_NAME = Warn(
    "other-name", "the value was made for a cookie of another name, so that Laravel would drop it"
)


# -- the envelope -------------------------------------------------------------------------------------


def _unseal(text: str) -> _Sealed:
    """The parts, with the same demands as `Encrypter::validPayload`. Raises `MalformedCookieError`."""
    plain = percent_decode(text)
    try:
        outer = _php_base64(plain)
        parts = jsontext.loads_bytes(outer)
    except MalformedError:
        raise MalformedCookieError("not base64 of JSON, as Laravel writes it") from None
    if not isinstance(parts, dict):
        raise MalformedCookieError("the JSON is no object")
    iv, value, mac = (_part(parts, name) for name in ("iv", "value", "mac"))
    tag = parts.get("tag")
    if not isinstance(tag, (str, type(None))):
        raise MalformedCookieError("the tag is no text")
    iv_bytes = _php_base64(iv)
    if len(iv_bytes) not in _MODES:
        raise MalformedCookieError(f"the iv has {len(iv_bytes)} bytes, not 16 (CBC) or 12 (GCM)")
    return _Sealed(
        iv_text=iv,
        value_text=value,
        mac=mac,
        iv=iv_bytes,
        value=_php_base64(value),
        tag=_php_base64(tag or ""),
        mode=_MODES[len(iv_bytes)],
        canonical=plain == b64encode(outer),
    )


def _part(parts: dict[str, Any], name: str) -> str:
    text = parts.get(name)
    if not isinstance(text, str) or not text.isascii():
        raise MalformedCookieError(f"there is no {name}" if text is None else f"the {name} is no text")
    return text


def _php_base64(text: str) -> bytes:
    """As PHP's `base64_decode`: what is foreign to it is dropped. Raises `MalformedCookieError`."""
    data = text.encode("ascii", "ignore")
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        raise MalformedCookieError("a part is not base64") from None


def _mac(secret: Secret, digest: str) -> Hmac:
    return Hmac(secret.bytes, digest)


def _prefix(mac: Hmac, name: str) -> bytes:
    """What binds a value to the name of its cookie."""
    return mac.digest(name.encode("utf-8", "replace") + b"v2").hex().encode("ascii") + b"|"


def _has_prefix(plain: bytes) -> bool:
    return plain[_PREFIX - 1 : _PREFIX] == b"|" and _HEX.issuperset(plain[: _PREFIX - 1])


# -- ciphers ------------------------------------------------------------------------------------------


def _algorithm(mode: str, secret: Secret) -> str:
    name = f"AES-{len(secret.bytes) * 8}-{mode.upper()}"
    return name if mode == "gcm" else f"{name} HMAC-SHA256"


def _default_cipher(secret: Secret) -> str:
    return "aes-128-cbc" if len(secret.bytes) == _KEY_SIZES["aes-128-cbc"] else "aes-256-cbc"


def _decrypt_gcm(sealed: _Sealed, key: bytes) -> bytes | None:
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise _missing() from None
    try:
        return AESGCM(key).decrypt(sealed.iv, sealed.value + sealed.tag, None)
    except InvalidTag:
        return None


def _decrypt_cbc(sealed: _Sealed, key: bytes) -> bytes:
    """The plain text of a ciphertext that the MAC has proved. Raises `MalformedCookieError`."""
    try:
        from cryptography.hazmat.primitives import padding
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise _missing() from None
    decryptor = Cipher(algorithms.AES(key), modes.CBC(sealed.iv)).decryptor()
    unpadder = padding.PKCS7(algorithms.AES.block_size).unpadder()
    try:
        padded = decryptor.update(sealed.value) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise MalformedCookieError("genuine, but the ciphertext does not decrypt") from None


def _encrypt(plain: bytes, key: bytes, iv: bytes, mode: str) -> tuple[bytes, bytes]:
    """The ciphertext and the tag, which CBC has not."""
    try:
        from cryptography.hazmat.primitives import padding
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise _missing() from None
    if mode == "gcm":
        sealed = AESGCM(key).encrypt(iv, plain, None)
        return sealed[:-_TAG], sealed[-_TAG:]
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize(), b""


def _missing() -> MissingExtraError:
    return MissingExtraError("format laravel", "formats")


# -- sessions -----------------------------------------------------------------------------------------


def _envelope(value: bytes) -> dict[str, Any]:
    """The JSON of the session driver cookie, empty where the value is none."""
    if value[:1] != b"{":
        return {}
    try:
        found = jsontext.loads_bytes(value)
    except MalformedError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("data"), str) else {}


def _expiry(value: bytes) -> float | None:
    """When the session in a value of the session driver cookie ends, in Unix seconds."""
    expires = _envelope(value).get("expires")
    is_number = isinstance(expires, (int, float)) and not isinstance(expires, bool)
    return float(expires) if is_number and abs(expires) < _FAR else None


_FAR = 2**53


def _sealed_record(text: bytes) -> str | None:
    """The Crypt text in a record, itself in base64 or not; None where the session lies open."""
    for candidate in (text, _unwrapped(text)):
        if candidate.startswith(b"eyJ"):
            sealed = candidate.decode("latin-1")
            try:
                _unseal(sealed)
            except MalformedError:
                continue
            return sealed
    return None


def _unwrapped(text: bytes) -> bytes:
    """What the session driver database has put in base64."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return text


def _session(text: bytes) -> Decoded:
    """The session in its serialized text, PHP's or JSON."""
    if text[:2] != b"a:" and text[:1] not in (b"{", b"["):
        text = _unwrapped(text)
    is_json = text[:1] in (b"{", b"[")
    values = jsontext.loads_bytes(text) if is_json else php.loads(text)
    return Decoded(data=values, flash=_flash(values), signed=False, payload_type="json" if is_json else "php")


def _flash_names(data: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The names in `_flash.old` and in `_flash.new`."""
    names = data.get("_flash")
    found = names if isinstance(names, dict) else {}
    lists = (found.get(which) for which in ("old", "new"))
    old, new = ([n for n in each if isinstance(n, str)] if isinstance(each, list) else [] for each in lists)
    return old, new


def _flash(data: Any) -> dict[str, Any] | None:
    """The flashed values by name, or None where the session has never had any."""
    if not isinstance(data, dict) or "_flash" not in data:
        return None
    old, new = _flash_names(data)
    return {name: _get(data, name) for name in (*old, *new)}


def _get(data: dict[str, Any], name: str) -> Any:
    """As Laravel's `Arr::get`: dots lead inside, unless the whole name is a key."""
    if name in data:
        return data[name]
    found: Any = data
    for part in name.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def _php_json(value: Any) -> str:
    """JSON as PHP's `json_encode` writes it."""
    return python_json.dumps(value).replace("/", "\\/")


def _php_string(data: bytes) -> bytes:
    return b's:%d:"%s";' % (len(data), data)


def _text_of(data: Any) -> bytes:
    if not isinstance(data, str):
        raise UnserializableValueError("", "Crypt::encryptString() takes text alone")
    try:
        return data.encode()
    except UnicodeEncodeError:
        raise UnserializableValueError("", "a lone surrogate has no UTF-8") from None


def _bytes_of(decoded: Decoded) -> bytes:
    """The bytes behind `as_text`."""
    data: str = decoded.data
    return data.encode() if decoded.payload_type == "text" else binascii.a2b_base64(data)
