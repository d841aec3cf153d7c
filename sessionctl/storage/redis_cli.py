"""The shell's command line that has the very Redis server of a store do something, for who mends it by hand.

It holds no password: that comes from where the store has it, or `redis-cli` asks for it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sessionctl.storage.redis_connection import Target

_FILES = {"--cacert": "tls_ca", "--cert": "tls_cert", "--key": "tls_key"}


def redis_cli(
    target: Target, node: str, options: Mapping[str, str], commands: Iterable[Sequence[str]]
) -> str:
    """Run these commands, each a list of words, on a node: `host:port`, or the path of a socket."""
    before = _password(options)
    words = ["redis-cli", *_place(node), *_tls(target, options)]
    if target.address.username:
        words += ["--user", target.address.username]
    if target.password is not None and not before:
        words += ["--askpass"]
    if target.db:
        words += ["-n", str(target.db)]
    return " && ".join(before + shlex.join([*words, *command]) for command in commands)


def _place(node: str) -> list[str]:
    if node.startswith("/"):
        return ["-s", node]
    host, _, port = node.rpartition(":")
    return ["-h", host.strip("[]"), "-p", port]


def _tls(target: Target, options: Mapping[str, str]) -> Iterator[str]:
    if target.context is None:
        return
    yield "--tls"
    given = {name: options[name] for name in _FILES.values() if name in options}
    if "tls_cert" in given:
        given.setdefault("tls_key", given["tls_cert"])  # a file may hold both; redis-cli wants to be told
    for flag, name in _FILES.items():
        if name in given:
            yield from (flag, given[name])


def _password(options: Mapping[str, str]) -> str:
    """What a shell puts before the command, so that the password stands in no list of processes."""
    if options.get("password_env", "").isidentifier():
        return f'REDISCLI_AUTH="${options["password_env"]}" '
    if "password_file" in options:
        return f'REDISCLI_AUTH="$(head -n 1 {_path(options["password_file"])})" '
    return ""


def _path(path: str) -> str:
    """A quoted path, in which the shell still knows `~/`."""
    return f"~/{shlex.quote(path[2:])}" if path.startswith("~/") else shlex.quote(path)
