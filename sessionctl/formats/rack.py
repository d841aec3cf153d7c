"""Rack::Session::Cookie: Sinatra, Roda, Hanami and bare Rack.

    base64( 02 | salt 32 | nonce 12 | tag 16 | ciphertext )       rack-session 2, `secrets`
    base64( 01 | salt 32 | IV 16 | ciphertext | HMAC 32 )         the same with `mode: :v1`
    B "--" H                                                      rack 1 and 2, `secret`

The encrypted texts are drawn in `sessionctl.signing.rack`. They are bound to the cookie's name where the application
gives Rack the option `key`, else to nothing (`purpose: options[:key]`): either is tried.

    B  standard base64 of Marshal (the default), JSON or zlib(JSON)
    H  HMAC-SHA1(secret, the text B), hexadecimal

In the header the text is percent-encoded as in forms. Rack-session 2 reads the old texts by
`legacy_hmac_secret`. The session holds its own ID, with Marshal as an object, which is shown as its text.
Sources: rack-session 2.1.2 lib/rack/session/cookie.rb; rack 2.2.22 lib/rack/session/cookie.rb.
"""

from __future__ import annotations

import secrets
import zlib
from binascii import hexlify
from typing import TYPE_CHECKING, Any, Final

from sessionctl import jsontext
from sessionctl.encoding import b64decode, b64decode_lenient, b64encode, decompress
from sessionctl.errors import MalformedCookieError, MalformedError, NoKeyError
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import first_opened, genuine
from sessionctl.formats.ruby_session import hash_id, lacks_id, read_payload, with_id
from sessionctl.signing.mac import Hmac
from sessionctl.signing.rack import BLOCK, Sealed, seal, split, unlock
from sessionctl.signing.ruby_text import (
    TAG_SIZES,
    Signed,
    from_header,
    hex_tag,
    pasted,
    split_signed,
    to_header,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.signing.keys import Secret

_COOKIE_NAME: Final = "rack.session"
_HEX: Final = frozenset("0123456789abcdef")

_BOUND: Final = Warn(
    "bound-to-name",
    "it is bound to the cookie's name, as Rack does where the application sets key: (-O purpose=name);"
    " where it does not, Rack reads one that is made with -O purpose=none",
)
_NAME_ASSUMED: Final = Warn(
    "name-assumed", "the cookie's name is part of what is checked; rack.session was assumed (--cookie-name)"
)


class Rack(Format):
    """The cookie of Rack::Session::Cookie."""

    name = "rack"
    summary = "Rack::Session::Cookie: Sinatra, Roda, Hanami; rack 1 to 3, rack-session 2"
    cookie_names = (_COOKIE_NAME,)
    options = (
        Option("digest", "sha1", "of signed cookies", ("sha1", "sha256", "sha384", "sha512")),
        Option(
            "serializer",
            "marshal",
            "for writing; reading goes by the bytes",
            ("marshal", "json", "zipjson"),
        ),
        Option(
            "purpose",
            "auto",
            "what it is bound to: the cookie's name with Rack's option `key`, else nothing",
            ("auto", "name", "none"),
            explains=False,
        ),
        Option("mode", "v2", "for writing: encrypted, or signed as by rack 2", ("v2", "v1", "signed")),
    )
    example = (
        "AoBjQLgKV7flHz5lDiel7NnIOUVuXw0dN7nTuilJ%2Fd%2FVA0s3BHkWikOM6tMr1f5No%2FFSUZHZSOijHH9EsjXn4IAX11"
        "7zvb3FWIN78uLXQpQ3KGOLkh3VJrtLpnv%2F7kpQtLA39rg6%2FnqNTND3xlSPT2p6W6Lir1xFInnSBtO9D%2FbZrT0X4C4J"
        "I1Pt7ORKWXRZFtuVzhBLC%2FCCPY%2F08A%3D%3D"
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._before = b""
        """The payload of the text that is written anew."""

    # -- detection --------------------------------------------------------------------------------

    def _detect(self, text: str, cookie_name: str | None) -> float:
        named = 0.1 if cookie_name == _COOKIE_NAME else 0.0
        plain = from_header(text)
        if not _is_sealed(plain):
            return _detect_signed(split_signed(plain), named)
        if len(plain) < 80:  # noqa: PLR2004 - less than the overhead
            return 0.0
        if split(plain).plain_size % BLOCK:
            return 0.9 if named else 0.3  # Ruby counts characters: JSON beyond ASCII comes out uneven
        return 0.87 + named

    # -- reading ----------------------------------------------------------------------------------

    def _decode(self, text: str, context: Context) -> Decoded:
        found = _split(from_header(text))
        if isinstance(found, Signed):
            payload = b64decode_lenient(found.body)
        else:
            _, (payload, _) = self._open(found, context)
        data, kind, warnings = _read(payload, context.max_size)
        return Decoded(
            data=data,
            id=hash_id(data),
            encrypted=isinstance(found, Sealed),
            payload_type=kind,
            algorithm=found.algorithm,
            warnings=(*pasted(text), *warnings),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        found = _split(from_header(text))
        if isinstance(found, Signed):
            index = self._check(found, context)
            return genuine(context, index, algorithm=found.algorithm, warnings=pasted(text))
        index, (_, purpose) = self._open(found, context)
        assumed = (_NAME_ASSUMED,) if purpose and context.cookie_name is None else ()
        return genuine(context, index, algorithm=found.algorithm, warnings=(*pasted(text), *assumed))

    def _check(self, found: Signed, context: Context) -> int:
        """The index of the key that signed. Raises `NoKeyError` or `BadSignatureError`."""
        if self.given("digest") and self.option("digest") != found.digest:
            raise MalformedCookieError(
                f"the signature has the length of {found.digest}, not of {self.option('digest')} (-O digest)"
            )
        message, given = found.body.encode("ascii"), found.tag.encode("ascii")
        return self.macs(_make_mac, found.digest).find(context.keys, message, given, hexlify)

    def _open(self, found: Sealed, context: Context) -> tuple[int, tuple[bytes, bytes]]:
        """The index of the key that fits, the payload and the purpose. Raises `NoKeyError` or `BadSignatureError`."""
        if not context.keys:
            raise NoKeyError("no secret was given; --secret takes one of Rack's secrets")
        purposes = {"auto": (_named(context), b""), "name": (_named(context),), "none": (b"",)}

        def opens(secret: Secret) -> tuple[bytes, bytes] | None:
            for purpose in purposes[self.option("purpose")]:
                payload = unlock(found, secret, purpose)
                if payload is not None:
                    return payload, purpose
            return None

        return first_opened(context, opens)

    # -- writing ----------------------------------------------------------------------------------

    def wants_id(self, data: Any, cookie_name: str) -> bool:  # noqa: ARG002 - part of the interface
        """Every session does."""
        return lacks_id(data)

    def new_id(self) -> str:
        """64 hexadecimal digits (abstract/id.rb, `generate_sid` with `sidbits` of 256)."""
        return secrets.token_hex(32)

    def _encode(self, content: Content, context: Context) -> str:
        payload = self._dump(with_id(content.data, content.id))
        secret, mode = context.keys.newest, self.option("mode")
        if mode != "signed":
            return to_header(seal(1 if mode == "v1" else 2, payload, secret, self._purpose(context)))
        body = b64encode(payload)
        return to_header(f"{body}--{hex_tag(_make_mac(secret, self.option('digest')), body)}")

    def _purpose(self, context: Context) -> bytes:
        """What a new text is bound to."""
        return b"" if self.option("purpose") == "none" else _named(context)

    def remarks(self, data: Any, flash: Mapping[str, Any]) -> tuple[Warn, ...]:  # noqa: ARG002 - part of the interface
        """That not every application reads it."""
        return (_BOUND,) if self.option("purpose") == "auto" and self.option("mode") != "signed" else ()

    def inherit(self, text: str, context: Context) -> None:
        """Keep the payload, so that symbols and objects in it stay."""
        found = _split(from_header(text))
        self._before = (
            b64decode_lenient(found.body) if isinstance(found, Signed) else self._open(found, context)[1][0]
        )

    def _ways(self, text: str, context: Context) -> dict[str, str]:
        found = _split(from_header(text))
        if isinstance(found, Signed):
            ways, payload = {"mode": "signed", "digest": found.digest}, b64decode_lenient(found.body)
        else:
            payload, purpose = self._open(found, context)[1]
            ways = {"mode": f"v{found.version}", "purpose": "name" if purpose else "none"}
        kind = _read(payload, context.max_size)[1]
        packed = kind == "json" and _may_be_zlib(payload)
        return {
            **ways,
            "serializer": "zipjson" if packed else kind if kind in ("json", "marshal") else "marshal",
        }

    def _dump(self, data: Any) -> bytes:
        if self.option("serializer") == "marshal":
            from sessionctl.payload import marshal

            return marshal.dumps_like(data, self._before)
        text = jsontext.dumps_bytes(data)
        return zlib.compress(text) if self.option("serializer") == "zipjson" else text


def _detect_signed(found: Signed, named: float) -> float:
    int(found.tag, 16)
    value, kind, _ = _read(b64decode(found.body), 1 << 16)
    if kind not in {"json", "marshal"}:
        return 0.0
    if not isinstance(value, dict) or "_rails" in value:
        return 0.1
    return (0.88 if "session_id" in value else 0.5) + named


def _split(plain: str) -> Signed | Sealed:
    """The parts of a text. Raises `MalformedCookieError`, and `BadSignatureError` for broken base64."""
    return split(plain) if _is_sealed(plain) else split_signed(plain)


def _is_sealed(plain: str) -> bool:
    """Whether a text begins as version 1 or 2 does; what Rack signs begins with B or e.

    Two hyphens may stand in version 1 too, but hexadecimal digits do not follow them there.
    """
    if plain[:1] != "A":
        return False
    tag = plain.rpartition("--")[2]
    return len(tag) not in TAG_SIZES or not _HEX.issuperset(tag)


def _named(context: Context) -> bytes:
    return (context.cookie_name or _COOKIE_NAME).encode("utf-8", "replace")


def _make_mac(secret: Secret, digest: str) -> Hmac:
    return Hmac(secret.bytes, digest)


def _read(payload: bytes, max_size: int) -> tuple[Any, str, tuple[Warn, ...]]:
    """As `read_payload`, through zlib where ZipJSON wrote it."""
    if _may_be_zlib(payload):
        try:
            return read_payload(decompress(payload, max_size))
        except MalformedError:
            pass
    return read_payload(payload)


def _may_be_zlib(payload: bytes) -> bool:
    """Whether the bytes begin with the header of a zlib stream (RFC 1950, 2.2), and as no other payload does."""
    return int.from_bytes(payload[:2], "big") % 31 == 0 and payload[:1] not in {b"{", b"\x04"}
