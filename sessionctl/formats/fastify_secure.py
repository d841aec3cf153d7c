"""@fastify/secure-session: the session in a secretbox of libsodium.

    percent-encoded:  BOX ";" NONCE

    BOX      standard base64 with padding of crypto_secretbox (XSalsa20-Poly1305): tag 16 bytes, then the
             ciphertext of JSON, which since release 7.3 has `__ts`, when it was last changed, in Unix seconds
    NONCE    standard base64 of 24 bytes (32 characters)
    key      32 bytes; of a text `secret` (32 bytes or more) it is Argon2id13 with a salt of 16 bytes,
             3 passes over 256 MiB, which takes about a second and that much memory: once for each secret

A session has expired `expiry` seconds (86401) after `__ts`; one without `__ts` never does. @fastify/flash
keeps its messages in the member `flash`.
Sources: @fastify/secure-session 8.4.0 and 5.3.0 index.js; @fastify/flash 6.0.5 lib/flash.js.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.encoding import b64encode, percent_decode, to_standard
from sessionctl.errors import (
    MalformedCookieError,
    MalformedError,
    MissingExtraError,
    NotSupportedError,
    SecretError,
    UsageError,
    WrongKeyTypeError,
)
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import expire, first_opened, genuine
from sessionctl.wording import counted

if TYPE_CHECKING:
    from types import ModuleType

    from sessionctl.signing.keys import Secret

_KEY_SIZE = 32
_NONCE_SIZE = 24
_NONCE_TEXT = 32
_TAG_SIZE = 16
_SALT_SIZE = 16
_BUILT_IN_SALT = bytes.fromhex("9aaf610f10550dbb290d1ea72df153d6")
_PASSES, _MEMORY = 3, 256 << 20  # crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE
_LATEST = 253_402_300_799  # the end of the year 9999
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

_SLOW_KEY = Warn(
    "slow-key",
    "the key of a text secret takes a second and 256 MiB (Argon2id); give the 32 bytes as hex: to spare that",
)
_NON_CANONICAL = Warn(
    "non-canonical", "the base64 is not the text that the framework writes, though it accepts it"
)
_NO_SESSION = Warn("no-session", "the content is no JSON object, so the framework fails on it")


class FastifySecure(Format):
    """The session cookie of @fastify/secure-session."""

    name = "fastify-secure"
    summary = "@fastify/secure-session: encrypted with libsodium's secretbox"
    cookie_names = ("session",)
    default_max_age = 86401.0
    age_setting = "expiry"
    options = (
        Option("salt", "", "16 ASCII characters for the key of a text secret; empty: the built-in salt"),
    )
    example = (
        "HROdIZEpfsYQJz%2Fw%2FiRIyA4%2B1QHFDExgtc5KxIpRLpV49a67sDxd7blAzy58LF0%3D%3BiJNKsNY81javsZS"
        "lBc5rUL5%2BDaNW4fTi"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        salt = self.option("salt")
        if salt and (len(salt) != _SALT_SIZE or not salt.isascii()):
            raise UsageError(f"option 'salt' of format {self.name!r} has {_SALT_SIZE} ASCII characters")

    def _detect(self, text: str, cookie_name: str | None) -> float:
        plain = percent_decode(text)
        box, semicolon, nonce = plain.partition(";")
        if not semicolon or len(nonce) != _NONCE_TEXT or len(box) % 4 or not _ALPHABET.issuperset(nonce):
            return 0.0
        if len(_node_base64(box)) < _TAG_SIZE + 2 or not _ALPHABET.issuperset(box.rstrip("=")):
            return 0.0
        return 0.97 if cookie_name in self.cookie_names else 0.92

    def _decode(self, text: str, context: Context) -> Decoded:
        box, nonce, warnings = _read(text)
        _, content = self._first(context, box, nonce)
        data = _parse(content)
        issued_at = _issued_at(data)
        flash = data.get("flash") if isinstance(data, dict) else None
        return Decoded(
            data=data,
            flash=flash if isinstance(flash, dict) else None,
            issued_at=issued_at,
            expires_at=self._expires_at(issued_at, context),
            encrypted=True,
            algorithm="XSalsa20-Poly1305",
            warnings=(*_odd(data, context), *warnings),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        box, nonce, warnings = _read(text)
        index, content = self._first(context, box, nonce)
        data = _parse(content)
        issued_at = _issued_at(data)
        expires_at = self._expires_at(issued_at, context)
        verdict = genuine(
            context,
            index,
            algorithm="XSalsa20-Poly1305",
            issued_at=issued_at,
            expires_at=expires_at,
            warnings=(*_odd(data, context), *warnings),
        )
        is_old = expires_at is not None and expires_at <= context.now
        return expire(verdict, expires_at, context) if is_old else verdict

    def _encode(self, content: Content, context: Context) -> str:
        try:
            key = self._key(context.keys.newest)
        except WrongKeyTypeError as error:
            raise SecretError(str(error)) from None
        sealed = _nacl().secret.SecretBox(key).encrypt(jsontext.dumps_bytes(content.data))
        text = f"{b64encode(sealed.ciphertext)};{b64encode(sealed.nonce)}"
        return text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D").replace(";", "%3B")

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """A message added as @fastify/flash does: `flash.KEY` is a list."""
        if not isinstance(data, dict):
            raise NotSupportedError("only a session that is an object has flash messages")
        flash: dict[str, Any] = data["flash"] if isinstance(data.get("flash"), dict) else {}
        before = flash.get(key, [])
        messages = [*before, value] if isinstance(before, list) else [before, value]
        return {**data, "flash": {**flash, key: messages}}

    # -- how ----------------------------------------------------------------------------------------

    def _expires_at(self, issued_at: float | None, context: Context) -> float | None:
        limit = context.age_limit(self.default_max_age)
        return None if issued_at is None or limit is None else issued_at + limit

    def _first(self, context: Context, box: bytes, nonce: bytes) -> tuple[int, bytes]:
        """The index of the first key that opens the box, and what is in it.

        Keys of bytes go first, so that a key is derived only where none of them fits.
        """
        for index, secret in enumerate(context.keys):
            if secret.text is None and len(secret.bytes) == _KEY_SIZE:
                content = _open(secret.bytes, box, nonce)
                if content is not None:
                    return index, content
        return first_opened(context, lambda secret: _open(self._key(secret), box, nonce))

    def _key(self, secret: Secret) -> bytes:
        """The 32 bytes of a secret. Raises `WrongKeyTypeError` for too few."""
        if secret.text is None:
            if len(secret.bytes) != _KEY_SIZE:
                raise WrongKeyTypeError(f"a key of bytes has {_KEY_SIZE} of them, not {len(secret.bytes)}")
            return secret.bytes
        if len(secret.bytes) < _KEY_SIZE:
            raise WrongKeyTypeError(
                f"a secret of text has at least {_KEY_SIZE} bytes; a key is hex: or base64:"
            )
        return self.kept(derive_key, secret, self.option("salt"))


def derive_key(secret: Secret, salt: str) -> bytes:
    """The key of a text secret: Argon2id13, which takes a second and 256 MiB. Raises `SecretError`."""
    nacl = _nacl()
    try:
        found: bytes = nacl.pwhash.argon2id.kdf(
            _KEY_SIZE,
            secret.bytes,
            salt.encode("ascii") if salt else _BUILT_IN_SALT,
            opslimit=_PASSES,
            memlimit=_MEMORY,
        )
    except (nacl.exceptions.CryptoError, RuntimeError, MemoryError):
        raise SecretError(
            "there are no 256 MiB of memory to derive the key of a text secret (Argon2id)"
        ) from None
    return found


def _nacl() -> ModuleType:
    try:
        import nacl.exceptions
        import nacl.pwhash
        import nacl.secret
    except ImportError:
        raise MissingExtraError("format 'fastify-secure'", "formats") from None
    return nacl


def _open(key: bytes, box: bytes, nonce: bytes) -> bytes | None:
    """What is in the box, or None where the key is another, or the box was changed."""
    nacl = _nacl()
    try:
        content: bytes = nacl.secret.SecretBox(key).decrypt(box, nonce)
    except nacl.exceptions.CryptoError:
        return None
    return content


def _read(text: str) -> tuple[bytes, bytes, tuple[Warn, ...]]:
    """Box and nonce, and what is odd about their text. Raises `MalformedCookieError`."""
    plain = percent_decode(text)
    box_text, semicolon, rest = plain.partition(";")
    if not semicolon:
        raise MalformedCookieError("there is no ; between the box and its nonce")
    box, nonce = _node_base64(box_text), _node_base64(rest.split(";", 1)[0])
    if len(box) < _TAG_SIZE:
        raise MalformedCookieError(f"the box has {counted(len(box), 'byte')}, fewer than its tag alone")
    if len(nonce) != _NONCE_SIZE:
        raise MalformedCookieError(f"the nonce has {counted(len(nonce), 'byte')} in place of {_NONCE_SIZE}")
    return box, nonce, () if plain == f"{b64encode(box)};{b64encode(nonce)}" else (_NON_CANONICAL,)


def _node_base64(text: str) -> bytes:
    """Base64 as Node's `Buffer.from` reads it: to the first `=`, either alphabet, no foreign characters."""
    standard = to_standard(text.partition("=")[0])
    bare = "".join(char for char in standard if char in _ALPHABET)
    if len(bare) % 4 == 1:
        bare = bare[:-1]
    return binascii.a2b_base64(bare + "=" * (-len(bare) % 4))


def _parse(content: bytes) -> Any:
    try:
        return jsontext.loads(content.decode("utf-8", "replace"))
    except MalformedError as error:
        raise MalformedCookieError(f"the key fits, but the content is {error}") from None


def _issued_at(data: Any) -> float | None:
    stamp: Any = data.get("__ts") if isinstance(data, dict) else None
    if type(stamp) in (int, float) and 0 <= stamp <= _LATEST:
        return float(stamp)
    return None


def _odd(data: Any, context: Context) -> tuple[Warn, ...]:
    slow = (_SLOW_KEY,) if all(secret.text is not None for secret in context.keys) else ()
    return slow if isinstance(data, dict) else (*slow, _NO_SESSION)
