"""What itsdangerous signs is read, and what is signed is read by itsdangerous."""

from __future__ import annotations

import hashlib
from typing import Any

import itsdangerous
import pytest

from sessionctl import formats

pytestmark = [pytest.mark.interop, pytest.mark.slow]

OLD, KEY = "old-key", "new-key-ü"
SIGNERS = ["Signer", "TimestampSigner"]
SERIALIZERS = ["Serializer", "TimedSerializer", "URLSafeSerializer", "URLSafeTimedSerializer"]
VALUE = {"a": [1, None, "é"], "long": "x" * 200}


def theirs(name: str, derivation: str, digest: str) -> Any:
    """One of itsdangerous' classes, with an older key before the newest."""
    how = {"key_derivation": derivation, "digest_method": getattr(hashlib, digest)}
    kind = getattr(itsdangerous, name)
    return kind([OLD, KEY], **(how if name in SIGNERS else {"signer_kwargs": how}))


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("derivation", ["django-concat", "concat", "hmac", "none"])
@pytest.mark.parametrize("name", [*SIGNERS, *SERIALIZERS])
def test_both_ways(name: str, derivation: str, digest: str) -> None:
    """Each class reads what is made for it, and what it makes is verified with the newest key."""
    other = theirs(name, derivation, digest)
    form = formats.get("itsdangerous", signer=name, key_derivation=derivation, digest=digest)
    if name in SIGNERS:
        assert other.unsign(form.encode("x.y", [KEY])) == b"x.y"
        text = other.sign("x.y").decode()
        assert form.decode(text).data == "x.y"
    else:
        assert other.loads(form.encode(VALUE, [KEY])) == VALUE
        text = other.dumps(VALUE)
        assert form.decode(text).data == VALUE
    assert form.verify(text, [KEY, OLD]).key_index == 0
    assert other.loads(form.encode(VALUE, [OLD])) == VALUE if name not in SIGNERS else True
