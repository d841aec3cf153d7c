"""jose, PyJWT and joserfc read what is written here, what they write is read, and verdicts agree."""

from __future__ import annotations

import base64
import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sessionctl import formats
from tests.interop.conftest import NodeError

if TYPE_CHECKING:
    from tests.interop.conftest import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

NOW = 1_795_425_157
SECRET = "zażółć-🔑-of-at-least-sixty-four-bytes-as-hs512-needs-it-0123456789"
CLAIMS = {"sub": "42", "name": "Żółć 😀", "n": [1, 2.5, None, True], "iat": NOW, "exp": NOW + 3600}
FORM = formats.get("jwt")

CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
ENCRYPTIONS = [
    ("dir", "A128GCM", 16),
    ("dir", "A256GCM", 32),
    ("dir", "A128CBC-HS256", 32),
    ("dir", "A256CBC-HS512", 64),
    ("A128KW", "A128GCM", 16),
    ("A256KW", "A256CBC-HS512", 32),
    ("A256GCMKW", "A256GCM", 32),
]


@pytest.fixture(scope="module")
def pems() -> dict[str, tuple[str, str]]:
    """A private and a public key in PEM for each algorithm."""
    one_rsa = rsa.generate_private_key(65537, 2048)
    keys: dict[str, Any] = {alg: one_rsa for alg in ASYMMETRIC if alg[0] in "RP"}
    keys |= {alg: ec.generate_private_key(curve()) for alg, curve in CURVES.items()}
    keys["EdDSA"] = ed25519.Ed25519PrivateKey.generate()
    return {alg: (_private(key), _public(key)) for alg, key in keys.items()}


def _private(key: Any) -> str:
    data: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return data.decode()


def _public(key: Any) -> str:
    data: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return data.decode()


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_shared_secrets_with_jose(node: Node, alg: str) -> None:
    """HMAC tokens go both ways between jose and here."""
    text = formats.get("jwt", alg=alg).encode(CLAIMS, [SECRET])
    assert node("jose.verify", text=text, alg=alg, key={"text": SECRET}, now=NOW)["payload"] == CLAIMS
    made = node("jose.sign", payload=CLAIMS, alg=alg, key={"text": SECRET})
    assert FORM.decode(made).data == CLAIMS
    assert FORM.verify(made, [SECRET], now=NOW).valid


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_key_pairs_with_jose(node: Node, pems: dict[str, tuple[str, str]], alg: str) -> None:
    """What a private key signed on one side, the public key verifies on the other."""
    private, public = pems[alg]
    text = formats.get("jwt", alg=alg).encode(CLAIMS, [private])
    assert node("jose.verify", text=text, alg=alg, key={"pem": public}, now=NOW)["payload"] == CLAIMS
    made = node("jose.sign", payload=CLAIMS, alg=alg, key={"pem": private})
    assert FORM.verify(made, [public], now=NOW).valid


@pytest.mark.parametrize(("alg", "enc", "size"), ENCRYPTIONS)
def test_encryption_with_jose(node: Node, alg: str, enc: str, size: int) -> None:
    """Encrypted tokens go both ways between jose and here."""
    key = bytes(range(size))
    given = {"base64": base64.b64encode(key).decode()}
    data = {"sub": "42", "name": "Żółć"}
    text = formats.get("jwt", alg=alg, enc=enc).encode(data, [key])
    assert node("jose.decrypt", text=text, alg=alg, key=given)["payload"] == data
    made = node("jose.encrypt", payload=data, alg=alg, enc=enc, key=given)
    assert FORM.decode(made, [key]).data == data


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW}, "expired"),
        ({"exp": NOW + 1}, None),
        ({"exp": NOW + 0.5}, None),
        ({"nbf": NOW}, None),
        ({"nbf": NOW + 1}, "not-yet-valid"),
        ({"nbf": NOW + 1, "exp": NOW - 1}, "not-yet-valid"),
        ({"iat": NOW + 100}, None),
        ({"exp": "soon"}, "malformed"),
        ({"exp": None}, "malformed"),
        ({"nbf": True}, "malformed"),
        ({"exp": 1e300}, None),
    ],
)
def test_times_as_in_jose(node: Node, claims: dict[str, Any], reason: str | None) -> None:
    """A time that jose refuses is refused here, and what it lets pass is valid."""
    text = FORM.encode(claims, [SECRET])
    assert FORM.verify(text, [SECRET], now=NOW).reason == reason
    assert _accepts(node, text) == (reason is None)


@pytest.mark.parametrize(
    ("claims", "limit", "reason"),
    [
        ({"iat": NOW - 60}, 60, None),
        ({"iat": NOW - 61}, 60, "expired"),
        ({"iat": NOW + 1}, 60, "not-yet-valid"),
        ({}, 60, "malformed"),
    ],
)
def test_the_age_limit_is_that_of_jose(
    node: Node, claims: dict[str, Any], limit: int, reason: str | None
) -> None:
    """`--max-age` is jose's `maxTokenAge`."""
    text = FORM.encode(claims, [SECRET])
    assert FORM.verify(text, [SECRET], now=NOW, max_age=limit).reason == reason
    assert _accepts(node, text, options={"maxTokenAge": limit}) == (reason is None)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(lambda text: text + "=", id="padded"),
        pytest.param(lambda text: text + "==", id="padded too much"),
        pytest.param(lambda text: text[:-1] + chr(ord(text[-1]) + 1), id="stray low bits"),
        pytest.param(lambda text: text.rpartition(".")[0] + ".", id="signature empty"),
        pytest.param(lambda text: text.rpartition(".")[0], id="signature gone"),
        pytest.param(lambda text: text + ".", id="a part too many"),
        pytest.param(lambda text: text.replace("-", "+").replace("_", "/"), id="standard alphabet"),
        pytest.param(lambda text: text[:-5] + "!" + text[-5:], id="foreign character"),
    ],
)
def test_verdicts_agree_with_jose(node: Node, change: Any) -> None:
    """What is odd about a signature is judged as jose judges it."""
    text = change(next(text for text in _texts() if text[-1] in "AEIMQUYcgkosw048" and "_" in text[-43:]))
    assert FORM.verify(text, [SECRET], now=NOW).valid == _accepts(node, text)


def _texts() -> Any:
    return (FORM.encode({"n": number}, [SECRET]) for number in range(1000))


def _accepts(node: Node, text: str, **more: Any) -> bool:
    try:
        node("jose.verify", text=text, key={"text": SECRET}, now=NOW, **more)
    except NodeError:
        return False
    return True


def test_pyjwt_both_ways(pems: dict[str, tuple[str, str]]) -> None:
    """Tokens of every kind go both ways between PyJWT and here."""
    jwt = pytest.importorskip("jwt")
    unchecked = {"verify_exp": False, "verify_iat": False}
    for alg in ("HS256", "HS512", *ASYMMETRIC):
        private, public = pems.get(alg, (SECRET, SECRET))
        text = formats.get("jwt", alg=alg).encode(CLAIMS, [private])
        assert jwt.decode(text, public, algorithms=[alg], options=unchecked) == CLAIMS
        assert FORM.verify(jwt.encode(CLAIMS, private, algorithm=alg), [public], now=NOW).valid


def test_python_jose_compression() -> None:
    """A zlib stream where the standard says raw deflate, as python-jose writes it, is read all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jwe = pytest.importorskip("jose.jwe")
        made = jwe.encrypt(json.dumps(CLAIMS), bytes(32), algorithm="dir", encryption="A256GCM", zip="DEF")
    assert FORM.decode(made.decode(), [bytes(32)]).data == CLAIMS


def test_joserfc_both_ways() -> None:
    """Encrypted and compressed tokens go both ways between joserfc and here."""
    from joserfc import jwe
    from joserfc.jwk import OctKey

    registry = jwe.JWERegistry(algorithms=["A128KW", "A256GCM", "DEF", "PBES2-HS256+A128KW"])
    for alg, secret in (("A128KW", bytes(16)), ("PBES2-HS256+A128KW", b"a password of some length")):
        key = OctKey.import_key(secret)
        made = jwe.encrypt_compact(
            {"alg": alg, "enc": "A256GCM", "zip": "DEF"}, b'{"a":1}', key, registry=registry
        )
        assert FORM.decode(made, [secret]).data == {"a": 1}
        text = formats.get("jwt", alg=alg, enc="A256GCM").encode({"a": 1}, [secret])
        assert jwe.decrypt_compact(text, key, registry=registry).plaintext == b'{"a":1}'
