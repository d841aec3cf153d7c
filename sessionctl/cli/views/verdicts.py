"""A verdict as `verify` prints it: an object, a line, an exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionctl.identify import Setup
    from sessionctl.verdict import Verdict

MALFORMED = 3


def unread(setup: Setup, detail: str) -> Verdict:
    """The verdict on a text of no known format."""
    from sessionctl.verdict import Verdict

    return Verdict(valid=False, reason="malformed", detail=detail, keys=len(setup.keys))


def answer(name: str | None, verdict: Verdict) -> dict[str, Any]:
    """The JSON object of one verdict."""
    from sessionctl.duration import iso

    return {
        "valid": verdict.valid,
        "format": name,
        "key_index": verdict.key_index,
        "keys": verdict.keys,
        "needs_resign": verdict.needs_resign,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "issued_at": iso(verdict.issued_at),
        "expires_at": iso(verdict.expires_at),
        "expired": verdict.expired,
        "warnings": [warning._asdict() for warning in verdict.warnings],
    }


def line(name: str, verdict: Verdict, keys_source: str = "none") -> str:
    """One verdict as a line for people."""
    if verdict.valid:
        if verdict.key_index is None:
            return f"{name}: nothing to verify, the cookie is empty"
        again = "; sign it anew, with the newest key" if verdict.needs_resign else ""
        return f"{name}: genuine, by key {verdict.key_index} of {verdict.keys}{again}"
    source = f" ({keys_source})" if verdict.reason == "bad-signature" and keys_source != "none" else ""
    return f"{name}: {verdict.reason}: {verdict.detail}{source}"


def status_of(verdict: Verdict) -> int:
    """The exit status of one verdict."""
    if verdict.valid:
        return 0
    return MALFORMED if verdict.reason == "malformed" else 1
