"""A browser refuses what RFC 6265bis says, and nothing else."""

from __future__ import annotations

import pytest

from sessionctl.refusals import refusals
from sessionctl.sources.base import parse_set_cookie


@pytest.mark.parametrize(
    ("header", "url", "codes"),
    [
        ("id=1; Path=/", "https://x.test/", []),
        ("id=1; Secure", "https://x.test/", []),
        ("id=1; Secure", "http://x.test/", ["secure-on-http"]),
        ("id=1; Secure", "http://localhost:5000/", []),
        ("id=1; Secure", "http://app.localhost/", []),
        ("id=1; Secure", "http://127.0.0.1:8000/", []),
        ("id=1; Secure", None, []),
        ("id=1; SameSite=None", "https://x.test/", ["samesite-none"]),
        ("id=1; SameSite=none; Secure", "https://x.test/", []),
        ("id=1; Partitioned", "https://x.test/", ["partitioned"]),
        ("__Host-id=1; Secure; Path=/", "https://x.test/", []),
        ("__Host-id=1; Secure; Path=/a", "https://x.test/", ["host-prefix"]),
        ("__Host-id=1; Secure; Path=/; Domain=x.test", "https://x.test/", ["host-prefix"]),
        ("__host-id=1; Path=/", "https://x.test/", ["host-prefix"]),
        ("__Secure-id=1; Path=/", "https://x.test/", ["secure-prefix"]),
        ("__Http-id=1; Secure; HttpOnly", "https://x.test/", []),
        ("__http-id=1; Secure", "https://x.test/", ["http-prefix"]),
        ("__Host-Http-id=1; Secure; HttpOnly; Path=/", "https://x.test/", []),
        ("__Host-Http-id=1; Secure; Path=/", "https://x.test/", ["http-prefix"]),
        ("=__Host-id=1; Secure; Path=/", "https://x.test/", ["host-prefix"]),
        ("id=1; Domain=x.test", "https://www.x.test/", []),
        ("id=1; Domain=.x.test", "https://www.x.test/", []),
        ("id=1; Domain=y.test", "https://x.test/", ["foreign-domain"]),
        ("id=1; Domain=ox.test", "https://x.test/", ["foreign-domain"]),
        ("id=1; Domain=www.x.test", "https://x.test/", ["foreign-domain"]),
        ("id=1; Domain=test", "https://x.test/", ["public-suffix"]),
        ("id=1; Domain=localhost", "http://localhost/", []),
        (f"id={'a' * 4094}", "https://x.test/", []),
        (f"id={'a' * 4095}", "https://x.test/", ["too-large"]),
        ("id=a\x01b", "https://x.test/", ["control-character"]),
        ("id=a\tb", "https://x.test/", []),
    ],
)
def test_refusal(header: str, url: str | None, codes: list[str]) -> None:
    """Each rule holds at its border, and names its source and what mends it."""
    found = refusals(parse_set_cookie(header), url)
    assert [refusal.code for refusal in found] == codes
    assert all(refusal.source and refusal.mend for refusal in found)
