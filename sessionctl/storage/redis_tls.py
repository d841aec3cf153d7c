"""redis-py's TLS connections, by a context that all connections of a storage share.

redis-py makes a context for each connection, which takes 20 milliseconds, and has it trust the system's
authorities besides those that were named. It takes none from outside. Were one of the places below to go, a
connection would be encrypted all the same, by redis-py's own context: it is given the same options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio

if TYPE_CHECKING:
    import ssl


_SSLConnection: Any = redis.SSLConnection


def encrypted(kind: Any, context: ssl.SSLContext) -> Any:
    """A class like `kind`, one of redis-py's `SSLConnection`s, whose connections use that context."""
    is_async = issubclass(kind, redis.asyncio.SSLConnection)
    return _aencrypted(kind, context) if is_async else _encrypted(kind, context)


def _encrypted(kind: Any, context: ssl.SSLContext) -> Any:
    class Encrypted(kind):  # type: ignore[misc] # known only here
        def _connect(self) -> Any:
            plain = super(_SSLConnection, self)._connect()
            try:
                return context.wrap_socket(plain, server_hostname=self.host)
            except BaseException:
                plain.close()
                raise

    return Encrypted


def _aencrypted(kind: Any, context: ssl.SSLContext) -> Any:
    class Encrypted(kind):  # type: ignore[misc] # known only here
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.ssl_context.context = context

    return Encrypted


def tls_options(ca: str | None, cert: str | None, key: str | None) -> dict[str, Any]:
    """What `tls_context` makes of these, as redis-py's options of an `SSLConnection`."""
    return {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": ca,
        "ssl_certfile": cert,
        "ssl_keyfile": key,
    }
