"""Where the servers of a storage are, and what they want to know: the part of a URL after its scheme.

    //[user[:password]@]host[:port][,host[:port]...][/path]

User and password are percent-encoded there. A password is better kept out of URLs, which end up in process
lists and logs: in an environment variable (`password_env=NAME`) or a file (`password_file=PATH`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from sessionctl.errors import SecretError, UsageError

_USER = re.compile(r"(?P<name>[^/:]*)(?::(?P<password>[^/]*))?@")
_PASSWORD_OPTION = re.compile(r"([?&](?:\w*password|auth)=)[^&]*")
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s\[\]:@]*)(?::(?P<port>\d{1,5}))?")
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """The servers of a storage, in order, and what stands after them."""

    servers: tuple[tuple[str, int], ...] = ()
    path: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def public(self) -> str:
        """The address without the password."""
        user = f"{self.username}@" if self.username else ""
        return f"//{user}{','.join(map(server_text, self.servers))}{self.path}"


def parse_address(location: str, default_port: int) -> Address:
    """The address in a URL without scheme and query. Raises `UsageError`, which repeats no password."""
    username, password, rest = split_user(location)
    hosts, slash, path = rest.partition("/")
    servers = tuple(_server(text, default_port) for text in hosts.split(","))
    return Address(servers, slash + path, username, password)


def split_user(location: str) -> tuple[str | None, str | None, str]:
    """User and password of a URL without scheme and query, decoded, and what follows them."""
    location = location.removeprefix("//")
    user = _USER.match(location)
    if user is None:
        return None, None, location
    name, password = user.groups()
    return unquote(name) or None, password and unquote(password), location[user.end() :]


def without_password(url: str) -> str:
    """A URL without the password before its servers."""
    return _with_password(url, "")


def hide_password(url: str) -> str:
    """A URL with `***` for its passwords, to be shown."""
    return _PASSWORD_OPTION.sub(r"\1***", _with_password(url, ":***"))


def _with_password(url: str, password: str) -> str:
    """A URL with another password, if it has one."""
    begin = url.find(":") + 1
    begin += 2 * url.startswith("//", begin)
    user = _USER.match(url, begin)
    if user is None or not user["password"]:
        return url
    name = user["name"] + password
    return f"{url[:begin]}{name}{'@' if name else ''}{url[user.end() :]}"


def _server(text: str, default_port: int) -> tuple[str, int]:
    match = _HOST.fullmatch(text)
    port = int(match["port"] or default_port) if match else 0
    if match is None or not 0 < port <= _MAX_PORT:
        raise UsageError(
            "a server is given as HOST or HOST:PORT; encode '@', ':', '/' and '?' in a password as %40 ..."
        )
    return match["host"].strip("[]") or "localhost", port


def server_text(server: tuple[str, int]) -> str:
    """`host:port`, as a URL has it."""
    host, port = server
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def find_password(given: str | None, env: str | None, file: str | None) -> str | None:
    """The password: from an environment variable or a file's first line, if one is named, else as given.

    Raises `SecretError` where it is not there.
    """
    if env is not None:
        if env not in os.environ:
            raise SecretError(f"the environment variable {env}, named by password_env, is not set")
        return os.environ[env]
    if file is not None:
        return _first_line(Path(file).expanduser())
    return given


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as stream:
            line = stream.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SecretError(f"the password file {path} cannot be read: {reason}") from None
    if not line:
        raise SecretError(f"the password file {path} is empty")
    return line
