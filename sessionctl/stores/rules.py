"""How stores name the record of an ID: a key on a server, a path below a directory.

A rule gives every name that the record may have, most usual first, and takes a name apart again for a scan.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from sessionctl.encoding import b64encode_urlsafe

Folders = Callable[[str], tuple[str, ...]]
"""The paths below the directory at which a file of some name may lie."""

Form = Callable[[str], str]
"""What stands in a name for an ID."""

_HASHES: dict[str, tuple[Callable[[bytes], str], int]] = {
    "md5": (lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(), 32),
    "sha256": (lambda data: hashlib.sha256(data).hexdigest(), 64),
    "blake2s": (lambda data: hashlib.blake2s(data).hexdigest(), 64),
}
"""A hash by name, and how many hexadecimal digits it has."""


def flat(name: str) -> tuple[str, ...]:
    """DIR/name."""
    return (name,)


def beaker(name: str) -> tuple[str, ...]:
    """DIR/container_file/n/na/name, DIR being Beaker's data_dir, or its container_file itself."""
    path = f"{name[:1]}/{name[:2]}/{name}"
    return f"container_file/{path}", path


def halves(name: str) -> tuple[str, ...]:
    """DIR/nnnn/nnnnnnnnnnnn, as React Router cuts its IDs of 16 hexadecimal digits."""
    return (f"{name[:4]}/{name[4:]}",)


def letters(depth: int, prefix: str) -> Folders:
    """DIR/a/b/prefix-abcd..., as PHP does with `session.save_path = "2;DIR"`."""
    return lambda name: ("/".join([*name[len(prefix) : len(prefix) + depth], name]),)


def plain(session_id: str) -> str:
    """The ID itself."""
    return session_id


def rack_private(session_id: str) -> str:
    """The private ID of Rack: `2::` and SHA-256 of the public one, in hexadecimal."""
    return f"2::{hashlib.sha256(session_id.encode()).hexdigest()}"


def scs_hashed(token: str) -> str:
    """The key of scs' HashTokenInStore: SHA-256 of the token in URL-safe base64 without padding."""
    return b64encode_urlsafe(hashlib.sha256(token.encode()).digest())


class Rule(NamedTuple):
    """How one kind of store names its records.

    A name is prefix, one of the `forms` of the ID, suffix; or with `hashes` one of these of prefix and ID, then
    the suffix. `shape` is what an ID looks like, so that a scan leaves alone what is none.
    """

    prefixes: tuple[str, ...] = ("",)
    suffixes: tuple[str, ...] = ("",)
    forms: tuple[Form, ...] = (plain,)
    hashes: tuple[str, ...] = ()
    folders: Folders = flat
    depth: int = 0
    """How many directories deep the files lie, at the most."""
    shape: str = r"[^/\x00]+"
    no_records: frozenset[str] = frozenset()
    """Names that the framework gives to something else."""

    def names(self, session_id: str, shown: str | None = None) -> list[str]:
        """Every name that the record may have, most usual first, each once; `shown` stands for the ID itself."""
        found = [
            f"{name}{suffix}"
            for prefix in self.prefixes
            for name in self._stems(prefix, session_id, shown or session_id)
            for suffix in self.suffixes
        ]
        return list(dict.fromkeys(path for name in found for path in self.folders(name)))

    def _stems(self, prefix: str, session_id: str, shown: str) -> list[str]:
        if self.hashes:
            return [_HASHES[name][0](f"{prefix}{session_id}".encode()) for name in self.hashes]
        return [f"{prefix}{shown if form is plain else form(session_id)}" for form in self.forms]

    def id_of(self, name: str) -> str | None:
        """The ID in a name; empty where only its hash is there; None where it is no record's name."""
        stem = name.replace("/", "") if self.folders is halves else name.rpartition("/")[2]
        for suffix in self.suffixes:
            if not stem.endswith(suffix):
                continue
            inner = stem.removesuffix(suffix)
            if self.hashes:
                if len(inner) in {_HASHES[each][1] for each in self.hashes} and _is_hex(inner):
                    return None if inner in self.no_records else ""
                continue
            for prefix in self.prefixes:
                if inner.startswith(prefix) and re.fullmatch(self.shape, inner[len(prefix) :]):
                    return inner[len(prefix) :]
        return None


def _is_hex(text: str) -> bool:
    return frozenset("0123456789abcdef").issuperset(text)
