r"""Flask-Login's "remember me" cookie.

    user ID "|" signature

    user ID    any text; it may hold "|", so the last one counts
    signature  128 hexadecimal digits: HMAC-SHA512 over the ID's UTF-8, compared as text
               (40 digits of SHA-1 in 0.2: -O digest=sha1)
    key        SECRET_KEY; text is encoded in Latin-1, unlike for Flask's own session

There is no time in it: only the cookie's own Expires ends it, 365 days after the log-in, and a copy lives on.
SECRET_KEY_FALLBACKS is not looked at. What is not ASCII in an ID stands as octal escapes of its UTF-8, in
quotes.
Sources: Flask-Login 0.6.3 utils.py (`encode_cookie`, `decode_cookie`, `_secret_key`), config.py; 0.2.11.
"""

from __future__ import annotations

from binascii import hexlify
from typing import TYPE_CHECKING, NamedTuple

from sessionctl.encoding import quote, unquote, utf8
from sessionctl.errors import MalformedCookieError, UnserializableValueError, WrongKeyTypeError
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict
from sessionctl.formats.judging import first_opened, genuine
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES, Hmac, compare_digest
from sessionctl.signing.macs import Macs

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

_HEX = frozenset("0123456789abcdef")
_SHA1, _SHA512 = 40, 128


class FlaskLogin(Format):
    """The `remember_token` cookie of Flask-Login."""

    name = "flask-login"
    summary = "Flask-Login: the remember_token cookie, which holds the user's ID"
    cookie_names = ("remember_token",)
    options = (Option("digest", "sha512", "hash of the signature; sha1 in 0.2", tuple(DIGEST_SIZES)),)
    example = (
        "42|0ce258c152060a65a3339cc4d9def716f69076828dba50850a8efabde47526e2"
        "a0dc72a6cc6733c417d6d2129db1d5bc60eb185f86c478dc2e6bab4df8b065cc"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._algorithm = ALGORITHMS[self.option("digest")]
        self._macs = Macs(lambda secret: Hmac(_latin1(secret), self.option("digest")), DIGEST_SIZES)

    def _detect(self, text: str, cookie_name: str | None) -> float:
        parts = _split(text)
        if len(parts.signature) not in (_SHA1, _SHA512) or not set(parts.signature) <= _HEX:
            return 0.0
        if not parts.user_id.isprintable():
            return 0.0
        usual = len(parts.signature) == _SHA512
        if cookie_name in self.cookie_names:
            return 0.99 if usual else 0.95
        if not parts.user_id:
            return 0.0
        timed = parts.user_id.rpartition("|")[2].isdigit() and "|" in parts.user_id  # as Tornado writes it
        return 0.95 if usual else 0.2 if timed else 0.6

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - needs no key
        user_id = _split(text).user_id
        return Decoded(data=user_id, payload_type="text", algorithm=self._algorithm)

    def _verify(self, text: str, context: Context) -> Verdict:
        parts = _split(text)
        message, given = utf8(parts.user_id), utf8(parts.signature)
        try:
            index = self._macs.find(context.keys, message, given, hexlify)
        except WrongKeyTypeError:  # one of the keys cannot be used: the others still can
            index, _ = first_opened(context, lambda secret: self._fits(secret, message, given) or None)
        return genuine(context, index, algorithm=self._algorithm, value=parts.user_id)

    def _fits(self, secret: Secret, message: bytes, given: bytes) -> bool:
        tag = Hmac(_latin1(secret), self.option("digest")).digest(message)
        return compare_digest(hexlify(tag), given)

    def _encode(self, content: Content, context: Context) -> str:
        user_id = content.data
        if isinstance(user_id, bool) or not isinstance(user_id, (str, int)):
            raise UnserializableValueError("", "a remember_token holds a user's ID: a text or an integer")
        message = _utf8(str(user_id))
        signed = message + b"|" + hexlify(self._macs.of(context.keys)[0].digest(message))
        return quote(signed.decode("latin-1"))


class _Parts(NamedTuple):
    user_id: str
    signature: str


def _split(text: str) -> _Parts:
    user_id, bar, signature = unquote(text).rpartition("|")
    if not bar:
        raise MalformedCookieError("a remember_token has a user's ID and a signature, with '|' between them")
    return _Parts(user_id, signature)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnserializableValueError("", "the ID holds half of a surrogate pair") from None


def _latin1(secret: Secret) -> bytes:
    """The bytes of a secret as Flask-Login takes it."""
    if secret.text is None:
        return secret.bytes
    try:
        return secret.text.encode("latin-1")
    except UnicodeEncodeError:
        raise WrongKeyTypeError(
            "Flask-Login encodes a secret in Latin-1, and this one has characters that Latin-1 has not; "
            "it would fail on it as well"
        ) from None
