"""Which HMAC of a key ring a signature fits, and why none does."""

from __future__ import annotations

from binascii import hexlify
from typing import TYPE_CHECKING

import pytest

from sessionctl import formats
from sessionctl.encoding import b64encode_urlsafe_tag
from sessionctl.errors import BadSignatureError
from sessionctl.signing import KeyRing, Secret
from sessionctl.signing.mac import Hmac
from sessionctl.signing.macs import Macs, wrong_length

if TYPE_CHECKING:
    from collections.abc import Callable

CUT = "the text was cut or altered"


def mac_of(secret: Secret) -> Hmac:
    """The HMAC of a secret."""
    return Hmac(secret.bytes)


@pytest.mark.parametrize(
    ("write", "length", "others", "said"),
    [
        (bytes, 30, (), f"the signature has 30 bytes in place of 32 of sha256: {CUT}"),
        (hexlify, 63, (), f"the signature has 63 characters in place of 64 of sha256: {CUT}"),
        (b64encode_urlsafe_tag, 1, (), f"the signature has 1 character in place of 43 of sha256: {CUT}"),
        (b64encode_urlsafe_tag, 27, (), f"the signature has 27 characters in place of 43 of sha256: {CUT}"),
        (b64encode_urlsafe_tag, 27, ("sha1",),
         "the signature has 27 characters in place of 43 of sha256: it is of sha1 (-O digest=sha1), or was cut"),
        (b64encode_urlsafe_tag, 28, ("sha1", "none"),
         f"the signature has 28 characters in place of 43 of sha256: {CUT}"),
    ],
)  # fmt: skip
def test_a_wrong_length_is_counted_as_it_is_written(
    write: Callable[[bytes], bytes], length: int, others: tuple[str, ...], said: str
) -> None:
    """The length is told in what the text has, and a digest only where the format takes another."""
    assert wrong_length(length, ("sha256",), write, others) == said
    with pytest.raises(BadSignatureError, match=r"^the signature") as refused:
        Macs(mac_of, others).find(KeyRing(["a", "b"]), b"message", b"x" * length, write)
    assert str(refused.value) == said


@pytest.mark.parametrize(("keys", "said"), [(["a"], "the key"), (["a", "b"], "any of the 2 keys")])
def test_a_signature_of_the_right_length(keys: list[str], said: str) -> None:
    """Where the length is right, it is the keys that do not fit."""
    with pytest.raises(BadSignatureError, match=rf"^the signature does not fit {said}$"):
        Macs(mac_of).find(KeyRing(keys), b"message", bytes(32))


@pytest.mark.parametrize("name", formats.names())
def test_no_option_is_advised_that_a_format_has_not(name: str) -> None:
    """For whatever length of a signature, `-O digest` is named by formats alone that have the option."""
    form = formats.get(name)
    example, options = form.example, {option.name for option in form.options}
    details = {form.verify(example[:-cut], ["k" * 64], cookie_name="a").detail for cut in range(1, 70)}
    details |= {
        form.verify(example + "a" * more, ["k" * 64], cookie_name="a").detail for more in range(1, 70)
    }
    assert "digest" in options or not any("-O digest" in detail for detail in details)
