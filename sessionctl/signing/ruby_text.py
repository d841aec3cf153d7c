"""What the texts of Rails and Rack have in common: form encoding, the hexadecimal HMAC, strict base64."""

from __future__ import annotations

from binascii import Error, a2b_base64, hexlify
from typing import Final, NamedTuple

from sessionctl.encoding import b64encode, form_decode
from sessionctl.errors import BadSignatureError, MalformedCookieError
from sessionctl.signing.mac import ALGORITHMS, Hmac
from sessionctl.signing.macs import signature_lengths, wrong_length
from sessionctl.verdict import Warn, new_tuple

TAG_SIZES: Final = {
    signature_lengths(hexlify)[digest]: digest for digest in ("sha1", "sha256", "sha384", "sha512")
}
"""The digest that writes so many hexadecimal digits."""

_TO_FORM: Final = {ord("+"): "%2B", ord("/"): "%2F", ord("="): "%3D"}

PASTED: Final = Warn(
    "not-encoded",
    "the text is not percent-encoded as in the header; the framework would read each + in it as a space",
)


def from_header(text: str) -> str:
    """The text that stands percent-encoded in the header, as Rack takes it out.

    Text with a bare `+` and no percent sign was taken out by somebody already and is given back as it is.
    Raises `MalformedCookieError` for what is not ASCII then, as neither framework writes such text, and for
    what ends within a percent-encoded byte.
    """
    plain = text
    if "%" in text:
        plain = (
            text.replace("%3D", "=").replace("%2B", "+").replace("%2F", "/")
        )  # all that there is in base64
        if "%" in plain or "+" in text:
            plain = _form_decode(text)
    if not plain.isascii():
        raise MalformedCookieError("the cookie is ASCII alone")
    return plain


def _form_decode(text: str) -> str:
    try:
        return form_decode(text)
    except MalformedCookieError:
        if "%" in text[-2:]:
            raise MalformedCookieError("the text is cut: it ends within a percent-encoded byte") from None
        return text  # Rack goes on with the raw text


def to_header(text: str) -> str:
    """Base64 and hyphens as Rack puts them into the header."""
    return text.translate(_TO_FORM)


def pasted(text: str) -> tuple[Warn, ...]:
    """The warning that a text did not come from a header."""
    return (PASTED,) if "+" in text and "%" not in text else ()


class Signed(NamedTuple):
    """`body--tag`: what was signed, the tag in hexadecimal, and the digest that writes so many digits."""

    body: str
    tag: str
    digest: str

    @property
    def algorithm(self) -> str:
        """What signs."""
        return ALGORITHMS[self.digest]


def split_signed(plain: str) -> Signed:
    """The two parts of a signed text. Raises `MalformedCookieError` where they are not there."""
    body, dashes, tag = plain.rpartition("--")
    digest = TAG_SIZES.get(len(tag))
    if not dashes or not body:
        raise MalformedCookieError("there is no signature: two hyphens and hexadecimal digits are missing")
    if digest is None:
        raise MalformedCookieError(wrong_length(len(tag), TAG_SIZES.values(), hexlify))
    return new_tuple(Signed, (body, tag, digest))


def hex_tag(mac: Hmac, body: str) -> str:
    """The tag of a text, as it stands behind the hyphens."""
    return mac.digest(body.encode("ascii")).hex()


def strict_b64decode(text: str, what: str) -> bytes:
    """Base64 as Ruby's `strict_decode64` reads it: padded, no stray bits.

    Raises `BadSignatureError`: the frameworks refuse such text as they refuse a wrong key.
    """
    try:
        data = a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        data = b""
    if b64encode(data) != text:
        twice = ": it was percent-encoded twice, or cut" if "%" in text else ""
        raise BadSignatureError(f"{what} is not base64{twice}")
    return data
