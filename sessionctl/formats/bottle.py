r"""Bottle's signed cookies: `response.set_cookie(name, value, secret=...)`.

    "!" signature "?" payload

    signature  44 characters: base64 of HMAC-SHA256 over the payload's base64 text, compared as text
               (24 characters of MD5 before 0.13: -O digest=md5)
    payload    base64 of the pickle of [name, value]; a tuple before 0.13
    key        the secret's UTF-8

The name in it must be that of the cookie. There is no time in it. The whole stands in double quotes. Bottle
runs the pickle of whoever knows the secret; here it is read, never run.
Sources: Bottle 0.13.4, 0.12.25 and 0.11.7, bottle.py (`set_cookie`, `get_cookie`, `cookie_encode`).
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Any, NamedTuple

from sessionctl.encoding import b64encode, quote, unquote, utf8
from sessionctl.errors import BadSignatureError, MalformedCookieError, MalformedError
from sessionctl.formats.base import Content, Context, Decoded, Format, Option, Verdict, Warn
from sessionctl.formats.judging import genuine
from sessionctl.payload.pickle_pair import name_of_pair
from sessionctl.signing.mac import ALGORITHMS, DIGEST_SIZES, Hmac
from sessionctl.signing.macs import Macs, signature_lengths
from sessionctl.verdict import new_tuple

_USUAL = frozenset({24, 44})  # MD5 up to 0.12, SHA-256 from 0.13 on


class Bottle(Format):
    """A signed cookie of Bottle."""

    name = "bottle"
    takes_last_cookie = True
    summary = "Bottle: set_cookie(..., secret=...)"
    cookie_names = ("session",)
    options = (Option("digest", "sha256", "hash of the signature; md5 before 0.13", tuple(DIGEST_SIZES)),)
    example = (
        '"!h+F2jDhrYAVS6YcB2nIIqn5Jzhw829TETF72pa6DSOs=?gAWVFwAAAAAAAABdlCiMB2FjY291bnSUjAVhbGljZZRlLg=="'
    )

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._algorithm = ALGORITHMS[self.option("digest")]
        self._macs = Macs(lambda secret: Hmac(secret.bytes, self.option("digest")), DIGEST_SIZES)

    def _detect(self, text: str, cookie_name: str | None) -> float:
        if text[:2] != '"!' and text[:1] != "!":
            return 0.0
        parts = _split(text)
        if len(parts.signature) not in signature_lengths(_write).values():
            return 0.0
        name, _ = _read(parts.payload)
        if cookie_name not in (None, name):
            return 0.8
        return 0.98 if len(parts.signature) in _USUAL else 0.95

    def _decode(self, text: str, context: Context) -> Decoded:
        name, data = _read(_split(text).payload)
        return Decoded(
            data=data,
            payload_type="pickle",
            algorithm=self._algorithm,
            warnings=_odd(name, context.cookie_name),
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        parts = _split(text)
        if not context.keys:
            _read(parts.payload)  # what cannot be read is told before the want of a key
        index = self._macs.find(context.keys, parts.payload, parts.signature, _write)
        name = _name(parts.payload)
        if context.cookie_name not in (None, name):
            raise BadSignatureError(
                f"signed by the key, but for a cookie named {name[:80]!r}, and this one has another name"
            )
        return genuine(context, index, algorithm=self._algorithm)

    def _encode(self, content: Content, context: Context) -> str:
        from sessionctl.payload import pickle

        name = context.cookie_name or self.cookie_names[0]
        payload = b64encode(pickle.dumps([name, content.data])).encode("ascii")
        signature = _write(self._macs.of(context.keys)[0].digest(payload))
        return quote(f"!{signature.decode('ascii')}?{payload.decode('ascii')}")

    def _ways(self, text: str, context: Context) -> dict[str, str]:  # noqa: ARG002 - needs no key
        from sessionctl.payload import pickle

        pickle.check_plain(a2b_base64(_split(text).payload))
        return {}


class _Parts(NamedTuple):
    signature: bytes
    payload: bytes


def _write(tag: bytes) -> bytes:
    return b2a_base64(tag, newline=False)


def _split(text: str) -> _Parts:
    bare = unquote(text)
    signature, mark, payload = bare.partition("?")
    if bare[:1] != "!" or not mark:
        raise MalformedCookieError("a signed cookie of Bottle is '!', a signature, '?' and a payload")
    return new_tuple(_Parts, (utf8(signature[1:]), utf8(payload)))


def _name(payload: bytes) -> str:
    """The cookie's name, of a payload that can be read. Raises `MalformedCookieError`."""
    name = name_of_pair(_b64decode(payload))
    return _read(payload)[0] if name is None else name


def _read(payload: bytes) -> tuple[str, Any]:
    """The cookie's name and value. Raises `MalformedCookieError`."""
    from sessionctl.payload import pickle

    try:
        content = pickle.loads(_b64decode(payload))
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None
    if not isinstance(content, list) or len(content) != 2 or not isinstance(content[0], str):  # noqa: PLR2004
        raise MalformedCookieError("the payload is no pair of a name and a value")
    return content[0], content[1]


def _b64decode(payload: bytes) -> bytes:
    try:
        return a2b_base64(payload)
    except Base64Error:
        raise MalformedCookieError("the payload is not base64") from None


def _odd(name: str, cookie_name: str | None) -> tuple[Warn, ...]:
    if cookie_name in (None, name):
        return ()
    return (
        Warn(
            "other-name",
            f"made for a cookie named {name[:80]!r}, so Bottle refuses it under this name",
        ),
    )
