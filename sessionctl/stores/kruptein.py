r"""Sessions that kruptein has encrypted, for session-file-store and connect-memcached.

    version 2   JSON {"hmac", "ct", "iv", "salt", "aad", "at"}; iv, salt and at are Node buffers,
                {"type": "Buffer", "data": [...]}, the others strings of which each character is a byte
    version 3   base64 of DER: SEQUENCE of OCTET STRINGs ct, hmac, iv, salt, at, aad; ct, hmac and aad are
                base64 text

    key     32 bytes of the secret: version 2 scrypt(N 16384, r 8, p 1), or PBKDF2-SHA512 (15,000) without
            `use_scrypt`; version 3 PBKDF2-SHA512 (20,000)
    hmac    HMAC-SHA512(key, ct as text); version 3: then salt and iv, read as UTF-8 with U+FFFD
    ct      AES-256-GCM of JSON, iv of 12 bytes, tag `at` of 16, additional data `aad`; session-file-store
            gives it JSON text, so that it is JSON twice

The numbers are fixed here: nothing in a record makes them larger.
Sources: kruptein 2.2.3 and 3.1.7 lib/kruptein.js; session-file-store 1.5.0; connect-memcached 3.0.0.
"""

from __future__ import annotations

import binascii
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.errors import BadSignatureError, MalformedError, NoKeyError
from sessionctl.signing.aes import Gcm
from sessionctl.signing.mac import Hmac, compare_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sessionctl.signing.keys import KeyRing
    from sessionctl.stores.base import Sample

_MEMBERS = ("ct", "hmac", "iv", "salt", "at", "aad")
_SEQUENCE, _OCTETS = 0x30, 0x04
_LONG_FORM = 0x80
_MAX_LENGTH_BYTES = 4
_IV, _TAG, _MAX_SALT = 12, 16, 1024
_RAW = 2
"""The version whose tags are bytes, not base64."""


class Sealed(NamedTuple):
    """An encrypted session in its parts; `signed` is what the HMAC covers."""

    ct: bytes
    hmac: bytes
    iv: bytes
    salt: bytes
    at: bytes
    aad: bytes
    signed: bytes
    version: int


def looks_sealed(sample: Sample) -> bool:
    """Whether a record is the envelope of either version."""
    if sample.content[:1] == b"{":
        return {"hmac", "ct", "iv", "salt"} <= sample.object.keys()
    return sample.content[:2] in (b"MI", b"MD", b"MF") and _version_3(sample) is not None


def unseal(sample: Sample, keys: KeyRing) -> tuple[Any, int]:
    """The JSON value inside, and the index of the key that opened it.

    Raises `MalformedError`, `NoKeyError` and `BadSignatureError`.
    """
    sealed = _version_2(sample.object) if sample.object else _version_3(sample)
    if sealed is None:
        raise MalformedError("not an envelope of kruptein")
    if not keys:
        raise NoKeyError("the record is encrypted: --secret gives the store's secret")
    for index, secret in enumerate(keys):
        for derive in _DERIVATIONS[sealed.version]:
            key = derive(secret.bytes, sealed.salt)
            if compare_digest(_tag(sealed, key), sealed.hmac):
                return _plain(_decrypt(sealed, key)), index
    raise BadSignatureError("the record is not from any key given, or it was changed")


# -- the two envelopes --------------------------------------------------------------------------------


def _version_2(value: dict[str, Any]) -> Sealed:
    ct, hmac, aad = (_characters(value.get(name, "")) for name in ("ct", "hmac", "aad"))
    iv, salt, at = (_buffer(value.get(name)) for name in ("iv", "salt", "at"))
    return _checked(Sealed(ct, hmac, iv, salt, at, aad, value["ct"].encode(), 2))


def _characters(value: Any) -> bytes:
    """The bytes of a string of which each character is one."""
    try:
        return value.encode("latin-1")  # type: ignore[no-any-return]
    except (AttributeError, UnicodeEncodeError):
        raise MalformedError("kruptein: a string that holds no bytes") from None


def _buffer(value: Any) -> bytes:
    """The bytes of a Node buffer in JSON."""
    data = value.get("data") if isinstance(value, dict) else None
    try:
        return bytes(data) if isinstance(data, list) else b""
    except (TypeError, ValueError):
        raise MalformedError("kruptein: a buffer that holds no bytes") from None


def _version_3(sample: Sample) -> Sealed | None:
    try:
        data = binascii.a2b_base64(sample.content.strip(), strict_mode=True)
        parts = dict(zip(_MEMBERS, _octet_strings(data), strict=True))
        ct, aad = (binascii.a2b_base64(parts[name]) for name in ("ct", "aad"))
        salt, iv = parts["salt"], parts["iv"]
        signed = parts["ct"] + _as_node_text(salt) + _as_node_text(iv)
        return _checked(Sealed(ct, parts["hmac"], iv, salt, parts["at"], aad, signed, 3))
    except (binascii.Error, MalformedError, ValueError, IndexError):
        return None


def _as_node_text(data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode()


def _octet_strings(data: bytes) -> Iterator[bytes]:
    """The strings of a DER sequence of nothing else (X.690). Raises `MalformedError`."""
    at, end = _header(data, 0, _SEQUENCE)
    if end != len(data):
        raise MalformedError("kruptein: bytes follow the sequence")
    while at < end:
        start, at = _header(data, at, _OCTETS)
        yield data[start:at]


def _header(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of an element begins and ends."""
    if data[at] != tag:
        raise MalformedError("kruptein: not the element that was expected")
    size, start = data[at + 1], at + 2
    if size & _LONG_FORM:
        count = size & ~_LONG_FORM
        if not 0 < count <= _MAX_LENGTH_BYTES:
            raise MalformedError("kruptein: a length of no sense")
        size, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + size > len(data):
        raise MalformedError("kruptein: cut short")
    return start, start + size


def _checked(sealed: Sealed) -> Sealed:
    if len(sealed.iv) != _IV or len(sealed.at) != _TAG or len(sealed.salt) > _MAX_SALT:
        raise MalformedError("kruptein: iv, tag or salt are not those of AES-256-GCM, the only cipher read")
    return sealed


# -- opening ------------------------------------------------------------------------------------------


def _scrypt(secret: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(secret, salt=salt, n=16384, r=8, p=1, maxmem=64 << 20, dklen=32)


def _pbkdf2(iterations: int) -> Callable[[bytes, bytes], bytes]:
    return lambda secret, salt: hashlib.pbkdf2_hmac("sha512", secret, salt, iterations, 32)


_DERIVATIONS: dict[int, tuple[Callable[[bytes, bytes], bytes], ...]] = {
    2: (_scrypt, _pbkdf2(15_000)),
    3: (_pbkdf2(20_000),),
}


def _tag(sealed: Sealed, key: bytes) -> bytes:
    tag = Hmac(key, "sha512").digest(sealed.signed)
    return tag if sealed.version == _RAW else binascii.b2a_base64(tag, newline=False)


def _decrypt(sealed: Sealed, key: bytes) -> bytes:
    plain = Gcm(key).open(sealed.iv, sealed.ct + sealed.at, sealed.aad)
    if plain is None:
        raise BadSignatureError("the record's tag does not fit: it was changed")
    return plain


def _plain(data: bytes) -> Any:
    """The JSON value; of a JSON text that is JSON again, that."""
    value = jsontext.loads_bytes(data)
    return jsontext.loads(value) if isinstance(value, str) else value
