"""What the signed cookies of Node's frameworks share: `value "." mac`, percent-encoded as a whole.

    V "." S

    V  the value; it may hold dots, so the last dot counts
    S  base64(HMAC-SHA256(UTF-8 of the secret, UTF-8 of V)), 43 characters: padding is cut off
       (hono keeps it: 44 characters)

Some compare S as text (cookie-signature, @fastify/cookie), so only one text will do; others compare the
bytes that `atob` reads (React Router, hono), so padding and stray low bits pass.
Sources: cookie-signature 1.2.2 and @fastify/cookie 11.1.5, signer.js; react-router 7.18.5,
lib/server-runtime/crypto.ts; hono 4.13.19, utils/cookie.ts; cookie 0.7.2 and 1.1.1, `parse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionctl import jsontext
from sessionctl.encoding import atob, b64encode, has_stray_bits, percent_decode, utf8
from sessionctl.errors import BadSignatureError, MalformedCookieError, UnserializableValueError
from sessionctl.formats.django import names_session
from sessionctl.formats.judging import refused
from sessionctl.signing.mac import Hmac

if TYPE_CHECKING:
    from sessionctl.formats.base import Content, Context, Verdict
    from sessionctl.signing.keys import Secret
    from sessionctl.signing.macs import Macs

DIGESTS = ("sha256", "sha1", "sha224", "sha384", "sha512")
LENGTH = 43
"""How many characters 32 bytes take in base64 without padding."""

_SHORTEST_ID, _UNLIKE_WORDS = 16, 0.15
"""Letters and digits that an ID has, and the share of digits and capitals among them; of base64 more than half are."""


def header_text(text: str) -> str:
    """A cookie value as Node's `cookie` package gives it: without quotes, percent-decoded if that works."""
    bare = text[1:-1] if text[:1] == '"' == text[-1:] and len(text) > 1 else text
    if "%" not in bare:
        return bare
    try:
        return percent_decode(bare)
    except MalformedCookieError:
        return bare


def split(text: str) -> tuple[str, str | None]:
    """The value and its signature, parted at the last dot; without a dot there is no signature."""
    value, dot, signature = text.rpartition(".")
    return (value, signature) if dot else (text, None)


def mac_of(secret: Secret, digest: str = "sha256") -> Hmac:
    """The HMAC of a secret."""
    return Hmac(secret.bytes, digest)


def sign(mac: Hmac, value: str) -> str:
    """The value with its signature, unpadded."""
    return f"{value}.{b64encode(mac.digest(utf8(value))).rstrip('=')}"


def mac_bytes(signature: str) -> bytes | None:
    """The bytes of a signature as `atob` reads them, or None where it refuses it."""
    try:
        return atob(signature)
    except MalformedCookieError:
        return None


def find_key(macs: Macs, context: Context, value: str, signature: str) -> int:
    """The index of the key with which a value was signed, the signature being read as `atob` does.

    Raises `NoKeyError` and `BadSignatureError`.
    """
    message, tag = utf8(value), mac_bytes(signature)
    if tag is None and context.keys:
        raise BadSignatureError("the signature is no base64: the text was cut or altered")
    return macs.find(context.keys, message, tag or b"")


def is_canonical(signature: str) -> bool:
    """Whether a signature that `atob` reads as 32 bytes is the very text that a signer writes."""
    return len(signature) == LENGTH and not has_stray_bits(signature)


def looks_signed(signature: str | None, length: int = LENGTH) -> bool:
    """Whether this may be a signature of 32 bytes: its length, and the standard alphabet."""
    if signature is None or len(signature) != length or not signature.isascii():
        return False
    return signature.rstrip("=").replace("+", "A").replace("/", "A").isalnum()


def is_value(text: object, cookie_name: str | None, names: tuple[str, ...]) -> bool:
    """Whether a text is likelier a value than a session's ID: it is not random, and no session's name is on it."""
    if not isinstance(text, str) or (cookie_name and (cookie_name in names or names_session(cookie_name))):
        return False
    bare = text.replace("-", "").replace("_", "")
    if len(bare) < _SHORTEST_ID or not (bare.isascii() and bare.isalnum()):
        return True
    return sum(not char.islower() for char in bare) < len(bare) * _UNLIKE_WORDS


def unsigned(context: Context, detail: str, **more: Any) -> Verdict:
    """The verdict where the signature is missing: `unsigned`, but where keys were given, a refusal."""
    return refused("bad-signature" if context.keys else "unsigned", detail, context, **more)


def text_of(content: Content) -> str:
    """The value of new content where the cookie carries a text: the text, the ID, or JSON of the rest."""
    data = content.id if content.data is None and content.id else content.data
    return data if isinstance(data, str) else jsontext.dumps(data)


def encode_uri_component(text: str) -> str:
    """As JavaScript's `encodeURIComponent`; raises `UnserializableValueError` for a lone surrogate."""
    from urllib.parse import quote

    try:
        return quote(text, safe="!'()*")
    except UnicodeEncodeError:
        raise UnserializableValueError("", "a lone surrogate cannot stand in a cookie") from None
