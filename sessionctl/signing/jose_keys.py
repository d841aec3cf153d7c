"""Keys of JOSE, out of secrets: octets, PEM, DER, SSH's form, a JWK or a set of them (RFC 7517).

HMAC needs nothing but the standard library; everything else is done by joserfc over cryptography.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sessionctl import jsontext
from sessionctl.encoding import b64decode_urlsafe
from sessionctl.errors import (
    MalformedError,
    MissingExtraError,
    SecretError,
    SessionctlError,
    WrongKeyTypeError,
)
from sessionctl.signing.mac import Hmac

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from sessionctl.signing.keys import Secret

DIGESTS: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}

KINDS: Final = {
    "oct": "a shared secret",
    "RSA": "an RSA key",
    "EC": "an EC key",
    "OKP": "an Edwards curve key",
}
_SSH_STARTS: Final = ("ssh-rsa AAAA", "ssh-ed25519 AAAA", "ssh-dss AAAA", "ecdsa-sha2-nistp")
_KEY_MARKS: Final = (" PUBLIC KEY", " PRIVATE KEY", '"kty"')
"""What a key has in PEM and in JSON (RFC 7468 and 7517), also where its begin or its end was cut."""


class Key:
    """One key: octets, or an asymmetric key. Never shown by `repr`.

    `native` is joserfc's key, made at first use. `kid` is the name that a JWK gives itself.
    """

    __slots__ = ("_jwk", "_mac", "_native", "kid", "kty", "octets")

    def __init__(
        self, kty: str, *, octets: bytes = b"", native: Any = None, jwk: Mapping[str, Any] | None = None
    ) -> None:
        self.kty = kty
        self.octets = octets
        self.kid: str | None = jwk.get("kid") if jwk else None
        self._jwk = jwk
        self._native = native
        self._mac: dict[str, Hmac] = {}

    @property
    def native(self) -> Any:
        """The key as joserfc takes it."""
        if self._native is None:
            self._native = joserfc().jwk.OctKey(self.octets, dict(self._jwk) if self._jwk else self.octets)
        return self._native

    @property
    def alg(self) -> str | None:
        """The only algorithm that a JWK is meant for, where it says so."""
        found = self._jwk.get("alg") if self._jwk else None
        return found if isinstance(found, str) else None

    def mac(self, alg: str) -> Hmac:
        """The HMAC of an HS algorithm. Raises `WrongKeyTypeError` where the JWK is meant for another."""
        found = self._mac.get(alg)
        if found is None:
            self._check_purpose(alg)
            found = self._mac[alg] = Hmac(self.octets, DIGESTS[alg])
        return found

    def _check_purpose(self, alg: str) -> None:
        jwk = self._jwk or {}
        if jwk.get("use", "sig") != "sig" or jwk.get("alg", alg) != alg:
            raise WrongKeyTypeError(f"the JWK says by 'use' or 'alg' that it is not meant for {alg}")

    def __repr__(self) -> str:
        return f"<Key {self.kty}>"


def joserfc() -> ModuleType:
    """The package joserfc with the parts that are used here. Raises `MissingExtraError`."""
    try:
        import joserfc.jwa
        import joserfc.jwe
        import joserfc.jwk
    except ImportError:
        raise MissingExtraError("JOSE beyond HMAC (format 'jwt' or 'authjs')", "formats") from None
    return joserfc


def read_keys(secret: Secret) -> tuple[Key, ...]:
    """The keys of a secret: PEM, DER, JWK, JWK set, or the octets themselves.

    Raises `SecretError` for what is plainly a key in PEM, SSH's form or JSON, but cannot be read: taken as octets,
    a public key would let anybody sign.
    """
    text = secret.text
    if text is None:
        der = _read_der(secret.bytes)
        if der is not None:
            return (der,)
        text = secret.bytes.decode("utf-8", "replace")
    if "-----BEGIN " in text:
        return (_read_pem(text),)
    if text.startswith(_SSH_STARTS):
        return (_read_ssh(text),)
    if text.lstrip()[:1] == "{" and (keys := _read_jwk(text)):
        return keys
    if any(mark in text for mark in _KEY_MARKS):
        raise SecretError("the secret has what a PEM or JWK key has, but it cannot be read as one")
    return (Key("oct", octets=secret.bytes),)


def _read_pem(text: str) -> Key:
    data = (text if "\n" in text else text.replace("\\n", "\n")).encode("utf-8", "replace")
    joserfc()
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509 import load_pem_x509_certificate

    try:
        if b"BEGIN CERTIFICATE" in data:
            return _from_native(load_pem_x509_certificate(data).public_key())
        if b"OPENSSH PRIVATE" in data:
            return _from_native(serialization.load_ssh_private_key(data, None))
        if b"PRIVATE KEY-----" in data:
            return _from_native(serialization.load_pem_private_key(data, None))
        return _from_native(serialization.load_pem_public_key(data))
    except TypeError:
        raise SecretError("the PEM key is encrypted with a password; give it without one") from None
    except Exception:  # noqa: BLE001 - cryptography raises ValueError, UnsupportedAlgorithm and its own
        raise SecretError("the secret begins as a PEM key, but it cannot be read as one") from None


def _read_der(data: bytes) -> Key | None:
    """The key in DER bytes, or None: octets that begin like DER are octets all the same."""
    if data[:1] != b"\x30" or len(data) < 40:  # noqa: PLR2004 - the shortest, Ed25519, has 44
        return None
    joserfc()
    from cryptography.hazmat.primitives import serialization

    for load in (
        serialization.load_der_public_key,
        lambda der: serialization.load_der_private_key(der, None),
    ):
        try:
            return _from_native(load(data))
        except Exception:  # noqa: BLE001, S112 - whatever it says, it is no such key
            continue
    return None


def _read_ssh(text: str) -> Key:
    joserfc()
    from cryptography.hazmat.primitives import serialization

    try:
        return _from_native(serialization.load_ssh_public_key(text.encode()))
    except Exception:  # noqa: BLE001 - cryptography raises ValueError, UnsupportedAlgorithm and its own
        raise SecretError("the secret begins as a key of SSH, but it cannot be read as one") from None


def _from_native(native: Any) -> Key:
    from joserfc import jwk

    for cls in (jwk.RSAKey, jwk.ECKey, jwk.OKPKey):
        if cls.binding.check_cryptography_key(native):
            return Key(cls.key_type, native=cls(native, native))
    raise SecretError("the secret is a key of a kind that JOSE has no algorithm for")


def _read_jwk(text: str) -> tuple[Key, ...]:
    """The keys of a JWK or a JWK set (RFC 7517); nothing where the JSON is neither."""
    try:
        value = jsontext.loads(text)
    except MalformedError:
        return ()
    if isinstance(value, dict) and isinstance(value.get("keys"), list):
        known = [item for item in value["keys"] if isinstance(item, dict) and item.get("kty") in KINDS]
        if not known:
            raise SecretError("the JWK set has no key of a known kind (oct, RSA, EC, OKP)")
        return tuple(_from_jwk(item) for item in known)
    return (_from_jwk(value),) if isinstance(value, dict) and "kty" in value else ()


def _from_jwk(jwk: dict[str, Any]) -> Key:
    kty, kid = jwk["kty"], jwk.get("kid")
    if kty not in KINDS or not isinstance(kid, (str, type(None))):
        raise SecretError("the JWK is not of a known kind (kty: oct, RSA, EC, OKP)")
    try:
        if kty == "oct":
            octets = b64decode_urlsafe(jwk["k"])
            if octets:
                return Key("oct", octets=octets, jwk=jwk)
            raise SecretError("the JWK has no octets in 'k'")
        return Key(kty, native=joserfc().jwk.import_key(jwk), jwk=jwk)
    except SessionctlError:
        raise
    except Exception:  # noqa: BLE001 - joserfc and cryptography raise a dozen kinds
        raise SecretError(f"the secret is a JWK of kind {kty}, but it cannot be read") from None
