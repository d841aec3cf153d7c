"""A cookie that is a bare ID, as many frameworks write it: nothing but the store can tell what it is."""

from __future__ import annotations

from sessionctl.encoding import percent_decode, unquote
from sessionctl.errors import MalformedCookieError
from sessionctl.formats.base import Context, Decoded, Format, Verdict
from sessionctl.formats.judging import unsigned_id

_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_,.=+~")
_SHORTEST, _LONGEST = 8, 256


class BareId(Format):
    """The cookie of a framework that signs nothing, under the framework's name. It is in no registry."""

    name = "id"
    summary = "a bare session ID"
    holds_session = False
    example = "brz0bn6th4khpbcza4t7wnrph2ggxkoe"

    def __init__(self, name: str) -> None:
        super().__init__()
        setattr(self, "name", name)  # noqa: B010 - of this one alone

    def _detect(self, text: str, cookie_name: str | None) -> float:  # noqa: ARG002 - part of the interface
        return 0.1 if _identity(text) else 0.0

    def _decode(self, text: str, context: Context) -> Decoded:  # noqa: ARG002 - part of the interface
        identity = _identity(text)
        return Decoded(data=identity, id=identity, signed=False, payload_type="text")

    def _verify(self, text: str, context: Context) -> Verdict:
        _identity(text)
        return unsigned_id(context)


def _identity(text: str) -> str:
    identity = percent_decode(unquote(text))
    if not _SHORTEST <= len(identity) <= _LONGEST or not _ALPHABET.issuperset(identity):
        raise MalformedCookieError("no ID of a session: 8 to 256 letters, digits and some signs")
    return identity
