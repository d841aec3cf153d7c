"""Signatures and encryption of JOSE: what `jwt` and `authjs` share. Keys are read by `sessionctl.signing.jose_keys`.

    HEADER "." PAYLOAD "." SIGNATURE                        JWS (RFC 7515), signed
    HEADER "." KEY "." IV "." CIPHERTEXT "." TAG            JWE (RFC 7516), encrypted

All parts are URL-safe base64 without padding. HMAC needs nothing but the standard library; everything else
is done by joserfc over cryptography. No key is ever taken from the token itself, or fetched.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sessionctl import jsontext
from sessionctl.encoding import b64decode_urlsafe, b64encode_urlsafe, decompress
from sessionctl.errors import (
    MalformedCookieError,
    MalformedError,
    SessionctlError,
    WrongKeyTypeError,
)
from sessionctl.signing.jose_keys import DIGESTS, KINDS, Key, joserfc
from sessionctl.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ROUNDS: Final = 50_000
"""How many rounds of PBKDF2 a token may ask for (`p2c`); jose stops at 10,000 unless told otherwise."""

_SIGNED_BY: Final = {
    **dict.fromkeys(DIGESTS, "oct"),
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512", "ES256K"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519", "Ed448"), "OKP"),
}
"""The kind of key (`kty`) of each signature algorithm (RFC 7518 3.1, RFC 8037, RFC 8812, RFC 9864)."""

_ENCRYPTED_BY: Final = {
    **dict.fromkeys(("dir", "A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW"), ("oct",)),
    **dict.fromkeys(("PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"), ("oct",)),
    **dict.fromkeys(("RSA1_5", "RSA-OAEP", "RSA-OAEP-256"), ("RSA",)),
    **dict.fromkeys(("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"), ("EC", "OKP")),
}
"""The kinds of key of each key management algorithm (RFC 7518 4.1)."""

_IV_AND_TAG: Final = {
    "A128GCM": (12, 16),
    "A192GCM": (12, 16),
    "A256GCM": (12, 16),
    "A128CBC-HS256": (16, 16),
    "A192CBC-HS384": (16, 24),
    "A256CBC-HS512": (16, 32),
}
"""Bytes of the IV and of the tag of each content encryption (RFC 7518 5.1)."""

_JWS_PARTS, _JWE_PARTS = 3, 5


# -- the token ----------------------------------------------------------------------------------------


def read_header(part: str) -> dict[str, Any]:
    """The header of a token. Raises `MalformedCookieError`."""
    try:
        header = jsontext.loads_bytes(b64decode_urlsafe(part, "the header"))
    except MalformedCookieError:
        raise
    except MalformedError as error:
        raise MalformedCookieError(f"the header is {error}") from None
    if not isinstance(header, dict) or not isinstance(header.get("alg"), str):
        raise MalformedCookieError("the header is no JSON object with an 'alg'")
    return header


def split(text: str) -> list[str]:
    """The three parts of a signed token, or the five of an encrypted one. Raises `MalformedCookieError`."""
    parts = text.split(".", _JWE_PARTS)
    if len(parts) == _JWS_PARTS - 1:
        raise MalformedCookieError("a token has three parts, and this has two: its signature was cut off")
    if len(parts) not in (_JWS_PARTS, _JWE_PARTS):
        raise MalformedCookieError(
            "a token has three parts (signed) or five (encrypted), with dots between them"
        )
    if not text.isascii():
        raise MalformedCookieError("a token is ASCII alone")
    return parts


# -- signatures ---------------------------------------------------------------------------------------


def is_known(alg: str) -> bool:
    """Whether there is such a signature algorithm here; `none` is not one."""
    return alg in _SIGNED_BY


def signs(alg: str, key: Key, message: bytes, signature: bytes) -> bool:
    """Whether the signature is that of the message. Raises `WrongKeyTypeError` for a key of another kind."""
    _check_kind(alg, key, (_SIGNED_BY[alg],))
    if key.kty == "oct":
        return key.mac(alg).verify(message, signature)
    try:
        return bool(_checked_model(alg, key, "verify").verify(message, signature, key.native))
    except ValueError:
        return False


def sign(alg: str, key: Key, message: bytes) -> bytes:
    """The signature of a message. Raises `WrongKeyTypeError`, also for a public key."""
    if alg not in _SIGNED_BY:
        raise WrongKeyTypeError("there is no signature algorithm of that name")
    _check_kind(alg, key, (_SIGNED_BY[alg],))
    if key.kty == "oct":
        return key.mac(alg).digest(message)
    if not key.native.is_private:
        raise WrongKeyTypeError("a public key cannot sign; give the private key")
    signature: bytes = _checked_model(alg, key, "sign").sign(message, key.native)
    return signature


def usual_alg(key: Key) -> str:
    """The algorithm that a key is used with where nothing else is said."""
    if key.alg is not None:
        return key.alg
    if key.kty == "EC":
        curves = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "secp256k1": "ES256K"}
        return curves.get(key.native.curve_name, "ES256")
    return {"oct": "HS256", "RSA": "RS256", "OKP": "EdDSA"}[key.kty]


def _check_kind(alg: str, key: Key, kinds: tuple[str, ...]) -> None:
    if key.kty not in kinds:
        takes = " or ".join(KINDS[kind] for kind in kinds)
        raise WrongKeyTypeError(f"the token says {alg}, which takes {takes}, but the key is {KINDS[key.kty]}")


def _checked_model(alg: str, key: Key, operation: str) -> Any:
    model = next(model for model in joserfc().jwa.JWS_ALGORITHMS if model.name == alg)
    try:
        model.check_key(key.native)
        key.native.check_key_op(operation)
        if alg in ("EdDSA", "Ed25519", "Ed448") and not key.native.curve_name.startswith("Ed"):
            raise WrongKeyTypeError("a key of X25519 or X448 cannot sign")
    except _refusals():
        raise WrongKeyTypeError(
            f"the key is not meant for {alg}: its curve, or what its JWK says, differs"
        ) from None
    return model


def _refusals() -> tuple[type[Exception], ...]:
    from joserfc import errors

    return (
        errors.InvalidKeyTypeError,
        errors.InvalidKeyLengthError,
        errors.InvalidKeyCurveError,
        errors.UnsupportedKeyUseError,
        errors.UnsupportedKeyAlgorithmError,
        errors.UnsupportedKeyOperationError,
    )


# -- encryption ---------------------------------------------------------------------------------------


def check_encrypted(header: Mapping[str, Any], parts: list[str]) -> None:
    """Raise `MalformedCookieError` for what no key could open: unknown words, lengths, hostile numbers."""
    alg, enc = header["alg"], header.get("enc")
    if alg not in _ENCRYPTED_BY or not isinstance(enc, str) or enc not in _IV_AND_TAG:
        raise MalformedCookieError("the header names no known encryption ('alg' and 'enc')")
    for part, size, what in zip(parts[2::2], _IV_AND_TAG[enc], ("IV", "tag"), strict=True):
        length = len(_octets(part, f"the {what}"))
        if length != size:
            raise MalformedCookieError(f"the {what} has {counted(length, 'byte')} in place of {size}")
    if alg == "dir" and parts[1]:
        raise MalformedCookieError("the second part, the encrypted key, is empty where alg is dir")
    _octets(parts[1], "the encrypted key")
    _octets(parts[3], "the ciphertext")
    if header.get("zip", "DEF") != "DEF":
        raise MalformedCookieError("the header names a compression ('zip') that is not DEF")
    if alg.startswith("PBES2"):
        _check_rounds(header.get("p2c"))


def as_written(text: str) -> str:
    """An encrypted token as an encoder writes it: no padding, and no low bits at the end of a part that count for
    nothing. jose takes both, for the bytes are the same; the header's own text is sealed, and stays.
    """
    header, *parts = text.split(".")
    return ".".join((header, *(b64encode_urlsafe(_octets(part, "a part")) for part in parts)))


def _octets(part: str, what: str) -> bytes:
    """The bytes of a part with padding or without; jose 4, which NextAuth.js 4 uses, takes the wrong amount too."""
    return b64decode_urlsafe(part.rstrip("="), what)


def _check_rounds(count: Any) -> None:
    if type(count) is not int or not 0 < count <= MAX_ROUNDS:
        raise MalformedCookieError(
            f"the token asks for a count of rounds ('p2c') that is not from 1 to {MAX_ROUNDS}"
        )


def decrypt(text: str, header: Mapping[str, Any], key: Key, max_size: int) -> bytes | None:
    """What an encrypted token holds, or None where the key does not fit.

    The token has passed `check_encrypted`. Raises `WrongKeyTypeError` for a key of another kind or length,
    and `MalformedCookieError` for a genuine token whose compressed content is broken or over `max_size`.
    """
    alg = header["alg"]
    _check_kind(alg, key, _ENCRYPTED_BY[alg])
    text = as_written(text)
    package = joserfc()
    from joserfc.errors import InvalidKeyLengthError

    try:
        found = package.jwe.decrypt_compact(text, key.native, registry=_registry(max_size))
    except InvalidKeyLengthError:
        raise WrongKeyTypeError(_wrong_length(header, key)) from None
    except _refusals():
        raise WrongKeyTypeError(f"the key is not meant for {alg}: it is public, or its JWK says so") from None
    except SessionctlError:
        raise
    except Exception:  # noqa: BLE001 - joserfc, cryptography and Python's own, for one reason: it does not fit
        return None
    content: bytes = found.plaintext
    return content


def _wrong_length(header: Mapping[str, Any], key: Key) -> str:
    name = header["enc"] if header["alg"] == "dir" else header["alg"]
    if key.kty != "oct":
        return f"the RSA key is shorter than {name} allows"
    return (
        f"the token says {name}, which takes a key of another length than the {len(key.octets)} bytes given"
    )


def encrypt(header: dict[str, Any], content: bytes, key: Key) -> str:
    """An encrypted token. Raises `WrongKeyTypeError`."""
    alg = header["alg"]
    if alg not in _ENCRYPTED_BY or header.get("enc") not in _IV_AND_TAG:
        raise WrongKeyTypeError("there is no encryption of that name ('alg' and 'enc')")
    _check_kind(alg, key, _ENCRYPTED_BY[alg])
    package = joserfc()
    try:
        text: str = package.jwe.encrypt_compact(header, content, key.native, registry=_registry(len(content)))
    except _refusals():
        raise WrongKeyTypeError(_wrong_length(header, key)) from None
    return text


@lru_cache(maxsize=4)
def _registry(max_size: int) -> Any:
    """The algorithms of joserfc, all of them, with bounds of our own; the header was checked before."""
    from joserfc.jwe import JWERegistry

    class Registry(JWERegistry):
        max_protected_header_length = max_encrypted_key_length = 1 << 16
        max_ciphertext_length = 1 << 20

        def check_header(self, header: Any, check_more: bool = False) -> None:
            pass

        def get_alg(self, name: str) -> Any:
            return self.algorithms["alg"][name]

        def get_enc(self, name: str) -> Any:
            return self.algorithms["enc"][name]

        def get_zip(self, name: str) -> Any:  # noqa: ARG002 - there is but one
            return _Deflate(max_size)

    return Registry()


class _Deflate:
    """`zip: DEF` (RFC 7516 4.1.3): raw deflate; python-jose writes a zlib stream, which is read too."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size

    def compress(self, data: bytes) -> bytes:
        """Raw deflate."""
        engine = zlib.compressobj(wbits=-15)
        return engine.compress(data) + engine.flush()

    def decompress(self, data: bytes) -> bytes:
        """The content, at most `max_size` bytes of it; raises `MalformedCookieError`."""
        is_zlib = data[:1] == b"\x78" and int.from_bytes(data[:2], "big") % 31 == 0
        return decompress(data, self._max_size, raw=not is_zlib)
