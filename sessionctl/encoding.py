"""Reading cookie text as the frameworks read it: quotes, percent signs, base64, zlib."""

from __future__ import annotations

import binascii
import re
from functools import lru_cache

from sessionctl.errors import MalformedCookieError

_PADDING = ("", "===", "==", "=")
"""What base64 misses at its end, by the length modulo 4; of one character nothing can be made."""


def unquote(text: str) -> str:
    """A cookie value without its double quotes, as Python's `http.cookies` writes them.

    Inside, `\\"` and `\\\\` stand for themselves and `\\ooo` for a byte of UTF-8. Text without quotes is
    given back as it is. Source: CPython Lib/http/cookies.py, `_unquote`.
    """
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':  # noqa: PLR2004 - two quotes
        return text
    if "\\" not in text:
        return text[1:-1]
    octets = _octal()
    first, *rest = text[1:-1].split("\\")
    parts, after = [first], iter(rest)
    for part in after:
        if part[:3] in octets:
            parts.append(octets[part[:3]] + part[3:])
        else:
            parts.append(part or "\\" + next(after, ""))
    raw = "".join(parts)
    try:
        return raw.encode("latin-1").decode()
    except ValueError:
        return raw


@lru_cache(maxsize=1)
def _octal() -> dict[str, str]:
    """The characters of all bytes by their three octal digits: a table, for a text may hold many thousands."""
    return {f"{octet:03o}": chr(octet) for octet in range(256)}


def quote(text: str) -> str:
    """A cookie value in double quotes where Python's `http.cookies` would put them, else as it is."""
    from http.cookies import SimpleCookie

    return SimpleCookie().value_encode(text)[1]


def percent_decode(text: str) -> str:
    """As `decodeURIComponent`; raises `MalformedCookieError` for what it would refuse."""
    if "%" not in text:
        return text
    plain = text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=").replace("%3A", ":")
    if "%" not in plain and plain.isascii():  # as nearly always, for these four stand in base64 and before it
        return plain
    try:
        octets = _octets()
        parts = iter(text.encode().split(b"%"))
        data = bytearray(next(parts))
        for part in parts:
            data += octets[part[:2]]
            data += part[2:]
        return data.decode()
    except (KeyError, ValueError):
        raise MalformedCookieError("the percent-encoding is broken") from None


@lru_cache(maxsize=1)
def _octets() -> dict[bytes, bytes]:
    """What two hexadecimal digits stand for: a table, for this is done for every cookie of some formats."""
    digits = "0123456789abcdefABCDEF"
    return {(high + low).encode(): bytes.fromhex(high + low) for high in digits for low in digits}


def form_decode(text: str) -> str:
    """As `application/x-www-form-urlencoded`, which Rack uses: `+` is a space, `%` as in URLs."""
    return percent_decode(text.replace("+", " "))


def b64encode(data: bytes) -> str:
    """Standard base64 with padding."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def b64encode_tag(tag: bytes) -> bytes:
    """Standard base64 without padding, as bytes to compare with a signature."""
    return binascii.b2a_base64(tag, newline=False).rstrip(b"=")


def b64encode_urlsafe(data: bytes) -> str:
    """URL-safe base64 without padding."""
    return b64encode_urlsafe_tag(data).decode("ascii")


def b64encode_urlsafe_tag(tag: bytes) -> bytes:
    """URL-safe base64 without padding, as bytes to compare with a signature."""
    # There are few of these characters: to search for them is quicker than to translate all.
    return binascii.b2a_base64(tag, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")


def as_text(data: bytes) -> tuple[str, str]:
    """Bytes as JSON can show them, with the `payload_type`: text where it is UTF-8, else standard base64."""
    try:
        return data.decode(), "text"
    except UnicodeDecodeError:
        return b64encode(data), "bytes"


def utf8(text: str) -> bytes:
    """The bytes of a text. Raises `MalformedCookieError` for half of a surrogate pair, which no header can hold."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MalformedCookieError("the text holds half of a surrogate pair") from None


def to_urlsafe(text: str) -> str:
    """Base64 of either alphabet in the URL-safe one."""
    return text.replace("+", "-").replace("/", "_")


def to_standard(text: str) -> str:
    """Base64 of either alphabet in the standard one."""
    return text.replace("-", "+").replace("_", "/")


def b64decode(text: str, what: str = "the payload") -> bytes:
    """Standard base64, padded or not, strict; raises `MalformedCookieError`, which says `what` was wrong."""
    try:
        if text[-1:] != "=":
            return binascii.a2b_base64(text + _PADDING[len(text) % 4], strict_mode=True)
        if len(text) % 4 == 0 and text[-3:] != "===":  # no more padding than the length asks for
            return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        pass
    raise MalformedCookieError(f"{what} is not base64")


def b64decode_urlsafe(text: str, what: str = "the payload") -> bytes:
    """URL-safe base64, padded or not, strict; raises `MalformedCookieError`."""
    if "+" in text or "/" in text:
        raise MalformedCookieError(f"{what} is not URL-safe base64")
    return b64decode(text.replace("-", "+").replace("_", "/"), what)  # `to_standard`, without the call


def b64decode_lenient(text: str, what: str = "the payload") -> bytes:
    """Base64 in either alphabet as `base64.urlsafe_b64decode` reads it: what is foreign to it is dropped."""
    standard = to_standard(text)
    if not text.isascii():
        standard = standard.encode("ascii", "ignore").decode("ascii")
    try:
        return binascii.a2b_base64(standard + _PADDING[len(standard) % 4])
    except binascii.Error:
        raise MalformedCookieError(f"{what} is not base64") from None


def is_canonical_b64(text: str) -> bool:
    """Whether the text is the one that an encoder writes for its bytes (padding aside): no stray low bits."""
    bare = text.rstrip("=")
    try:
        b64decode(to_standard(bare))
    except MalformedCookieError:
        return False
    return not has_stray_bits(bare)


_CLEAN_ENDS = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
"""The last characters without stray bits, by the length modulo 4."""


def has_stray_bits(bare: str) -> bool:
    """Whether base64 without padding ends in a character whose low bits stand for nothing, and are not 0."""
    clean = _CLEAN_ENDS.get(len(bare) % 4)
    return clean is not None and bare[-1] not in clean


def decompress(data: bytes, max_size: int, *, raw: bool = False) -> bytes:
    """A zlib stream (RFC 1950), or raw deflate (RFC 1951), of at most `max_size` bytes when read.

    Raises `MalformedCookieError` for what is broken, cut short or larger.
    """
    import zlib  # few cookies are compressed

    engine = zlib.decompressobj(-15 if raw else 15)
    try:
        result = engine.decompress(data, max_size + 1)
    except zlib.error:
        raise MalformedCookieError("the compressed payload is broken") from None
    if len(result) > max_size:
        raise MalformedCookieError(f"the payload is over {max_size} bytes when decompressed (--max-size)")
    if not engine.eof:
        raise MalformedCookieError("the compressed payload is cut short")
    return result


def compress(data: bytes) -> bytes:
    """A zlib stream with the smallest window that holds the data: the same size, an eighth of the time."""
    import zlib

    bits = max(9, min(15, len(data).bit_length()))
    engine = zlib.compressobj(9, zlib.DEFLATED, bits, max(1, min(9, bits - 7)))
    return engine.compress(data) + engine.flush()


def atob(text: str, what: str = "the payload") -> bytes:
    """Base64 as the browsers' `atob` reads it (WHATWG Infra, "forgiving-base64 decode").

    White space is dropped, padding may be missing but not wrong, unused low bits do not count, and the
    URL-safe alphabet is refused. Raises `MalformedCookieError`.
    """
    if "=" not in text or len(text) % 4 == 0:
        try:
            return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
        except ValueError:  # white space, or what is refused below
            pass
    bare = re.sub(r"[\t\n\f\r ]", "", text)
    if len(bare) % 4 == 0:
        bare = bare.removesuffix("=").removesuffix("=") if bare.endswith("=") else bare
    if len(bare) % 4 == 1 or not re.fullmatch(r"[A-Za-z0-9+/]*", bare):
        raise MalformedCookieError(f"{what} is not base64")
    return binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
