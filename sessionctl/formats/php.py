"""PHP's own sessions, and Symfony's: a cookie with the ID, a record in a file.

    PHPSESSID=rca5s8h9onui1egclkj800rfjb

    the ID    1 to 256 letters, digits, "-" and ","; 26 characters of 0-9a-v, or 32 hexadecimal digits, unless
              session.sid_length and session.sid_bits_per_character or session_id() say otherwise; nothing
              is signed
    sess_ID   the record: see `sessionctl.payload.php_session` for the three handlers

Symfony keeps `_sf2_attributes` (the session), `_symfony_flashes` (type -> list of messages) and `_sf2_meta`
(`c` created, `u` last used, `l` lifetime) in such a record.
Sources: PHP 8.2 ext/session/session.c, mod_files.c; symfony/http-foundation 5.4 Session/Storage.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from sessionctl.encoding import percent_decode
from sessionctl.errors import MalformedCookieError, UsageError
from sessionctl.formats.base import Content, Context, Decoded, Format, Verdict
from sessionctl.formats.judging import unsigned_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sessionctl.signing.keys import KeyRing

ATTRIBUTES, FLASHES, META = "_sf2_attributes", "_symfony_flashes", "_sf2_meta"

_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-,")
_USUAL = {26: frozenset("0123456789abcdefghijklmnopqrstuv"), 32: frozenset("0123456789abcdef")}
# of the IDs that PHP makes (session.sid_length); session_id() sets shorter ones too
_SHORTEST, _LONGEST = 22, 256


class Php(Format):
    """The session cookie of PHP: an ID alone."""

    name = "php"
    summary = "PHP's own sessions, and Symfony's: an ID; the records of all three handlers"
    cookie_names = ("PHPSESSID",)
    holds_session = False
    has_key = False
    example = "rca5s8h9onui1egclkj800rfjb"

    def _detect(self, text: str, cookie_name: str | None) -> float:
        identity = _identity(text)
        usual = _USUAL.get(len(identity), frozenset()).issuperset(identity)
        if cookie_name in self.cookie_names:
            return 0.9 if usual else 0.85
        if len(identity) < _SHORTEST:
            return 0.0
        return 0.2 if usual else 0.05

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - needs no key
        identity = _identity(text)
        return Decoded(data=identity, id=identity, signed=False, payload_type="text")

    def _verify(self, text: str, context: Context) -> Verdict:
        _identity(text)
        return unsigned_id(context, ", PHP signs none", "php")

    def new_id(self) -> str:
        """32 hexadecimal digits, PHP's default since 7.1 (session.sid_length, session.sid_bits_per_character)."""
        return secrets.token_hex(16)

    def _encode(self, content: Content, context: Context) -> str:  # noqa: ARG002 - needs no key
        identity = content.data if isinstance(content.data, str) else content.id
        if not identity or not _ALPHABET.issuperset(identity) or len(identity) > _LONGEST:
            raise UsageError('the cookie of PHP holds an ID alone: letters, digits, "-" and ","')
        return identity.replace(",", "%2C")

    def decode_record(
        self,
        data: bytes,
        keys: KeyRing | Iterable[str | bytes] = (),  # noqa: ARG002 - records of other frameworks need them
        *,
        handler: str | None = None,
        **context: Any,  # noqa: ARG002
    ) -> Decoded:
        """What a record of the store says; of Symfony's, the attributes. Raises `MalformedError`."""
        from sessionctl.payload import php_session

        return decoded_record(php_session.loads(data, handler))


def decoded_record(values: Any) -> Decoded:
    """The session in a record's variables, with Symfony's bags taken apart."""
    if not isinstance(values, dict) or not isinstance(values.get(META), dict):
        return Decoded(data=values, signed=False, payload_type="php")
    return Decoded(
        data=values.get(ATTRIBUTES, []),
        flash=values.get(FLASHES, []),
        issued_at=_time(values[META].get("c")),
        signed=False,
        payload_type="php",
    )


def _identity(text: str) -> str:
    identity = percent_decode(text)
    if len(identity) > _LONGEST:
        raise MalformedCookieError(f"{len(identity)} characters: an ID of PHP has at most {_LONGEST}")
    if not _ALPHABET.issuperset(identity):
        raise MalformedCookieError('an ID of PHP has letters, digits, "-" and "," alone')
    return identity


def _time(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
