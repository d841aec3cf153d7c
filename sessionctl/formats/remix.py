"""Remix 3: cookies of `@remix-run/cookie`, holding a session or its ID.

    P "." S      signed
    P            unsigned

    P  standard base64 with padding of the value's UTF-8: JSON `{"i":id,"d":[values,flash]}` with
       cookie storage, the bare ID with every other
    S  HMAC-SHA256(UTF-8 of the secret, P), standard base64 without padding (43 characters)

Nothing is percent-encoded. Double quotes around the value are taken off. Remix reads the signature leniently
(`atob`): padding and stray low bits pass, which is told as a warning here.
Sources: @remix-run/cookie 0.5.3 and 0.7.0, src/lib/cookie.ts, cookie-signing.ts; @remix-run/headers 0.21.1,
src/lib/param-values.ts; @remix-run/session 0.4.2, src/lib/session-storage/cookie.ts.
"""

from __future__ import annotations

import re

from sessionctl import records
from sessionctl.encoding import atob, b64encode, has_stray_bits
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.formats import cookie_signature
from sessionctl.formats.base import Content, Context, Decoded, Format, Verdict, Warn
from sessionctl.formats.judging import genuine, refused
from sessionctl.signing.mac import HMAC_SHA256, Hmac
from sessionctl.signing.macs import Macs

_SIGNATURE = 43
_LONG = 8
_OWN_ID = re.compile(r"[\w-]{43}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
"""IDs as this package and Remix's own storages make them."""

_SESSION, _ID_LENGTHS = "eyJp", (48, 60, 64)
"""How a session begins under base64 (`{"i`), and how long the IDs are, the latter with `==` or `%3D%3D`."""

_OTHER_TEXT = 0.6
"""The confidence in a signed text that is neither: Fastify signs any, but none happens to be text under base64."""

_ENCODED = "the value is percent-encoded, which Remix does not undo: it reads no session in it"


class Remix(Format):
    """The session cookie of Remix 3."""

    name = "remix"
    summary = "Remix 3: @remix-run/cookie with any of its session storages"
    cookie_names = ("__session", "session")
    flash_apart = True
    surest = 0.97
    example = "eyJpIjoibWoiLCJkIjpbeyJ1c2VySWQiOjQyfSx7fV19.T3ARJCJAcgkuWS0jhzjAGXD4xzVo9fqDy2fYGrjC0Bc"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._macs = Macs(lambda secret: Hmac(secret.bytes))

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - any name will do
        if undone(text) is not None:
            return 0.9
        payload, signature = _split(text)
        if signature is not None and (
            len(signature.rstrip("=")) != _SIGNATURE or not _is_standard(signature)
        ):
            return 0.0
        if len(payload) % 4 or not _is_standard(payload):
            return 0.0
        value = _value(payload)
        if session_of(value) is not None:
            return 0.8 if signature is None else 0.97
        if looks_like_id(value):
            return 0.2 if signature is None else 0.9
        return _OTHER_TEXT if signature is not None and _is_words(value) else 0.0

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - needs no key
        plain = undone(text)
        payload, signature = _split(text if plain is None else plain)
        encoded = () if plain is None else (Warn("percent-encoded", _ENCODED),)
        return decode_value(
            _value(payload),
            signed=signature is not None,
            algorithm=HMAC_SHA256 if signature else None,
            warnings=_odd(signature) + encoded,
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        payload, signature = _split(text)
        if signature is None:
            _value(payload)
            return cookie_signature.unsigned(context, "the cookie carries no signature")
        if undone(text) is not None:
            return refused("bad-signature", _ENCODED, context)
        mac = cookie_signature.mac_bytes(signature)
        if mac is None or len(mac) != 32:  # noqa: PLR2004 - SHA-256
            return refused(
                "bad-signature", "what stands after the last dot is no signature: was the text cut?", context
            )
        message = payload.encode(errors="replace")
        index = self._macs.find(context.keys, message, mac)
        value = _value(payload)
        return genuine(context, index, algorithm=HMAC_SHA256, value=value, warnings=_odd(signature))

    def _encode(self, content: Content, context: Context) -> str:
        payload = b64encode(value_of(content).encode())
        tag = Hmac(context.keys.newest.bytes).digest(payload.encode("ascii"))
        return f"{payload}.{b64encode(tag).rstrip('=')}"


def _split(text: str) -> tuple[str, str | None]:
    if text[:1] == '"' == text[-1:] and len(text) > 1:
        text = text[1:-1].strip()
    payload, dot, signature = text.rpartition(".")
    return (payload, signature) if dot else (text, None)


def undone(text: str) -> str | None:
    """A signed cookie that was percent-encoded on the way, as it was before; None for any other text.

    What others sign is percent-encoded too; Remix's session, or the ID of one, under base64 tells.
    """
    if "%" not in text:
        return None
    head = text.rpartition(".")[0]
    if head[:4] != _SESSION and len(head) not in _ID_LENGTHS:
        return None
    plain = cookie_signature.header_text(text)
    payload, signature = _split(plain)
    if len(payload) % 4 or not cookie_signature.looks_signed(signature):
        return None
    try:
        value = _value(payload)
    except MalformedCookieError:
        return None
    return plain if _OWN_ID.fullmatch(value) or session_of(value) is not None else None


def _is_standard(text: str) -> bool:
    return not any(char in text for char in '-_%"')


def _value(payload: str) -> str:
    try:
        return atob(payload).decode()
    except UnicodeDecodeError:
        raise MalformedCookieError("the payload is not UTF-8") from None


def _odd(signature: str | None) -> tuple[Warn, ...]:
    if signature is None or (len(signature) == _SIGNATURE and not has_stray_bits(signature)):
        return ()
    return (
        Warn("non-canonical", "the signature is not the text that Remix writes, though Remix accepts it"),
    )


# -- the value inside, which `native` shares ----------------------------------------------------------


def session_of(value: str) -> records.Record | None:
    """The session in a cookie value, or None where it is an ID or something else."""
    try:
        return records.parse_value(value)
    except MalformedError:
        return None


def looks_like_id(value: str) -> bool:
    """Printable ASCII without spaces, of a length that IDs have, and no JSON."""
    return (
        8 <= len(value) <= 128  # noqa: PLR2004
        and value.isascii()
        and value.isprintable()
        and not any(char in value for char in ' {}[]"')
    )


def _is_words(value: str) -> bool:
    """Printable text of any language, too long to be that by chance, and no JSON (React Router's has that)."""
    return len(value) >= _LONG and value.isprintable() and value[0] not in '{["'


def decode_value(value: str, **more: object) -> Decoded:
    """What a cookie value says: a session, or the text as it is, which is then the ID."""
    session = session_of(value)
    if session is None:
        return Decoded(data=value, id=value, payload_type="text", **more)  # type: ignore[arg-type]
    given = {"issued_at": session.used or session.created, **more}
    return Decoded(data=session.values, flash=session.flash, id=session.id, **given)  # type: ignore[arg-type]


def value_of(content: Content) -> str:
    """The cookie value of new content: a text is an ID, anything else the values of a session."""
    if isinstance(content.data, str):
        return content.data
    from sessionctl.session import create_session_id

    return records.dump_value(
        records.Record(content.data, dict(content.flash), id=content.id or create_session_id())
    )
