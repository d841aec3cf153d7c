"""React Router 7 and 8 (framework mode) and Remix 2: `createCookie` and every session storage over it.

    encodeURIComponent(P "." S)      signed: `secrets` is set
    encodeURIComponent(P)            unsigned

    P  standard base64 with padding of the UTF-8 JSON text of any value: the session's data themselves with
       cookie storage, a JSON string (the ID, quotes included) with file and memory storage
    S  HMAC-SHA256(UTF-8 of the secret, P), standard base64 without padding (43 characters)

A flashed value is an ordinary member `__flash_NAME__`, which `session.get(NAME)` removes, and which a plain
member NAME hides. React Router reads S as bytes (`atob`), so padding and stray low bits pass; Remix 2
compares the text. Where S fits and P is no JSON, both read an empty object.
Sources: react-router 7.18.5, lib/server-runtime/cookies.ts, crypto.ts, sessions.ts; @remix-run/server-runtime
2.17.5, cookies.js, with cookie-signature 1.2.2.
"""

from __future__ import annotations

from typing import Any

from sessionctl import jsontext
from sessionctl.encoding import atob, b64encode
from sessionctl.errors import MalformedCookieError, MalformedError
from sessionctl.formats import cookie_signature, remix
from sessionctl.formats.base import Content, Context, Decoded, Format, Verdict, Warn
from sessionctl.formats.judging import genuine
from sessionctl.signing.mac import HMAC_SHA256
from sessionctl.signing.macs import Macs

_FLASH, _FLASH_END = "__flash_", "__"
_FILE_ID = 16
_OF_OTHERS = 0.3
"""The confidence that signed data which look like another framework's are React Router's after all."""

_QUOTED = Warn("quoted", "the value stands in double quotes: Remix 2 reads it, React Router does not")
_NON_CANONICAL = Warn(
    "non-canonical",
    "the signature is not the text that React Router writes, though it accepts it; Remix 2 does not",
)
_UNREADABLE = Warn("unreadable-payload", "the payload is no JSON: React Router reads an empty session")


class ReactRouter(Format):
    """The cookie of React Router's and Remix 2's `createCookie`."""

    name = "react-router"
    may_hold_id = True
    summary = "React Router 7 and 8, Remix 2: createCookie and its session storages"
    cookie_names = ("__session",)
    surest = 0.98
    example = "eyJ1c2VyIjoiYWxpY2UiLCJ2aXNpdHMiOjN9.qvLLEp78iBpSJg585JHL1es%2B02T1z8IG6YGLC9yF8P4"

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._macs = Macs(cookie_signature.mac_of)

    def _detect(self, text: str, cookie_name: str | None) -> float:
        payload, signature = cookie_signature.split(cookie_signature.header_text(text))
        padded = cookie_signature.looks_signed(signature, cookie_signature.LENGTH + 1)
        if signature is not None and not padded and not cookie_signature.looks_signed(signature):
            return 0.0
        if len(payload) % 4 or not payload.isascii() or (text[:1] == '"' and cookie_name is None):
            return 0.0  # quotes around a value without a name are a shell's
        score = _plausible(_json(payload), signed=signature is not None)
        if score == _OF_OTHERS and remix.undone(text) is not None:
            return 0.0  # Remix 3's own, encoded on the way: the key fits, but Remix reads nothing in it
        named = 0.04 if cookie_name in self.cookie_names and score else 0.0
        return min(1.0, score + (named if signature is not None else 2 * named))

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - needs no key
        payload, signature = cookie_signature.split(cookie_signature.header_text(text))
        signed = signature is not None
        value, unreadable = _session(payload, lenient=cookie_signature.looks_signed(signature))
        return Decoded(
            data=value,
            id=value if isinstance(value, str) else None,
            flash=_flash_view(value),
            signed=signed,
            algorithm=HMAC_SHA256 if signed else None,
            warnings=_odd(text, signature) + unreadable,
        )

    def _verify(self, text: str, context: Context) -> Verdict:
        payload, signature = cookie_signature.split(cookie_signature.header_text(text))
        if signature is None:
            _json(payload)
            return cookie_signature.unsigned(context, "the cookie carries no signature")
        index = cookie_signature.find_key(self._macs, context, payload, signature)
        value, warnings = _cookie_value(payload)
        warnings += _odd(text, signature)
        return genuine(context, index, algorithm=HMAC_SHA256, value=value, warnings=warnings)

    def _encode(self, content: Content, context: Context) -> str:
        payload = b64encode(jsontext.dumps_bytes(content.data))
        return cookie_signature.encode_uri_component(
            cookie_signature.sign(self._macs.of(context.keys)[0], payload)
        )

    def with_flash(self, data: Any, key: str, value: Any) -> Any:
        """The data with the member `__flash_KEY__`, as `session.flash(key, value)` makes it."""
        if not isinstance(data, dict):
            return super().with_flash(data, key, value)
        return {**data, f"{_FLASH}{key}{_FLASH_END}": value}


def _json(payload: str) -> Any:
    data = atob(payload)
    try:
        return jsontext.loads_bytes(data)
    except MalformedError as error:
        raise MalformedCookieError(f"the payload is {error}") from None


def _session(payload: str, *, lenient: bool) -> tuple[Any, tuple[Warn, ...]]:
    try:
        return _json(payload), ()
    except MalformedCookieError:
        if not lenient:
            raise
        return {}, (_UNREADABLE,)


def _cookie_value(payload: str) -> tuple[str, tuple[Warn, ...]]:
    """The text in a genuine cookie: a JSON string is what it stands for, anything else the JSON itself."""
    try:
        text = atob(payload).decode()
        value = jsontext.loads(text)
    except (MalformedError, UnicodeDecodeError):
        return "{}", (_UNREADABLE,)
    return value if isinstance(value, str) else text, ()


def _odd(text: str, signature: str | None) -> tuple[Warn, ...]:
    quoted = (_QUOTED,) if text[:1] == '"' else ()
    if signature is None or cookie_signature.is_canonical(signature):
        return quoted
    return (*quoted, _NON_CANONICAL)


def _flash_view(data: Any) -> dict[str, Any] | None:
    if not isinstance(data, dict):
        return None
    return {
        key[len(_FLASH) : -len(_FLASH_END)]: value
        for key, value in data.items()
        if key.startswith(_FLASH) and key.endswith(_FLASH_END) and len(key) > len(_FLASH + _FLASH_END)
    }


def _plausible(value: Any, *, signed: bool) -> float:
    """How likely the payload is this framework's, not that of another which writes base64 JSON."""
    if isinstance(value, dict):
        if value.keys() == {"i", "d"} or {"iv", "value", "mac"} <= value.keys():  # Remix 3, Laravel
            return _OF_OTHERS if signed else 0.1
        return 0.94 if signed else 0.45
    if isinstance(value, str):
        is_id = len(value) == _FILE_ID and value.isalnum()
        return 0.92 if signed else (0.5 if is_id else 0.2)
    return 0.85 if signed else 0.1
