"""A package that adds a cookie format and a storage to sessionctl, as docs/plugins.md describes."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from sessionctl.errors import MalformedCookieError
from sessionctl.formats import Decoded, Format
from sessionctl.formats.judging import first_fit, genuine
from sessionctl.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from sessionctl.formats import Context, Verdict


class AcmeFormat(Format):
    """`acme~ID~HMAC-SHA256 of the ID in hex`."""

    name = "acme"
    summary = "Acme's own"
    cookie_names = ("acme",)
    holds_session = False

    def _detect(self, text: str, cookie_name: str | None) -> float:
        return 0.95 if text.startswith("acme~") and text.count("~") == 2 else 0.0

    def _decode(self, text: str, context: Context) -> Decoded:
        session_id, _ = _split(text)
        return Decoded(data=session_id, id=session_id, payload_type="text")

    def _verify(self, text: str, context: Context) -> Verdict:
        session_id, tag = _split(text)
        index = first_fit(context, lambda secret: hmac.compare_digest(_tag(secret.bytes, session_id), tag))
        return genuine(context, index, algorithm="HMAC-SHA256", value=session_id)

    def _encode(self, content: Any, context: Context) -> str:
        return f"acme~{content.data}~{_tag(context.keys.newest.bytes, content.data)}"


class AcmeStorage(MemoryStorage):
    """A storage under a scheme of its own."""

    scheme = "acme"


def _split(text: str) -> tuple[str, str]:
    parts = text.split("~")
    if len(parts) != 3:
        raise MalformedCookieError("an acme cookie has three parts with ~ between them")
    return parts[1], parts[2]


def _tag(secret: bytes, session_id: str) -> str:
    return hmac.new(secret, session_id.encode(errors="replace"), hashlib.sha256).hexdigest()
