"""The cookies of Remix 3: what is no signature is a signature that does not fit, as for Remix itself."""

from __future__ import annotations

import pytest

from sessionctl import formats

FORM = formats.get("remix")
SIGNED = FORM.example
PAYLOAD, _, SIGNATURE = SIGNED.rpartition(".")


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        pytest.param(PAYLOAD, [], "unsigned", id="unsigned"),
        pytest.param(PAYLOAD, ["s3cr3t"], "bad-signature", id="no signature"),
        pytest.param(PAYLOAD + ".", ["s3cr3t"], "bad-signature", id="empty signature"),
        pytest.param(SIGNED[:-4], ["s3cr3t"], "bad-signature", id="short signature"),
        pytest.param(f"{PAYLOAD}.{SIGNATURE[:20]} {SIGNATURE[21:]}", ["s3cr3t"], "bad-signature", id="space"),
        pytest.param(f"{PAYLOAD}.{SIGNATURE[:-1]}-", ["s3cr3t"], "bad-signature", id="URL-safe signature"),
        pytest.param(SIGNED, ["other"], "bad-signature", id="wrong key"),
        pytest.param(SIGNED, [], "no-key", id="no key"),
        pytest.param(PAYLOAD[:-1] + "!", ["s3cr3t"], "malformed", id="no base64"),
    ],
)
def test_reasons(text: str, keys: list[str], reason: str) -> None:
    """The verdict names the reason, and a missing signature is one that does not fit where keys are given."""
    assert FORM.verify(text, keys).reason == reason


@pytest.mark.parametrize("text", [f'"{SIGNED}"', f'" {SIGNED} "'])
def test_quotes_are_taken_off(text: str) -> None:
    """Double quotes around the value do not count, as in the header parser of @remix-run/headers 0.21.1."""
    text = text.replace(SIGNED, FORM.encode({"userId": 42}, ["s3cr3t"]))
    assert FORM.verify(text, ["s3cr3t"]).valid
    assert FORM.decode(text).data == {"userId": 42}
    assert FORM.detect(text) > 0.9
