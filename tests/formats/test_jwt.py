"""JSON Web Tokens: which key may verify which token, and when."""

from __future__ import annotations

import contextlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519

from sessionctl import formats
from sessionctl.encoding import b64encode_urlsafe
from sessionctl.errors import (
    BadSignatureError,
    MalformedCookieError,
    NoKeyError,
    SecretError,
    UsageError,
    WrongKeyTypeError,
)
from sessionctl.signing import KeyRing, jose
from sessionctl.signing.jose_keys import read_keys
from sessionctl.signing.mac import Hmac
from tests.limits import assert_quick

NOW = 1_795_425_157
SECRET = "a-secret-that-is-long-enough-for-hs256"
CLAIMS = {"sub": "42", "iat": NOW, "exp": NOW + 3600}
FORMAT = formats.get("jwt")


def verify(text: str, *keys: str | bytes, now: float = NOW, **context: Any) -> formats.Verdict:
    """The verdict, by default at the second when the tokens were issued."""
    return formats.get("jwt").verify(text, keys or [SECRET], now=now, **context)


def token(payload: Any, header: dict[str, Any] | None = None, key: bytes = SECRET.encode()) -> str:
    """A token signed with HS256, whatever its header says."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    head = json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode()
    message = f"{b64encode_urlsafe(head)}.{b64encode_urlsafe(body)}"
    return f"{message}.{b64encode_urlsafe(Hmac(key).digest(message.encode()))}"


@cache
def private_key(kind: str) -> Any:
    """A key of a kind, made once."""
    curves = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1, "secp256k1": ec.SECP256K1}
    if kind in curves:
        return ec.generate_private_key(curves[kind]())
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    edwards = {
        "Ed25519": ed25519.Ed25519PrivateKey,
        "Ed448": ed448.Ed448PrivateKey,
        "X25519": x25519.X25519PrivateKey,
    }
    return edwards[kind].generate()


def pem(kind: str) -> str:
    """The private key of a kind, in PEM."""
    return (
        private_key(kind)
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


def public(kind: str, encoding: str = "PEM") -> Any:
    """The public key of a kind, in PEM (text) or DER (bytes)."""
    data = (
        private_key(kind)
        .public_key()
        .public_bytes(
            getattr(serialization.Encoding, encoding),
            serialization.PublicFormat.OpenSSH
            if encoding == "OpenSSH"
            else serialization.PublicFormat.SubjectPublicKeyInfo,
        )
    )
    return data if encoding == "DER" else data.decode()


def jwk(kind: str, **more: Any) -> dict[str, Any]:
    """The public key of a kind as a JWK."""
    (key,) = read_keys(KeyRing([public(kind)]).newest)
    return {**key.native.as_dict(), **more}


@pytest.mark.parametrize(
    ("kind", "alg"),
    [
        ("RSA", "RS256"),
        ("RSA", "RS512"),
        ("RSA", "PS256"),
        ("RSA", "PS384"),
        ("P-256", "ES256"),
        ("P-384", "ES384"),
        ("P-521", "ES512"),
        ("secp256k1", "ES256K"),
        ("Ed25519", "EdDSA"),
        ("Ed448", "EdDSA"),
    ],
)
def test_every_algorithm_signs_and_verifies(kind: str, alg: str) -> None:
    """What the private key signs, the public key verifies, in any notation; a changed token it does not."""
    text = formats.get("jwt", alg=alg).encode(CLAIMS, [pem(kind)])
    for key in (
        pem(kind),
        public(kind),
        public(kind, "DER"),
        json.dumps(jwk(kind)),
        public(kind).replace("\n", "\\n"),
    ):
        verdict = verify(text, key)
        assert verdict.valid, verdict
        assert verdict.algorithm == alg
    head, body, signature = text.split(".")
    changed = ("A" if signature[5] != "A" else "B").join((signature[:5], signature[6:]))
    assert verify(f"{head}.{body}.{changed}", public(kind)).reason == "bad-signature"


@pytest.mark.parametrize(
    ("kind", "alg"),
    [("RSA", "RS256"), ("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512"), ("Ed25519", "EdDSA")],
)
def test_the_kind_of_key_chooses_the_algorithm(kind: str, alg: str) -> None:
    """A token made without `alg` has the algorithm that its key is usually used with."""
    assert FORMAT.decode(FORMAT.encode(CLAIMS, [pem(kind)])).algorithm == alg


def test_ssh_keys_count() -> None:
    """A public key may come as OpenSSH writes it; a text that only looks like one is a secret."""
    text = formats.get("jwt", alg="EdDSA").encode(CLAIMS, [pem("Ed25519")])
    assert verify(text, public("Ed25519", "OpenSSH")).valid
    assert verify(token(CLAIMS, key=b"ssh-my-own-secret"), "ssh-my-own-secret").valid


def broken_keys() -> dict[str, str | bytes]:
    """Texts and bytes of public keys, whole where bytes, else damaged in the way that a paste does."""
    whole, ssh = public("RSA"), public("RSA", "OpenSSH")
    jwk = json.dumps({"kty": "RSA", "n": "AQAB", "e": "AQAB"})
    return {
        "PEM in bytes": whole.encode(),
        "OpenSSH in bytes": ssh.encode(),
        "PEM without its first hyphens": whole.lstrip("-"),
        "PEM without its first line": whole.partition("\n")[2],
        "OpenSSH, cut": ssh[:-20],
        "JWK, cut": jwk[:-1],
        "JWK in a list": f"[{jwk}]",
        "JWK in bytes, cut": jwk[:-1].encode(),
    }


@pytest.mark.parametrize("name", broken_keys())
def test_a_public_key_is_never_a_shared_secret(name: str) -> None:
    """What plainly is, or was, a public key gives no HMAC that anybody could make, in whatever form it comes."""
    key = broken_keys()[name]
    forged = token(CLAIMS, key=key if isinstance(key, bytes) else key.encode())
    with contextlib.suppress(SecretError):
        assert verify(forged, key).reason == "wrong-key-type"


def test_a_certificate_counts_as_its_key() -> None:
    """An X.509 certificate in PEM verifies what its private key signed, and is no HMAC secret."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder(name, name, private_key("P-256").public_key(), 1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=1))
    certificate = builder.sign(private_key("P-256"), hashes.SHA256())
    text = certificate.public_bytes(serialization.Encoding.PEM).decode()
    assert verify(FORMAT.encode(CLAIMS, [pem("P-256")]), text).valid
    assert verify(token(CLAIMS, key=text.encode()), text).reason == "wrong-key-type"


@pytest.mark.parametrize("secret", ["PEM", "DER", "OpenSSH", "JWK"])
def test_a_public_key_is_no_hmac_secret(secret: str) -> None:
    """The key confusion attack (HS256 with the text of a public key) never verifies, in no notation of it."""
    key = json.dumps(jwk("RSA")) if secret == "JWK" else public("RSA", secret)
    forged = token(CLAIMS, key=key if isinstance(key, bytes) else key.encode())
    verdict = verify(forged, key)
    assert (verdict.valid, verdict.reason) == (False, "wrong-key-type")
    assert "takes a shared secret" in verdict.detail


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("RS256", SECRET),
        ("ES256", SECRET),
        ("EdDSA", SECRET),
        ("RS256", "P-256"),
        ("ES256", "P-384"),
        ("ES384", "RSA"),
        ("EdDSA", "X25519"),
        ("EdDSA", "P-256"),
        ("Ed448", "Ed25519"),
    ],
)
def test_a_key_of_another_kind_is_not_tried(alg: str, key: str) -> None:
    """Where the algorithm takes another kind of key, the reason is `wrong-key-type`."""
    text = token(CLAIMS, {"alg": alg})
    secret = key if key == SECRET else public(key)
    assert verify(text, secret).reason == "wrong-key-type"
    with pytest.raises(SecretError):
        formats.get("jwt", alg=alg).encode(CLAIMS, [secret])


def test_one_key_of_the_right_kind_is_enough() -> None:
    """Of mixed keys, those of the right kind decide: an older one that fits asks for a new token."""
    text = token(CLAIMS)
    verdict = verify(text, public("RSA"), SECRET)
    assert (verdict.key_index, verdict.needs_resign, verdict.keys) == (1, True, 2)
    assert verify(text, public("RSA"), "another secret").reason == "bad-signature"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_none_never_verifies(alg: str) -> None:
    """A token with `alg: none` is refused with any key, signature or not; without a key it is unsigned."""
    text = token(CLAIMS, {"alg": alg})
    unsigned = text[: text.rindex(".") + 1]
    for given in (text, unsigned):
        assert verify(given).reason == "bad-signature"
        assert FORMAT.verify(given).reason == "unsigned"
        assert FORMAT.decode(given).signed is False
    with pytest.raises(SecretError):
        formats.get("jwt", alg=alg).encode(CLAIMS, [SECRET])


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_keys_of_the_token_are_not_used(member: str) -> None:
    """A key that the token offers or names is never used or fetched; a warning tells of it."""
    attacker = formats.get("jwt", alg="RS256").encode(CLAIMS, [pem("RSA")])
    body, _ = attacker.rsplit(".", 1)
    offered = {"alg": "RS256", member: jwk("RSA") if member == "jwk" else "https://127.0.0.1:1/keys"}
    head = b64encode_urlsafe(json.dumps(offered).encode())
    message = f"{head}.{body.split('.')[1]}"
    (key,) = read_keys(KeyRing([pem("RSA")]).newest)
    text = f"{message}.{b64encode_urlsafe(jose.sign('RS256', key, message.encode()))}"
    assert verify(text, SECRET).reason == "wrong-key-type"
    assert FORMAT.decode(text).warnings[0].code == "key-in-token"


def test_a_set_of_keys_is_searched_by_kid() -> None:
    """Of a JWK set only the keys that the token names may verify; keys of unknown kinds are passed over."""
    keys = {"keys": [jwk("RSA", kid="a"), jwk("P-256", kid="b"), {"kty": "AKP", "kid": "c"}]}
    private = {**private_jwk("P-256"), "kid": "b"}
    text = FORMAT.encode(CLAIMS, [json.dumps(private)])
    assert verify(text, json.dumps(keys)).valid
    keys["keys"][1]["kid"] = "other"
    assert verify(text, json.dumps(keys)).reason == "bad-signature"
    without = FORMAT.encode(CLAIMS, [json.dumps(private_jwk("P-256"))])
    assert verify(without, json.dumps(keys)).valid


def private_jwk(kind: str) -> dict[str, Any]:
    """The private key of a kind as a JWK."""
    (key,) = read_keys(KeyRing([pem(kind)]).newest)
    found: dict[str, Any] = key.native.as_dict(private=True)
    return found


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ({"kty": "oct", "k": b64encode_urlsafe(SECRET.encode())}, None),
        ({"kty": "oct", "k": b64encode_urlsafe(SECRET.encode()), "alg": "HS256", "use": "sig"}, None),
        ({"kty": "oct", "k": b64encode_urlsafe(SECRET.encode()), "alg": "HS512"}, "wrong-key-type"),
        ({"kty": "oct", "k": b64encode_urlsafe(SECRET.encode()), "use": "enc"}, "wrong-key-type"),
        ({"no": "key"}, "bad-signature"),
    ],
)
def test_a_jwk_of_octets(key: dict[str, str], reason: str | None) -> None:
    """An oct JWK is a secret, for the use that it states; JSON that is no JWK is a secret as text."""
    assert verify(token(CLAIMS), json.dumps(key)).reason == reason


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        '{"kty": "RSA", "n": "AQAB"}',
        '{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}',
        '{"kty": "oct"}',
        '{"kty": "XYZ"}',
        '{"keys": []}',
    ],
)
def test_a_broken_key_is_named(secret: str) -> None:
    """A PEM or JWK that cannot be read is wrong usage, never a text secret."""
    with pytest.raises(SecretError):
        verify(token(CLAIMS, key=secret.encode()), secret)


@pytest.mark.parametrize(
    ("claims", "now", "max_age", "reason"),
    [
        ({"exp": NOW}, NOW - 0.5, None, None),
        ({"exp": NOW}, NOW, None, "expired"),
        ({"exp": NOW + 0.5}, NOW, None, None),
        ({"exp": 10**300}, NOW, None, None),
        ({"exp": -(10**300)}, NOW, None, "expired"),
        ({"nbf": NOW}, NOW, None, None),
        ({"nbf": NOW + 1}, NOW, None, "not-yet-valid"),
        ({"nbf": NOW + 1, "exp": NOW}, NOW, None, "not-yet-valid"),
        ({"iat": NOW}, NOW + 60, 60, None),
        ({"iat": NOW}, NOW + 61, 60, "expired"),
        ({"iat": NOW, "exp": NOW + 10}, NOW + 11, 60, "expired"),
        ({"iat": NOW + 1}, NOW, None, None),
        ({"iat": NOW + 1}, NOW, 60, "not-yet-valid"),
        ({"iat": 10**300}, NOW, 60, "not-yet-valid"),
        ({}, NOW, 60, "malformed"),
        ({}, NOW, None, None),
        ({"exp": "2030"}, NOW, None, "malformed"),
        ({"exp": None}, NOW, None, "malformed"),
        ({"nbf": True}, NOW, None, "malformed"),
    ],
)
def test_times(claims: dict[str, Any], now: float, max_age: float | None, reason: str | None) -> None:
    """`exp`, `nbf` and an age limit from `iat` are judged as jose and PyJWT do."""
    verdict = verify(token(claims), now=now, max_age=max_age)
    assert verdict.reason == reason, verdict
    assert verdict.expired == (reason == "expired")


def test_a_verdict_tells_the_times() -> None:
    """The earlier of `exp` and the age limit is when the token expires."""
    verdict = verify(token(CLAIMS), now=NOW + 4000)
    assert (verdict.issued_at, verdict.expires_at, verdict.key_index) == (NOW, NOW + 3600, 0)
    assert verdict.detail == "genuine, but it expired 7 minutes ago"
    assert verify(token(CLAIMS), max_age=60).expires_at == NOW + 60


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (token(CLAIMS), set()),
        (token(CLAIMS) + "=", {"non-canonical"}),
        (token({"iat": NOW + 60}), {"issued-in-future"}),
        (token(b"just text"), {"no-claims"}),
        (token([1]), {"no-claims"}),
    ],
)
def test_warnings(text: str, codes: set[str]) -> None:
    """What is odd and yet accepted by some library is told as a warning."""
    verdict = verify(text)
    assert verdict.valid
    assert {warning.code for warning in verdict.warnings} == codes


def test_a_short_secret_is_told() -> None:
    """A secret that a dictionary may hold is told as a warning."""
    assert [warning.code for warning in verify(token(CLAIMS, key=b"shhh"), "shhh").warnings] == [
        "weak-secret"
    ]


def test_stray_bits_are_told() -> None:
    """Libraries like jose take other low bits in the last character of the signature; the warning says so."""
    text = token(CLAIMS)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(text[-1]) ^ 1]
    verdict = verify(text[:-1] + other)
    assert verdict.valid
    assert [warning.code for warning in verdict.warnings] == ["non-canonical"]


@pytest.mark.parametrize("shape", ["Bearer {}", '"Bearer {}"', "Bearer%20{}", '"{}"'])
def test_what_stands_around_a_token(shape: str) -> None:
    """Quotes, percent signs and the word Bearer, which FastAPI applications may have, are taken off."""
    text = shape.format(token(CLAIMS))
    assert verify(text).valid
    assert FORMAT.decode(text).data == CLAIMS
    assert FORMAT.detect(text) > 0.9


@pytest.mark.parametrize(
    "text",
    [
        "a.b.c",
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9.e30",
        "eyJhbGciOiJIUzI1NiJ9.e30.a.b",
        "eyJhbGciOiJIUzI1NiJ9.e30.sig na",
        "eyJhbGciOiJIUzI1NiJ9.é.AAAA",
        token(CLAIMS, {"alg": "XX"}),
        token(CLAIMS, {"typ": "JWT"}),
        token(CLAIMS, {"alg": 5}),
        token(CLAIMS, {"alg": "HS256", "crit": ["exp"], "exp": 1}),
        token(CLAIMS, {"alg": "HS256", "b64": False, "crit": ["b64"]}),
        "%zz",
    ],
)
def test_malformed(text: str) -> None:
    """What is no token, or asks for what nobody here knows, is malformed."""
    assert verify(text).reason == "malformed"


def test_no_key() -> None:
    """Without a key a signed token is readable and not verified; an encrypted one is neither."""
    assert FORMAT.verify(token(CLAIMS)).reason == "no-key"
    assert FORMAT.decode(token(CLAIMS)).data == CLAIMS
    encrypted = formats.get("jwt", enc="A256GCM").encode(CLAIMS, [bytes(32)])
    assert FORMAT.verify(encrypted).reason == "no-key"
    with pytest.raises(NoKeyError):
        FORMAT.decode(encrypted)


def test_the_algorithm_can_be_pinned() -> None:
    """With the option `alg` no other algorithm verifies."""
    pinned = formats.get("jwt", alg="HS512")
    verdict = pinned.verify(token(CLAIMS), [SECRET], now=NOW)
    assert verdict.reason == "bad-signature"
    assert "option 'alg'" in verdict.detail
    assert pinned.verify(pinned.encode(CLAIMS, [SECRET]), [SECRET], now=NOW).algorithm == "HS512"


@pytest.mark.parametrize(
    ("alg", "enc", "secret"),
    [
        ("", "A128GCM", bytes(16)),
        ("", "A256GCM", bytes(32)),
        ("dir", "A128CBC-HS256", bytes(32)),
        ("dir", "A256CBC-HS512", bytes(64)),
        ("A128KW", "A256GCM", bytes(16)),
        ("A256KW", "A128CBC-HS256", "0123456789abcdef0123456789abcdef"),
        ("A256GCMKW", "A256GCM", bytes(32)),
        ("PBES2-HS256+A128KW", "A256GCM", "pässwörd"),
        ("RSA-OAEP", "A256GCM", "RSA"),
        ("RSA-OAEP-256", "A256GCM", "RSA"),
        ("ECDH-ES", "A256GCM", "P-256"),
        ("ECDH-ES+A128KW", "A256GCM", "P-256"),
    ],
)
def test_encryption(alg: str, enc: str, secret: str | bytes) -> None:
    """Every way to encrypt is read back with the same key, and with no other one."""
    key = pem(secret) if secret in ("RSA", "P-256") else secret
    text = formats.get("jwt", alg=alg, enc=enc).encode(CLAIMS, [key])
    decoded = FORMAT.decode(text, [key])
    assert (decoded.data, decoded.encrypted, decoded.issued_at) == (CLAIMS, True, NOW)
    assert verify(text, key).valid
    assert verify(text[:-2] + ("AA" if text[-2:] != "AA" else "BB"), key).reason in (
        "bad-signature",
        "malformed",
    )
    head, *rest = text.split(".")
    changed = rest[2][:4] + ("A" if rest[2][4] != "A" else "B") + rest[2][5:]
    tampered = ".".join((head, rest[0], rest[1], changed, rest[3]))
    assert verify(tampered, key).reason == "bad-signature"
    with pytest.raises(BadSignatureError):
        FORMAT.decode(tampered, [key])


@pytest.mark.parametrize(
    ("alg", "key"),
    [("dir", bytes(31)), ("dir", "RSA"), ("A128KW", bytes(32)), ("A256KW", "P-256"), ("RSA-OAEP", bytes(32))],
)
def test_encryption_with_a_key_of_another_kind(alg: str, key: str | bytes) -> None:
    """A key of another kind or length cannot even be tried, and does not make a token either."""
    right = {"dir": bytes(32), "A128KW": bytes(16), "A256KW": bytes(32), "RSA-OAEP": pem("RSA")}[alg]
    text = formats.get("jwt", alg=alg, enc="A256GCM").encode(CLAIMS, [right])
    wrong = pem(key) if isinstance(key, str) else key
    assert verify(text, wrong).reason == "wrong-key-type"
    with pytest.raises(WrongKeyTypeError):
        FORMAT.decode(text, [wrong])
    with pytest.raises(SecretError):
        formats.get("jwt", alg=alg, enc="A256GCM").encode(CLAIMS, [wrong])


def test_a_public_key_cannot_open() -> None:
    """A public key encrypts a token, and cannot read it."""
    text = formats.get("jwt", alg="RSA-OAEP", enc="A256GCM").encode(CLAIMS, [public("RSA")])
    assert verify(text, pem("RSA")).valid
    assert verify(text, public("RSA")).reason == "wrong-key-type"


@pytest.mark.parametrize("wbits", [-15, 15])
@pytest.mark.parametrize(("size", "reason"), [(1000, None), (2 << 20, "malformed")])
def test_compression_is_bounded(wbits: int, size: int, reason: str | None) -> None:
    """`zip: DEF` is read as raw deflate and as python-jose's zlib stream, up to a limit."""
    engine = zlib.compressobj(wbits=wbits)
    content = engine.compress(b'{"a":"' + b"a" * size + b'"}') + engine.flush()
    # The content is compressed already: the header is added to what would be encrypted without it.
    text = encrypt_raw({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}, content)
    assert verify(text, bytes(32)).reason == reason


def encrypt_raw(header: dict[str, Any], content: bytes) -> str:
    """A token of AES-256-GCM with a key of zeros and any header."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = b64encode_urlsafe(json.dumps(header).encode())
    sealed = AESGCM(bytes(32)).encrypt(bytes(12), content, head.encode())
    parts = (
        head,
        "",
        b64encode_urlsafe(bytes(12)),
        b64encode_urlsafe(sealed[:-16]),
        b64encode_urlsafe(sealed[-16:]),
    )
    return ".".join(parts)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "dir"},
        {"alg": "dir", "enc": "A512GCM"},
        {"alg": "direct", "enc": "A256GCM"},
        {"alg": "dir", "enc": "A256CBC-HS512"},
        {"alg": "dir", "enc": ["A256GCM"]},
        {"alg": "dir", "enc": "A256GCM", "zip": "BR"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2s": "AAAAAAAAAAA", "p2c": 2**31},
        {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2s": "AAAAAAAAAAA", "p2c": "9"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM"},
    ],
)
def test_malformed_encryption(header: dict[str, Any]) -> None:
    """Words that nobody knows, and rounds without end, are malformed before any key is tried."""
    assert verify(encrypt_raw(header, b"{}"), bytes(32)).reason == "malformed"


def test_no_encrypted_key_where_the_key_is_direct() -> None:
    """With `dir` the second part is empty, not even padding stands there (RFC 7516, 5.1)."""
    text = encrypt_raw({"alg": "dir", "enc": "A256GCM"}, b"{}")
    assert verify(text, bytes(32)).valid
    for part in ("=", "AA"):
        assert verify(text.replace("..", f".{part}."), bytes(32)).reason == "malformed"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ECDH-ES", "enc": "A256GCM", "epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"alg": "ECDH-ES", "enc": "A256GCM", "epk": 5},
        {"alg": "A256GCMKW", "enc": "A256GCM", "iv": 5, "tag": None},
        {"alg": "A256GCMKW", "enc": "A256GCM"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2s": 7, "p2c": 1},
    ],
)
def test_hostile_headers(header: dict[str, Any]) -> None:
    """What stands in the header of an encrypted token never escapes as an error of another library."""
    for key in (pem("P-256"), bytes(32), "password"):
        assert verify(encrypt_raw(header, b"{}"), key).reason in (
            "bad-signature",
            "wrong-key-type",
            "malformed",
        )


def test_nested_token() -> None:
    """A signed token inside an encrypted one is given as text, with the advice to decode it once more."""
    inner = token(CLAIMS)
    text = encrypt_raw({"alg": "dir", "enc": "A256GCM", "cty": "JWT"}, inner.encode())
    decoded = FORMAT.decode(text, [bytes(32)])
    assert decoded.data == inner
    assert "nested" in {warning.code for warning in decoded.warnings}


@pytest.mark.parametrize("data", [{"a": 1}, {}, "just text", "42", "", [1, "ż"], {"u": "\ud800"}, None])
def test_round_trip(data: Any) -> None:
    """What is encoded is decoded as the same data, be it claims or not."""
    text = FORMAT.encode(data, [SECRET])
    assert FORMAT.decode(text).data == data
    assert verify(text).valid


@pytest.mark.parametrize(
    ("text", "cookie_name", "low", "high"),
    [
        (FORMAT.example, None, 0.95, 1.0),
        (token(CLAIMS, {"alg": "none"}), None, 0.9, 1.0),
        (token(CLAIMS, {"alg": "??"}), None, 0.1, 0.4),
        (encrypt_raw({"alg": "dir", "enc": "A256GCM"}, b"{}"), None, 0.5, 0.8),
        ("eyJhbGciOiJIUzI1NiJ9.eyJ1c2Vy", None, 0.4, 0.6),
        (encrypt_raw({"alg": "A256KW", "enc": "A256GCM"}, b"{}"), None, 0.9, 1.0),
        ("eyJhIjoxfQ.aAaAaA.aaaaaaaaaaaaaaaaaaaaaaaaaaa", None, 0.0, 0.0),
        ("eyJhIjoxfQ==", None, 0.0, 0.0),
        ("GA1.2.123.456", None, 0.0, 0.0),
        ("ey.ey.ey", None, 0.0, 0.0),
    ],
)
def test_detect(text: str, cookie_name: str | None, low: float, high: float) -> None:
    """A token is known by its header, and little else is taken for one."""
    assert low <= FORMAT.detect(text, cookie_name=cookie_name) <= high


def test_nested_json_is_no_danger() -> None:
    """Ten thousand levels in the header or in the payload are malformed or text, quickly."""
    deep = b"[" * 10_000 + b"]" * 10_000
    assert verify(token(deep)).valid
    assert_quick(lambda: verify(token(deep)))
    head = b64encode_urlsafe(b'{"alg":"HS256","a":' + deep + b"}")
    with pytest.raises(MalformedCookieError):
        FORMAT.decode(f"{head}.e30.AAAA")
    assert_quick(lambda: FORMAT.decode(f"{head}.e30.AAAA"))


def test_an_unknown_option_is_wrong_usage() -> None:
    """An option that the format does not have is refused."""
    with pytest.raises(UsageError):
        formats.get("jwt", digest="sha256")
