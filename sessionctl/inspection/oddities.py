"""What is odd about a cookie and its session, each with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionctl.cookie import MAX_SIZE
from sessionctl.duration import human_seconds
from sessionctl.formats.judging import ID_ALONE
from sessionctl.inspection.ending import DEFAULT
from sessionctl.inspection.stored import Stored, is_live, not_found
from sessionctl.sources.base import kept_until, pieces
from sessionctl.verdict import Verdict, Warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sessionctl.errors import SessionctlError
    from sessionctl.formats.base import Decoded
    from sessionctl.identify import Identified, Setup
    from sessionctl.inspection.report import Report
    from sessionctl.sources import Source

_DROPPED = "by its Max-Age or Expires the browser has dropped it, as where the application ends the session"
_EARLY = 300
"""Seconds by which a browser may drop a cookie before its session ends; iron-session has it do so by 60."""


def odd(
    source: Source,
    known: Identified,
    decoded: Decoded,
    setup: Setup,
    failure: SessionctlError | None,
    stored: Stored,
) -> list[Warn]:
    """All of it but the hints at a wrong key or a damaged text (`sessionctl.diagnosis`)."""
    verdict, found = known.verdict, keys_missing(setup)
    if failure is not None:
        said = str(failure)
        found.append(Warn(failure.code, said if "encrypted" in said else f"it is encrypted: {said}"))
    if verdict.needs_resign:
        found.append(Warn("needs-resign", _resign(verdict)))
    if verdict.reason == "unsigned" and not decoded.is_id:
        found.append(Warn("unsigned", "anybody can change it; sign it, or trust nothing in it"))
    if setup.keys and verdict.detail.startswith(ID_ALONE) and not stored.found:
        found.append(
            Warn(
                "no-part",
                "the secret plays no part: nothing signs this ID, its store knows it or does not",
            )
        )
    size = max(len(name) + len(value) for name, value in pieces(source).items())
    if size > MAX_SIZE:
        found.append(
            Warn("too-large", f"{size} bytes: browsers drop a cookie over {MAX_SIZE} without a word")
        )
    found += odd_record(stored, setup)
    if stored.storage is not None and not stored.found:
        found.append(Warn("not-found", not_found(stored.storage, setup)))
    if known.rivals and not known.settled:
        rivals = ", ".join(known.rivals[:3])
        found.append(
            Warn(
                "ambiguous", f"the text alone does not tell {known.format.name} from {rivals}; -f settles it"
            )
        )
    if source.attributes is not None and not verdict.cleared:
        found += _attributes(source.attributes)
    found += [Warn("source", note) for note in source.notes]
    return found


def keys_missing(setup: Setup) -> list[Warn]:
    """Why the keys of the profile are not there."""
    return [Warn("keys-missing", setup.keys_missing)] if setup.keys_missing else []


def _resign(verdict: Verdict) -> str:
    if verdict.key_index:
        return f"key {verdict.key_index} of {verdict.keys} signed it, not the newest: the next save should sign it anew"
    return "the framework would sign it anew in its present way"


def odd_record(stored: Stored, setup: Setup) -> list[Warn]:
    """What is odd about a stored record."""
    found = []
    if stored.failure is not None:
        found.append(Warn(stored.failure.code, f"the stored record cannot be read: {stored.failure}"))
    if stored.record is not None:
        found += stored.record.warnings
        if stored.record.verdict is not None and not stored.record.genuine:
            found.append(Warn("record-signature", f"the stored record: {stored.record.verdict.detail}"))
        if not is_live(stored, setup):
            found.append(Warn("record-expired", "the stored record has expired: the framework would drop it"))
    if stored.session is not None and stored.storage is not None and not is_live(stored, setup):
        found.append(Warn("record-expired", not_found(stored.storage, setup, stored.expires_at)))
    return found


def short_lived(report: Report) -> list[Warn]:
    """What the Set-Cookie says of the cookie's end in the browser: now, or well before the session's own."""
    attributes = report.attributes or {}
    end = kept_until(attributes, report.now)
    if end is None or report.verdict.cleared:
        return []
    if end <= report.now:
        return [Warn("dropped", _DROPPED + _own_life(report))]
    if report.expires_at is not None and end < report.expires_at - _EARLY:
        left = human_seconds(end - report.now)
        text = f"the browser drops it in {left}, long before the session in it expires"
        return [Warn("dropped-early", text + _own_life(report))]
    return []


def _own_life(report: Report) -> str:
    """What to ask with where the session's own end is only a default, and its Set-Cookie has the application's life."""
    begins = report.issued_at
    end = None if begins is None else kept_until(report.attributes or {}, begins)
    if report.end.by != DEFAULT or begins is None or end is None or end <= begins:
        return ""
    return f"; its own end is known only by default, --max-age {end - begins:.0f}s judges it by that life"


def _attributes(attributes: Mapping[str, str]) -> list[Warn]:
    """What a session cookie's attributes lack (OWASP Session Management Cheat Sheet, "Cookies")."""
    found = []
    if "httponly" not in attributes:
        found.append(Warn("no-httponly", "without HttpOnly, any script on the page can read it"))
    if "secure" not in attributes:
        found.append(Warn("no-secure", "without Secure, it also travels over plain http"))
    if "samesite" not in attributes:
        found.append(Warn("no-samesite", "without SameSite, browsers choose; say SameSite=Lax"))
    elif attributes["samesite"].lower() == "none" and "secure" not in attributes:
        found.append(Warn("samesite-none", "SameSite=None without Secure is refused by browsers"))
    if "partitioned" in attributes and "secure" not in attributes:
        found.append(Warn("partitioned", "Partitioned without Secure is refused by browsers"))
    return found
