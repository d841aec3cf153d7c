"""Why a browser would refuse a Set-Cookie header without a word (RFC 6265bis, draft 22, section 5.7)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from sessionctl.cookie import MAX_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sessionctl.sources.base import Source

RFC = "RFC 6265bis"
LAYERED = "Cookies: HTTP State Management Mechanism (draft-ietf-httpbis-layered-cookies)"


class Refusal(NamedTuple):
    """One reason: a code, what is wrong, what the rule says, and what mends it."""

    code: str
    message: str
    source: str
    mend: str


def refusals(cookie: Source, url: str | None = None) -> list[Refusal]:
    """All reasons for which a browser would not keep a cookie that it got from this URL.

    Without a URL only what the header itself tells.
    """
    attributes = cookie.attributes or {}
    name, value = cookie.name or "", cookie.value or ""
    host, https = _place(url)
    return [
        *_by_size(name, value),
        *_by_security(attributes, host, https=https),
        *_by_prefix(name.lower(), value.lower(), attributes),
        *_by_domain(attributes.get("domain", ""), host),
    ]


def _place(url: str | None) -> tuple[str | None, bool]:
    parts = urlsplit(url or "")
    return parts.hostname, parts.scheme in ("https", "wss", "")


def is_local(host: str | None) -> bool:
    """Whether browsers trust the host without TLS (W3C Secure Contexts, 3.1)."""
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _by_size(name: str, value: str) -> Iterator[Refusal]:
    size = len(name.encode(errors="replace")) + len(value.encode(errors="replace"))
    if size > MAX_SIZE:
        message = f"name and value take {size} bytes, and browsers keep {MAX_SIZE}"
        yield Refusal(
            "too-large",
            message,
            f"{RFC} 5.6",
            "keep less in the cookie, or only an ID and the rest in a store",
        )
    if any((ord(char) < 32 and char != "\t") or ord(char) == 127 for char in name + value):  # noqa: PLR2004 - ASCII
        yield Refusal("control-character", "it holds a control character", f"{RFC} 5.6", "encode the value")


def _by_security(attributes: Mapping[str, str], host: str | None, *, https: bool) -> Iterator[Refusal]:
    secure = "secure" in attributes
    if secure and not https and not is_local(host):
        yield Refusal(
            "secure-on-http", "Secure, but set over plain http", f"{RFC} 5.7", "serve the site over https"
        )
    if attributes.get("samesite", "").lower() == "none" and not secure:
        yield Refusal(
            "samesite-none", "SameSite=None without Secure", f"{RFC} 5.7", "add Secure, or say SameSite=Lax"
        )
    if "partitioned" in attributes and not secure:
        yield Refusal("partitioned", "Partitioned without Secure", "CHIPS (draft-cutler-httpbis-partitioned-cookies)",
                      "add Secure")  # fmt: skip


def _by_prefix(name: str, value: str, attributes: Mapping[str, str]) -> Iterator[Refusal]:
    if not name:  # a cookie without a name must not look like one that has a prefix
        name, attributes = value, {}
    secure = "secure" in attributes
    bound = secure and attributes.get("path") == "/" and not attributes.get("domain")
    if name.startswith("__host-") and not bound:
        message = "the __Host- prefix demands Secure, Path=/ and no Domain"
        yield Refusal("host-prefix", message, f"{RFC} 4.1.3.2", "set Secure and Path=/, leave Domain out")
    if name.startswith("__secure-") and not secure:
        yield Refusal("secure-prefix", "the __Secure- prefix demands Secure", f"{RFC} 4.1.3.1", "add Secure")
    if name.startswith(("__http-", "__host-http-")) and not (secure and "httponly" in attributes):
        message = "the __Http- and __Host-Http- prefixes demand Secure and HttpOnly"
        yield Refusal("http-prefix", message, LAYERED, "add Secure and HttpOnly, or choose another name")


def _by_domain(domain: str, host: str | None) -> Iterator[Refusal]:
    domain = domain.lstrip(".").lower()
    if not domain:
        return
    if host is not None and host != domain and not host.endswith(f".{domain}"):
        message = f"Domain={domain} is not the host it came from, {host}, nor above it"
        yield Refusal("foreign-domain", message, f"{RFC} 5.7", "leave Domain out")
    elif "." not in domain and domain != host:
        message = f"Domain={domain} is a whole top-level domain"
        yield Refusal("public-suffix", message, f"{RFC} 5.7", "leave Domain out")
