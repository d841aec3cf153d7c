"""What Laravel's Encrypter makes of a text, and the prefix that binds a cookie's value to its name.

    standard base64 of JSON {"iv": I, "value": V, "mac": M, "tag": T}

    I  base64 of 16 random bytes with CBC, of 12 with GCM
    V  base64 of the AES ciphertext (CBC: PKCS 7 padding), under the bytes of APP_KEY
    M  with CBC 64 hexadecimal digits: HMAC-SHA256(APP_KEY, I + V), the two base64 texts; with GCM empty
    T  with GCM base64 of the tag of 16 bytes, no further data being authenticated; with CBC empty

    the prefix: 40 hexadecimal digits of HMAC-SHA1(APP_KEY, cookie name + "v2"), and "|"

Sources: illuminate/encryption 8.83 and 12.x Encrypter.php; illuminate/cookie 12.x CookieValuePrefix.php.
"""

from __future__ import annotations

import binascii
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionctl import jsontext
from sessionctl.encoding import b64decode, b64encode, percent_decode
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.signing.aes import TAG, Gcm, open_cbc, seal_cbc
from sessionctl.signing.mac import Hmac, compare_digest
from sessionctl.wording import counted

if TYPE_CHECKING:
    from sessionctl.signing.keys import Secret

KEY_SIZES = {"aes-256-cbc": 32, "aes-128-cbc": 16, "aes-256-gcm": 32, "aes-128-gcm": 16}
"""What `app.cipher` may be, with the bytes of its key."""

PREFIX = 41  # 40 hexadecimal digits and "|"

_IV_SIZES = {"cbc": 16, "gcm": 12}
_MODES = {size: mode for mode, size in _IV_SIZES.items()}
_MAC = 64
_HEX = frozenset(b"0123456789abcdef")
_FOREIGN = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


class Sealed(NamedTuple):
    """The parts of the JSON, with the texts as they are where the MAC covers the texts."""

    iv_text: str
    value_text: str
    mac: str
    iv: bytes
    value: bytes
    tag: bytes
    mode: str
    canonical: bool

    @property
    def is_whole(self) -> bool:
        """Whether the proof has the shape that its mode demands."""
        if self.mode == "gcm":
            return len(self.tag) == TAG and not self.mac
        return len(self.mac) == _MAC and _HEX.issuperset(self.mac.encode()) and not self.tag


def unseal(text: str) -> Sealed:
    """The parts, with the same demands as `Encrypter::validPayload`. Raises `MalformedCookieError`."""
    plain = _percent_decoded(text)
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
    iv_bytes = b64decode(iv, "the iv")
    if len(iv_bytes) not in _MODES:
        raise MalformedCookieError(f"the iv has {counted(len(iv_bytes), 'byte')}, not 16 (CBC) or 12 (GCM)")
    return Sealed(
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


def _percent_decoded(text: str) -> str:
    """As PHP's `rawurldecode`, which fills `$_COOKIE`: what is no escape stays, as in a text that was cut."""
    try:
        return percent_decode(text)
    except MalformedCookieError:
        from urllib.parse import unquote

        return unquote(text)


def _php_base64(text: str) -> bytes:
    """As PHP's `base64_decode`: what is foreign to it is dropped, padding too, and a last character alone."""
    data = text.encode("ascii", "ignore")
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4), strict_mode=True)
    except binascii.Error:
        bare = data.translate(None, _FOREIGN)
        bare = bare[: len(bare) - (len(bare) % 4 == 1)]
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))


def mac_of(secret: Secret, digest: str) -> Hmac:
    """The HMAC of a key: SHA-256 for ciphertexts, SHA-1 for prefixes."""
    return Hmac(secret.bytes, digest)


def prefix(mac: Hmac, name: str) -> bytes:
    """What binds a value to the name of its cookie."""
    return mac.digest(name.encode("utf-8", "replace") + b"v2").hex().encode("ascii") + b"|"


def has_prefix(plain: bytes) -> bool:
    """Whether a text begins with the shape of a prefix, be it of any name."""
    return plain[PREFIX - 1 : PREFIX] == b"|" and _HEX.issuperset(plain[: PREFIX - 1])


# -- ciphers ------------------------------------------------------------------------------------------


def algorithm(mode: str, secret: Secret) -> str:
    """The name of what seals."""
    name = f"AES-{len(secret.bytes) * 8}-{mode.upper()}"
    return name if mode == "gcm" else f"{name} HMAC-SHA256"


def default_cipher(secret: Secret) -> str:
    """The cipher of a new text where none was asked for: Laravel's own, of the key's length."""
    return "aes-128-cbc" if len(secret.bytes) == KEY_SIZES["aes-128-cbc"] else "aes-256-cbc"


def unlock(sealed: Sealed, secret: Secret, mac: Hmac) -> bytes | None:
    """The plain text, or None where the key does not fit; `mac` is `mac_of(secret, "sha256")`."""
    if sealed.mode == "gcm":
        return Gcm(secret.bytes).open(sealed.iv, sealed.value + sealed.tag)
    tag = mac.digest((sealed.iv_text + sealed.value_text).encode())
    if not compare_digest(tag.hex().encode(), sealed.mac.encode()):
        return None
    return _decrypt_cbc(sealed, secret.bytes)


def seal(plain: bytes, secret: Secret, mode: str, mac: Hmac) -> str:
    """The sealed text, with random bytes of its own."""
    iv = os.urandom(_IV_SIZES[mode])
    value, tag = _encrypt(plain, secret.bytes, iv, mode)
    parts = {"iv": b64encode(iv), "value": b64encode(value), "mac": "", "tag": b64encode(tag)}
    if mode == "cbc":
        parts["mac"] = mac.digest((parts["iv"] + parts["value"]).encode()).hex()
    return b64encode(jsontext.dumps_bytes(parts))


def _decrypt_cbc(sealed: Sealed, key: bytes) -> bytes:
    """The plain text of a ciphertext that the MAC has proved. Raises `MalformedCookieError`."""
    plain = open_cbc(key, sealed.iv, sealed.value)
    if plain is None:
        raise MalformedCookieError("the MAC fits the key, but the ciphertext does not decrypt")
    return plain


def _encrypt(plain: bytes, key: bytes, iv: bytes, mode: str) -> tuple[bytes, bytes]:
    """The ciphertext and the tag, which CBC has not."""
    if mode == "cbc":
        return seal_cbc(key, iv, plain), b""
    sealed = Gcm(key).seal(iv, plain)
    return sealed[:-TAG], sealed[-TAG:]
