"""The secret of the embedded default: made at first use by a command that writes, with mode 0600."""

from __future__ import annotations

import contextlib
import os
import stat

from sessionctl.config.places import data_directory
from sessionctl.errors import ConfigError, SecretError
from sessionctl.signing.keys import KeyRing


def default_keys(*, make: bool) -> KeyRing:
    """The ring of the embedded secret; empty where it was not made yet and is not to be made now.

    Raises `SecretError` and `ConfigError`.
    """
    try:
        path = f"{data_directory()}/secret"
    except ConfigError:
        if make:
            raise
        return KeyRing()
    text = _read_secret(path)
    if text is None and make:
        text = _make_secret(path)
    return KeyRing() if text is None else KeyRing([text])


def _read_secret(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(4096).strip()
            mode = os.fstat(file.fileno()).st_mode
    except (FileNotFoundError, NotADirectoryError):  # HOME=/dev/null, as service users have it
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"cannot read the default secret {path}: {_reason(error)}") from None
    if not text:
        raise SecretError(f"the default secret {path} is empty; remove the file and a new one is made")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o600)
    return text


def _make_secret(path: str) -> str:
    """Write a new secret whole, or take the one that another process has made meanwhile."""
    import tempfile

    text = new_secret()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        file, temporary = tempfile.mkstemp(prefix="secret-", dir=os.path.dirname(path))  # mode 0600
        try:
            with open(file, "w", encoding="ascii") as stream:
                stream.write(f"{text}\n")
            os.link(temporary, path)
        except FileExistsError:
            return _read_secret(path) or text
        finally:
            os.unlink(temporary)
    except OSError as error:
        raise ConfigError(f"cannot make the default secret {path}: {_reason(error)}; give --secret") from None
    return text


def new_secret(size: int = 32) -> str:
    """A new secret: so many random bytes as URL-safe text."""
    import secrets

    return secrets.token_urlsafe(size)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
