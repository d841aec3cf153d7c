"""The two signers of this package: `native` and `remix`."""

from __future__ import annotations

import contextlib
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from sessionctl import KeyRing, MalformedCookieError, SecretError
from sessionctl.encoding import b64encode_urlsafe
from sessionctl.signing.base import Unsigned
from sessionctl.signing.native import COMPRESSES_FROM, SALT, KeptKeySigner, NativeSigner
from sessionctl.signing.remix import RemixSigner

SIGNERS = [NativeSigner, RemixSigner]
TEXTS = st.text(max_size=60) | st.text("abcXYZ019-_+/=.", max_size=60)


@pytest.mark.parametrize("make", SIGNERS)
class TestSigner:
    """What both do"""

    @given(value=st.text(max_size=2000))
    def test_a_signed_value_comes_back(self, make: type, value: str) -> None:
        """The value, and the index of the key that signed it."""
        sent = make(KeyRing(["old"])).sign(value)
        found = make(KeyRing(["new", "old"])).unsign(sent)
        assert (found.value, found.key_index) == (value, 1)

    @given(text=TEXTS)
    def test_any_text_is_answered_or_malformed(self, make: type, text: str) -> None:
        """Text from outside is refused as not ours or as malformed; nothing else is raised."""
        with contextlib.suppress(MalformedCookieError):
            assert make(KeyRing(["s"])).unsign(text) == Unsigned(None, None)

    @given(text=TEXTS.filter(str.isascii), secret=st.binary(min_size=1, max_size=80))
    def test_a_genuine_signature_over_anything_is_answered(
        self, make: type, text: str, secret: bytes
    ) -> None:
        """Who has the key may sign what this package would not write: that is malformed, never a crash."""
        signer = make(KeyRing([secret]))
        body = text.encode()
        if make is NativeSigner:
            signature = KeptKeySigner(secret).get_signature(body)
        else:
            signature = signer.sign("x").rpartition(".")[2].encode()
        with contextlib.suppress(MalformedCookieError):
            signer.unsign((body + b"." + signature).decode())

    def test_the_first_key_that_fits_counts(self, make: type) -> None:
        """A secret that stands twice in the ring is found at its newer place."""
        assert make(KeyRing(["a", "b", "b"])).unsign(make(KeyRing(["b"])).sign("x")).key_index == 1


class TestNative:
    """Only `native`"""

    def test_the_time_is_told(self) -> None:
        """`issued_at` is the second in which it was signed, or as of which."""
        signer = NativeSigner(KeyRing(["s"]))
        for now in (0, 1, 255, 256, 1_769_860_800, 2**40):
            assert signer.unsign(signer.sign("x", now)).issued_at == now

    def test_the_signer_is_itsdangerous(self) -> None:
        """The kept key and state give what itsdangerous' own TimestampSigner gives, both ways."""
        kept = KeptKeySigner(b"secret")
        bare = TimestampSigner(b"secret", salt=SALT, key_derivation="hmac", digest_method=hashlib.sha256)
        for value in ("", "text", "täxt", b"\xff\x00"):
            assert kept.get_signature(value) == bare.get_signature(value)
            assert bare.unsign(kept.sign(value)) == kept.unsign(bare.sign(value))

    def test_salts_part_cookies(self) -> None:
        """A cookie of another salt is not genuine."""
        text = NativeSigner(KeyRing(["s"]), "one").sign("x")
        assert NativeSigner(KeyRing(["s"]), "other").unsign(text).value is None

    def test_an_empty_ring_is_refused(self) -> None:
        """There is no unsigned form."""
        with pytest.raises(SecretError):
            NativeSigner(KeyRing())

    @pytest.mark.parametrize(
        ("value", "packed"),
        [
            pytest.param('{"a":"' + "x" * (COMPRESSES_FROM - 9) + '"}', False, id="short"),
            pytest.param('{"a":"' + "x" * (COMPRESSES_FROM - 8) + '"}', True, id="long"),
            pytest.param("x" * COMPRESSES_FROM, True, id="long text"),
            pytest.param(hashlib.shake_256(b"").hexdigest(100), False, id="text that does not repeat, short"),
        ],
    )
    def test_what_is_long_is_compressed(self, value: str, packed: bool) -> None:
        """From 512 bytes on, the zlib stream stands where it is shorter."""
        assert NativeSigner(KeyRing(["s"])).sign(value).startswith(".") is packed

    def _signed(self, payload: bytes, stamp: bytes = b"aXsBgA") -> str:
        body = payload + b"." + stamp
        return (body + b"." + KeptKeySigner(b"s").get_signature(body)).decode()

    @pytest.mark.parametrize(
        "payload",
        [
            pytest.param(b"." + b64encode_urlsafe(zlib.compress(bytes(2_000_000))).encode(), id="a bomb"),
            pytest.param(b"." + b64encode_urlsafe(zlib.compress(b'"abc"' * 9)[:-5]).encode(), id="cut short"),
            pytest.param(b".AAAA", id="no zlib"),
            pytest.param(b"A", id="no base64"),
            pytest.param(b"_w", id="no UTF-8"),
            pytest.param(b"IkE", id="no JSON"),
        ],
    )
    def test_a_genuine_payload_that_cannot_be_read_is_malformed(self, payload: bytes) -> None:
        """Decompression is bounded, and what it gives must be JSON."""
        with pytest.raises(MalformedCookieError):
            NativeSigner(KeyRing(["s"])).unsign(self._signed(payload))

    @pytest.mark.parametrize("stamp", [b"A", b"_" * 2000])
    def test_a_genuine_time_that_cannot_be_is_malformed(self, stamp: bytes) -> None:
        """The time is at most 64 bits of base64."""
        with pytest.raises(MalformedCookieError):
            NativeSigner(KeyRing(["s"])).unsign(self._signed(b"ImEi", stamp))
