"""What Beaker writes is read, and what is written is read by Beaker."""

from __future__ import annotations

from typing import Any

import pytest

from sessionctl import formats
from sessionctl.sources import read_cookie

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Beaker's own
]

KEYS = ["beaker-validate-key", "beaker-encrypt-key"]
DATA = {"user_id": 42, "name": "Zoë 😀", "list": [1, None, {"x": 1.5}]}
OPTIONS = [
    pytest.param({"crypto_type": "none"}, id="signed"),
    pytest.param({"crypto_type": "cryptography"}, id="GCM"),
    pytest.param({"crypto_type": "pycryptodome"}, id="CTR"),
    pytest.param({"crypto_type": "pycryptodome", "encrypt_nonce_bits": "48"}, id="short nonce"),
]


def session(cookie: str | None, serializer: str, options: dict[str, str]) -> Any:
    """Beaker's session of a request with that cookie."""
    module = pytest.importorskip("beaker.session")
    encrypted = options["crypto_type"] != "none"
    if options["crypto_type"] == "pycryptodome":
        pytest.importorskip("Crypto.Cipher.AES")
    return module.CookieSession(
        {} if cookie is None else {"cookie": f"beaker.session.id={cookie}"},
        validate_key=KEYS[0],
        encrypt_key=KEYS[1] if encrypted else None,
        data_serializer=serializer,
        crypto_type=options["crypto_type"] if encrypted else "default",
        encrypt_nonce_bits=int(options.get("encrypt_nonce_bits", 128)),
    )


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_beaker_reads_it(options: dict[str, str], serializer: str) -> None:
    """A cookie made here gives Beaker the same session."""
    text = formats.get("beaker", data_serializer=serializer, **options).encode(DATA, KEYS)
    theirs = session(text, serializer, options)
    assert {key: theirs[key] for key in DATA} == DATA


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_it_reads_beaker(options: dict[str, str], serializer: str) -> None:
    """A cookie that Beaker wrote verifies and says the same."""
    theirs = session(None, serializer, options)
    theirs.update(DATA)
    theirs.save()
    source = read_cookie(theirs.request["cookie_out"])
    assert source.value is not None
    form = formats.get("beaker", **options)
    assert form.verify(source.value, KEYS).valid
    assert form.decode(source.value, KEYS).data == dict(theirs)
