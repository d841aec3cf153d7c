"""Recorded visits for tests: HAR files of real Set-Cookie texts."""

from __future__ import annotations

import json
from typing import Any

from sessionctl.duration import iso

START = 1795423900
"""Unix seconds of the first request."""


def exchange(
    second: float,
    method: str,
    url: str,
    status: int,
    sent: str = "",
    *received: str,
    body: str | None = None,
    media_type: str | None = None,
    text: str | None = None,
) -> dict[str, Any]:
    """One entry of a HAR file. A URL without a scheme is a path of https://shop.test."""
    return {
        "startedDateTime": iso(START + second),
        "request": {
            "method": method,
            "url": url if "://" in url else f"https://shop.test{url}",
            "headers": [{"name": "Cookie", "value": sent}] if sent else [],
            **({} if body is None else {"postData": {"mimeType": "application/json", "text": body}}),
        },
        "response": {
            "status": status,
            "headers": [{"name": "Set-Cookie", "value": cookie} for cookie in received],
            **({} if media_type is None else {"content": {"mimeType": media_type, "text": text}}),
        },
    }


def har(*entries: dict[str, Any]) -> bytes:
    """A HAR file."""
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}}).encode()
