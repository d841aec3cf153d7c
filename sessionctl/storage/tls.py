"""TLS to a storage's server: one context, made once, for all its connections."""

from __future__ import annotations

import ssl

from sessionctl.errors import UsageError


def tls_context(ca: str | None, cert: str | None, key: str | None) -> ssl.SSLContext:
    """Whom to trust, the authorities in a PEM file or else the system's, and this client's own certificate.

    Raises `UsageError` for files that cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        if cert:
            context.load_cert_chain(cert, key)
    except OSError as error:
        raise UsageError(f"tls_ca, tls_cert or tls_key cannot be read: {error.strerror or error}") from None
    return context
