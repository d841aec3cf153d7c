"""How Django signs text, which its sessions, its signed cookies and its messages share.

    value ":" signature                    Signer
    value ":" timestamp ":" signature      TimestampSigner

    timestamp  Unix seconds in base 62 (0-9, A-Z, a-z), most significant digit first; 6 characters today
    signature  HMAC over all before its colon, URL-safe base64 without padding: 43 characters of SHA-256
               (Django 3.1 and later), 27 of SHA-1 (before); compared as text
    key        H(salt + "signer" + SECRET_KEY), H being the digest of the HMAC too

An object stands as its payload, `sign_object`:

    payload    URL-safe base64 without padding of JSON or pickle, or "." and the same of its zlib stream
               where that is more than one byte shorter

Sources: Django 5.2 core/signing.py and utils/crypto.py; 3.0 and 3.2 core/signing.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl.encoding import b64decode_lenient, b64encode_urlsafe, b64encode_urlsafe_tag, decompress, utf8
from sessionctl.errors import BadSignatureError, MalformedCookieError, MalformedError, UsageError
from sessionctl.payload import python_json
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES, Hmac, compare_digest
from sessionctl.signing.macs import signature_lengths, wrong_length
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

COOKIE_KEY_PREFIX = b"django.http.cookies"
"""Stands before the SECRET_KEY wherever Django signs a cookie by `get_cookie_signer`."""

_SIZES = signature_lengths(b64encode_urlsafe_tag)
_ALGORITHMS = {size: ALGORITHMS[digest] for digest, size in _SIZES.items()}

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS = {char: index for index, char in enumerate(_BASE62)}
_MAX_STAMP = 11  # base 62 digits that 64 bits take
COMPRESSED = ".eJ"
"""What a compressed payload begins with: the mark, and the base64 of the header of a zlib stream, 78 9c."""

_PICKLE = 0x80  # the first byte of pickle, protocol 2 and later


class Signed(NamedTuple):
    """A signed text in its parts; `stamp` is empty where the text has no time."""

    value: str
    stamp: str
    signature: bytes
    message: bytes
    """What the signature is made over."""

    @property
    def algorithm(self) -> str | None:
        """What signs, by the length of the signature; None where it is of no digest."""
        return _ALGORITHMS.get(len(self.signature))


def split(text: str, separator: str = ":", *, timed: bool = True) -> Signed:
    """The parts of a signed text, split from the right. Raises `MalformedCookieError`."""
    body, found, signature = text.rpartition(separator)
    value, stamp = body, ""
    if timed and found:
        value, found, stamp = body.rpartition(separator)
    if not found:
        parts = "a value, a time and a signature" if timed else "a value and a signature"
        raise MalformedCookieError(f"the text has not {parts} with {separator!r} between them")
    return new_tuple(Signed, (value, stamp, utf8(signature), utf8(body)))


def parse_digests(text: str) -> tuple[str, ...]:
    """The digests of an option, of which the first signs and all verify. Raises `UsageError`."""
    digests = tuple(text.split(","))
    for digest in digests:
        if digest not in DIGEST_SIZES:
            known = ", ".join(DIGEST_SIZES)
            raise UsageError(
                f"option 'digest' is one of {known}, or several of them with commas, not {digest!r}"
            )
    return digests


def signer(secret: Secret, salt: str, digest: str, prefix: bytes = b"") -> Hmac:
    """The HMAC under the key that Django derives from a secret and a salt."""
    import hashlib

    key = hashlib.new(
        digest, b"%bsigner%b%b" % (salt.encode("utf-8", "surrogatepass"), prefix, secret.bytes)
    ).digest()
    return Hmac(key, digest)


def fits(mac: Hmac, signed: Signed) -> bool:
    """Whether the signature is that of the text."""
    return compare_digest(b64encode_urlsafe_tag(mac.digest(signed.message)), signed.signature)


def digest_of(signature: bytes, digests: tuple[str, ...]) -> str:
    """The digest, of those that the application takes, that makes signatures of this size.

    Raises `BadSignatureError`, which names the digest that the text may have been signed with.
    """
    size = len(signature)
    for digest in digests:
        if _SIZES[digest] == size:
            return digest
    raise BadSignatureError(wrong_length(size, digests, b64encode_urlsafe_tag, DIGEST_SIZES))


def sign(text: str, mac: Hmac, separator: str = ":") -> str:
    """A text with its signature."""
    return f"{text}{separator}{b64encode_urlsafe(mac.digest(text.encode()))}"


def seconds(stamp: str) -> float:
    """The Unix seconds of a timestamp in base 62. Raises `MalformedCookieError`."""
    sign_, digits, number = (-1, stamp[1:], 0) if stamp[:1] == "-" else (1, stamp, 0)
    if not 1 <= len(digits) <= _MAX_STAMP:
        raise MalformedCookieError("the time is no number in base 62")
    try:
        for digit in digits:
            number = 62 * number + _DIGITS[digit]
    except KeyError:
        raise MalformedCookieError("the time is no number in base 62") from None
    return float(sign_ * number)


def stamp_of(now: float) -> str:
    """The timestamp of a moment in Unix seconds, in base 62."""
    number, digits = abs(int(now)), ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return ("-" if now <= -1 else "") + (digits or "0")


def unpack(payload: str, max_size: int) -> bytes:
    """The bytes of a payload, decompressed to at most `max_size`. Raises `MalformedCookieError`.

    The base64 is read as Python reads it: characters that are foreign to it are dropped.
    """
    packed = payload.startswith(".")
    data = b64decode_lenient(payload[packed:])
    return decompress(data, max_size) if packed else data


def pack(data: bytes, *, compress: bool = True) -> str:
    """The payload of bytes, compressed where that makes it more than one byte shorter."""
    if compress:
        import zlib

        shorter = zlib.compress(data)
        if len(shorter) < len(data) - 1:
            return f".{b64encode_urlsafe(shorter)}"
    return b64encode_urlsafe(data)


def read(data: bytes) -> tuple[Any, str]:
    """The object of a payload, and how it was serialized: `json` or `pickle`.

    Raises `MalformedCookieError`. Pickle is read, never run.
    """
    try:
        if data[:1] == b"\x80":
            from sessionctl.payload import pickle

            return pickle.loads(data), "pickle"
        return python_json.loads(data.decode("latin-1")), "json"
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None
