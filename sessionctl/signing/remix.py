"""The signature of a Remix 3 cookie, strictly: only the text that Remix itself would write.

    P "." S      signed
    P            unsigned, where the ring is empty

    P  standard base64 with padding of the value's UTF-8
    S  HMAC-SHA256(UTF-8 of the secret, P), standard base64 without padding, 43 characters

Source: @remix-run/cookie 0.5.3, src/lib/cookie-signing.ts and cookie.ts.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import TYPE_CHECKING

from sessionctl.encoding import b64encode_tag
from sessionctl.errors import MalformedCookieError
from sessionctl.signing.base import Unsigned
from sessionctl.signing.mac import Hmac, compare_digest
from sessionctl.verdict import new_tuple

if TYPE_CHECKING:
    from sessionctl.signing.keys import KeyRing


class RemixSigner:
    """Signs with the newest secret and reads what any of them signed."""

    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys
        self._macs = [Hmac(secret.bytes) for secret in keys]

    def sign(self, value: str) -> str:
        """The cookie text of a value. Raises `UnicodeEncodeError` for a lone surrogate, as Remix does."""
        payload = b2a_base64(value.encode(), newline=False)
        if self._macs:
            payload += b"." + b64encode_tag(self._macs[0].digest(payload))
        return payload.decode("ascii")

    def unsign(self, text: str) -> Unsigned:
        """What a cookie text holds, and the key that signed it. Raises `MalformedCookieError`."""
        if not self._macs:
            return Unsigned(_value(text), None)
        try:
            payload, dot, given = text.encode("ascii").rpartition(b".")
        except UnicodeEncodeError:
            raise MalformedCookieError("a remix cookie is ASCII alone") from None
        if not dot:
            raise MalformedCookieError("there is no signature")
        for index, mac in enumerate(self._macs):
            if compare_digest(b64encode_tag(mac.digest(payload)), given):
                return new_tuple(Unsigned, (_value(payload), index, None))
        return Unsigned(None, None)


def _value(payload: str | bytes) -> str:
    try:
        return a2b_base64(payload, strict_mode=True).decode()
    except (Base64Error, ValueError):
        raise MalformedCookieError("the payload is not base64 of UTF-8") from None
